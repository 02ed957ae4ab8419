"""Running the rules over a stream that is at hand: a list, an iterator, a tape."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from playhead.cassettes.format import Entry
from playhead.contracts.rules import RULES, Monitor, Violation, moment
from playhead.errors import UsageError
from playhead.events.codec import decode_event, encode_event
from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect

_FIRST_LINE = 2
"""The line of a cassette's first entry: its header is the first."""


@runtime_checkable
class Taped(Protocol):
    """What `check` needs of a tape."""

    dialect: Dialect

    @property
    def where(self) -> str:
        """Return where the cassette is."""
        ...

    @property
    def runs(self) -> dict[str, str]:
        """Return how each run ended."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Yield every entry, in order."""
        ...


def check(
    stream: Taped | Iterable[Any], *, dialect: str | Dialect = "locus", end: str = "complete"
) -> Iterator[Violation]:
    """Yield what breaks a rule in a stream, as it is found: lazily, in constant memory for each open span.

    `stream` is a tape, which says its own dialect, and how each of its runs ended; or any iterable of one run's events:
    typed ones, a framework's own, JSON objects or their text. `end` is one of a cassette's words; only a `complete`
    stream must have a terminal event. Raises `UsageError` for an item that is no event.
    """
    if isinstance(stream, Taped):
        return _check_tape(stream)
    if isinstance(stream, bytes | bytearray | str):
        raise UsageError("a stream is an iterable of events: parse bytes of server-sent events with SSEParser first")
    return _check_run(stream, get_dialect(dialect), end)


def _check_run(events: Iterable[Any], dialect: Dialect, end: str) -> Iterator[Violation]:
    watch = _Watch(dialect)
    for position, event in enumerate(events):
        try:
            value = event if isinstance(event, Mapping) else _json_object(event, dialect)
        except UsageError as error:
            raise UsageError(f"item {position} of the stream is no event: {error}") from error
        yield from watch.feed(value)
    yield from watch.close(end)


def _json_object(event: Any, dialect: Dialect) -> dict[str, Any]:
    return encode_event(decode_event(event, dialect) if isinstance(event, bytes | str) else event)


def _check_tape(tape: Taped) -> Iterator[Violation]:
    """Check each run of events by itself: runs of one tape may lie in between each other."""
    watches: dict[str, _Watch] = {}
    on_wire: set[str] = set()
    line = _FIRST_LINE
    for line, entry in enumerate(tape.entries(), _FIRST_LINE):
        if entry.track != "event":
            on_wire.add(entry.owner)
        elif entry.kind == "event":
            watch = watches.get(entry.owner) or watches.setdefault(entry.owner, _Watch(tape.dialect))
            yield from _located(watch.feed(entry.value()), f"{tape.where}:{line}")
    for run, end in tape.runs.items():
        if run in on_wire:
            continue
        watch = watches.get(run) or _Watch(tape.dialect)
        yield from _located(watch.close(end), f"{tape.where}:{line + 1}")


def _located(violations: Iterator[Violation], where: str) -> Iterator[Violation]:
    return (replace(violation, where=where) for violation in violations)


class _Watch:
    """Watch one run for every rule."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._monitors: list[Monitor] = [rule(dialect) for rule in RULES]
        self._count = 0

    def feed(self, event: Mapping[str, Any]) -> Iterator[Violation]:
        seen = moment(self._count, event, self._dialect)
        self._count += 1
        for monitor in self._monitors:
            yield from monitor.feed(seen)

    def close(self, end: str) -> Iterator[Violation]:
        for monitor in self._monitors:
            yield from monitor.close(end, self._count)

"""Running the rules over a stream: a list, an iterator, a tape, bytes.

Knows where events come from and where a finding is. Does not know the rules.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, runtime_checkable

from playhead.cassettes.format import Entry
from playhead.contracts.limits import Limits
from playhead.contracts.monitor import Place
from playhead.contracts.rules import selected
from playhead.contracts.violation import Violation
from playhead.contracts.watch import Watch
from playhead.contracts.wire import WireWatch
from playhead.contracts.wire_response import ResponseWatch
from playhead.errors import UsageError
from playhead.events.dialects import get_dialect
from playhead.events.locus import LOCUS
from playhead.events.spans import Dialect

_BYTES = (bytes, bytearray, memoryview)
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
    stream: Taped | bytes | Iterable[Any],
    *,
    dialect: str | Dialect | None = None,
    end: str | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    limits: Limits | None = None,
) -> Iterator[Violation]:
    """Yield what breaks a rule in a stream, as it is found: lazily, in constant memory for each open span.

    `stream` is one of these:

    - a tape, which says its own dialect, and how each of its runs ended;
    - any iterable of one run's events: typed ones, a framework's own, JSON objects or their text;
    - the bytes of an event stream, whole or as an iterable of chunks. Then the rules of the wire are asked, too.

    `dialect` is `locus` by default, and bytes say it themselves. `end` is one of a cassette's words: a `complete`
    stream must have a terminal event. None, for a stream that was read to its end, is the same without a word about
    exceptions. What the iterable raises passes through, after the findings at that end.

    `select` and `ignore` are codes or their beginnings, `limits` what the rules need that count and time. Raises
    `UsageError` for an item that is no event, and for a code that there is not.
    """
    codes = selected(select, ignore, limits)
    table = get_dialect(dialect) if dialect is not None else None
    # To look for a protocol takes longer than to check a short run.
    if not isinstance(stream, list) and isinstance(stream, Taped):
        return _check_tape(stream, codes, limits)
    if isinstance(stream, str):
        raise UsageError("a text is no stream: give bytes, or an iterable of events")
    items = [bytes(stream)] if isinstance(stream, _BYTES) else stream
    return _check_items(items, partial(_watch_for, table, codes, limits), end)


def _watch_for(dialect: Dialect | None, codes: frozenset[str], limits: Limits | None, item: Any) -> Watch | WireWatch:
    """Return what watches a stream that begins so. JSON begins with a brace, and no event stream does."""
    if isinstance(item, _BYTES) and not bytes(item).lstrip().startswith(b"{"):
        return WireWatch(dialect, codes=codes, limits=limits)
    return Watch(dialect or LOCUS, codes=codes, limits=limits)


def _check_items(
    items: Iterable[Any], watch_for: Callable[[Any], Watch | WireWatch], end: str | None
) -> Iterator[Violation]:
    """Check items one by one. What the source raises is its end; what the watch raises says which item it is."""
    source, position, is_reading = iter(items), -1, True
    watch: Watch | WireWatch | None = None
    try:
        for item in source:
            position += 1
            is_reading = False
            if watch is None:
                watch = watch_for(item)
            found = watch.feed(item)
            if found:
                yield from found
            is_reading = True
    except Exception as error:
        if is_reading:
            yield from (watch or watch_for(None)).close("error")
        elif isinstance(error, UsageError):
            raise UsageError(f"item {position} of the stream is no event: {error}") from error
        raise
    yield from (watch or watch_for(None)).close(end)


def _check_tape(tape: Taped, codes: frozenset[str], limits: Limits | None) -> Iterator[Violation]:
    """Check each run by itself, events or bytes: runs of one tape may lie in between each other."""
    watches: dict[str, Watch | ResponseWatch] = {}
    line, at_us = _FIRST_LINE, 0
    for line, entry in enumerate(tape.entries(), _FIRST_LINE):
        at_us += entry.dt_us
        watch = watches.get(entry.owner)
        if (entry.track, entry.kind) == ("event", "event"):
            if watch is None:
                watch = watches[entry.owner] = Watch(tape.dialect, codes=codes, limits=limits)
            found = watch.feed(entry.value(), at_us=at_us, place=Place(line))  # type: ignore[call-arg]
        elif entry.track == "wire":
            if watch is None:
                watch = watches[entry.owner] = ResponseWatch(codes=codes, limits=limits)
            found = _look_at_response(watch, entry, at_us)  # type: ignore[arg-type]
        else:
            continue
        for violation in found:
            yield _placed(violation, tape, entry.owner, line)
    for run, end in tape.runs.items():
        watch = watches.get(run) or Watch(tape.dialect, codes=codes, limits=limits)
        for violation in watch.close(end):
            yield _placed(violation, tape, run, line + 1)


def _look_at_response(watch: ResponseWatch, entry: Entry, at_us: int) -> list[Violation]:
    match entry.kind, entry.value():
        case "head", {"headers": list(headers)}:
            return watch.headers([(str(pair[0]), str(pair[-1])) for pair in headers if pair])
        case "bytes", value:
            return watch.feed(_chunk(value), at_us=at_us)
    return []


def _placed(violation: Violation, tape: Taped, run: str, line: int) -> Violation:
    """Return a finding in its place on a tape: bytes have an offset beside the line of their entry."""
    at_line = line if violation.line is None or violation.offset is not None else violation.line
    return replace(violation, file=tape.where, run=run, line=at_line)


def _chunk(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")

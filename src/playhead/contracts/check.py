"""Running the rules over a stream that is at hand: a list, an iterator, a tape."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from playhead.contracts.rules import RULES, Violation, moment
from playhead.events.codec import encode_event
from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect


@runtime_checkable
class Taped(Protocol):
    """What `check` needs of a tape."""

    dialect: Dialect

    def end(self, run: str | None = None) -> str:
        """Return how a run ended, or the whole tape."""
        ...

    def events(self) -> Iterable[Any]:
        """Return the events, in order."""
        ...


def check(
    stream: Taped | Iterable[Any], *, dialect: str | Dialect = "locus", end: str = "complete"
) -> Iterator[Violation]:
    """Yield what breaks a rule in a stream, as it is found: lazily, in constant memory for each open span.

    `stream` is a tape, which says its own dialect and end, or any iterable of events: typed ones, a framework's own, or
    JSON objects. `end` is one of a cassette's words; only a `complete` stream must have a terminal event.
    """
    if isinstance(stream, Taped):
        return _check(stream.events(), stream.dialect, stream.end())
    return _check(stream, get_dialect(dialect), end)


def _check(events: Iterable[Any], dialect: Dialect, end: str) -> Iterator[Violation]:
    monitors = [rule(dialect) for rule in RULES]
    count = 0
    for event in events:
        seen = moment(count, event if isinstance(event, Mapping) else encode_event(event), dialect)
        for monitor in monitors:
            yield from monitor.feed(seen)
        count += 1
    for monitor in monitors:
        yield from monitor.close(end, count)

"""What a monitor is, and what it sees of an event.

A monitor is fed one event after the other and says at once what is wrong with it; at the end it says what is missing.
It keeps a constant amount for each span that is open. It knows spans, not frameworks: a dialect's table reads the
events.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

from playhead.events.spans import Touch


class Place(NamedTuple):
    """Where an event or a message stands: its line (from 1), and its offset in bytes (from 0) on the wire."""

    line: int | None = None
    offset: int | None = None


NOWHERE = Place()
"""The place of what has none."""


@dataclass(slots=True)
class Moment:
    """One event as monitors see it: its position, type, agent, what it does to spans, its fields, when and where.

    `late` is set by who knows that it follows the end of its run: that it is there at all is all there is to say.
    """

    index: int
    kind: str
    group: Any
    touches: tuple[Touch, ...]
    fields: Mapping[str, Any]
    at_us: int | None = None
    place: Place = NOWHERE
    late: bool = False

    def finding(self, code: str, message: str) -> "Finding":
        """Return a finding about this event that may be told later."""
        return Finding(code, message, self.index, self.kind, self.place)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a monitor found: the rule, what to say, and the event that it is about. No index is the end's."""

    code: str
    message: str
    index: int | None = None
    event: str = ""
    place: Place = NOWHERE


Findings = Iterable[Finding]
NOTHING: Findings = ()
"""What a monitor finds in nearly every event."""


class Monitor(Protocol):
    """Watch one run for the rules of `codes`. `hears_all` says that events which touch no span matter too."""

    codes: ClassVar[tuple[str, ...]]
    hears_all: ClassVar[bool]

    def feed(self, moment: Moment) -> Findings:
        """Return what is wrong with an event."""
        ...

    def close(self, end: str | None) -> Findings:
        """Return what is wrong with a stream that ended so: a word of a cassette's; None if nobody knows."""
        ...


def span_name(touch: Touch) -> str:
    """Return a span as messages call it: `tool span 'c1' (search)`."""
    key = f"{touch.span} span" if touch.key is None else f"{touch.span} span {touch.key!r}"
    return f"{key} ({touch.name})" if touch.name else key


def hashable(key: Any) -> Any:
    """Return a span's key as a dictionary takes it."""
    if key is None or isinstance(key, str | int):
        return key
    try:
        hash(key)
    except TypeError:
        return repr(key)
    return key

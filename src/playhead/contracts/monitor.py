"""What a monitor is, and what it sees of an event.

A monitor is fed one event after the other and says at once what is wrong with it; at the end it says what is missing.
It keeps a constant amount for each span that is open. It knows spans, not frameworks: a dialect's table reads the
events.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol

from playhead.events.spans import Dialect, Touch


class Place(NamedTuple):
    """Where an event or a message stands: its line (from 1), and its offset in bytes (from 0) on the wire."""

    line: int | None = None
    offset: int | None = None


NOWHERE = Place()
"""The place of what has none."""


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


@dataclass(slots=True, eq=False)
class Agent:
    """What is known of one agent of a stream. `steps` has the last step of each run that is under way.

    `time` is when its last event says that it was. The rest is what `Termination` keeps of its runs.
    """

    time: Any = None
    steps: list[int | None] = field(default_factory=list)
    last: int | None = None
    ended: int = 0
    status: str = ""
    back: list[Finding] = field(default_factory=list)
    late: Finding | None = None
    extra: int = 0
    implied: bool = False
    warned: bool = False
    paused: bool = False


class Agents(dict[Any, Agent]):
    """The agents of a stream, by name. One that was not there is there as soon as it is asked for."""

    first: Agent | None = None
    """The first that was asked for."""

    def __missing__(self, name: Any) -> Agent:
        agent = self[name] = Agent()
        self.first = self.first or agent
        return agent


@dataclass(slots=True)
class Moment:
    """One event as monitors see it: its position, type, agent, what it does to spans, its fields, when and where.

    There is one for a whole stream, which the next event changes: who must remember an event keeps a finding about it.
    Before the first event the index is -1. `agents` are all that were met. `late` is set by who knows that the event
    follows the end of its run: that it is there at all is all there is to say.
    """

    agents: Agents = field(default_factory=Agents)
    index: int = -1
    kind: str = ""
    agent: Agent = field(init=False)
    touches: tuple[Touch, ...] = field(init=False)
    fields: Mapping[str, Any] = field(init=False)
    time: Any = field(init=False)
    at_us: int | None = field(init=False)
    place: Place = field(init=False)
    late: bool = field(init=False)

    def finding(self, code: str, message: str) -> Finding:
        """Return a finding about this event that may be told later."""
        return Finding(code, message, self.index, self.kind, self.place)


class Monitor(Protocol):
    """Watch one run for the rules of `codes`."""

    codes: ClassVar[tuple[str, ...]]

    @staticmethod
    def hears(dialect: Dialect, kind: str, *, inside: bool) -> bool:
        """Say whether events of a type matter, `inside` a run of their agent that is under way, or outside."""
        ...

    def feed(self, moment: Moment) -> Findings:
        """Return what is wrong with an event."""
        ...

    def close(self, end: str | None, last: Moment) -> Findings:
        """Return what is wrong with a stream that ended so, behind the event `last`.

        `end` is a word of a cassette's; None if nobody knows.
        """
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

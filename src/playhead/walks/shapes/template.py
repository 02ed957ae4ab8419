"""The vocabulary of shapes: templates of events with holes, and the things that templates are about.

Knows how a template is filled. Does not know which event may come when: the walk does, by the span table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from playhead.walks.texts import ARGUMENTS, NAMES, OBJECTS

Template = Mapping[str, Any]
"""An event as a JSON object, with holes."""

_START: Final = datetime(2030, 1, 1, tzinfo=UTC)
_MAX_EVENTS: Final = 4096
_TIMES: Final = [(_START + timedelta(seconds=n)).isoformat().replace("+00:00", "Z") for n in range(_MAX_EVENTS)]


@dataclass(slots=True, eq=False)
class Thing:
    """Something that is open: its life, number, name and arguments, and the thing that it lies in.

    `arguments` says which ones it has, and `sent` how many pieces of them streamed. `inside` is how many things lie in
    it, and `inner` the walk of a sub-agent.
    """

    life: "Life"
    number: int
    name: str
    parent: "Thing | None"
    arguments: int = 0
    sent: int = 0
    inside: int = 0
    inner: Any = None

    @property
    def pending(self) -> tuple[str, ...]:
        """Return the pieces of arguments that are still to come."""
        return ARGUMENTS[self.arguments][self.sent :] if self.life.pieces else ()


@dataclass(slots=True)
class Filling:
    """What the holes of one event are filled with. `pick` takes an item of a pool, another one each time."""

    thing: Thing | None
    index: int
    steps: int
    counts: Mapping[str, int]
    dice: int
    texts: tuple[str, ...]
    ending: bool = False
    inner: Any = None

    def pick(self, pool: tuple[Any, ...]) -> Any:
        """Return an item of a pool. No dice is left for what would be more than the first items."""
        self.dice, found = divmod(self.dice, len(pool))
        return pool[found]


Hole = Callable[[Filling], Any]
"""What a place of a template is filled with."""


def _thing(filling: Filling) -> Thing:
    assert filling.thing is not None
    return filling.thing


def key(spelled: str = "call_{}") -> Hole:
    """Be the key of the event's thing, as text."""
    return lambda filling: spelled.format(_thing(filling).number + 1)


def parent_key(spelled: str) -> Hole:
    """Be the key of what the event's thing lies in, as text."""
    return lambda filling: spelled.format(_parent(filling).number + 1)


def _parent(filling: Filling) -> Thing:
    parent = _thing(filling).parent
    assert parent is not None
    return parent


def number(filling: Filling) -> int:
    """Be the number of the event's thing, from 0."""
    return _thing(filling).number


def parent_number(filling: Filling) -> int:
    """Be the number of what the event's thing lies in."""
    return _parent(filling).number


def name(filling: Filling) -> str:
    """Be the name of the event's thing."""
    return _thing(filling).name


def text(filling: Filling) -> str:
    """Be a text."""
    return str(filling.pick(filling.texts))


def some_name(filling: Filling) -> str:
    """Be the name of something that is no thing."""
    return str(filling.pick(NAMES))


def count(filling: Filling) -> int:
    """Be a small number."""
    return int(filling.pick((1, 0, 2, 3, 1000)))


def fraction(filling: Filling) -> float:
    """Be a number from 0 to 1."""
    return float(filling.pick((1.0, 0.0, 0.5, 0.1, 1)))


def flag(filling: Filling) -> bool:
    """Be true or false."""
    return bool(filling.pick((False, True)))


def object_(filling: Filling) -> dict[str, Any]:
    """Be any JSON object."""
    found: dict[str, Any] = filling.pick(OBJECTS)
    return found


def given(filling: Filling) -> Any:
    """Be the arguments of the event's thing, whole."""
    return OBJECTS[_thing(filling).arguments % len(OBJECTS)]


def piece(filling: Filling) -> str:
    """Be the next piece of the arguments of the event's thing, or at its end all that is left."""
    thing = _thing(filling)
    pieces = thing.pending
    taken = pieces if filling.ending else pieces[:1]
    thing.sent += len(taken)
    return "".join(taken)


def pieces_whole(filling: Filling) -> str:
    """Be the arguments of the event's thing as JSON text, whole."""
    return "".join(ARGUMENTS[_thing(filling).arguments])


def step(filling: Filling) -> int:
    """Be the number of a step: the event begins it."""
    return filling.steps


def counted(counter: str) -> Hole:
    """Be how many things of a life there were in the run."""
    return lambda filling: filling.counts.get(counter, 0)


def time(filling: Filling) -> str:
    """Be the time of the event in ISO 8601, a second after the one before."""
    return _TIMES[filling.index % _MAX_EVENTS]


def seconds(filling: Filling) -> float:
    """Be the time of the event in Unix seconds, a second after the one before."""
    return _START.timestamp() + filling.index


def index(filling: Filling) -> int:
    """Be the number of the event in the stream, from 0."""
    return filling.index


def inner(filling: Filling) -> Any:
    """Be an event of a sub-agent."""
    return filling.inner(filling)


def one_of(*items: Any) -> Hole:
    """Be one of these values, or what fills one of these holes."""
    fills = tuple(compiled(item) for item in items)
    return lambda filling: filling.pick(fills)(filling)


def compiled(template: Any) -> Hole:
    """Return what makes a JSON value of a template."""
    if callable(template):
        hole: Hole = template
        return hole
    if isinstance(template, Mapping):
        # An object without holes is made anew, too: who changes an event changes no template.
        fixed = {key: value for key, value in template.items() if _is_scalar(value)}
        holes = [(key, compiled(value)) for key, value in template.items() if not _is_scalar(value)]
        blank = dict.fromkeys(template) | fixed
        return lambda filling: blank | {key: fill(filling) for key, fill in holes}
    if isinstance(template, list | tuple):
        fills = [compiled(item) for item in template]
        return lambda filling: [fill(filling) for fill in fills]
    return lambda filling: template


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


@dataclass(frozen=True, slots=True, eq=False)
class Life:
    """What can happen to one kind of thing: it is opened, fed any number of times, and closed.

    Without `closes` it ends with what it lies in. `ahead` are events about it that may come before it is open, and what
    is `inside` of another life opens while a thing of that is open. `among` is whose numbers it shares: by default its
    own name's. With `pieces` its arguments stream by its first feed, and must be whole before it is closed. What
    `nests` has as its last feed an event of a sub-agent. `most` is how many there may be in a run or in what it lies
    in, `names` what it may be called. `alone` is a life of which one thing is open at a time.
    """

    name: str
    opens: Template
    feeds: tuple[Template, ...] = ()
    closes: tuple[Template, ...] = ()
    ahead: tuple[Template, ...] = ()
    inside: str = ""
    among: str = ""
    pieces: bool = False
    nests: bool = False
    alone: bool = False
    most: int = 1_000_000
    names: tuple[str, ...] = NAMES

    @property
    def counter(self) -> str:
        """Return whose numbers its things have."""
        return self.among or self.name


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """What the events of a dialect look like.

    `begins` open a run, `points` may come at any time, `steps` begin a step, `lives` are what can be open, `closings`
    come once before a normal end, and `ends` end a run, the normal way first. `tails` only ever follow an end.
    """

    dialect: str
    ends: tuple[Template, ...]
    begins: tuple[Template, ...] = ()
    steps: tuple[Template, ...] = ()
    lives: tuple[Life, ...] = ()
    points: tuple[Template, ...] = ()
    closings: tuple[Template, ...] = ()
    tails: tuple[Template, ...] = ()

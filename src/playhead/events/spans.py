"""The one idea: every framework opens spans, feeds them, closes them or marks a point.

Knows the vocabulary of a dialect's table and how to read one event by it. Holds no state and checks nothing: what a
sequence of touches means is the business of contracts, comparison and statistics.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from playhead.events.canonical import Path, mask
from playhead.events.paths import Event, Get, at, getter, kind_reader, path, replaced
from playhead.events.readers import row_reader


class Span(StrEnum):
    """Name what lasts: a run and everything inside it."""

    # An enumeration's own is written in Python, and spans are looked up for each event.
    __hash__ = str.__hash__

    RUN = "run"
    STEP = "step"
    MODEL = "model"
    MESSAGE = "message"
    PART = "part"
    REASONING = "reasoning"
    TOOL = "tool"
    SUBAGENT = "subagent"


class Verb(StrEnum):
    """Name what an event does to a span."""

    OPEN = "opens"
    FEED = "feeds"
    CLOSE = "closes"


@dataclass(frozen=True, slots=True)
class Op:
    """One cell of a dialect's table: what an event type does to one span, and where in the event the details are.

    `key` tells spans of one kind apart, `name` is for people, `status` is how a span ended, `text` is the piece that a
    feed adds, `result` what a close brings where it brings that or a status, never both, and `given` the arguments that
    a tool is opened with, whole. `when` makes the operation
    depend on a field being truthy, or being one of `among`. `or_name` is where the name is if it is not at `name`. What
    is `loose` may come at a wrong time, too: a feed and an end while the span is not open, an opening while it is; a
    loose end may be followed by another one.

    `each` makes the operation once for each item of a list, or of a list in each item of a list: the other paths then
    begin at the item, and `of` at the item of the outer list, whose value stands before the key, if there is one.
    """

    verb: Verb
    span: Span
    key: Path = ()
    name: Path = ()
    status: Path = ()
    text: Path = ()
    when: Path = ()
    among: tuple[Any, ...] = ()
    or_name: Path = ()
    result: Path = ()
    given: Path = ()
    each: Path = ()
    of: Path = ()
    loose: bool = False


class Touch(NamedTuple):
    """What one event does to one span: an `Op` with its values read. Missing values are None."""

    verb: Verb
    span: Span
    key: Any = None
    name: Any = None
    status: Any = None
    text: Any = None
    result: Any = None
    loose: bool = False
    given: Any = None


def opens(span: Span, *, key: str = "", name: str = "", or_name: str = "", given: str = "", when: str = "") -> Op:
    """Begin the span. A step also ends the step before it, and a run ends all that is in it."""
    where = (path(key), path(name))
    return Op(Verb.OPEN, span, *where, or_name=path(or_name), given=path(given), **_condition(when))


def feeds(span: Span, *, key: str = "", text: str = "", when: str = "") -> Op:
    """Add to the span."""
    return Op(Verb.FEED, span, path(key), text=path(text), **_condition(when))


def closes(
    span: Span,
    *,
    key: str = "",
    name: str = "",
    or_name: str = "",
    status: str = "",
    when: str = "",
    result: str = "",
) -> Op:
    """End the span."""
    where = (path(key), path(name), path(status))
    return Op(Verb.CLOSE, span, *where, or_name=path(or_name), result=path(result), **_condition(when))


def _condition(spelled: str) -> dict[str, Any]:
    """Return what `when` says: `done` is truthy, `thought=` is not, `item.type=message|reasoning` is one of these."""
    where, equals, words = spelled.partition("=")
    return {"when": path(where), "among": tuple(words.split("|")) if words else (None, False) if equals else ()}


def loosely(op: Op) -> Op:
    """Let the operation come at a wrong time, too: see `Op`."""
    return replace(op, loose=True)


def each(items: str, op: Op, *, of: str = "") -> Op:
    """Do `op` for each item at a path with `*`: `each("choices.*.delta.tool_calls.*", feeds(...), of="index")`."""
    return replace(op, each=path(items), of=path(of))


_PLACES = ("key", "name", "status", "text", "result", "given", "when", "or_name", "each")

POINT: tuple[Op, ...] = ()
"""What an event does that touches no span: it marks a moment."""


Read = Callable[[Event], tuple[Touch, ...]]
"""What reads the touches of a row of the table off an event."""


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """What Playhead knows of one framework's events, as a table. It imports nothing of that framework.

    `tag` is the field that names an event's type, and `ops` says for each type what it does to spans; a type that is
    not there is a point. `decode` makes a typed event of JSON bytes, and raises pydantic's `ValidationError`. Where
    events do not name their types, `shapes` tells them by what is in them: the first type whose place holds something.
    The `sentinel` is what a stream ends with that is no JSON; it is read as an event of that type. `sequence` is where
    events are numbered without a gap. `framed` streams may be sent with frames: `done`, `error` and `heartbeat`. In a
    `named` one readers go by the name of the SSE event alone, in a `spaced` one they look for `data: ` with the space.
    `arguments` are types that bring pieces of a tool's JSON.

    `volatile` fields differ from run to run and mean nothing; `ids` are made up anew each time, and compare up to a
    consistent renaming. `nested` is where an event carries another one. `group` tells agents apart that share a stream.

    `ends` reads how a run ended off its last telling event: the key is an event type, or `type:status`; `after` names
    the types that may follow the terminal event, `pauses` those that make a run wait when nothing follows. A source
    that runs dry without any of them ended as `silent_end`. `cuts` are the terminals, spelled as in `ends`, that cut a
    run short, so that its spans may stay open, and `raises` those that come together with an exception.

    For order: `first` are the types that a run may begin with, where it is opened at all; `unique` the kinds of span
    whose keys do not repeat while they are open; `within` says which kind of span must not outlive which.
    `counters` are what a terminal event says of how many spans there were: a name, the kind of span, the place.
    `answers` is where a type of event has the whole text of an answer, streamed before or not, and `errors` where one
    has the text of one that the run or its model failed with, at keys without `*`: the first place is the text's own,
    and at the others it may be repeated. A tool's error is not there: the model is told it.
    `once` are the kinds whose keys do not repeat in a run at all, and `tacit` those that end with what they lie in,
    said or not.

    Found in the table: `explicit` are the kinds of span that an event opens, and `paired` those of them that are opened
    and closed by key: all but runs, and steps that only the next one ends. `terminals` are the types that end a run. A
    `flat` table reads no field of a field.
    `readers` are the rows of `ops`, each as what reads its touches off an event.
    """

    name: str
    tag: str
    decode: Callable[[bytes], Any]
    ops: Mapping[str, tuple[Op, ...]]
    time: Path = ()
    group: Path = ()
    nested: Path = ()
    volatile: tuple[Path, ...] = ()
    ids: tuple[Path, ...] = ()
    ends: Mapping[str, str] = field(default_factory=dict)
    pauses: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    silent_end: str = "complete"
    cuts: frozenset[str] = frozenset()
    raises: frozenset[str] = frozenset()
    first: frozenset[str] = frozenset()
    unique: frozenset[Span] = frozenset()
    once: frozenset[Span] = frozenset()
    tacit: frozenset[Span] = frozenset()
    within: Mapping[Span, Span] = field(default_factory=dict)
    counters: Mapping[str, tuple[tuple[str, Span, Path], ...]] = field(default_factory=dict)
    answers: Mapping[str, Path] = field(default_factory=dict)
    errors: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    shapes: Mapping[str, Path] = field(default_factory=dict)
    sentinel: str = ""
    framed: bool = False
    named: bool = False
    spaced: bool = False
    arguments: frozenset[str] = frozenset()
    sequence: Path = ()
    explicit: frozenset[Span] = field(init=False)
    paired: frozenset[Span] = field(init=False)
    flat: bool = field(init=False)
    terminals: frozenset[str] = field(init=False, repr=False)
    type_of: Callable[[Event], str] = field(init=False, repr=False)
    group_of: Get = field(init=False, repr=False)
    readers: Mapping[str, Read] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        cells = [op for ops in self.ops.values() for op in ops]
        object.__setattr__(self, "explicit", frozenset(op.span for op in cells if op.verb is Verb.OPEN))
        by_key = {op.span for op in cells if op.verb is Verb.CLOSE and op.key}
        object.__setattr__(self, "paired", self.explicit - {Span.RUN} - ({Span.STEP} - by_key))
        read = {getattr(op, name) for op in cells for name in _PLACES}
        object.__setattr__(self, "flat", all(len(where) <= 1 for where in read))
        ends = (kind for kind, ops in self.ops.items() for op in ops if op.verb is Verb.CLOSE and op.span is Span.RUN)
        object.__setattr__(self, "terminals", frozenset(ends))
        object.__setattr__(self, "type_of", kind_reader(self.tag, self.shapes))
        object.__setattr__(self, "group_of", getter(self.group))
        object.__setattr__(self, "readers", {kind: row_reader(ops, Touch) for kind, ops in self.ops.items()})

    def __repr__(self) -> str:
        return f"Dialect({self.name!r})"

    def touches(self, event: Mapping[str, Any]) -> tuple[Touch, ...]:
        """Return what an event, as a JSON object, does to spans, in the order in which it does it."""
        return self.touches_as(self.type_of(event), event)

    def touches_as(self, event_type: str, event: Mapping[str, Any]) -> tuple[Touch, ...]:
        """Return what `touches` does for an event whose type is known."""
        read = self.readers.get(event_type)
        return read(event) if read else ()

    def is_normal(self, event_type: str, status: Any) -> bool:
        """Say whether a terminal event ends a run that did all it began."""
        return not self.cuts & {event_type, f"{event_type}:{status}"}

    def end_of(self, event: Mapping[str, Any]) -> str:
        """Return how a run ended whose last telling event is this one: `complete`, `cancelled` or `paused`."""
        event_type = self.type_of(event)
        if event_type in self.pauses:
            return "paused"
        statuses = [f"{event_type}:{touch.status}" for touch in self.touches(event) if touch.span is Span.RUN]
        return next((self.ends[key] for key in (*statuses, event_type) if key in self.ends), "complete")

    def steady(self, event: Any) -> Any:
        """Return an event, as a JSON object, with its volatile fields masked, nested events included."""
        masked = mask(event, self.volatile)
        if self.nested and isinstance(at(masked, self.nested), dict):
            return replaced(masked, self.nested, self.steady(at(masked, self.nested)))
        return masked

"""The one idea: every framework opens spans, feeds them, closes them or marks a point.

Knows the vocabulary of a dialect's table and how to read one event by it. Holds no state and checks nothing: what a
sequence of touches means is the business of contracts, comparison and statistics.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from playhead.events.canonical import Path, mask


class Span(StrEnum):
    """Name what lasts: a run and everything inside it."""

    RUN = "run"
    STEP = "step"
    MODEL = "model"
    MESSAGE = "message"
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
    feed adds. `when` makes the operation depend on a field being truthy. `or_name` is where the name is if it is not at
    `name`.
    """

    verb: Verb
    span: Span
    key: Path = ()
    name: Path = ()
    status: Path = ()
    text: Path = ()
    when: Path = ()
    or_name: Path = ()


@dataclass(frozen=True, slots=True)
class Touch:
    """What one event does to one span: an `Op` with its values read. Missing values are None."""

    verb: Verb
    span: Span
    key: Any = None
    name: Any = None
    status: Any = None
    text: Any = None


def opens(span: Span, *, key: str = "", name: str = "", or_name: str = "") -> Op:
    """Begin the span. A step also ends the step before it, and a run ends all that is in it."""
    return Op(Verb.OPEN, span, key=path(key), name=path(name), or_name=path(or_name))


def feeds(span: Span, *, key: str = "", text: str = "", when: str = "") -> Op:
    """Add to the span."""
    return Op(Verb.FEED, span, key=path(key), text=path(text), when=path(when))


def closes(span: Span, *, key: str = "", name: str = "", or_name: str = "", status: str = "", when: str = "") -> Op:
    """End the span."""
    where = (path(key), path(name), path(status))
    return Op(Verb.CLOSE, span, *where, when=path(when), or_name=path(or_name))


POINT: tuple[Op, ...] = ()
"""What an event does that touches no span: it marks a moment."""


def path(spelled: str) -> Path:
    """Return `"payload.call_id"` as the path `("payload", "call_id")`.

    `*` is any key or item, `a|b` is the first of two keys that is there, and `:` what a text says after its `": "`.
    """
    return tuple(spelled.split(".")) if spelled else ()


def at(value: Any, where: Path) -> Any:
    """Return what stands at a path without `*`; None if nothing does, or the path is empty."""
    if not where:
        return None
    for step in where:
        if step == ":":
            value = value.partition(": ")[2] if isinstance(value, str) else None
        elif isinstance(value, Mapping):
            value = next((value[key] for key in step.split("|") if value.get(key) is not None), None)
        else:
            return None
    return value


@dataclass(frozen=True, slots=True)
class Dialect:
    """What Playhead knows of one framework's events, as a table. It imports nothing of that framework.

    `tag` is the field that names an event's type, and `ops` says for each type what it does to spans; a type that is
    not there is a point. `decode` makes a typed event of JSON bytes, and raises pydantic's `ValidationError`.

    `volatile` fields differ from run to run and mean nothing; `ids` are made up anew each time, and compare up to a
    consistent renaming. `nested` is where an event carries another one. `group` tells agents apart that share a stream.

    `ends` reads how a run ended off its last telling event: the key is an event type, or `type:status`; `after` names
    the types that may follow the terminal event, `pauses` those that make a run wait when nothing follows. A source
    that runs dry without any of them ended as `silent_end`.
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

    def __repr__(self) -> str:
        return f"Dialect({self.name!r})"

    def type_of(self, event: Mapping[str, Any]) -> str:
        """Return the type that an event, as a JSON object, says it has; empty if it says none."""
        found = at(event, (self.tag,))
        return found if isinstance(found, str) else ""

    def touches(self, event: Mapping[str, Any]) -> Iterator[Touch]:
        """Yield what an event, as a JSON object, does to spans, in the order in which it does it."""
        for op in self.ops.get(self.type_of(event), POINT):
            if not op.when or at(event, op.when):
                name = at(event, op.name)
                if name is None and op.or_name:
                    name = at(event, op.or_name)
                text = at(event, op.text) if op.text else None
                yield Touch(op.verb, op.span, at(event, op.key), name, at(event, op.status), text)

    def is_terminal(self, event_type: str) -> bool:
        """Say whether an event of this type ends a run."""
        return any(op.verb is Verb.CLOSE and op.span is Span.RUN for op in self.ops.get(event_type, POINT))

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


def replaced(value: Mapping[str, Any], where: Path, new: Any) -> dict[str, Any]:
    """Return a copy of `value` with `new` at a path that exists."""
    head, *rest = where
    return {**value, head: replaced(value[head], tuple(rest), new) if rest else new}

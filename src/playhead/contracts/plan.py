"""What a table and a choice of rules come to: which monitors there are, and which of them hear of which events.

Found once for all streams that are held to the same. Knows a dialect's table and every monitor. Holds nothing of any
one stream.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from playhead.contracts.limits import Clocks, Counters, Extents, Limits
from playhead.contracts.monitor import Monitor
from playhead.contracts.numbers import Arguments, Sequence
from playhead.contracts.ordering import Ordering
from playhead.contracts.termination import Termination
from playhead.events.canonical import Path
from playhead.events.paths import Get, getter, is_plain
from playhead.events.spans import Dialect, Read, Span

_Make = Callable[[], Monitor]


class Row(NamedTuple):
    """What is done with events of one type.

    `read` reads their touches: None where they touch no span that anybody opens, and make no run wait. An event that
    `nests` may carry one of a sub-agent's, and has a tool to keep it in. `inside` and `outside` are the numbers of the
    monitors that hear of the event: while a run of its agent is under way, and while none is.
    """

    read: Read | None
    nests: bool
    inside: tuple[int, ...]
    outside: tuple[int, ...]


class Rows(dict[str, Row]):
    """The row of each type of event. A type that no table knows has the row of `""`."""

    def __missing__(self, kind: str) -> Row:
        return self[""]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How streams of a dialect are held to the rules of `codes`: what `makes` the monitors, and a row for each type.

    `tag`, `group`, `time` and `nested` are keys, for nothing is read as quickly. What a dialect has not got, or has in
    a field of a field, has a key that no event has. `deep` reads the latter: then an event is copied, and the copy has
    it by that key. `direct` are the classes, as far as they were met, whose objects have the fields as attributes.
    """

    dialect: Dialect
    codes: frozenset[str]
    limits: Limits | None
    makes: tuple[_Make, ...]
    rows: Rows
    tag: Any
    group: Any
    time: Any
    nested: Any
    deep: Mapping[Any, Get]
    direct: set[type] = field(default_factory=set)


# Which dialects a monitor is for, and what makes it. Termination comes first: it says which events are late.
_MONITORS: Final[Mapping[type[Monitor], tuple[Callable[[Dialect], object], Callable[[Dialect, Limits], _Make]]]] = {
    Termination: (bool, lambda dialect, limits: partial(Termination, dialect)),
    Ordering: (bool, lambda dialect, limits: partial(Ordering, dialect)),
    Clocks: (lambda dialect: dialect.time, lambda dialect, limits: Clocks),
    Extents: (bool, lambda dialect, limits: partial(Extents, limits)),
    Counters: (lambda dialect: dialect.counters, lambda dialect, limits: partial(Counters, dialect)),
    Sequence: (lambda dialect: dialect.sequence, lambda dialect, limits: partial(Sequence, dialect)),
    Arguments: (lambda dialect: dialect.arguments, lambda dialect, limits: partial(Arguments, dialect)),
}


@lru_cache(maxsize=64)
def plan_for(dialect: Dialect, codes: frozenset[str], limits: Limits | None = None) -> Plan:
    """Return how streams of a dialect are held to the rules of these codes."""
    wanted = [kind for kind, (is_for, _) in _MONITORS.items() if codes.intersection(kind.codes) and is_for(dialect)]
    keys = {where: _key(where) for where in (dialect.group, dialect.time, dialect.nested)}
    deep = {key: getter(where) for where, key in keys.items() if where and not is_plain(where)}
    is_tagged = is_plain((dialect.tag,)) and not (dialect.shapes or deep)
    return Plan(
        dialect,
        codes,
        limits,
        makes=tuple(_MONITORS[kind][1](dialect, limits or Limits()) for kind in wanted),
        rows=Rows({kind: _row(dialect, kind, wanted) for kind in ("", *dialect.ops, *dialect.pauses)}),
        tag=dialect.tag if is_tagged else object(),
        group=keys[dialect.group],
        time=keys[dialect.time],
        nested=keys[dialect.nested],
        deep=deep,
    )


def _key(where: Path) -> Any:
    return where[0] if is_plain(where) else object()


def _row(dialect: Dialect, kind: str, monitors: list[type[Monitor]]) -> Row:
    spans = {op.span for op in dialect.ops.get(kind, ())}
    tells = kind in dialect.pauses or not spans.isdisjoint(dialect.explicit | {Span.RUN, Span.STEP})
    return Row(
        dialect.readers.get(kind) if tells else None,
        bool(dialect.nested) and tells and Span.TOOL in spans,
        *(
            tuple(number for number, each in enumerate(monitors) if each.hears(dialect, kind, inside=is_inside))
            for is_inside in (True, False)
        ),
    )

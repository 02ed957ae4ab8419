"""A walk over a dialect's spans: one number a step says what happens next, among what may happen.

Knows what is open, what it costs to close it, and what a dialect's table allows at an end. Draws nothing itself, and
reads no payload: the shapes fill them in. A number means the same wherever it stands, as far as that is possible there,
so that leaving one out changes little of what follows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect, Span
from playhead.walks.shapes.table import shapes_of
from playhead.walks.shapes.template import Filling, Hole, Life, Shapes, Template, Thing, compiled
from playhead.walks.texts import ARGUMENTS, SURROGATES, TEXTS

CHOICE_BITS: Final = 24
"""How many bits of a number count: of more of them, who draws numbers draws mostly small ones."""

POOL: Final = TEXTS + SURROGATES
"""The texts of a run where no others are asked for."""

_SLOT_BITS: Final = 6
_SLOTS: Final = 1 << _SLOT_BITS
_MAIN_POINTS: Final = 2
_MAX_DEPTH: Final = 3
_END_SLOTS: Final = 8
_INNER_ENDS: Final = 8
_MAX_EVENTS: Final = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """One thing that can happen: a `verb` done to a thing of a life, or a point, in one of several shapes."""

    verb: str
    fills: tuple[Hole, ...]
    life: Life | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Ending:
    """A way to end: with all closed, or with spans `left` open, and what may follow it."""

    fill: Hole
    left: bool
    after: tuple[Hole, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Moves:
    """All that can happen in a dialect's runs. `slots` holds each move at least once, the simplest first."""

    dialect: Dialect
    begins: tuple[Hole, ...]
    slots: tuple[Move, ...]
    closers: Mapping[str, tuple[Hole, ...]]
    feeders: Mapping[str, Hole]
    closings: tuple[Hole, ...]
    ends: tuple[Ending, ...]
    every: tuple[tuple[Life | None, Hole], ...]

    def __repr__(self) -> str:
        return f"Moves({self.dialect.name!r})"


def moves_of(shapes: Shapes) -> Moves:
    """Return the moves that a dialect's shapes and its table make."""
    dialect = get_dialect(shapes.dialect)
    steps = [Move("step", _holes(shapes.steps))] if shapes.steps else []
    lives = [move for life in shapes.lives for move in _moves_of_life(life)]
    points = [Move("point", (compiled(point),)) for point in shapes.points]
    told = [*steps, *lives, *points]
    # Spans fill the slots that are left, so that much lasts at the same time, and what lasts is fed.
    repeated = [*steps, *lives, *(move for move in lives if move.verb == "feed"), *points[:_MAIN_POINTS]]
    slots = (told + repeated * _SLOTS)[:_SLOTS]
    templates = [(life, row) for life in shapes.lives for row in (life.opens, *life.feeds, *life.closes, *life.ahead)]
    free = [
        (None, row)
        for row in (*shapes.begins, *shapes.steps, *shapes.points, *shapes.closings, *shapes.ends, *shapes.tails)
    ]
    return Moves(
        dialect,
        begins=_holes(shapes.begins),
        slots=tuple(slots),
        closers={life.name: _holes(life.closes) for life in shapes.lives},
        feeders={life.name: compiled(life.feeds[0]) for life in shapes.lives if life.pieces},
        closings=_holes(shapes.closings),
        ends=tuple(_ending(dialect, shapes, end) for end in shapes.ends),
        every=tuple((life, compiled(row)) for life, row in [*templates, *free]),
    )


@cache
def moves_for(dialect: str) -> Moves:
    """Return the moves of a dialect, made when they are first needed. Raises `UsageError` where there are none."""
    return moves_of(shapes_of(dialect))


def _holes(templates: Sequence[Template]) -> tuple[Hole, ...]:
    return tuple(map(compiled, templates))


def _moves_of_life(life: Life) -> list[Move]:
    told = {"open": (life.opens,), "feed": life.feeds, "close": life.closes, "ahead": life.ahead}
    return [Move(verb, _holes(rows), life) for verb, rows in told.items() if rows]


def _ending(dialect: Dialect, shapes: Shapes, end: Template) -> Ending:
    """Return an end, with what the table says of it: whether spans may stay open, and which kinds may follow."""
    row = blank(end)
    kind = dialect.type_of(row)
    status = next((touch.status for touch in dialect.touches(row) if touch.span is Span.RUN), None)
    pauses = kind in dialect.pauses
    after = [
        each
        for each in (*shapes.points, *shapes.ends, *shapes.tails)
        if (other := dialect.type_of(blank(each))) in dialect.after and other != kind
    ]
    return Ending(compiled(end), pauses or not dialect.is_normal(kind, status), () if pauses else _holes(after))


def blank(template: Template, life: Life | None = None) -> dict[str, Any]:
    """Return an event of a template whose holes are all filled with the simplest value."""
    filled: dict[str, Any] = compiled(template)(sample(life, 0, POOL))
    return filled


def sample(life: Life | None, dice: int, texts: tuple[str, ...]) -> Filling:
    """Return what fills the holes of an event that stands by itself."""
    owner = None
    if life is not None:
        owner = Thing(life, 0, life.names[0], Thing(life, 0, life.names[0], None))
    inner = {"event_type": "model_chunk", "content": "a"}
    return Filling(owner, 0, 1, {}, dice, texts, inner=lambda filling: inner)


class Walk:
    """One run as it grows: `take` steps with numbers, then `finish`. `rows` are its events so far, as JSON objects.

    The run has at most `max_size` events, or as many as one needs that ends at once. It does not break off where it
    would be shorter than `min_size`.
    """

    def __init__(
        self, moves: Moves, *, texts: tuple[str, ...] = POOL, min_size: int = 0, max_size: int = _MAX_EVENTS
    ) -> None:
        self.rows: list[dict[str, Any]] = []
        self.ended: bool = False
        self._moves = moves
        self._texts = texts
        self._min_size = min_size
        self._max_size = max_size
        self._depth = 0
        self._index = 0
        self._open: list[Thing] = []
        self._ahead: list[Thing] = []
        self._counts: Counter[str] = Counter()
        self._numbers: Counter[tuple[Thing | None, str]] = Counter()
        self._debt = len(moves.closings) + 1
        for fill in moves.begins:
            self._say(fill, None, 0)

    def has_room(self, events: int = 1) -> bool:
        """Say whether so many events may come before the end, and before what must be closed until then."""
        return len(self.rows) + events + self._debt <= self._max_size

    def take(self, choice: int) -> None:
        """Let happen what a number says, or the nearest thing before it that may."""
        slot, dice = choice % _SLOTS, choice >> _SLOT_BITS
        slots = self._moves.slots
        # Backwards: what cannot be closed or fed is opened instead.
        any(self._do(slots[number], dice) for number in range(slot, slot - _SLOTS, -1))

    def finish(self, choice: int) -> list[dict[str, Any]]:
        """End the run as a number says, and return its events."""
        slot, dice = choice % _END_SLOTS, choice // _END_SLOTS
        ends = self._moves.ends
        ending = ends[slot if slot < len(ends) else 0]
        if ending.left and len(self.rows) + 1 < self._min_size:
            ending = ends[0]
        if not ending.left:
            while self._open:
                self._settle(self._open[-1], dice)
            for fill in self._moves.closings:
                self._say(fill, None, dice)
        self._say(ending.fill, None, dice)
        if ending.after and dice % 4 == 1 and len(self.rows) < self._max_size:
            self._say(ending.after[dice // 4 % len(ending.after)], None, dice)
        self.ended = True
        return self.rows

    def _do(self, move: Move, dice: int) -> bool:
        """Do a move, if it may be done now."""
        match move.verb:
            case "open":
                return self._begin(move, dice)
            case "ahead":
                return self._announce(move, dice)
            case "feed" | "close":
                return self._go_on(move, dice)
        self._counts[move.verb] += 1
        self._say_one(move, None, dice)
        return True

    def _begin(self, move: Move, dice: int) -> bool:
        """Open a thing: one that was announced, or a new one."""
        life = move.life
        thing = next((each for each in self._ahead if each.life is life), None) or self._make(life, dice)
        if thing is None or not self.has_room(1 + _cost(thing)):
            return False
        if thing in self._ahead:
            self._ahead.remove(thing)
        else:
            self._numbers[thing.parent, thing.life.counter] += 1
        self._open.append(thing)
        self._counts[thing.life.name] += 1
        self._debt += _cost(thing)
        self._say_one(move, thing, dice)
        return True

    def _announce(self, move: Move, dice: int) -> bool:
        """Let something be told of a thing that is not open yet."""
        thing = next((each for each in self._ahead if each.life is move.life), None)
        if thing is None:
            thing = self._make(move.life, dice)
            if thing is None:
                return False
            self._numbers[thing.parent, thing.life.counter] += 1
            self._ahead.append(thing)
        self._say_one(move, thing, dice)
        return True

    def _go_on(self, move: Move, dice: int) -> bool:
        """Feed or close one of the things of a life that are open."""
        found = [thing for thing in self._open if thing.life is move.life]
        if move.verb == "close":
            found = [thing for thing in found if self._may_close(thing)]
        if not found:
            return False
        dice, which = divmod(dice, len(found))
        thing = found[which]
        if move.verb == "close":
            self._say_one(move, thing, dice)
            self._forget(thing)
        else:
            cost = _cost(thing)
            self._say_one(move, thing, dice)
            self._debt += _cost(thing) - cost
        return True

    def _make(self, life: Life | None, dice: int) -> Thing | None:
        """Return a new thing of a life, if there may be one now."""
        assert life is not None
        parent = None
        if life.inside:
            parents = [thing for thing in self._open if thing.life.name == life.inside]
            if not parents:
                return None
            parent = parents[dice % len(parents)]
        number = self._numbers[parent, life.counter]
        if number >= life.most or (life.alone and any(each.life is life for each in self._open)):
            return None
        return Thing(life, number, life.names[dice % len(life.names)], parent, arguments=dice % len(ARGUMENTS))

    def _may_close(self, thing: Thing) -> bool:
        """Say whether a thing is whole, and all that lies in it has ended or ends with it."""
        return not thing.pending and not any(each.parent is thing and _cost(each) for each in self._open)

    def _forget(self, thing: Thing) -> None:
        """Take a thing for closed, and what ends with it."""
        self._debt -= _cost(thing)
        self._open = [each for each in self._open if each is not thing and each.parent is not thing]

    def _settle(self, thing: Thing, dice: int) -> None:
        """Close a thing in which nothing lies, and send what is missing before."""
        if thing.pending:
            self._say(self._moves.feeders[thing.life.name], thing, dice, ending=True)
            self._debt -= 1
        closers = self._moves.closers[thing.life.name]
        if closers:
            self._say(closers[dice % len(closers)], thing, dice)
        self._forget(thing)

    def _say_one(self, move: Move, thing: Thing | None, dice: int) -> None:
        """Add an event in one of the shapes of a move."""
        dice, which = divmod(dice, len(move.fills))
        if move.verb == "feed" and thing and thing.life.nests and not self._may_nest(thing):
            which = 0
        self._say(move.fills[which], thing, dice)

    def _say(self, fill: Hole, thing: Thing | None, dice: int, *, ending: bool = False) -> None:
        index = self._index + len(self.rows)
        inner = self._inside if thing and thing.life.nests else None
        steps = self._counts["step"]
        self.rows.append(fill(Filling(thing, index, steps, self._counts, dice, self._texts, ending, inner)))

    def _may_nest(self, thing: Thing) -> bool:
        return self._depth < _MAX_DEPTH and not (thing.inner and thing.inner.ended)

    def _inside(self, filling: Filling) -> dict[str, Any]:
        """Return the next event of the sub-agent in a thing."""
        thing = filling.thing
        assert thing is not None
        if thing.inner is None:
            thing.inner = Walk(self._moves, texts=self._texts)
            thing.inner._depth = self._depth + 1
        inner: Walk = thing.inner
        inner._index = filling.index - len(inner.rows)
        inner._next(filling.dice)
        return inner.rows[-1]

    def _next(self, dice: int) -> None:
        """Go one event on, or towards the end."""
        if dice % _INNER_ENDS != _INNER_ENDS - 1:
            self.take(dice)
        elif self._open:
            self._settle(self._open[-1], dice)
        else:
            self.finish(0)


def _cost(thing: Thing) -> int:
    """Return how many events it takes to close a thing."""
    return bool(thing.life.closes) + bool(thing.pending)


def rows_of(walk: Walk, choices: Iterable[int], end: int) -> list[dict[str, Any]]:
    """Return the run that a walk by these numbers makes, as JSON objects."""
    for choice in choices:
        if not walk.has_room():
            break
        walk.take(choice)
    return walk.finish(end)

"""Strategies for runs with one fault that is known.

Knows how a fault is chosen. What it does to a run is in `playhead.strategies.faults`.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from hypothesis import reject
from hypothesis import strategies as st

from playhead.contracts.rules import find_rule
from playhead.errors import UsageError
from playhead.events.spans import Dialect
from playhead.strategies.faults import FAULTS, Book, Changed, Fault
from playhead.strategies.running import Run, sizes
from playhead.walks.shapes.table import shapes_of
from playhead.walks.walk import Moves, Walk, blank, moves_of, rows_of

_MAX_SIZE: Final = 20
_places: Final = st.integers(0, (1 << 16) - 1)


@dataclass(frozen=True, slots=True)
class FaultyRun:
    """A run with one fault. `fault` says what is wrong, `code` which rule it breaks, `index` where it was done.

    `end` is how its source ended, as `playhead.check` takes it: that alone may be the fault.
    """

    events: Run
    fault: str
    code: str
    index: int
    end: str | None = None


def faulty_runs(
    dialect: str | Dialect = "locus", *, codes: Collection[str] = (), max_size: int = _MAX_SIZE
) -> st.SearchStrategy[FaultyRun]:
    """Return a strategy for runs that break one rule, each a whole and healthy run but for one change.

    `codes` are the rules that are broken, by default all that a run of the dialect can break alone. `max_size` is that
    of the healthy run. Raises `UsageError` for a dialect of which no shapes are known, and for codes that no fault of
    this dialect breaks.
    """
    wanted = {find_rule(code).code for code in codes}
    faults = tuple(fault for fault in FAULTS if not wanted or fault.code in wanted)
    if missing := wanted - {fault.code for fault in faults}:
        known = ", ".join(sorted({fault.code for fault in FAULTS}))
        raise UsageError(f"no fault breaks {', '.join(sorted(missing))} alone: there are {known}")
    return _faulty(_healthy_moves(shapes_of(dialect).dialect), faults, max_size)


@cache
def _healthy_moves(dialect: str) -> Moves:
    """Return the moves of runs that never wait for a person, and end well: what is wrong is then the fault's."""
    shapes = shapes_of(dialect)
    moves = moves_of(shapes)
    table = moves.dialect
    points = tuple(point for point in shapes.points if table.type_of(blank(point)) not in table.pauses)
    return moves_of(replace(shapes, points=points, ends=shapes.ends[:1], tails=()))


def _faulty(moves: Moves, faults: tuple[Fault, ...], max_size: int) -> st.SearchStrategy[FaultyRun]:
    numbers = st.tuples(sizes(moves, 1, max_size), st.integers(0, len(faults) - 1), _places)

    @st.composite
    def faulty_run(draw: st.DrawFn) -> FaultyRun:
        choices, which, place = draw(numbers)
        book = Book(moves.dialect, rows_of(Walk(moves, max_size=max_size), choices, 0))
        # The next fault that the run can have.
        found = next(_found(book, faults[which:] + faults[:which]), None)
        if found is None:
            reject()
        fault, changes = found
        changed = changes[place % len(changes)]
        return FaultyRun(Run(moves.dialect.name, changed.rows), fault.name, fault.code, changed.index, changed.end)

    return faulty_run()


def _found(book: Book, faults: tuple[Fault, ...]) -> Iterator[tuple[Fault, list[Changed]]]:
    """Yield each fault that the run can have, with all that it can be."""
    return ((fault, found) for fault in faults if (found := list(fault.changes(book))))

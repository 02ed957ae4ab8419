"""Strategies for events: single ones, and runs that break no rule.

Knows how numbers become runs and how runs are shown. What may follow what is the walk's to know.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from hypothesis import strategies as st

from playhead.errors import UsageError
from playhead.events.codec import decode_event, encode_event
from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect
from playhead.walks.shapes.table import shapes_of
from playhead.walks.walk import CHOICE_BITS, POOL, Moves, Walk, moves_for, rows_of, sample

_MAX_SIZE: Final = 30
_MAX_TEXTS: Final = 4
_INDENT: Final = 4
_choices: Final = st.integers(0, (1 << CHOICE_BITS) - 1)
_ends: Final = st.integers(0, (1 << 12) - 1)


class Run(list[Any]):
    """A run: a list of a dialect's events, which prints as what makes it anew: `Run('turns', [{...}, {...}])`."""

    __slots__ = ("dialect",)

    def __init__(self, dialect: str, events: Iterable[Any] = ()) -> None:
        table = get_dialect(dialect)
        super().__init__(decode_event(event, table) if isinstance(event, dict) else event for event in events)
        self.dialect: str = dialect

    def __repr__(self) -> str:
        rows = "".join(f"    {encode_event(event)!r},\n" for event in self)
        return f"Run({self.dialect!r}, [\n{rows}])"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Print the run into what is printed around it, as IPython and Hypothesis do."""
        with printer.group(_INDENT, f"Run({self.dialect!r}, [", "])"):
            for event in self:
                printer.break_()
                printer.text(f"{encode_event(event)!r},")
            if self:
                printer.break_()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.dialect, list(self))


def runs(
    dialect: str | Dialect = "locus",
    *,
    min_size: int = 1,
    max_size: int = _MAX_SIZE,
    texts: st.SearchStrategy[str] | None = None,
) -> st.SearchStrategy[Run]:
    """Return a strategy for whole runs of a dialect that break no rule, as lists of its typed events.

    Tools, steps, messages and sub-agents overlap as the dialect allows. Runs end well, fail, are cancelled or wait for
    a person, as the dialect has words for it. There are `min_size` to `max_size` events, or those that the shortest run
    of the dialect needs. `texts` is where texts come from instead of those that are known to break things.

    Raises `UsageError` for a dialect of which no shapes are known, and for sizes that there cannot be.
    """
    moves = moves_for(shapes_of(dialect).dialect)
    if not 0 <= min_size <= max_size:
        raise UsageError(f"runs(min_size={min_size}, max_size={max_size}): sizes are 0 or more, and the first is less")
    pool = st.just(POOL) if texts is None else st.lists(texts, min_size=1, max_size=_MAX_TEXTS).map(tuple)
    numbers = st.tuples(sizes(moves, min_size, max_size), _ends, pool)

    # A composite strategy shows what it drew, where `map` would show the numbers that it was made of. It has no
    # arguments, for Hypothesis prints those with every error.
    @st.composite
    def run(draw: st.DrawFn) -> Run:
        choices, end, own = draw(numbers)
        walk = Walk(moves, texts=own, min_size=min_size, max_size=max_size)
        return Run(moves.dialect.name, rows_of(walk, choices, end))

    return run()


def sizes(moves: Moves, min_size: int, max_size: int) -> st.SearchStrategy[list[int]]:
    """Return a strategy for the numbers that make a run of such a size."""
    least = len(moves.begins) + 1
    fewest = max(0, min_size - least)
    return st.lists(_choices, min_size=fewest, max_size=max(fewest, max_size - least))


def events(dialect: str | Dialect = "locus") -> st.SearchStrategy[Any]:
    """Return a strategy for single events of a dialect, typed: of each type that runs have, and in no order.

    Raises `UsageError` for a dialect of which no shapes are known.
    """
    moves = moves_for(shapes_of(dialect).dialect)

    return _events(moves, range(len(moves.every)))


def events_of_class(dialect: str, kind: type[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for single events of one class of a dialect."""
    moves = moves_for(dialect)
    made = [decode_event(fill(sample(life, 0, POOL)), moves.dialect) for life, fill in moves.every]
    return _events(moves, [number for number, event in enumerate(made) if type(event) is kind])


def _events(moves: Moves, numbers: Sequence[int]) -> st.SearchStrategy[Any]:
    @st.composite
    def event(draw: st.DrawFn) -> Any:
        dice, which = divmod(draw(_choices), len(numbers))
        life, fill = moves.every[numbers[which]]
        return decode_event(fill(sample(life, dice, POOL)), moves.dialect)

    return event()

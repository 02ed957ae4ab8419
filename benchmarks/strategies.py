"""What a run costs to draw: `python benchmarks/strategies.py`.

For each dialect, a run of 30 events against a list of 30 integers, in turns, by medians. The integers are what a
person would write who wants 30 of anything. Exit code 1 if a run costs more than 12 times as much.
"""

import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st
from measure import Case, measure

from playhead.strategies import runs
from playhead.walks.shapes.table import SHAPES

SIZE = 30
DRAWS = 60
GOAL = 12.0
_SETTINGS = settings(
    max_examples=DRAWS,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.quiet,
)


def _drawing(strategy: st.SearchStrategy[Any]) -> Callable[[], float]:
    """Return what draws values and says how long a draw took in all, Hypothesis' own work around it left out."""
    spent: list[float] = []

    @_SETTINGS
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        start = perf_counter()
        data.draw(strategy)
        spent.append(perf_counter() - start)

    def work() -> float:
        spent.clear()
        draw()
        return sum(spent) / len(spent) * DRAWS

    return work


def main() -> int:
    """Measure, print, and return the exit code."""
    integers = st.lists(st.integers(), min_size=SIZE, max_size=SIZE)
    subjects = {name: _drawing(runs(name, min_size=SIZE, max_size=SIZE)) for name in SHAPES}
    goals = tuple((name, "<=", GOAL) for name in subjects)
    case = Case("30 events", SIZE * DRAWS, "30 integers", {"30 integers": _drawing(integers), **subjects}, goals)
    figures = measure(case, rounds=9)
    for figure in figures:
        kept = {None: "", True: "kept", False: "BROKEN"}[figure.kept]
        print(f"{figure.subject:<20} {figure.microseconds:7.1f} µs an item {figure.ratio:7.2f}x  {figure.goal} {kept}")
    return int(any(figure.kept is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())

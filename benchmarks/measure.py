"""How a comparison is measured: side by side, in turns, by medians.

The subjects of a case run in turn, round after round, so that a machine that is busy for a while is busy for all of
them. Each round gives a ratio to the case's floor; the median of these ratios is the figure.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

Work = Callable[[], float | None]
"""What a subject does. It is timed as a whole, unless it returns the seconds that count."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is compared. `floor` names the subject that the others are measured by, `per` how many items one run has.

    `goals` are the ratios that are promised: `("playhead", "<=", 1.7)` reads "playhead takes at most 1.7 times as long
    as the floor", `">="` reads "the floor takes at least so many times as long", `"+"` "at most so many
    microseconds an item more than the floor", and `"each"` "at most so many microseconds an item".
    """

    name: str
    per: int
    floor: str
    subjects: dict[str, Work]
    goals: tuple[tuple[str, str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured of one subject: microseconds an item, and its time as a multiple of the floor's."""

    case: str
    subject: str
    microseconds: float
    ratio: float
    goal: str
    kept: bool | None


def measure(case: Case, *, rounds: int) -> list[Figure]:
    """Run a case's subjects in turn and return a figure for each, the floor first. One more round warms up."""
    times: dict[str, list[float]] = {name: [] for name in case.subjects}
    for number in range(rounds + 1):
        for name, work in case.subjects.items():
            seconds = _time(work)
            if number:
                times[name].append(seconds)
    floor = times[case.floor]
    figures = []
    for name, seconds in times.items():
        ratio = median(one / base for one, base in zip(seconds, floor, strict=True))
        more_us = median(one - base for one, base in zip(seconds, floor, strict=True)) / case.per * 1e6
        each_us = median(seconds) / case.per * 1e6
        goal, kept = _goal(case, name, ratio, more_us, each_us)
        figures.append(Figure(case.name, name, each_us, ratio, goal, kept))
    return figures


def _time(work: Work) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        counted_s = work()
        return time.perf_counter() - start if counted_s is None else counted_s
    finally:
        gc.enable()


def _goal(case: Case, name: str, ratio: float, more_us: float, each_us: float) -> tuple[str, bool | None]:
    for subject, relation, bound in case.goals:
        if subject == name:
            if relation == "+":
                return f"at most {bound:g} µs more: {more_us:.2f}", more_us <= bound
            if relation == "each":
                return f"at most {bound:g} µs", each_us <= bound
            if relation == "<=":
                return f"at most {bound:g}x", ratio <= bound
            return f"{bound:g}x faster", 1 / ratio >= bound
    return "", None

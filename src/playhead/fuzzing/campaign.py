"""A campaign: trial after trial until time or number is up, each finding once, with the smallest trial that shows it.

Knows budgets and what was found already. Does not know what a trial is: handlers and agents say.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from random import Random
from typing import Final, Generic, Protocol, TypeVar

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.fuzzing.finding import Finding
from playhead.testing.report import Promise

Trial = TypeVar("Trial")
Broken = tuple[Promise, str]
"""A broken promise, and why."""

_NS_PER_S: Final = 1_000_000_000
_MAX_TRIES: Final = 600


class Driver(Protocol[Trial]):
    """Make trials, judge them, and make them small."""

    def trials(self) -> Iterable[Trial]:
        """Return the trials that are made first, whatever the seed."""
        ...

    def draw(self, random: Random) -> Trial:
        """Return a random trial."""
        ...

    def judge(self, trial: Trial) -> list[Broken]:
        """Make a trial, and return the promises that it shows to be broken."""
        ...

    def shrink(self, trial: Trial, breaks: Callable[[Trial], bool]) -> Trial:
        """Return the smallest trial that still breaks."""
        ...

    def finding(self, trial: Trial, promise: Promise, why: str) -> Finding:
        """Return what is handed over."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """Say when a campaign ends: after so many seconds, or so many trials, whichever comes first. None is no limit."""

    seconds: float | None = 10.0
    runs: int | None = None
    seed: int = 0


@dataclass(slots=True)
class Progress:
    """Tell how far a campaign is."""

    trials: int = 0
    found: int = 0


class Campaign(Generic[Trial]):
    """Search for broken promises, but for those to `ignore` by name. Iterate over it once."""

    def __init__(
        self,
        driver: Driver[Trial],
        budget: Budget,
        *,
        clock: Clock = SYSTEM_CLOCK,
        on_trial: Callable[[Progress], None] | None = None,
        ignore: Iterable[str] = (),
    ) -> None:
        self.progress: Progress = Progress()
        self._driver = driver
        self._budget = budget
        self._clock = clock
        self._on_trial = on_trial
        self._start_ns = clock.monotonic_ns()
        self._known: set[str] = set(ignore)

    def __iter__(self) -> Iterator[Finding]:
        random = Random(self._budget.seed)
        drawn = iter(lambda: self._driver.draw(random), None)
        for trial in chain(self._driver.trials(), drawn):
            if trial is None or self._is_over():
                return
            self.progress.trials += 1
            for promise, why in self._driver.judge(trial):
                if promise.name not in self._known:
                    self._known.add(promise.name)
                    found = self._smallest(trial, promise, why)
                    if found is not None:
                        self.progress.found += 1
                        yield found
            if self._on_trial is not None:
                self._on_trial(self.progress)

    def _is_over(self) -> bool:
        budget = self._budget
        return (budget.runs is not None and self.progress.trials >= budget.runs) or (
            budget.seconds is not None and self._elapsed_s() >= budget.seconds
        )

    def _elapsed_s(self) -> float:
        return (self._clock.monotonic_ns() - self._start_ns) / _NS_PER_S

    def _smallest(self, trial: Trial, promise: Promise, why: str) -> Finding | None:
        """Return a finding made small; None where what it shows is known already.

        What a small trial breaks besides is the same finding, told otherwise.
        """
        tries, last = 0, (trial, why, [(promise, why)])

        def breaks(candidate: Trial) -> bool:
            nonlocal tries, last
            tries += 1
            if tries > _MAX_TRIES:
                return False
            broken = self._driver.judge(candidate)
            found = next((text for each, text in broken if each.name == promise.name), None)
            if found is None:
                return False
            last = (candidate, found, broken)
            return True

        small = self._driver.shrink(trial, breaks)
        tries = 0
        if not breaks(small):
            return None
        _, why, broken = last
        others = [each.name for each, _ in broken if each.name != promise.name]
        if any(name in self._known for name in others):
            return None
        self._known |= set(others)
        return replace(self._driver.finding(small, promise, why), also=tuple(others))

"""What a conformance suite found: each promise by its name, and whether it is kept.

Knows how findings are told. Does not know what was promised, nor how that is checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from playhead.text import columns, safe


class State(StrEnum):
    """Say what became of a promise. What was never put to the test is skipped, and says why."""

    KEPT = "kept"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Promise:
    """Name one thing that is expected of a subject. `says` is a sentence about the subject."""

    name: str
    says: str


@dataclass(frozen=True, slots=True)
class Result:
    """Say whether one promise is kept. `why` tells what was seen, `example` is the smallest input that shows it."""

    promise: Promise
    state: State
    why: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Hold what a suite found about one subject, promise by promise, in the order of the suite.

    It is iterable, and true if nothing is broken. `str(report)` is a table.
    """

    subject: str
    results: tuple[Result, ...]

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __bool__(self) -> bool:
        return not self.broken

    def __getitem__(self, name: str) -> Result:
        """Return the result of the promise of that name. Raises `KeyError`."""
        for result in self.results:
            if result.promise.name == name:
                return result
        raise KeyError(name)

    @property
    def broken(self) -> tuple[Result, ...]:
        """Return the results of the promises that are broken."""
        return self._of(State.BROKEN)

    @property
    def kept(self) -> tuple[Result, ...]:
        """Return the results of the promises that are kept."""
        return self._of(State.KEPT)

    @property
    def skipped(self) -> tuple[Result, ...]:
        """Return the results of the promises that could not be put to the test."""
        return self._of(State.SKIPPED)

    def raise_if_broken(self) -> None:
        """Raise `AssertionError`, with the whole table, if a promise is broken."""
        __tracebackhide__ = True
        if self.broken:
            raise AssertionError(str(self))

    def _of(self, state: State) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.state is state)

    def __str__(self) -> str:
        wide = max((columns(result.promise.name) for result in self.results), default=0)
        counts = [f"{len(self._of(state))} {state}" for state in State]
        lines = [f"{safe(self.subject, keep='')}: {', '.join(counts)}"]
        for result in self.results:
            told = result.promise.says if result.state is State.KEPT else result.why
            lines.append(f"  {result.state:<7}  {result.promise.name:<{wide}}  {safe(told, keep='')}")
            if result.example:
                indent = " " * (13 + wide)
                lines += [f"{indent}{row}" for row in safe(result.example).splitlines()]
        return "\n".join(lines)

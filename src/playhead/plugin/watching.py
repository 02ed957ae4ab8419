"""One run of a test, watched as it passes: it must keep the contracts and, in a replay, be the run that was recorded.

Knows what is wrong with a run, and how that is told. Does not know how runs are recorded, nor where they come from.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from playhead.comparing.streams import compare
from playhead.contracts.rule import Severity
from playhead.contracts.rules import RULES, selected
from playhead.contracts.violation import Violation
from playhead.contracts.watch import Watch
from playhead.errors import ContractViolation, PlayheadError, ReplayMismatch, UsageError
from playhead.events.codec import event_json
from playhead.events.spans import Dialect
from playhead.events.tagged import loads
from playhead.matching.normalise import Normaliser, normaliser
from playhead.recording.ends import end_of_events, end_of_exception
from playhead.recording.tee import AsyncTee, Tee
from playhead.recording.texts import read_field
from playhead.replaying.tape import Tape
from playhead.text import and_more, safe

T = TypeVar("T")

MAX_TOLD: Final = 20
"""How many findings are listed."""


class WatchedRun:
    """Take what a tee sees of one run. What is wrong is kept in `problem`, and raised where the run ends by itself.

    `drift` says how the run differs from its recording, when it has ended; None where it does not. `name` and `end` are
    the run's, as a recorder would have them.
    """

    def __init__(
        self,
        name: Callable[[], str],
        dialect: Dialect,
        *,
        codes: frozenset[str],
        drift: Callable[["WatchedRun"], ReplayMismatch | None],
    ) -> None:
        self.problem: PlayheadError | None = None
        self.name: str = ""
        self._next_name = name
        self._drift = drift
        self._watch = Watch(dialect, codes=codes)
        self._found: list[Violation] = []
        self._dialect = dialect
        self._last: Any = None
        self.end: str | None = None

    def take(self, item: Any) -> None:
        """Look at an event."""
        self._open()
        if read_field(item, self._dialect.tag) not in self._dialect.after:
            self._last = item
        if self._watch.is_idle or isinstance(self.problem, UsageError):
            return
        try:
            self._found += self._watch.feed(item)
        except UsageError as error:
            self.problem = error

    def finish(self, error: BaseException | None = None) -> None:
        """Note that the run ended, and judge it. Raises what is wrong, unless something else is being raised."""
        if self.end is not None:
            return
        self._open()
        self.end = self._own_end() if error is None else end_of_exception(error)
        self.problem = self.problem or self._judged(self.end)
        if self.problem is not None and error is None:
            raise self.problem from None

    def drifted_from(
        self, tape: Tape, live: Iterable[bytes], ignore: Sequence[str | Normaliser]
    ) -> ReplayMismatch | None:
        """Return how the run, given by its events, differs from the recorded one; None where it is the same.

        `ignore` names what may vary, as it does in questions.
        """
        even = normaliser(ignore) if ignore else None
        recorded = tape.events(run=self.name, decode=loads)
        found = compare(
            recorded if even is None else map(even, recorded),
            live if even is None else (even(loads(data)) for data in live),
            dialect=tape.dialect,
        )
        if found:
            first = found.differences[0]
            what = f"event {first.old_index} of run {self.name} of {tape.where} does not match this run"
            if first.old_index is None:
                what = f"event {first.new_index} of this run is not in run {self.name} of {tape.where}"
            return ReplayMismatch(f"{what} (old: recorded, new: live)\n{found}")
        ended = tape.end(self.name)
        if ended != self.end:
            return ReplayMismatch(f"run {self.name} of {tape.where} ended {ended!r}, and now it ended {self.end!r}")
        return None

    def _open(self) -> None:
        # The recorder numbers runs in the order in which they begin, and so must we.
        self.name = self.name or self._next_name()

    def _own_end(self) -> str:
        last = None if self._last is None else event_json(self._last)
        return end_of_events(last, self._dialect)

    def _judged(self, end: str) -> PlayheadError | None:
        if not self._watch.is_idle:
            self._found += self._watch.close(end)
        broken = [each for each in self._found if RULES[each.code].severity is not Severity.WARNING]
        return violation(self.name, broken) if broken else self._drift(self)


def violation(run: str, broken: list[Violation]) -> ContractViolation:
    """Return the error that tells which rules a run breaks, and what they mean."""
    codes = sorted({each.code for each in broken})
    lines = [f"run {run} breaks {and_more(codes, 5)}"]
    lines += [f"  {safe(str(each), keep='')}" for each in broken[:MAX_TOLD]]
    lines += [f"  and {len(broken) - MAX_TOLD} more"] * (len(broken) > MAX_TOLD)
    lines += [f"  {code}: {RULES[code].meaning}" for code in codes]
    return ContractViolation("\n".join([*lines, f"More: playhead rule {codes[0]}"]))


def codes_of(ignored: Sequence[str]) -> frozenset[str]:
    """Return the codes of the rules that are asked, less those ignored, which may be beginnings of codes."""
    return selected(ignore=ignored)


def watched(source: AsyncTee[T] | Tee[T], run: WatchedRun) -> AsyncTee[T] | Tee[T]:
    """Return an iterator over a run that is recorded, and watched besides."""
    return AsyncTee(source, run) if isinstance(source, AsyncTee) else Tee(source, run)

"""A handler that holds a live stream to its contracts.

Knows what to do about a finding. Does not know the rules: `playhead.contracts` does.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal

from playhead.contracts.limits import Limits
from playhead.contracts.rule import Severity
from playhead.contracts.rules import RULES, selected
from playhead.contracts.violation import Violation
from playhead.contracts.watch import Watch
from playhead.errors import ContractViolation, UsageError
from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect
from playhead.handlers.base import OnceHandler

OnViolation = Literal["raise", "collect"] | Callable[[Violation], object]
"""What is done about a finding: raise it, keep it, or call somebody with it."""

_WORDS: Final = ("raise", "collect")


class ContractHandler(OnceHandler):
    """Check a stream as it passes, in constant memory for each open span.

    `rules` are codes or their beginnings (`["ORD", "TRM001"]`), None for all that are not opt-in; `limits` are what
    those need that count and time. Every finding is kept in `violations`. With `on_violation="raise"` one of severity
    error also raises `ContractViolation` out of the call that brought it; a function is called with each finding.

    Raises `UsageError` for a rule or a dialect that there is not, and in `on_event` for what is no event.
    """

    late: int

    def __init__(
        self,
        rules: Iterable[str] | None = None,
        on_violation: OnViolation = "raise",
        *,
        dialect: str | Dialect = "locus",
        limits: Limits | None = None,
    ) -> None:
        super().__init__()
        if not callable(on_violation) and on_violation not in _WORDS:
            raise UsageError(f"on_violation={on_violation!r} is none of 'raise', 'collect' and a function.")
        self.violations: list[Violation] = []
        self._on_violation = on_violation
        self._dialect = get_dialect(dialect)
        self._limits = limits
        self._codes = selected(rules or (), limits=limits or Limits())
        self._watch = self._begin()

    async def on_event(self, event: Any) -> None:
        """Check the event. Raises what `on_violation` says."""
        if not self._is_late():
            self._take(self._watch.feed(event))

    async def on_complete(self) -> None:
        """Check what a stream lacks that ended as it should."""
        if self._ends_now():
            self._take(self._watch.close("complete"))

    async def on_error(self, error: Exception) -> None:
        """Check that the stream's terminal event says so too."""
        if self._ends_now():
            self._take(self._watch.close("error"))

    def clear(self) -> None:
        """Forget the findings, and be ready for another stream."""
        super().clear()
        self.violations = []
        self._watch = self._begin()

    def _begin(self) -> Watch:
        return Watch(self._dialect, codes=self._codes, limits=self._limits)

    def _take(self, found: list[Violation]) -> None:
        self.violations += found
        if callable(self._on_violation):
            for violation in found:
                self._on_violation(violation)
        elif self._on_violation == "raise":
            broken = [str(each) for each in found if RULES[each.code].severity is not Severity.WARNING]
            if broken:
                raise ContractViolation("\n".join(broken))

"""When a run is over: conditions that compose with `&` and `|`, and print as what they are.

    MaxIterations(5) | (ToolCalled('submit') & ConfidenceMet(0.9))

A condition is a value and keeps nothing from run to run; all that it looks at is in the state. The loop checks it after
each iteration. Reasons are those of locus.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields

from playhead.agent.state import AgentState


class TerminationCondition(ABC):
    """Say whether a run is over."""

    __slots__ = ()

    @abstractmethod
    def check(self, state: AgentState) -> str | None:
        """Return why the run is over, or None: it is not."""

    def limit_s(self) -> float:
        """Return after how many seconds this condition holds for certain, even if nothing else happens."""
        return math.inf

    def __and__(self, other: "TerminationCondition") -> "TerminationCondition":
        return _All((self, other))

    def __or__(self, other: "TerminationCondition") -> "TerminationCondition":
        return _Any((self, other))

    def __repr__(self) -> str:
        told = [getattr(self, each.name) for each in fields(self) if getattr(self, each.name) != each.default]  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(map(repr, told))})"


@dataclass(frozen=True, slots=True, repr=False)
class MaxIterations(TerminationCondition):
    """Stop after so many iterations."""

    max_iterations: int

    def check(self, state: AgentState) -> str | None:
        """Return `max_iterations` once there were so many."""
        return "max_iterations" if state.iteration >= self.max_iterations else None


@dataclass(frozen=True, slots=True, repr=False)
class TokenLimit(TerminationCondition):
    """Stop when the model has taken so many tokens, in and out."""

    max_tokens: int

    def check(self, state: AgentState) -> str | None:
        """Return `token_budget` once they are spent."""
        return "token_budget" if state.total_tokens >= self.max_tokens else None


@dataclass(frozen=True, slots=True, repr=False)
class TimeLimit(TerminationCondition):
    """Stop after so many seconds, in the middle of an answer or a tool too. Time in which it was paused is free."""

    seconds: float

    def check(self, state: AgentState) -> str | None:
        """Return `time_budget` once the time is up."""
        return "time_budget" if state.elapsed_s >= self.seconds else None

    def limit_s(self) -> float:
        """Return the limit."""
        return self.seconds


@dataclass(frozen=True, slots=True, repr=False)
class NoToolCalls(TerminationCondition):
    """Stop when the model asks for no tool. A run ends then in any case; this gives the reason a name of its own."""

    def check(self, state: AgentState) -> str | None:
        """Return `no_tools` after an answer without calls."""
        return None if state.calls else "no_tools"


@dataclass(frozen=True, slots=True, repr=False)
class ToolCalled(TerminationCondition):
    """Stop once a tool has run, or, with `require_success`, once it has run without an error."""

    tool_name: str
    require_success: bool = False

    def check(self, state: AgentState) -> str | None:
        """Return `tool_called:` and the tool's name."""
        ran = any(
            each.tool_name == self.tool_name and not (self.require_success and each.error is not None)
            for each in state.executions
        )
        return f"tool_called:{self.tool_name}" if ran else None


@dataclass(frozen=True, slots=True, repr=False)
class ConfidenceMet(TerminationCondition):
    """Stop when the agent is sure enough: its confidence is moved by reflexion."""

    threshold: float = 0.9

    def check(self, state: AgentState) -> str | None:
        """Return `confidence_met` once the threshold is reached."""
        return "confidence_met" if state.confidence >= self.threshold else None


@dataclass(frozen=True, slots=True, repr=False)
class TextMention(TerminationCondition):
    """Stop when the model's last answer mentions a text."""

    text: str
    case_sensitive: bool = False

    def check(self, state: AgentState) -> str | None:
        """Return `text_mention:` and the text."""
        answer, text = state.answer, self.text
        if not self.case_sensitive:
            answer, text = answer.casefold(), text.casefold()
        return f"text_mention:{self.text}" if text in answer else None


@dataclass(frozen=True, slots=True, repr=False)
class CustomCondition(TerminationCondition):
    """Stop when a function of the state says so: with a reason, or with True."""

    function: Callable[[AgentState], str | bool | None]

    def check(self, state: AgentState) -> str | None:
        """Return the function's reason; its name where it says True."""
        found = self.function(state)
        return self._name if found is True else found or None

    @property
    def _name(self) -> str:
        return getattr(self.function, "__name__", "custom_condition")

    def __repr__(self) -> str:
        return f"CustomCondition({self._name})"


@dataclass(frozen=True, slots=True, repr=False)
class _All(TerminationCondition):
    conditions: tuple[TerminationCondition, ...]

    def check(self, state: AgentState) -> str | None:
        reasons = [each.check(state) for each in self.conditions]
        return None if None in reasons else " AND ".join(filter(None, reasons))

    def limit_s(self) -> float:
        return max(each.limit_s() for each in self.conditions)

    def __repr__(self) -> str:
        return " & ".join(f"({each!r})" if isinstance(each, _Any) else repr(each) for each in self.conditions)


@dataclass(frozen=True, slots=True, repr=False)
class _Any(TerminationCondition):
    conditions: tuple[TerminationCondition, ...]

    def check(self, state: AgentState) -> str | None:
        return next(filter(None, (each.check(state) for each in self.conditions)), None)

    def limit_s(self) -> float:
        return min(each.limit_s() for each in self.conditions)

    def __repr__(self) -> str:
        return " | ".join(map(repr, self.conditions))

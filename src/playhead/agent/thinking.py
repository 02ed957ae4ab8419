"""What an agent can think of itself: of its progress, and of its final answer. Functions that are given, as values.

    def reflect(state: AgentState) -> Reflection | None:
        if state.executions and state.executions[-1].error:
            return Reflection("stuck", confidence_delta=-0.2, guidance="Try another tool.")

    def ground(state: AgentState) -> Grounding: ...

Knows what they return. Does not know when they are asked: the loop does.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playhead.agent.state import AgentState


@dataclass(frozen=True, slots=True)
class Reflection:
    """Say how the run goes. `confidence_delta` moves the confidence, and the model is told the `guidance`."""

    assessment: str
    confidence_delta: float = 0.0
    guidance: str | None = None


@dataclass(frozen=True, slots=True)
class Grounding:
    """Say how far the final answer is backed, from 0 to 1. With `requires_replan` the model has to try again."""

    score: float
    claims_evaluated: int = 0
    ungrounded_claims: tuple[str, ...] = ()
    requires_replan: bool = False


Reflexion = Callable[[AgentState], Reflection | Awaitable[Reflection | None] | None]
"""Asked after each iteration in which tools ran. None: nothing to say."""

Grounder = Callable[[AgentState], Grounding | Awaitable[Grounding | None] | None]
"""Asked about each final answer. None: nothing to say."""

"""Looking back: what the agent's own functions say of its progress, and whether its final answer will do.

Knows what is told of that, to whoever watches and to the model. Does not know what happens next.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from inspect import isawaitable
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from playhead.agent.faults import Fault, is_harness_failure
from playhead.agent.setup import Setup
from playhead.agent.state import AgentState, told
from playhead.events.locus import AgentEvent, FinalAnswerVerificationEvent, GroundingEvent, ReflectEvent
from playhead.handlers.partials import Partials

MAX_VERIFICATIONS: Final = 3
"""How many final answers may fail to fit the schema before the run is given up."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Say what was found: the events that tell of it, the state after it, and whether the answer will not do."""

    state: AgentState
    events: tuple[AgentEvent, ...] = ()
    fault: Fault | None = None
    is_rejected: bool = False


Look = Callable[[AgentState, Setup], Awaitable[Judgement]]
"""Looks back at a state, where the agent was given something to look with. Raises `Fault` where that raises."""


async def reflected(state: AgentState, setup: Setup) -> Judgement:
    """Ask the agent's reflexion how the run goes. Its guidance is told to the model. Raises `Fault` if it raises."""
    found = await _asked("reflexion", setup.reflexion, state)
    if found is None:
        return Judgement(state)
    confidence = min(1.0, max(0.0, state.confidence + found.confidence_delta))
    event = ReflectEvent(
        iteration=state.iteration,
        assessment=found.assessment,
        confidence_delta=found.confidence_delta,
        new_confidence=confidence,
        guidance=found.guidance,
        agent_name=setup.name,
        timestamp=setup.clock.now(),
    )
    state = replace(state, confidence=confidence)
    return Judgement(told(state, found.guidance) if found.guidance else state, (event,))


async def grounded(state: AgentState, setup: Setup) -> Judgement:
    """Ask the agent's grounding whether its final answer is backed. Raises `Fault` if it raises."""
    found = await _asked("grounding", setup.grounding, state)
    if found is None:
        return Judgement(state)
    event = GroundingEvent(
        score=found.score,
        claims_evaluated=found.claims_evaluated,
        ungrounded_claims=list(found.ungrounded_claims),
        requires_replan=found.requires_replan,
        agent_name=setup.name,
        timestamp=setup.clock.now(),
    )
    if not found.requires_replan:
        return Judgement(state, (event,))
    claims = "; ".join(found.ungrounded_claims) or "the answer"
    state = told(state, f"This is not backed by what the tools returned: {claims}")
    return Judgement(state, (event,), is_rejected=True)


async def verified(state: AgentState, setup: Setup) -> Judgement:
    """See whether the final answer fits the schema that was asked for."""
    assert setup.output_schema is not None
    wrong = misfit(state.answer, setup.output_schema)
    attempt = state.attempts + 1
    goes_on = wrong is not None and attempt < MAX_VERIFICATIONS
    event = FinalAnswerVerificationEvent(
        passed=wrong is None,
        attempt=attempt,
        replanning=goes_on,
        feedback=wrong,
        agent_name=setup.name,
        timestamp=setup.clock.now(),
    )
    state = replace(state, attempts=attempt)
    if wrong is None:
        return Judgement(state, (event,))
    fault = None if goes_on else Fault("output_invalid", wrong)
    return Judgement(told(state, f"The answer does not fit: {wrong}"), (event,), fault, is_rejected=True)


def misfit(text: str, schema: type[BaseModel]) -> str | None:
    """Return why no JSON in a text is an instance of the schema, or None: there is one."""
    partials = Partials(schema)
    partials.feed(text)
    if partials.whole is not None:
        return None
    try:
        schema.model_validate_json(text)
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'JSON'}: {each['msg']}" for each in error.errors()[:5])
    return None


async def _asked(name: str, function: Callable[[AgentState], Any] | None, state: AgentState) -> Any:
    assert function is not None
    try:
        found = function(state)
        return await found if isawaitable(found) else found
    except Exception as error:
        if is_harness_failure(error):
            raise
        raise Fault(f"{name}_failed", f"{type(error).__name__}: {error}") from error

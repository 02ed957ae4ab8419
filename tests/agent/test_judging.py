"""An agent may look back at its progress, and at its final answer, before it gives it."""

from typing import Any

import pytest
from pydantic import BaseModel, RootModel

from playhead.agent.agent import Agent
from playhead.agent.state import AgentState
from playhead.agent.termination import ConfidenceMet
from playhead.agent.thinking import Grounding, Reflection
from playhead.errors import ReplayMismatch
from playhead.events.locus import FinalAnswerVerificationEvent, GroundingEvent, ReflectEvent
from playhead.handlers.structured import stream_structured
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.scripts import call, say
from tests.agent.agents import broken, end_of, kinds, read, run, weather


@pytest.mark.anyio
async def test_reflexion_moves_the_confidence_and_guides_the_model() -> None:
    """After each iteration in which tools ran; the confidence stays within 0 and 1."""

    async def reflect(state: AgentState) -> Reflection | None:
        if state.executions[-1].error is None:
            return Reflection("fine", confidence_delta=3)
        return Reflection("stuck", confidence_delta=-3, guidance="Try another city.")

    script: list[Scripted] = [call("weather", city="x"), call("broken", city="x"), "Done."]
    model = ScriptedModel(script)
    events = await read(Agent(model, [weather, broken], reflexion=reflect).run("?"))
    first, second = [event for event in events if isinstance(event, ReflectEvent)]
    assert (first.iteration, first.assessment, first.new_confidence, first.guidance) == (1, "fine", 1.0, None)
    assert (second.iteration, second.new_confidence, second.guidance) == (2, 0.0, "Try another city.")
    assert model.calls[2].messages[-1] == {"role": "user", "content": "Try another city."}
    assert end_of(events).final_confidence == 0.0
    sure = await run(script, [weather], reflexion=lambda state: Reflection("good", 0.9), termination=ConfidenceMet())
    assert (end_of(sure).reason, end_of(sure).final_confidence) == ("confidence_met", 0.9)


@pytest.mark.anyio
async def test_grounding_sends_the_model_back() -> None:
    """An answer that is not backed is told to the model; one that is, ends the run."""

    def ground(state: AgentState) -> Grounding | None:
        if "sun" in state.answer:
            return Grounding(0.2, 2, ("there is sun",), requires_replan=True)
        return Grounding(1.0, 1)

    model = ScriptedModel(["The sun shines.", "It rains."])
    events = await read(Agent(model, grounding=ground).run("?"))
    assert kinds(events)[-3:] == ["think", "grounding", "terminate"]
    first, second = [event for event in events if isinstance(event, GroundingEvent)]
    assert (first.score, first.claims_evaluated, list(first.ungrounded_claims), first.requires_replan) == (
        0.2, 2, ["there is sun"], True,
    )  # fmt: skip
    assert not second.requires_replan
    assert "there is sun" in str(model.calls[1].messages[-1]["content"])
    assert (end_of(events).final_message, end_of(events).iterations_used) == ("It rains.", 2)
    stubborn = await run(["The sun."] * 4, grounding=ground, max_iterations=4)
    assert end_of(stubborn).reason == "max_iterations"


class Trip(BaseModel):
    """Stand for what is asked for."""

    city: str
    days: int = 1


@pytest.mark.anyio
async def test_an_answer_that_does_not_fit_is_asked_for_again() -> None:
    """The model is told what is wrong, up to three times."""
    model = ScriptedModel(["No idea.", 'Say {"city": 3}?', '```json\n{"city": "Paris", "days": 2}\n```'])
    events = await read(Agent(model, output_schema=Trip).run("?"))
    verdicts = [event for event in events if isinstance(event, FinalAnswerVerificationEvent)]
    assert [(each.passed, each.attempt, each.replanning) for each in verdicts] == [
        (False, 1, True), (False, 2, True), (True, 3, False),
    ]  # fmt: skip
    assert "Invalid JSON" in str(model.calls[1].messages[-1]["content"])
    assert end_of(events).reason == "complete"
    events = await run(['{"days": 1}'] * 3, output_schema=Trip)
    assert (end_of(events).reason, end_of(events).iterations_used) == ("output_invalid", 3)
    assert "city: Field required" in str(end_of(events).error)


@pytest.mark.anyio
async def test_the_answer_is_there_while_it_is_written() -> None:
    """A structured stream around the run gives its parts, and in the end the whole."""
    text = '{"city": "Paris", "days": 3}'
    agent = Agent(ScriptedModel([call("weather", city="x"), say(text, chunks=7)]), [weather], output_schema=Trip)
    stream = stream_structured(agent.run("?"), Trip)
    parts = [part async for part in stream]
    assert parts[-1] == stream.final == Trip(city="Paris", days=3)
    assert len(parts) > 2
    assert stream.terminate_reason == "complete"
    names = RootModel[list[str]]
    assert end_of(await run(['["a"]'], output_schema=names)).reason == "complete"


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["reflexion", "grounding"])
async def test_a_function_that_raises_ends_the_run(name: str) -> None:
    """With a reason that names it; a failure of the test is raised behind the end."""

    def bad(state: AgentState) -> Any:
        raise failure

    script: list[Scripted] = [call("weather", city="x"), "Done."]
    failure: Exception = ZeroDivisionError("oh")
    options: dict[str, Any] = {name: bad}
    events = await run(script, **options)
    assert (end_of(events).reason, end_of(events).error) == (f"{name}_failed", "ZeroDivisionError: oh")
    failure = ReplayMismatch("not as recorded")
    with pytest.raises(ReplayMismatch):
        await run(script, **options)

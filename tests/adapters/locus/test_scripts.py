"""Playhead's models as models of locus: what they say is of locus' own classes."""

from typing import Any

import pytest

pytest.importorskip("locus.core.events", reason="locus-sdk is not installed")

from locus.agent import Agent
from locus.core.events import ToolCompleteEvent
from locus.core.messages import Message, ToolCall
from locus.models.base import ModelProtocol
from locus.tools.decorator import tool as locus_tool

from playhead.adapters import locus
from playhead.errors import ModelFailure
from playhead.models.scripted import FunctionModel, ScriptedModel
from playhead.scripts import RateLimit, call, cut, fail, raw_call, say, stop, think, turn, usage

pytestmark = pytest.mark.anyio

HELLO = [Message.user("Hello.")]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio alone: locus is written for it."""
    return "asyncio"


async def test_a_script_is_a_model_of_locus() -> None:
    """An agent of locus runs on a script: text, thoughts, calls, tokens and the reason to stop are locus' own."""
    script = ScriptedModel(
        [
            turn(think("Hm, "), think("yes."), say("Let me see.", chunks=3), call("look", city="Paris"), usage(3, 4)),
            turn(say("Sun."), stop("end_turn")),
        ]
    )
    model = locus.scripted(script)
    assert isinstance(model, ModelProtocol)
    chunks = [chunk async for chunk in model.stream(HELLO, [locus_tool(_look).to_openai_schema()], temperature=0.5)]
    assert [chunk.content for chunk in chunks if chunk.content] == ["Let", " me ", "see."]
    assert [chunk.reasoning for chunk in chunks if chunk.reasoning] == ["Hm, ", "yes."]
    assert chunks[-1].tool_calls == [ToolCall(id="call_1", name="look", arguments={"city": "Paris"})]
    assert (chunks[-1].usage, chunks[-1].stop_reason) == ({"prompt_tokens": 3, "completion_tokens": 4}, "tool_calls")
    whole = await model.complete(HELLO)
    assert (whole.content, whole.tool_calls, whole.stop_reason, whole.reasoning) == ("Sun.", [], "end_turn", None)
    (asked, _) = script.calls
    assert asked.messages == ({"role": "user", "content": "Hello."},)
    assert [described["name"] for described in asked.tools] == ["_look"]
    assert asked.options == {"temperature": 0.5}


async def test_an_agent_runs_on_a_script() -> None:
    """What the tool said reaches the script's next turn, and arguments that are no JSON reach locus as they are."""
    script = FunctionModel(
        lambda request: (
            say(str(request.messages[-1]["content"]))
            if len(request.messages) > 2
            else turn(call("_look", city="Paris"), raw_call("_look", "{oh"))
        )
    )
    agent = Agent(model=locus.scripted(script), tools=[locus_tool(_look)], context_window=9_999)
    events = [event async for event in agent.run("Trip?")]
    done = [event for event in events if isinstance(event, ToolCompleteEvent)]
    assert [(event.result, bool(event.error)) for event in done] == [("sun in Paris", False), (None, True)]
    assert script.call_count == 2


@pytest.mark.parametrize(
    ("scripted", "kind"),
    [(fail(RateLimit(retry_after_s=2)), "rate_limit"), (turn(say("a", chunks=1), cut()), "cut")],
)
async def test_a_scripted_failure_is_raised_as_it_is(scripted: Any, kind: str) -> None:
    """Whole or streamed, what is raised is the failure itself."""
    model = locus.scripted(ScriptedModel([scripted, scripted]))
    with pytest.raises(ModelFailure) as raised:
        await model.complete(HELLO)
    assert raised.value.kind == kind
    with pytest.raises(ModelFailure):
        [_ async for _ in model.stream(HELLO)]


async def _look(city: str) -> str:
    """Look out of the window."""
    return f"sun in {city}"

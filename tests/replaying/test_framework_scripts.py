"""Scripts of what frameworks' models said, taped in Python: streamed and whole."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from agents import ModelSettings, ModelTracing
from locus.core.messages import Message
from pydantic_ai.messages import ModelMessage, ModelRequest
from pydantic_ai.models import ModelRequestParameters

from playhead.adapters import locus, openai_agents, pydantic_ai, shipit
from playhead.models.scripted import ScriptedModel
from playhead.models.tap import Tap
from playhead.recording.recorder import record
from playhead.replaying.scripts import script_of
from playhead.replaying.tape import open_tape
from playhead.scripts import call, say, think, turn

pytestmark = pytest.mark.anyio

TURN = turn(think("Hm."), say("Hello there.", chunks=2), call("wave", hand="left").with_id("w1"))
Ask = Callable[[ScriptedModel, Tap], Awaitable[None]]
OF_AGENTS: dict[str, Any] = {
    "system_instructions": None,
    "input": "Hi.",
    "model_settings": ModelSettings(),
    "tools": [],
    "output_schema": None,
    "handoffs": [],
    "tracing": ModelTracing.DISABLED,
    "previous_response_id": None,
    "conversation_id": None,
    "prompt": None,
}


async def heard(source: AsyncIterator[Any]) -> None:
    """Read a stream to its end."""
    async for _ in source:
        pass


async def ask_locus(played: ScriptedModel, tap: Tap) -> None:
    """Ask once for a whole answer, and once for a stream."""
    asked = locus.model(locus.scripted(played), tap)
    await asked.complete([Message.user("Hi.")])
    await heard(asked.stream([Message.user("Hi.")]))


async def ask_shipit(played: ScriptedModel, tap: Tap) -> None:
    """Ask once without a callback, and once with one."""
    asked = shipit.llm(shipit.scripted(played), tap)
    question = [{"role": "user", "content": "Hi."}]
    await asked.acomplete(messages=question)
    await asked.acomplete(messages=question, text_delta_callback=lambda text: None)


async def ask_pydantic_ai(played: ScriptedModel, tap: Tap) -> None:
    """Ask once for a whole answer, and once for a stream."""
    asked = pydantic_ai.model(pydantic_ai.scripted(played), tap)
    messages: list[ModelMessage] = [ModelRequest.user_text_prompt("Hi.")]
    await asked.request(messages, None, ModelRequestParameters())
    async with asked.request_stream(messages, None, ModelRequestParameters()) as stream:
        await heard(aiter(stream))


async def ask_agents(played: ScriptedModel, tap: Tap) -> None:
    """Ask once for a whole answer, and once for a stream."""
    asked = openai_agents.model(openai_agents.scripted(played), tap)
    await asked.get_response(**OF_AGENTS)
    await heard(asked.stream_response(**OF_AGENTS))


@pytest.mark.parametrize("ask", [ask_locus, ask_shipit, ask_pydantic_ai, ask_agents])
async def test_what_a_model_said_is_a_script(ask: Ask, tmp_path: Path) -> None:
    """Thoughts, text and calls come back, of a streamed answer in its pieces."""
    path = tmp_path / "asked.jsonl"
    with record(path) as recorder:
        await ask(ScriptedModel([TURN] * 2), recorder.tap)
    with open_tape(path) as tape:
        whole, streamed = script_of(tape)
    assert (whole.text, [(each.tool, each.arguments) for each in whole.calls]) == (
        "Hello there.",
        [("wave", {"hand": "left"})],
    )
    assert whole.parts[0] == think("Hm.")
    assert streamed.parts[:2] == TURN.parts[:2]
    assert [(each.tool, each.arguments) for each in streamed.calls] == [("wave", {"hand": "left"})]

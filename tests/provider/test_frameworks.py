"""Agents of real frameworks, with their own models, run against a served model: a call of a tool, then an answer."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from agents import Agent as OpenAIAgent
from agents import (
    Model,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    function_tool,
)
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models import Model as PydanticModel
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.openai import OpenAIResponsesModel as PydanticResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from playhead.models.scripted import ScriptedModel
from playhead.provider.serving import Served, serve_model
from playhead.scripts import call, say, turn, usage
from tests.provider.peers import MODEL, QUESTION, async_claude, async_open_ai

Connect = Callable[[Served], AbstractAsyncContextManager[Any]]
"""Opens a client of an SDK."""

ANSWER = "It is sunny in Paris."


def script() -> ScriptedModel:
    """Return a model that asks for the weather and tells it."""
    return ScriptedModel([turn(call("weather", city="Paris"), usage(9, 5)), say(ANSWER, chunks=3)])


def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def pydantic_chat(client: AsyncOpenAI) -> PydanticModel:
    """Return pydantic-ai's model for chat completions."""
    return OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client))


def pydantic_responses(client: AsyncOpenAI) -> PydanticModel:
    """Return pydantic-ai's model for responses."""
    return PydanticResponsesModel(MODEL, provider=OpenAIProvider(openai_client=client))


def pydantic_anthropic(client: AsyncAnthropic) -> PydanticModel:
    """Return pydantic-ai's model for messages."""
    return AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=client))


PYDANTIC_MODELS: dict[str, tuple[Connect, Callable[[Any], PydanticModel]]] = {
    "chat": (async_open_ai, pydantic_chat),
    "responses": (async_open_ai, pydantic_responses),
    "anthropic": (async_claude, pydantic_anthropic),
}
OPENAI_MODELS: dict[str, Callable[[AsyncOpenAI], Model]] = {
    "chat": lambda client: OpenAIChatCompletionsModel(MODEL, client),
    "responses": lambda client: OpenAIResponsesModel(MODEL, client),
}
ASYNCIO = pytest.mark.parametrize("anyio_backend", ["asyncio"])
"""OpenAI's agents know no other event loop, and streams that are left early do not close under trio."""


def heard(model: ScriptedModel) -> str:
    """Return all that the model was told when it was asked for the second time, after checking that it was."""
    model.assert_complete()
    assert {tool["name"] for tool in model.calls[0].tools} == {"weather"}
    return str(model.calls[1].messages)


@pytest.mark.anyio
@ASYNCIO
@pytest.mark.parametrize(("connect", "make"), PYDANTIC_MODELS.values(), ids=PYDANTIC_MODELS)
async def test_pydantic_ai_runs(connect: Connect, make: Callable[[Any], PydanticModel]) -> None:
    """The tool runs with the arguments of the script, and its result is what the model hears."""
    model = script()
    with serve_model(model) as served:
        async with connect(served) as client:
            found = await PydanticAgent(make(client), tools=[weather]).run(QUESTION)
    assert found.output == ANSWER
    assert "sunny in Paris" in heard(model)


@pytest.mark.anyio
@ASYNCIO
@pytest.mark.parametrize(("connect", "make"), PYDANTIC_MODELS.values(), ids=PYDANTIC_MODELS)
async def test_pydantic_ai_streams(connect: Connect, make: Callable[[Any], PydanticModel]) -> None:
    """A streamed run gets the answer in the pieces of the script."""
    model = script()
    with serve_model(model) as served:
        async with (
            connect(served) as client,
            PydanticAgent(make(client), tools=[weather]).run_stream(QUESTION) as stream,
        ):
            pieces = [piece async for piece in stream.stream_text(delta=True, debounce_by=None)]
    assert "".join(pieces) == ANSWER
    assert len(pieces) == 3
    assert "sunny in Paris" in heard(model)


@pytest.mark.anyio
@ASYNCIO
@pytest.mark.parametrize("make", OPENAI_MODELS.values(), ids=OPENAI_MODELS)
async def test_openai_agents_run(make: Callable[[AsyncOpenAI], Model]) -> None:
    """The tool runs with the arguments of the script, and its result is what the model hears."""
    model = script()
    with serve_model(model) as served:
        async with async_open_ai(served) as client:
            agent = OpenAIAgent(name="forecaster", model=make(client), tools=[function_tool(weather)])
            found = await Runner.run(agent, QUESTION, run_config=RunConfig(tracing_disabled=True))
    assert found.final_output == ANSWER
    assert "sunny in Paris" in heard(model)


@pytest.mark.anyio
@ASYNCIO
@pytest.mark.parametrize("make", OPENAI_MODELS.values(), ids=OPENAI_MODELS)
async def test_openai_agents_stream(make: Callable[[AsyncOpenAI], Model]) -> None:
    """A streamed run ends with the same answer, which came in the pieces of the script."""
    model = script()
    with serve_model(model) as served:
        async with async_open_ai(served) as client:
            agent = OpenAIAgent(name="forecaster", model=make(client), tools=[function_tool(weather)])
            found = Runner.run_streamed(agent, QUESTION, run_config=RunConfig(tracing_disabled=True))
            pieces = [
                event.data.delta
                async for event in found.stream_events()
                if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
            ]
    assert found.final_output == ANSWER
    assert "".join(pieces) == ANSWER
    assert len(pieces) == 3
    assert "sunny in Paris" in heard(model)

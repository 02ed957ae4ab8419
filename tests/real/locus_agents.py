"""Small agents of real locus, driven by locus' own scripted models: no network, no key."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from locus.agent import Agent
from locus.agent.subagent import run_subagent
from locus.core.messages import Message, ToolCall
from locus.models.base import ModelResponse
from locus.testing import FunctionModel, ScriptedModel, text, tool_call
from locus.tools import tool


@tool
async def weather(city: str) -> str:
    """Say what the weather is like in a city."""
    await asyncio.sleep(0)
    return f"sun in {city}"


@tool
async def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no such city: {city}")


def agent(turns: Sequence[ModelResponse], *tools: Any, **settings: Any) -> Agent:
    """Return an agent whose model gives these answers."""
    model = ScriptedModel(turns)
    return Agent(model=model, tools=list(tools) or [weather], context_window=10_000, **settings)


def tool_once() -> AsyncIterator[Any]:
    """Call one tool, then answer."""
    return agent([tool_call("weather", city="Paris"), text("Go.")]).run("Trip?")


def parallel() -> AsyncIterator[Any]:
    """Call one tool twice at the same time, then answer."""
    calls = [ToolCall(id=f"call_{city}", name="weather", arguments={"city": city}) for city in ("Paris", "Rome")]
    both = ModelResponse(message=Message.assistant(content=None, tool_calls=calls), stop_reason="tool_calls")
    return agent([both, text("Go to both.")]).run("Trip?")


def tool_error() -> AsyncIterator[Any]:
    """Call a tool that fails, then answer."""
    return agent([tool_call("broken", city="Atlantis"), text("Sorry.")], broken).run("Trip?")


def tokens() -> AsyncIterator[Any]:
    """Answer in many chunks, after a tool."""
    turns = [tool_call("weather", city="Paris"), text("It is sunny in Paris, so take sunglasses with you.")]
    return agent(turns).run("Trip?", stream_tokens=True)


def subagent() -> AsyncIterator[Any]:
    """Delegate to another agent, which calls a tool."""
    child = ScriptedModel([tool_call("weather", city="Oslo"), text("Take a coat.")])

    @tool(emits_progress=True)
    async def delegate(task: str) -> str:
        """Let a scout look into it."""
        found = await run_subagent(task, model=child, tools=[weather], name="scout", context_window=10_000)
        return found.text

    return agent([tool_call("delegate", task="Oslo?"), text("Oslo it is.")], delegate).run("Trip?")


def model_error() -> AsyncIterator[Any]:
    """Call a tool, then fail: the provider is down."""
    turns = iter([tool_call("weather", city="Paris")])

    def answer(messages: list[Message], tools: list[dict[str, Any]]) -> ModelResponse:
        for turn in turns:
            return turn
        raise RuntimeError("the provider exploded")

    return Agent(model=FunctionModel(answer), tools=[weather], context_window=10_000).run("Trip?")


def asking() -> Agent:
    """Return an agent that asks a person for a colour, and then answers."""
    turns = [
        tool_call("ask_user", question="Which colour?", options="red,green"),
        tool_call("task_complete", summary="Red it is."),
    ]
    return agent(turns, completion_mode="explicit")


SCENARIOS = {
    "tool_once": tool_once,
    "parallel": parallel,
    "tool_error": tool_error,
    "tokens": tokens,
    "subagent": subagent,
}
"""Runs that end by themselves, well."""

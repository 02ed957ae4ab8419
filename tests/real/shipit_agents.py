"""Small agents of real shipit, driven by a model that gives prepared answers: no network, no key."""

# shipit carries no types.
# mypy: disable-error-code="import-untyped"

from collections.abc import Iterator
from typing import Any

from shipit_agent.agent import Agent
from shipit_agent.chat_session import AgentChatSession
from shipit_agent.llms.base import LLMResponse
from shipit_agent.models import ToolCall
from shipit_agent.tools.function import FunctionTool


class PreparedLLM:
    """Give prepared answers in order, streamed word by word, or raise a prepared error. Follows shipit's protocol."""

    def __init__(self, *answers: LLMResponse | Exception) -> None:
        self._answers: Iterator[LLMResponse | Exception] = iter(answers)

    def complete(self, *, text_delta_callback: Any = None, **request: Any) -> LLMResponse:
        """Return the next answer, whatever was asked."""
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        for word in answer.content.split() if text_delta_callback else ():
            text_delta_callback(word + " ")
        return answer


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def call(a: int, b: int) -> LLMResponse:
    """Return an answer that calls the tool."""
    return LLMResponse(tool_calls=[ToolCall(name="add", arguments={"a": a, "b": b}, id=f"call_{a}_{b}")])


def say(text: str) -> LLMResponse:
    """Return an answer in words."""
    return LLMResponse(content=text)


def agent(*answers: LLMResponse | Exception) -> Agent:
    """Return an agent whose model gives these answers."""
    # A session without a name gets a random one, which shipit also puts where no table would look for it.
    return Agent(llm=PreparedLLM(*answers), tools=[FunctionTool.from_callable(add)], session_id="user-42")


def tool_once() -> Agent:
    """Return an agent that calls a tool once, then answers."""
    return agent(call(1, 2), say("It is three."))


def failing() -> Agent:
    """Return an agent that calls a tool once, then finds its provider down."""
    return agent(call(1, 2), RuntimeError("the provider exploded"))


def chat() -> AgentChatSession:
    """Return a chat of two turns."""
    return agent(say("It is two."), say("It is four.")).chat_session(session_id="user-42")


def cancelling() -> Agent:
    """Return an agent whose tool cancels it."""

    def stop() -> str:
        """Cancel the agent that runs this."""
        cancelled.cancel()
        return "stopped"

    answer = LLMResponse(tool_calls=[ToolCall(name="stop", id="call_stop")])
    cancelled = Agent(llm=PreparedLLM(answer, say("Never.")), tools=[FunctionTool.from_callable(stop)])
    return cancelled

"""An agent of shipit that never runs the same way twice: its LLM and its tools draw lots, and count their calls."""

# shipit carries no types.
# mypy: disable-error-code="import-untyped"

import asyncio
from random import Random
from threading import Event
from typing import Any

from shipit_agent.agent import Agent
from shipit_agent.llms.base import LLMResponse
from shipit_agent.models import ToolCall
from shipit_agent.tools.base import ToolContext, ToolOutput

TURNS = 3
PAUSE_S = 0.002


class RandomLLM:
    """Ask for some tools, several at once, then answer; in other words each time, and in other pieces."""

    def __init__(self, random: Random) -> None:
        self.call_count = 0
        self._random = random

    def complete(self, *, messages: Any, tools: Any = None, text_delta_callback: Any = None, **request: Any) -> Any:
        """Return a random answer. It wants no tool once it had its turns. Its calls have no ids: shipit gives them."""
        self.call_count += 1
        drawn = self._random.sample(range(1000), k=self._random.randint(2, 4))
        calls = [ToolCall(self._random.choice(NAMES), {"key": f"k{number}"}) for number in drawn]
        pieces = [f"w{self._random.random()} " for _ in range(4)]
        for piece in pieces if text_delta_callback else ():
            text_delta_callback(piece)
        return LLMResponse(
            content="".join(pieces),
            tool_calls=[] if self.call_count > TURNS else calls,
            reasoning_content=f"hm {self._random.random()}",
            usage={"prompt_tokens": self._random.randint(1, 99), "completion_tokens": 7, "total_tokens": 9},
        )


class RandomTool:
    """A tool whose results, failures and times are chance. It only reads, so several may run at once."""

    description = "Draw a lot."
    prompt_instructions = "Use it to draw lots."
    read_only = True

    def __init__(self, name: str, random: Random) -> None:
        self.name = name
        self.call_count = 0
        self.random = random

    def schema(self) -> dict[str, Any]:
        """Return what the LLM is told."""
        parameters = {"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"]}
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": parameters},
        }

    def run(self, context: ToolContext, key: str) -> Any:
        """Draw, after a while."""
        self.call_count += 1
        Event().wait(self.random.random() * PAUSE_S)
        return self.drawn(key)

    def drawn(self, key: str) -> ToolOutput:
        """Return a random result, or fail."""
        if self.random.random() < 0.3:
            raise ValueError(f"bad luck with {key}: {self.random.random()}")
        return ToolOutput(text=f"{key} has lot {self.random.random()}", metadata={"lot": self.random.randint(1, 9)})


class AsyncRandomTool(RandomTool):
    """The same for an event loop."""

    async def arun(self, context: ToolContext, key: str) -> Any:
        """Draw, after a while."""
        self.call_count += 1
        await asyncio.sleep(self.random.random() * PAUSE_S)
        return self.drawn(key)


NAMES = ("roll", "risk", "draw")


def agent(llm: Any, tools: list[Any], **settings: Any) -> Agent:
    """Return an agent of these."""
    return Agent(llm=llm, tools=tools, session_id="user-42", **settings)

"""An agent of locus that never runs the same way twice: its model and its tools draw lots, and count their calls."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

from locus.agent import Agent
from locus.core.events import ModelChunkEvent
from locus.core.messages import Message, ToolCall
from locus.models.base import ModelResponse

TURNS = 3
PAUSE_S = 0.002


class RandomModel:
    """Ask for some tools, several at once, then answer; in other words each time, and in other pieces."""

    def __init__(self, random: Random) -> None:
        self.call_count = 0
        self._random = random

    async def complete(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **options: Any
    ) -> ModelResponse:
        """Return a random answer. It wants no tool once it had its turns."""
        self.call_count += 1
        drawn = self._random.sample(range(1000), k=self._random.randint(2, 4))
        calls = [ToolCall(name=self._random.choice(NAMES), arguments={"key": f"k{number}"}) for number in drawn]
        said = " ".join(f"w{self._random.random()}" for _ in range(4))
        is_last = self.call_count > TURNS
        return ModelResponse(
            message=Message.assistant(said, [] if is_last else calls),
            usage={"prompt_tokens": self._random.randint(1, 99), "completion_tokens": 7},
            stop_reason="end_turn" if is_last else "tool_calls",
            reasoning=f"hm {self._random.random()}",
        )

    async def stream(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **options: Any
    ) -> AsyncIterator[ModelChunkEvent]:
        """Yield a random answer in random pieces."""
        answer = await self.complete(messages, tools, **options)
        left = answer.content or ""
        yield ModelChunkEvent(reasoning=answer.reasoning)
        while left:
            size = self._random.randint(1, 20)
            yield ModelChunkEvent(content=left[:size])
            left = left[size:]
        yield ModelChunkEvent(
            tool_calls=answer.tool_calls or None, done=True, usage=answer.usage, stop_reason=answer.stop_reason
        )


class RandomTools:
    """Tools whose results, failures and times are chance."""

    def __init__(self, random: Random) -> None:
        self.call_count = 0
        self._random = random

    async def roll(self, key: str) -> dict[str, Any]:
        """Roll a die, after a while."""
        self.call_count += 1
        await asyncio.sleep(self._random.random() * PAUSE_S)
        return {"key": key, "eyes": self._random.randint(1, 6), "at": self._random.random()}

    async def risk(self, key: str) -> float:
        """Fail or not, after a while."""
        self.call_count += 1
        await asyncio.sleep(self._random.random() * PAUSE_S)
        if self._random.random() < 0.5:
            raise ValueError(f"bad luck with {key}: {self._random.random()}")
        return self._random.random()

    def draw(self, key: str) -> str:
        """Draw a lot, in a thread."""
        self.call_count += 1
        return f"{key} has lot {self._random.randint(1, 10**9)}"


NAMES = ("roll", "risk", "draw")


def functions(tools: RandomTools) -> list[Any]:
    """Return the functions of the tools."""
    return [getattr(tools, name) for name in NAMES]


def agent(model: Any, tools: list[Any], **settings: Any) -> Agent:
    """Return an agent of these."""
    return Agent(model=model, tools=tools, context_window=10_000, **settings)

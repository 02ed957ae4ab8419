"""Agents for the tests of the server: what they say is known, and the tests say when."""

import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio

from playhead.events.locus import AgentEvent, InterruptEvent, ModelChunkEvent, TerminateEvent


def chunk(text: str, *, done: bool = False) -> ModelChunkEvent:
    """Return a piece of an answer."""
    return ModelChunkEvent(content=text, done=done)


def terminate(text: str = "", reason: str = "complete") -> TerminateEvent:
    """Return the event that ends a run."""
    return TerminateEvent(
        reason=reason, iterations_used=1, final_confidence=1.0, total_tool_calls=0, final_message=text or None
    )


class TalkingAgent:
    """Say the numbers from 1 on, as many as the prompt names, and pause before each as long as is wanted.

    A second number in the prompt says how many letters come with each. `runs` counts runs; `begun`, `left` and
    `finished` tell that one has begun, was stopped before its end, or came to it.
    """

    def __init__(self, pause_s: float = 0.0, *, checkpointer: Any = None) -> None:
        self.pause_s = pause_s
        self.checkpointer = checkpointer
        self.runs = 0
        self.begun = threading.Event()
        self.left = threading.Event()
        self.finished = threading.Event()

    async def run(self, prompt: str, **more: Any) -> AsyncIterator[AgentEvent]:
        """Yield so many chunks, and the end."""
        self.runs += 1
        self.begun.set()
        count, size = map(int, [*prompt.split(), "0"][:2])
        try:
            for number in range(1, count + 1):
                await anyio.sleep(self.pause_s)
                yield chunk(f"{number} " + "x" * size, done=number == count)
            yield terminate(prompt)
            self.finished.set()
        finally:
            if not self.finished.is_set():
                self.left.set()


class FunctionAgent:
    """Do what functions say: `run`, and perhaps `resume`."""

    def __init__(self, run: Callable[..., Any], resume: Callable[..., Any] | None = None) -> None:
        self.run = run
        if resume is not None:
            self.resume = resume


def asking() -> FunctionAgent:
    """Return an agent that asks something, and is told."""

    async def run(prompt: str, **more: Any) -> AsyncIterator[AgentEvent]:
        yield chunk("Hm.", done=True)
        yield InterruptEvent(question="Sure?", interrupt_id="i1")

    async def resume(answer: Any, **more: Any) -> AsyncIterator[AgentEvent]:
        yield chunk(f"{answer}, then.", done=True)
        yield terminate(f"{answer}, then.")

    return FunctionAgent(run, resume)

"""Asking a model once: its answer as it comes, and every way in which it can fail to come.

Knows how long to wait. Does not know what is asked, nor what is done about a fault.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from playhead.agent.deadlines import Deadlines
from playhead.agent.faults import Fault, is_harness_failure, model_fault
from playhead.agent.state import Message
from playhead.events.locus import ModelChunkEvent, ModelCompleteEvent, ToolCall

Description = Mapping[str, Any]
"""What a model is told of a tool: `name`, `description` and `parameters`, a JSON schema."""


class Model(Protocol):
    """What an agent asks."""

    def stream(self, messages: Sequence[Message], tools: Sequence[Description]) -> AsyncIterator[ModelChunkEvent]:
        """Yield the pieces of an answer; the last one is `done`. An asynchronous generator, or what can be closed."""
        ...

    async def complete(self, messages: Sequence[Message], tools: Sequence[Description]) -> ModelCompleteEvent:
        """Return the answer as a whole."""
        ...


MAX_PIECES: Final = 100_000
"""How many pieces an answer may have: a model that sends more is taken never to stop."""


@dataclass(slots=True)
class Answer:
    """Gather an answer from its pieces. `is_done` once the last one has come."""

    texts: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    usage: Mapping[str, Any] = field(default_factory=dict)
    stop_reason: str | None = None
    model: str | None = None
    is_done: bool = False

    @property
    def text(self) -> str:
        """Return all of the text."""
        return "".join(self.texts)

    def take(self, piece: ModelChunkEvent) -> None:
        """Add a piece. Raises `Fault` for what is none, or comes behind the last one."""
        if not isinstance(piece, ModelChunkEvent):
            raise Fault("garbage", f"the model sent {type(piece).__name__}, which is no piece of an answer")
        if self.is_done:
            raise Fault("garbage", "the model went on after the end of its answer")
        if piece.content:
            self.texts.append(piece.content)
        if piece.tool_calls:
            self.calls += piece.tool_calls
        if piece.usage:
            self.usage = {**self.usage, **piece.usage}
        self.stop_reason = piece.stop_reason or self.stop_reason
        self.model = piece.model or self.model
        self.is_done = piece.done

    def take_whole(self, whole: ModelCompleteEvent) -> None:
        """Take the answer in one piece. Raises `Fault` for what is none."""
        if not isinstance(whole, ModelCompleteEvent):
            raise Fault("garbage", f"the model sent {type(whole).__name__}, which is no answer")
        self.texts.append(whole.content or "")
        self.calls += whole.tool_calls
        self.usage = whole.usage
        self.stop_reason = whole.stop_reason
        self.is_done = True


@dataclass(slots=True)
class Asking:
    """Hold a question, and how long to wait for the answer: `silence_s` for each piece, `left_s()` for all of it."""

    model: Model
    messages: Sequence[Message]
    tools: Sequence[Description]
    silence_s: float
    left_s: Callable[[], float]
    deadlines: Deadlines

    async def pieces(self, answer: Answer) -> AsyncGenerator[ModelChunkEvent, None]:
        """Yield the answer piece by piece, and gather it. Raises `Fault` for whatever goes wrong with the model."""
        count = 0
        try:
            async with aclosing(self.model.stream(self.messages, self.tools)) as stream:  # type: ignore[type-var]
                while (piece := await self._next(stream)) is not None:
                    count += 1
                    if count > MAX_PIECES:
                        raise Fault("garbage", f"the answer has more than {MAX_PIECES:,} pieces")
                    answer.take(piece)
                    yield piece
        except Exception as error:
            if is_harness_failure(error):
                raise
            raise model_fault(error) from error
        if not answer.is_done:
            raise Fault("cut", "the answer stopped before its end")

    async def whole(self, answer: Answer) -> None:
        """Gather the answer in one piece. Raises `Fault` for whatever goes wrong with the model."""
        left_s = self.left_s()
        try:
            with self.deadlines.within(left_s):
                answer.take_whole(await self.model.complete(self.messages, self.tools))
            if not answer.is_done:
                raise TimeoutError(f"there was no answer after {left_s:g} s")
        except Exception as error:
            if is_harness_failure(error):
                raise
            raise model_fault(error) from error

    async def _next(self, stream: AsyncIterator[ModelChunkEvent]) -> ModelChunkEvent | None:
        wait_s = min(self.silence_s, self.left_s())
        with self.deadlines.within(wait_s):
            return await anext(stream, None)
        raise Fault("timeout", f"the model was silent for {wait_s:g} s")

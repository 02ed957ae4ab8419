"""What a model is to Playhead: something that is asked, and answers in steps.

`Model` is the protocol of whoever answers. `SteppingModel` makes of its steps what an agent in Python wants: the native
pieces of an answer, or the whole of it. Knows neither scripts nor wires.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import ModelFailure
from playhead.events.frozen import FrozenDict, FrozenList, freeze
from playhead.events.locus import ModelChunkEvent, ModelCompleteEvent, ToolCall
from playhead.events.made import maker
from playhead.scripts.parts import Call, Say, Stop, Think, Usage
from playhead.scripts.request import ModelRequest
from playhead.scripts.turn import End, Piece, Step

Tools = Mapping[str, Any] | Iterable[Mapping[str, Any]]
"""The tools of a request: functions by name, or mappings that describe each."""

_CHUNK: Final = maker(ModelChunkEvent)
_COMPLETE: Final = maker(ModelCompleteEvent)
_CALL: Final = maker(ToolCall)


class Model(Protocol):
    """Whoever can be asked."""

    def steps(self, request: ModelRequest) -> AsyncGenerator[Step, None]:
        """Answer a question, step by step and in time. Raises `ModelFailure` where the model fails."""
        ...


class SteppingModel(ABC):
    """Answer an agent's questions with steps."""

    clock: Clock = SYSTEM_CLOCK

    @abstractmethod
    def steps(self, request: ModelRequest) -> AsyncGenerator[Step, None]:
        """Answer a question, step by step and in time. Raises `ModelFailure` where the model fails."""

    async def stream(
        self, messages: Sequence[Mapping[str, Any]], tools: Tools = (), **options: Any
    ) -> AsyncIterator[ModelChunkEvent]:
        """Yield the answer as native pieces. The last one is `done`, and carries the calls of tools."""
        answer = _Answer()
        async with aclosing(self.steps(request_of(messages, tools, options))) as steps:
            async for step in steps:
                answer.take(step)
                match step:
                    case Piece(part=Say(), text=text):
                        yield _CHUNK(content=text, timestamp=self.clock.now())
                    case Piece(part=Think(), text=text):
                        yield _CHUNK(reasoning=text, timestamp=self.clock.now())
                    case Stop(reason=reason):
                        yield _CHUNK(
                            tool_calls=FrozenList(answer.calls) or None,
                            done=True,
                            usage=_tokens(answer.usage),
                            stop_reason=reason,
                            timestamp=self.clock.now(),
                        )

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], tools: Tools = (), **options: Any
    ) -> ModelCompleteEvent:
        """Return the answer as a whole. Raises `ModelFailure` where it stopped before its end."""
        return await gathered(self.steps(request_of(messages, tools, options)), self.clock)


async def gathered(steps: AsyncGenerator[Step, None], clock: Clock) -> ModelCompleteEvent:
    """Return the answer that these steps come to. Raises `ModelFailure` where it stops before its end."""
    answer = _Answer()
    async with aclosing(steps):
        async for step in steps:
            answer.take(step)
    if answer.stop_reason is None:
        raise ModelFailure("the answer stopped before its end", kind="cut")
    return whole("".join(answer.texts), answer.calls, answer.usage, stop_reason=answer.stop_reason, clock=clock)


def whole(
    text: str, calls: list[ToolCall], usage: Usage | None, *, stop_reason: str, clock: Clock
) -> ModelCompleteEvent:
    """Return an answer as agents take it that want it whole."""
    return _COMPLETE(
        content=text or None,
        tool_calls=FrozenList(calls),
        usage=_tokens(usage) or FrozenDict(),
        stop_reason=stop_reason,
        timestamp=clock.now(),
    )


@dataclass(slots=True)
class _Answer:
    """Gather what an answer comes to from its steps."""

    texts: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    usage: Usage | None = None
    stop_reason: str | None = None

    def take(self, step: Step) -> None:
        match step:
            case Piece(part=Say(), text=text):
                self.texts.append(text)
            case End(part=Call() as call):
                self.calls.append(native_call(call))
            case Usage():
                self.usage = step
            case Stop(reason=reason):
                self.stop_reason = reason


def native_call(call: Call) -> ToolCall:
    """Return a call as native events carry it. Arguments that are no JSON object are kept as malformed text."""
    arguments = call.arguments
    if isinstance(arguments, dict):
        return _CALL(id=call.id or "", name=call.tool, arguments=freeze(arguments))
    return ToolCall(id=call.id or "", name=call.tool, malformed_arguments=call.text)


def request_of(messages: Sequence[Mapping[str, Any]], tools: Tools, options: Mapping[str, Any]) -> ModelRequest:
    """Return a question as models take it. Of functions it has the names."""
    if not isinstance(tools, tuple):
        tools = tuple({"name": name} for name in tools) if isinstance(tools, Mapping) else tuple(tools)
    return ModelRequest(messages=tuple(messages), tools=tools, options=options)


def _tokens(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return FrozenDict({"prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens})

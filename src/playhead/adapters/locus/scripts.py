"""locus: Playhead's models as its models.

Knows the classes of a model's answer. Does not know taps. Importing this module without locus raises `UsageError`.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any

from playhead.adapters.locus.values import messages_of
from playhead.errors import UsageError
from playhead.events.locus import ModelChunkEvent
from playhead.models.base import SteppingModel

try:
    from locus.core import events
    from locus.core.messages import Message, ToolCall
    from locus.models.base import ModelProtocol, ModelResponse
except ImportError as _error:
    raise UsageError("this needs locus, which is not installed: pip install 'playhead[locus]'") from _error


def scripted(model: SteppingModel) -> ModelProtocol:
    """Return a model of Playhead's as one of locus'. It raises `ModelFailure` where the model fails."""
    return _ScriptedModel(model)


class _ScriptedModel:
    """Answer as a model of Playhead's does."""

    def __init__(self, model: SteppingModel) -> None:
        self._model = model

    async def complete(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **options: Any
    ) -> ModelResponse:
        """Return the answer as a whole."""
        chunks = [chunk async for chunk in self.stream(messages, tools, **options)]
        last = chunks[-1] if chunks else events.ModelChunkEvent()
        return ModelResponse(
            message=Message.assistant(_joined(chunk.content for chunk in chunks), last.tool_calls),
            usage=last.usage or {},
            stop_reason=last.stop_reason,
            reasoning=_joined(chunk.reasoning for chunk in chunks),
        )

    async def stream(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **options: Any
    ) -> AsyncIterator[events.ModelChunkEvent]:
        """Yield the chunks of the answer."""
        described = [schema.get("function", schema) for schema in tools or ()]
        answer = self._model.stream(messages_of(messages), described, **options)
        async with aclosing(answer) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                yield _own_chunk(chunk)


def _joined(texts: Iterable[str | None]) -> str | None:
    return "".join(text for text in texts if text) or None


def _own_chunk(chunk: ModelChunkEvent) -> events.ModelChunkEvent:
    """Return a chunk of Playhead's as one of locus'."""
    calls = [ToolCall.model_validate(call.model_dump()) for call in chunk.tool_calls or ()]
    fields = chunk.model_dump(include={"content", "reasoning", "done", "usage", "stop_reason"})
    return events.ModelChunkEvent(**fields, tool_calls=calls or None)

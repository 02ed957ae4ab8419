"""OpenAI Agents' models, through a tap.

Knows which of a model's methods ask. Does not know agents, nor what a tap does with a question. Importing this module
without the SDK raises `UsageError`.
"""

from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any, Final, Self

from anyio.lowlevel import checkpoint

from playhead.adapters.openai_agents.asking import Asked, AskedModel
from playhead.adapters.openai_agents.values import EVENTS, RESPONSES, question
from playhead.errors import UsageError
from playhead.models.tap import Tap

try:
    from agents import (
        Model,
        ModelProvider,
        ModelResponse,
    )
    from agents.items import TResponseStreamEvent
    from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest
except ImportError as _error:
    raise UsageError(
        "this needs OpenAI Agents, which is not installed: pip install 'playhead[openai-agents]'"
    ) from _error

MADE: Final = {"openai-agents": version("openai-agents")}
"""The version of the SDK that is installed: give it to `record(made=...)`, and the cassette's header keeps it."""


def model(real: Model | None, tap: Tap, *, name: str | None = None) -> Model:
    """Return a model whose questions go through a tap.

    `name` is the model's, by default the `model` of the real one. For a replay `real` may be None: then `name` is that
    of the model that was recorded. Raises `UsageError` for None without a name.
    """
    if real is None and name is None:
        raise UsageError("model(None, tap) needs the name of the model that was recorded: name='gpt-5'")
    return TappedModel(real, tap, name or str(getattr(real, "model", type(real).__name__)))


def model_provider(real: ModelProvider | None, tap: Tap) -> ModelProvider:
    """Return a provider whose models go through a tap. For a replay `real` may be None."""
    return TappedProvider(real, tap)


class TappedProvider(ModelProvider):
    """Look models up, and put them behind a tap. Made by `model_provider`."""

    def __init__(self, real: ModelProvider | None, tap: Tap) -> None:
        self._real = real
        self._tap = tap

    def get_model(self, model_name: str | None) -> Model:
        """Return the model of a name; None is the provider's own choice."""
        real = self._real.get_model(model_name) if self._real else None
        return TappedModel(real, self._tap, model_name or "default")

    async def aclose(self) -> None:
        """Let go of what the real provider holds."""
        if self._real:
            await self._real.aclose()


class TappedModel(AskedModel):
    """Ask a model through a tap. Made by `model`."""

    def __init__(self, real: Model | None, tap: Tap, name: str) -> None:
        self.model = name
        self._real = real
        self._tap = tap

    async def answer(self, asked: Asked) -> ModelResponse:
        """Return the answer as a whole."""
        return await self._tap.ask(
            question("request", self.model, asked=asked),
            lambda: self._asked().get_response(*asked.positional, **asked.others),
            RESPONSES,
        )

    def answer_in_events(self, asked: Asked) -> AsyncIterator[TResponseStreamEvent]:
        """Return an iterator over the events of the answer."""
        answer = self._tap.stream(
            question("stream", self.model, asked=asked),
            lambda: self._asked().stream_response(*asked.positional, **asked.others),
            EVENTS,
        )
        return _InTurns(answer)

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """Return what the real model says of trying again."""
        return self._real.get_retry_advice(request) if self._real else None

    async def close(self) -> None:
        """Let go of what the real model holds."""
        if self._real:
            await self._real.close()

    async def _cleanup_on_run_end(self, owner: object) -> None:
        if self._real:
            await self._real._cleanup_on_run_end(owner)

    def _asked(self) -> Model:
        if self._real is None:
            raise UsageError(
                f"there is no real model {self.model!r} to ask: give model(...) one, or a tap that replays"
            )
        return self._real


class _InTurns:
    """Let other tasks run before each event, as a network does.

    The SDK hands events on through a queue, and drops what is still in it when the stream fails.
    """

    def __init__(self, events: AsyncIterator[TResponseStreamEvent]) -> None:
        self._events: Any = events

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TResponseStreamEvent:
        await checkpoint()
        event: TResponseStreamEvent = await anext(self._events)
        return event

    async def aclose(self) -> None:
        """Leave the stream."""
        await self._events.aclose()

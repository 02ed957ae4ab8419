"""pydantic-ai's models, through a tap.

Knows which of a model's methods ask. Does not know agents, nor what a tap does with a question. Importing this module
without pydantic-ai raises `UsageError`.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

from playhead.adapters.pydantic_ai.values import CHUNKS, COUNTS, RESPONSES, UNSAID, Chunk, chunks_of, question, revive
from playhead.errors import UsageError
from playhead.models.tap import Tap

try:
    from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponseStreamEvent
    from pydantic_ai.models import Model, ModelRequestContext, ModelRequestParameters, StreamedResponse
    from pydantic_ai.models.wrapper import WrapperModel
    from pydantic_ai.profiles import ModelProfileSpec
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.tools import RunContext
    from pydantic_ai.usage import RequestUsage
except ImportError as _error:
    raise UsageError("this needs pydantic-ai, which is not installed: pip install 'playhead[pydantic-ai]'") from _error

MADE: Final = {"pydantic-ai-slim": version("pydantic-ai-slim")}
"""The version of pydantic-ai that is installed: give it to `record(made=...)`, and the cassette's header keeps it."""


def model(
    real: Model | str | None,
    tap: Tap,
    *,
    name: str | None = None,
    system: str = "playhead",
    profile: ModelProfileSpec | None = None,
    settings: ModelSettings | None = None,
) -> Model:
    """Return a model whose questions go through a tap.

    `real` is a model or its name, as an agent takes it. For a replay it may be None: then `name` is the name of the
    model that was recorded, and `profile` and `settings` are what it had, where these matter. `system` is the name of
    its provider. Raises `UsageError` for None without a name.
    """
    if real is None:
        if name is None:
            raise UsageError("model(None, tap) needs the name of the model that was recorded: name='gpt-5'")
        real = _Absent(name, system, profile=profile, settings=settings)
    return TappedModel(real, tap)


def tools(functions: Iterable[Callable[..., Any]], tap: Tap) -> list[Callable[..., Any]]:
    """Return functions through a tap, as `tap.tools` does, but that a recorded `ModelRetry` is a `ModelRetry` again.

    So are `ToolFailed`, and without their metadata `CallDeferred` and `ApprovalRequired`.
    """
    return [tap.tool(function, revive=revive) for function in functions]


class TappedModel(WrapperModel):
    """Ask a model through a tap. Made by `model`."""

    def __init__(self, real: Model | str, tap: Tap) -> None:
        super().__init__(real)
        self._tap = tap

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the answer as a whole."""
        asked = (messages, model_settings, model_request_parameters)
        return await self._tap.ask(self._question("request", *asked), lambda: self.wrapped.request(*asked), RESPONSES)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Open the answer as a stream. What a provider refuses is raised here, before there is a stream."""
        asked = (messages, model_settings, model_request_parameters)
        real: list[StreamedResponse] = []
        # The real stream is closed with what ended its consumer, as it would be without the tap.
        async with AsyncExitStack() as stack:

            async def live() -> AsyncIterator[Chunk]:
                opened = await stack.enter_async_context(self.wrapped.request_stream(*asked, run_context))
                real.append(opened)
                async with aclosing(chunks_of(opened)) as found:
                    async for chunk in found:
                        yield chunk

            answer = self._tap.stream(self._question("stream", *asked), live, CHUNKS)
            async with aclosing(answer) as chunks:  # type: ignore[type-var]
                streamed = _TappedStream(model_request_parameters, chunks, real)
                streamed.learn(await anext(chunks))
                yield streamed

    async def count_tokens(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> RequestUsage:
        """Return how many tokens a question has."""
        asked = (messages, model_settings, model_request_parameters)
        question = self._question("count_tokens", *asked)
        return await self._tap.ask(question, lambda: self.wrapped.count_tokens(*asked), COUNTS)

    async def compact_messages(
        self, request_context: ModelRequestContext, *, instructions: str | None = None
    ) -> ModelResponse:
        """Return a conversation made shorter."""
        context = request_context
        asked = (context.messages, context.model_settings, context.model_request_parameters)
        question = self._question("compact", *asked) | {"instructions": instructions}
        return await self._tap.ask(
            question, lambda: self.wrapped.compact_messages(context, instructions=instructions), RESPONSES
        )

    def _question(
        self,
        method: str,
        messages: Sequence[ModelMessage],
        settings: ModelSettings | None,
        parameters: ModelRequestParameters,
    ) -> dict[str, Any]:
        return question(method, self.model_name, messages=messages, settings=settings, parameters=parameters)


class _Absent(Model):
    """Stand for a model that is not there: it has a name and a profile, and cannot be asked."""

    def __init__(
        self, name: str, system: str, *, profile: ModelProfileSpec | None, settings: ModelSettings | None
    ) -> None:
        super().__init__(profile=profile, settings=settings)
        self._name = name
        self._system = system

    @property
    def model_name(self) -> str:
        return self._name

    @property
    def system(self) -> str:
        return self._system

    async def request(self, *_: Any, **__: Any) -> ModelResponse:
        raise self._nobody()

    def request_stream(self, *_: Any, **__: Any) -> Any:
        raise self._nobody()

    async def count_tokens(self, *_: Any, **__: Any) -> RequestUsage:
        raise self._nobody()

    async def compact_messages(self, *_: Any, **__: Any) -> ModelResponse:
        raise self._nobody()

    def _nobody(self) -> UsageError:
        return UsageError(f"there is no real model {self._name!r} to ask: give model(...) one, or a tap that replays")


class _TappedStream(StreamedResponse):
    """Be the stream that chunks tell of."""

    def __init__(
        self, parameters: ModelRequestParameters, chunks: AsyncIterator[Chunk], real: Sequence[StreamedResponse]
    ) -> None:
        super().__init__(parameters)
        self._chunks = chunks
        self._real = real
        self._facts = dict(UNSAID)

    def learn(self, chunk: Chunk) -> None:
        """Take over what a chunk says of the stream."""
        for name, value in chunk.facts.items():
            if name in _READ_ONLY:
                self._facts[name] = value
            else:
                setattr(self, _FIELDS.get(name, name), value)

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        async for chunk in self._chunks:
            self.learn(chunk)
            if chunk.event is not None:
                self._parts_manager.apply_event(chunk.event)
                yield chunk.event

    async def close_stream(self) -> None:
        for real in self._real:
            await real.cancel()

    @property
    def model_name(self) -> str:
        found: str = self._facts["model_name"] or ""
        return found

    @property
    def provider_name(self) -> str | None:
        found: str | None = self._facts["provider_name"]
        return found

    @property
    def provider_url(self) -> str | None:
        found: str | None = self._facts["provider_url"]
        return found

    @property
    def timestamp(self) -> datetime:
        found: datetime = self._facts["timestamp"]
        return found


_READ_ONLY: Final = frozenset({"model_name", "provider_name", "provider_url", "timestamp"})
"""The facts that a stream has as properties."""

_FIELDS: Final = {"usage": "_usage"}
"""Where a stream keeps a fact, if not under its own name."""

"""Scripts, played as a model of pydantic-ai.

Knows which of pydantic-ai's events a step is, and which of its errors a failure. Does not know where steps come from.
Importing this module without pydantic-ai raises `UsageError`.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Any, Final

from playhead.errors import ModelFailure, UsageError
from playhead.models.base import SteppingModel
from playhead.scripts.parts import Call, Say, Stop, Think, Usage
from playhead.scripts.request import ModelRequest as Asked
from playhead.scripts.turn import Begin, Piece, Step

try:
    from pydantic_ai import exceptions
    from pydantic_ai.messages import (
        BaseToolReturnPart,
        FinishReason,
        ModelMessage,
        ModelRequest,
        ModelRequestPart,
        ModelResponse,
        ModelResponseStreamEvent,
    )
    from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
    from pydantic_ai.profiles import ModelProfile, ModelProfileSpec
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.tools import RunContext, ToolDefinition
    from pydantic_ai.usage import RequestUsage
except ImportError as _error:
    raise UsageError("this needs pydantic-ai, which is not installed: pip install 'playhead[pydantic-ai]'") from _error

SYSTEM: Final = "playhead"
"""The name of the provider of scripts."""


def scripted(
    played: SteppingModel,
    *,
    name: str = "scripted",
    profile: ModelProfileSpec | None = None,
    settings: ModelSettings | None = None,
) -> Model:
    """Return a `ScriptedModel` or a `FunctionModel` as a model of pydantic-ai.

    What it is asked are messages with `role` and `content`. A `ModelFailure` of it becomes pydantic-ai's own HTTP
    error, or for a cut its `ModelConnectionError`; a clean cut leaves the answer `incomplete`.
    """
    return PlayedModel(played, name, profile=profile or _PROFILE, settings=settings)


_PROFILE: Final = ModelProfile(supports_json_schema_output=True, supports_json_object_output=True)


class PlayedModel(Model):
    """Play the steps of a model. Made by `scripted`."""

    def __init__(
        self, played: SteppingModel, name: str, *, profile: ModelProfileSpec, settings: ModelSettings | None
    ) -> None:
        super().__init__(profile=profile, settings=settings)
        self._played = played
        self._name = name

    @property
    def model_name(self) -> str:
        """Return the name of the model."""
        return self._name

    @property
    def system(self) -> str:
        """Return the name of the provider."""
        return SYSTEM

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the answer as a whole."""
        asked = self._asked(messages, model_settings, model_request_parameters, is_stream=False)
        async with self._opened(asked, model_request_parameters) as opened:
            async for _ in opened:
                pass
            return opened.get()

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Open the answer as a stream. A failure before the first step is raised here."""
        asked = self._asked(messages, model_settings, model_request_parameters, is_stream=True)
        async with self._opened(asked, model_request_parameters) as opened:
            yield opened

    def _asked(
        self,
        messages: Sequence[ModelMessage],
        settings: ModelSettings | None,
        parameters: ModelRequestParameters,
        *,
        is_stream: bool,
    ) -> Asked:
        settings, parameters = self.prepare_request(settings, parameters)
        return Asked(
            messages=tuple(_conversation(messages)),
            tools=tuple(map(_described, parameters.declared_tool_defs.values())),
            model=self._name,
            is_stream=is_stream,
            options={**(settings or {})},
        )

    @asynccontextmanager
    async def _opened(self, asked: Asked, parameters: ModelRequestParameters) -> AsyncGenerator[StreamedResponse]:
        async with aclosing(self._played.steps(asked)) as steps:
            try:
                first = await anext(steps, None)
            except ModelFailure as failure:
                raise error_of(failure, self._name) from failure
            yield _PlayedStream(parameters, first, steps, name=self._name, timestamp=self._played.clock.now())


class _PlayedStream(StreamedResponse):
    """Be the stream of steps. `first` is the first of them."""

    def __init__(
        self,
        parameters: ModelRequestParameters,
        first: Step | None,
        steps: AsyncGenerator[Step, None],
        *,
        name: str,
        timestamp: datetime,
    ) -> None:
        super().__init__(parameters)
        self._first = first
        self._steps = steps
        self._name = name
        self._timestamp = timestamp
        self.state = "incomplete"

    @property
    def model_name(self) -> str:
        return self._name

    @property
    def provider_name(self) -> str:
        return SYSTEM

    @property
    def provider_url(self) -> None:
        return None

    @property
    def timestamp(self) -> datetime:
        return self._timestamp

    async def close_stream(self) -> None:
        """Do nothing: there is no connection, and who opened the stream closes the steps."""

    async def _get_event_iterator(self) -> AsyncGenerator[ModelResponseStreamEvent]:
        if self._first is None:
            return
        for event in self._events(self._first):
            yield event
        try:
            async for step in self._steps:
                for event in self._events(step):
                    yield event
        except ModelFailure as failure:
            raise error_of(failure, self._name, in_stream=True) from failure

    def _events(self, step: Step) -> Iterable[ModelResponseStreamEvent]:
        parts = self._parts_manager
        match step:
            case Begin(index=index, part=Call(tool=tool, id=id)):
                return parts.handle_tool_call_delta_events(vendor_part_id=index, tool_name=tool, tool_call_id=id)
            case Piece(index=index, part=Call(), text=text):
                return parts.handle_tool_call_delta_events(vendor_part_id=index, args=text)
            case Piece(index=index, part=Think(), text=text):
                return parts.handle_thinking_delta(vendor_part_id=index, content=text)
            case Piece(index=index, part=Say(), text=text):
                return parts.handle_text_delta(vendor_part_id=index, content=text)
            case Usage(input_tokens=tokens_in, output_tokens=tokens_out):
                self._usage = RequestUsage(input_tokens=tokens_in, output_tokens=tokens_out)
            case Stop(reason=reason):
                self.state = "complete"
                self.finish_reason = _REASONS.get(reason)
                self.provider_details = {"finish_reason": reason}
        return ()


_REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "tool_calls": "tool_call",
    "length": "length",
    "content_filter": "content_filter",
}


def error_of(failure: ModelFailure, model: str, *, in_stream: bool = False) -> exceptions.ModelAPIError:
    """Return a failure as pydantic-ai's own error."""
    if failure.status is None:
        return exceptions.ModelConnectionError(model, str(failure), phase="read", in_stream=in_stream)
    return exceptions.ModelHTTPError.for_category(
        _CATEGORIES.get(failure.kind),  # type: ignore[arg-type]
        status_code=failure.status,
        model_name=model,
        body={"message": str(failure), "type": failure.kind},
        retry_after=failure.retry_after_s,
        in_stream=in_stream,
    )


_CATEGORIES: Final[Mapping[str, type[exceptions.ModelAPIError]]] = {
    "bad_request": exceptions.ModelRequestRejectedError,
    "overloaded": exceptions.ModelOverloadedError,
    "rate_limit": exceptions.ModelRateLimitError,
    "server_error": exceptions.ModelServerError,
    "unauthorized": exceptions.ModelAuthenticationError,
}


def _described(tool: ToolDefinition) -> Mapping[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters_json_schema}


def _conversation(messages: Sequence[ModelMessage]) -> Iterator[dict[str, Any]]:
    """Yield messages with a role and content, the instructions that hold now first."""
    requests = [message for message in messages if isinstance(message, ModelRequest)]
    if requests and requests[-1].instructions:
        yield {"role": "system", "content": requests[-1].instructions}
    for message in messages:
        if isinstance(message, ModelRequest):
            yield from map(_said, message.parts)
        else:
            yield _answered(message)


def _said(part: ModelRequestPart) -> dict[str, Any]:
    if isinstance(part, BaseToolReturnPart):
        text = part.model_response_str()
        return {"role": "tool", "content": text, "tool_call_id": part.tool_call_id, "name": part.tool_name}
    role = "system" if part.part_kind == "system-prompt" else "user"
    return {"role": role, "content": getattr(part, "content", "")}


def _answered(response: ModelResponse) -> dict[str, Any]:
    calls = [
        {"id": call.tool_call_id, "name": call.tool_name, "arguments": call.args_as_dict()}
        for call in response.tool_calls
    ]
    return {"role": "assistant", "content": response.text or ""} | ({"tool_calls": calls} if calls else {})

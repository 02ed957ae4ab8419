"""pydantic-ai's questions, answers and errors as JSON values, and back.

    question  {"method": "stream", "model": "gpt-5", "messages": [...], "settings": {...}, "parameters": {...}}
    reply     a `ModelResponse`, as pydantic-ai spells it
    chunk     {"event": {...}, "text": "...", "response": {"usage": {...}}}

A chunk's text stands beside its event, so that all the text of a stream is in one place, and its `response` has what
the stream newly says of itself. Times, runs and ids that pydantic-ai makes up are not part of a question.

Knows how pydantic-ai spells its classes. Does not know models. Importing this module without pydantic-ai raises
`UsageError`.
"""

import ast
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, cast

from pydantic import BaseModel, PlainSerializer, TypeAdapter
from pydantic_core import to_json, to_jsonable_python

from playhead.errors import UsageError
from playhead.models.tap import Codec

try:
    from pydantic_ai import exceptions
    from pydantic_ai.messages import (
        FinalResultEvent,
        FinishReason,
        ModelMessage,
        ModelMessagesTypeAdapter,
        ModelResponse,
        ModelResponseState,
        ModelResponseStreamEvent,
        PartEndEvent,
    )
    from pydantic_ai.models import ModelRequestParameters, StreamedResponse
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.usage import RequestUsage
except ImportError as _error:
    raise UsageError("this needs pydantic-ai, which is not installed: pip install 'playhead[pydantic-ai]'") from _error

_MESSAGE_KEYS: Final = ("kind", "parts", "instructions")
"""What of a message a model is sent. The rest says when, in which run, and what it cost."""

_GENERATED: Final = "pyd_ai_"
"""How the ids of calls begin that pydantic-ai makes up, where a model gives none."""


def question(
    method: str,
    model: str,
    *,
    messages: Sequence[ModelMessage],
    settings: ModelSettings | None,
    parameters: ModelRequestParameters,
) -> dict[str, Any]:
    """Return a question to a model. `method` is `request`, `stream`, `count_tokens` or `compact`."""
    return {
        "method": method,
        "model": model,
        "messages": _messages_json(messages),
        "settings": to_jsonable_python(settings or {}, fallback=_kind),
        "parameters": _parameters_json(parameters),
    }


def _messages_json(messages: Sequence[ModelMessage]) -> list[dict[str, Any]]:
    numbers: dict[str, str] = {}
    dumped = ModelMessagesTypeAdapter.dump_python(list(messages), mode="json", fallback=_kind, warnings=False)
    kept = [{key: message[key] for key in _MESSAGE_KEYS if message.get(key) is not None} for message in dumped]
    return [message | {"parts": [_part_json(part, numbers) for part in message["parts"]]} for message in kept]


def _part_json(part: Mapping[str, Any], numbers: dict[str, str]) -> dict[str, Any]:
    """Return a part without its time, and with a number for an id that is made up."""
    kept = {key: value for key, value in part.items() if value is not None and key != "timestamp"}
    if str(call := kept.get("tool_call_id")).startswith(_GENERATED):
        kept["tool_call_id"] = numbers.setdefault(str(call), f"{_GENERATED}{len(numbers) + 1}")
    return kept


def _parameters_json(parameters: ModelRequestParameters) -> dict[str, Any]:
    dumped = _PARAMETERS.dump_python(parameters, mode="json", exclude_defaults=True, fallback=_kind, warnings=False)
    # The order of a set is another one in each process.
    return {key: sorted(value) if isinstance(getattr(parameters, key), set) else value for key, value in dumped.items()}


def _kind(value: object) -> str:
    """Stand for a value without a JSON form: what it is, for its address is another one in each process."""
    return f"<{type(value).__qualname__}>"


def _dump_usage(usage: RequestUsage) -> Any:
    return _USAGES.dump_python(usage, mode="json", exclude_defaults=True)


_PARAMETERS: Final[TypeAdapter[ModelRequestParameters]] = TypeAdapter(ModelRequestParameters)
_EVENTS: Final[TypeAdapter[ModelResponseStreamEvent]] = TypeAdapter(ModelResponseStreamEvent)
_USAGES: Final[TypeAdapter[RequestUsage]] = TypeAdapter(RequestUsage)


class _Facts(BaseModel):
    """What a streamed answer says of itself."""

    model_name: str | None = None
    timestamp: datetime | None = None
    provider_name: str | None = None
    provider_url: str | None = None
    provider_response_id: str | None = None
    provider_details: dict[str, Any] | None = None
    canonical_system: str | None = None
    finish_reason: FinishReason | None = None
    state: ModelResponseState = "complete"
    usage: Annotated[RequestUsage, PlainSerializer(_dump_usage)] = RequestUsage()
    metadata: dict[str, Any] | None = None


UNSAID: Final[Mapping[str, Any]] = {name: field.default for name, field in _Facts.model_fields.items()}
"""What holds of a streamed answer as long as it says nothing else."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """An event of a stream, and what the stream newly says of itself. The first chunk and the last have no event."""

    event: ModelResponseStreamEvent | None
    facts: Mapping[str, Any]


async def chunks_of(opened: StreamedResponse) -> AsyncGenerator[Chunk]:
    """Yield a stream as chunks. Events that every stream makes of its own others are left out."""
    known = dict(UNSAID)
    yield Chunk(None, _learned(opened, known))
    async for event in opened:
        if not isinstance(event, PartEndEvent | FinalResultEvent):
            yield Chunk(event, _learned(opened, known))
    if facts := _learned(opened, known):
        yield Chunk(None, facts)


def _learned(opened: StreamedResponse, known: dict[str, Any]) -> Mapping[str, Any]:
    """Return the facts that are new, and note them."""
    facts = {name: getattr(opened, name) for name in UNSAID}
    # Copied, for a model may change what it has given out.
    changed = {name: deepcopy(value) for name, value in facts.items() if known[name] != value}
    known |= changed
    return changed


def _dump_chunk(chunk: Chunk) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if chunk.event is not None:
        found["event"] = _EVENTS.dump_python(chunk.event, mode="json", fallback=_kind, warnings=False)
        for inner, key in _texts(found["event"]):
            found["text"], inner[key] = inner[key], ""
    if chunk.facts:
        facts = _Facts.model_construct(**chunk.facts)
        found["response"] = facts.model_dump(mode="json", exclude_unset=True, fallback=_kind, warnings=False)
    return found


def _load_chunk(value: Mapping[str, Any]) -> Chunk:
    facts = _Facts.model_validate(value.get("response", {}))
    facts.provider_details = _timed(facts.provider_details)
    said = {name: getattr(facts, name) for name in value.get("response", {}) if name in UNSAID}
    event = value.get("event")
    if event is None:
        return Chunk(None, said)
    for inner, key in _texts(event):
        inner[key] = value.get("text", "")
    return Chunk(_EVENTS.validate_json(to_json(event)), said)


def _texts(event: Mapping[str, Any]) -> Iterable[tuple[dict[str, Any], str]]:
    """Return where the text of an event is: no place, or one."""
    inner = event.get("part") or event.get("delta") or {}
    places = ((inner, key) for key in ("content", "args", "content_delta", "args_delta"))
    return [place for place in places if isinstance(inner.get(place[1]), str)][:1]


def _dump_response(response: ModelResponse) -> Any:
    return ModelMessagesTypeAdapter.dump_python([response], mode="json", fallback=_kind, warnings=False)[0]


def _load_response(value: Any) -> ModelResponse:
    # From JSON text, for only there bytes are base64.
    (response,) = ModelMessagesTypeAdapter.validate_json(to_json([value]))
    response = cast("ModelResponse", response)
    response.provider_details = _timed(response.provider_details)
    return response


def _timed(details: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a provider's details with its time as a time, as pydantic-ai has it."""
    if details is not None and isinstance(text := details.get("timestamp"), str):
        return details | {"timestamp": datetime.fromisoformat(text)}
    return details


_ERRORS: Final[Mapping[str, type[exceptions.ModelAPIError]]] = {
    kind.__name__: kind
    for kind in (
        exceptions.ModelAPIError,
        exceptions.ModelAuthenticationError,
        exceptions.ModelConnectionError,
        exceptions.ModelContextWindowExceededError,
        exceptions.ModelHTTPError,
        exceptions.ModelNotFoundError,
        exceptions.ModelOverloadedError,
        exceptions.ModelQuotaExceededError,
        exceptions.ModelRateLimitError,
        exceptions.ModelRequestRejectedError,
        exceptions.ModelServerError,
        exceptions.ModelTimeoutError,
        exceptions.ModelUnavailableError,
    )
}
"""The errors of providers, by the names by which a tape has them."""

_SAYING: Final[Mapping[str, type[Exception]]] = {
    kind.__name__: kind
    for kind in (
        exceptions.ContentFilterError,
        exceptions.ModelRetry,
        exceptions.ToolFailed,
        exceptions.UnexpectedModelBehavior,
        exceptions.UserError,
    )
}
"""Errors that are made of their message alone."""

_DEFERRING: Final[Mapping[str, Callable[[Mapping[str, Any]], Exception]]] = {
    "ApprovalRequired": lambda fault: exceptions.ApprovalRequired(),
    "CallDeferred": lambda fault: exceptions.CallDeferred(kind=fault.get("kind", "external")),
}
"""What a tool raises that leaves its call to somebody else. Metadata is not on the tape."""

_HTTP_MESSAGE: Final = re.compile(r"status_code: \d+, model_name: (.*?), body: (.*)", re.DOTALL)


def revive(fault: Mapping[str, Any]) -> Exception | None:
    """Return the error of pydantic-ai that a tape tells of, or None for any other."""
    name, message = str(fault.get("type")), str(fault.get("message", ""))
    if name in _SAYING:
        return _SAYING[name](message)
    if name in _DEFERRING:
        return _DEFERRING[name](fault)
    kind = _ERRORS.get(name)
    if kind is None:
        return None
    found = _HTTP_MESSAGE.fullmatch(message)
    if found is None or not isinstance(status := fault.get("status_code"), int):
        return kind(str(fault.get("model_name", "")), message)
    category = None if kind is exceptions.ModelHTTPError else kind
    return exceptions.ModelHTTPError.for_category(
        category,  # type: ignore[arg-type]
        status_code=status,
        model_name=found[1],
        body=_body(found[2]),
        retry_after=fault.get("retry_after"),
    )


def _body(text: str) -> object:
    """Return a body as it was: the message has it as Python spells it."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


RESPONSES: Final = Codec(dump=_dump_response, load=_load_response, revive=revive)
"""Whole answers."""

COUNTS: Final = Codec(dump=_dump_usage, load=_USAGES.validate_python, revive=revive)
"""Counted tokens."""

CHUNKS: Final = Codec(dump=_dump_chunk, load=_load_chunk, text_at=(("text",),), revive=revive)
"""Streamed answers."""

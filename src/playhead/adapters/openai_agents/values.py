"""OpenAI Agents' questions, answers and errors as JSON values, and back.

    question  {"method": "stream", "model": "gpt-5", "messages": [...], "instructions": "...", "tools": [...], ...}
    reply     {"output": [...], "usage": {...}, "response_id": "resp_1"}
    chunk     an event of the Responses API

Knows how that SDK, and the one of OpenAI beneath it, spell their classes. Does not know models. Importing this module
without the SDK raises `UsageError`.
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from playhead.adapters.openai_agents.asking import Asked
from playhead.errors import UsageError
from playhead.models.tap import Codec

try:
    import openai
    from agents import (
        AgentOutputSchemaBase,
        FunctionTool,
        Handoff,
        ModelBehaviorError,
        ModelResponse,
        Tool,
        Usage,
        UserError,
    )
    from agents.items import ItemHelpers, TResponseOutputItem, TResponseStreamEvent
    from httpx2 import Request, Response
except ImportError as _error:
    raise UsageError(
        "this needs OpenAI Agents, which is not installed: pip install 'playhead[openai-agents]'"
    ) from _error


def question(method: str, model: str, *, asked: Asked) -> dict[str, Any]:
    """Return a question to a model. `method` is `request` or `stream`. What is None does not count."""
    schema = asked.schema
    found = {
        "method": method,
        "model": model,
        "instructions": asked.instructions,
        "messages": _plain(ItemHelpers.input_to_new_input_list(asked.given)),
        "settings": {key: value for key, value in _plain(asked.settings).items() if value is not None},
        "tools": [tool_json(tool) for tool in asked.tools],
        "handoffs": [handoff_json(handoff) for handoff in asked.handoffs],
        "output": None if schema is None or schema.is_plain_text() else _schema_json(schema),
        **_plain(asked.others),
    }
    return {key: value for key, value in found.items() if value is not None}


def tool_json(tool: Tool) -> dict[str, Any]:
    """Return a tool as a model is told of it."""
    if isinstance(tool, FunctionTool):
        return {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.params_json_schema,
            "strict": tool.strict_json_schema,
        }
    return {"name": tool.name} | {each.name: _plain(getattr(tool, each.name)) for each in fields(tool)}


def handoff_json(handoff: Handoff[Any, Any]) -> dict[str, Any]:
    """Return a handoff as a model is told of it: as a tool."""
    return {
        "name": handoff.tool_name,
        "description": handoff.tool_description,
        "parameters": handoff.input_json_schema,
        "strict": handoff.strict_json_schema,
    }


def _schema_json(schema: AgentOutputSchemaBase) -> dict[str, Any]:
    return {"name": schema.name(), "schema": schema.json_schema(), "strict": schema.is_strict_json_schema()}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it. What has no such form is told by its class: its address is never the same."""
    return to_jsonable_python(value, fallback=lambda each: f"<{type(each).__qualname__}>")


class _Answer(openai.BaseModel):
    output: list[TResponseOutputItem]


class _Streamed(openai.BaseModel):
    event: TResponseStreamEvent


def load_event(value: Any) -> TResponseStreamEvent:
    """Return an event of the Responses API, of the very class that the SDK makes of it, as leniently as it does."""
    return _Streamed.model_construct(event=value).event


def load_output(value: Any) -> list[TResponseOutputItem]:
    """Return what a model gave out, of the SDK's classes."""
    return _Answer.model_construct(output=value).output


_USAGES: Final[TypeAdapter[Usage]] = TypeAdapter(Usage)


def _dump_response(response: ModelResponse) -> dict[str, Any]:
    return {
        "output": [_dump_model(item) for item in response.output],
        "usage": _USAGES.dump_python(response.usage, mode="json"),
        "response_id": response.response_id,
        "request_id": response.request_id,
        "raw_usage": response.raw_usage,
    }


def _load_response(value: Mapping[str, Any]) -> ModelResponse:
    return ModelResponse(
        output=load_output(value["output"]),
        usage=_USAGES.validate_python(value["usage"]),
        response_id=value["response_id"],
        request_id=value.get("request_id"),
        raw_usage=value.get("raw_usage"),
    )


def _dump_model(item: Any) -> Any:
    # What was not set stays so: the SDK tells it from None.
    return item.model_dump(mode="json", exclude_unset=True, by_alias=True, warnings=False)


_STATUS: Final[Mapping[str, type[openai.APIStatusError]]] = {
    kind.__name__: kind
    for kind in (
        openai.APIStatusError,
        openai.AuthenticationError,
        openai.BadRequestError,
        openai.ConflictError,
        openai.InternalServerError,
        openai.NotFoundError,
        openai.PermissionDeniedError,
        openai.RateLimitError,
        openai.UnprocessableEntityError,
    )
}
"""The errors that come with a status, by the names by which a tape has them."""

_SAYING: Final[Mapping[str, type[Exception]]] = {kind.__name__: kind for kind in (ModelBehaviorError, UserError)}
"""Errors that are made of their message alone."""

_PREFIX: Final = re.compile(r"Error code: \d+ - ")
"""How the SDK begins the message of an error: the provider's own comes behind."""


def revive(fault: Mapping[str, Any]) -> Exception | None:
    """Return the error of the SDK that a tape tells of, or None for any other.

    Of its body there are the message and the code, of its headers none: the tape has no more.
    """
    name, message = str(fault.get("type")), str(fault.get("message", ""))
    body = {"message": _PREFIX.sub("", message), "code": fault.get("code")}
    if name in _STATUS and isinstance(status := fault.get("status_code"), int):
        return status_error(_STATUS[name], message, status=status, body=body)
    match name:
        case "APITimeoutError":
            return openai.APITimeoutError(REQUEST)
        case "APIConnectionError":
            return openai.APIConnectionError(message=message, request=REQUEST)
        case "APIError":
            return openai.APIError(message, REQUEST, body=body)
    return _SAYING[name](message) if name in _SAYING else None


def status_error(
    kind: type[openai.APIStatusError],
    message: str,
    *,
    status: int,
    body: object,
    headers: Mapping[str, str] | None = None,
) -> openai.APIStatusError:
    """Return an error of OpenAI's SDK as if a response had brought it."""
    return kind(message, response=Response(status, headers=headers, request=REQUEST), body=body)


REQUEST: Final = Request("POST", "http://playhead.invalid/v1/responses")
"""Stands for the request in errors that were not raised by one: OpenAI's SDK demands it."""


RESPONSES: Final = Codec(dump=_dump_response, load=_load_response, revive=revive)
"""Whole answers."""

EVENTS: Final = Codec(dump=_dump_model, load=load_event, text_at=(("delta",),), revive=revive)
"""Streamed answers."""

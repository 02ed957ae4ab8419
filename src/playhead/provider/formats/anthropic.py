"""Anthropic Messages.

A message has blocks, one for each part, in order. A ping comes behind the start, where it nearly always is.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from playhead.errors import ModelFailure
from playhead.ids import derived_id
from playhead.provider.formats.base import Encoder, Head, Spoken, WireFormat, items, message, messages, rest
from playhead.scripts.parts import Call, Say, Think
from playhead.scripts.request import ModelRequest

_READ = ("system", "messages", "tools", "model", "stream")

_REASONS: Final = MappingProxyType(
    {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens", "content_filter": "refusal"}
)
_ERRORS: Final = MappingProxyType(
    {
        "rate_limit": "rate_limit_error",
        "overloaded": "overloaded_error",
        "server_error": "api_error",
        "bad_request": "invalid_request_error",
        "unauthorized": "authentication_error",
        "not_found": "not_found_error",
    }
)


class MessagesEncoder(Encoder):
    """Write one message."""

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._id = f"msg_{head.ids.new()}"

    def begin(self) -> bytes:
        """Write the message as it begins. How many tokens it takes is not known yet."""
        empty = self._message([], None) | {"usage": {"input_tokens": 0, "output_tokens": 0}}
        return _event({"type": "message_start", "message": empty}) + _event({"type": "ping"})

    def opened(self, spoken: Spoken) -> bytes:
        """Write that a block begins. The arguments of a call begin with an empty piece."""
        start = {"type": "content_block_start", "index": spoken.position, "content_block": _empty_block(spoken)}
        return _event(start) + (self.said(spoken, "") if isinstance(spoken.part, Call) else b"")

    def said(self, spoken: Spoken, text: str) -> bytes:
        """Write a piece of a block."""
        match spoken.part:
            case Say():
                return _delta(spoken, {"type": "text_delta", "text": text})
            case Think():
                return _delta(spoken, {"type": "thinking_delta", "thinking": text})
            case Call():
                return _delta(spoken, {"type": "input_json_delta", "partial_json": text})

    def closed(self, spoken: Spoken) -> bytes:
        """Write that a block ends. A thought is signed before it ends."""
        signed = b""
        if isinstance(spoken.part, Think):
            signed = _delta(spoken, {"type": "signature_delta", "signature": derived_id(spoken.text)})
        return signed + _event({"type": "content_block_stop", "index": spoken.position})

    def stopped(self) -> bytes:
        """Write the reason and the usage, and the last event."""
        delta = {"stop_reason": _reason(self.answer.stop), "stop_sequence": None}
        last = {"type": "message_delta", "delta": delta, "usage": self._usage()}
        return _event(last) + _event({"type": "message_stop"})

    def failed(self, failure: ModelFailure) -> bytes:
        """Write an `error` event."""
        return _event(error_body(failure, self.head.request_id))

    def whole(self) -> dict[str, Any]:
        """Return a `message`."""
        blocks = [_block(spoken) for spoken in self.answer.spoken.values()]
        return self._message(blocks, _reason(self.answer.stop)) | {"usage": self._usage()}

    def _message(self, blocks: list[dict[str, Any]], reason: str | None) -> dict[str, Any]:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self.head.request.model,
            "content": blocks,
            "stop_reason": reason,
            "stop_sequence": None,
        }

    def _usage(self) -> dict[str, int]:
        usage = self.answer.usage
        return {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}


def read(path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> ModelRequest:
    """Return what a request asks: a `system` is its first message. Raises `WireError` for a body without messages."""
    system = [{"role": "system", "content": body["system"]}] if body.get("system") else []
    return ModelRequest(
        messages=(*system, *messages(body, "messages")),
        tools=tuple(_tool(tool) for tool in items(body, "tools")),
        model=str(body.get("model", "")),
        is_stream=body.get("stream") is True,
        options=rest(body, _READ),
    )


def error_body(failure: ModelFailure, request_id: str) -> dict[str, Any]:
    """Return the body of a refusal, which is the data of an `error` event too."""
    error = {"type": _ERRORS.get(failure.kind, failure.kind), "message": str(failure)}
    return {"type": "error", "error": error, "request_id": request_id}


MESSAGES = WireFormat(
    name="anthropic.messages",
    path=re.compile(r".*/messages"),
    known_as=("/messages",),
    read=read,
    encoder=MessagesEncoder,
    error=error_body,
    overloaded=529,
    request_id="request-id",
)
"""The format of Anthropic's Messages API."""


def _tool(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a tool with its schema under the name that all formats share."""
    if "input_schema" not in tool:
        return tool
    return {**rest(tool, ["input_schema"]), "parameters": tool["input_schema"]}


def _empty_block(spoken: Spoken) -> dict[str, Any]:
    match spoken.part:
        case Say():
            return {"type": "text", "text": ""}
        case Think():
            return {"type": "thinking", "thinking": "", "signature": ""}
        case Call():
            return {"type": "tool_use", "id": spoken.call_id, "name": spoken.tool, "input": {}}


def _block(spoken: Spoken) -> dict[str, Any]:
    match spoken.part:
        case Say():
            return _empty_block(spoken) | {"text": spoken.text}
        case Think():
            return _empty_block(spoken) | {"thinking": spoken.text, "signature": derived_id(spoken.text)}
        case Call():
            # An input is an object, so text that is no JSON has no place but in one.
            arguments = spoken.arguments
            return _empty_block(spoken) | {"input": {"INVALID_JSON": spoken.text} if arguments is None else arguments}


def _reason(reason: str | None) -> str | None:
    return _REASONS.get(reason, reason) if reason is not None else None


def _delta(spoken: Spoken, delta: dict[str, Any]) -> bytes:
    return _event({"type": "content_block_delta", "index": spoken.position, "delta": delta})


def _event(value: dict[str, Any]) -> bytes:
    return message(value, event=value["type"])

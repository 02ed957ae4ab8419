"""OpenAI Responses.

An answer is a response with an item for each part, and its events are numbered. What a response repeats of its request
is repeated where clients demand it.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from playhead.errors import ModelFailure
from playhead.provider.formats.base import Encoder, Head, Spoken, WireFormat, items, message, messages, rest
from playhead.provider.formats.openai_errors import error_body
from playhead.scripts.parts import Call, Say, Think
from playhead.scripts.request import ModelRequest

_READ = ("instructions", "input", "tools", "model", "stream")

_CUT_SHORT: Final = MappingProxyType({"length": "max_output_tokens"})
_DONE: Final = frozenset({"stop", "tool_calls"})
"""The reasons for which a response is complete. With any other it is incomplete, and says it."""

_PREFIXES: Final = MappingProxyType({Say: "msg", Think: "rs", Call: "fc"})
"""What the ids of items begin with."""

_ROLES: Final = MappingProxyType({"function_call_output": "tool", "custom_tool_call_output": "tool"})
"""Who says an item of the input that has no role: the assistant, but for these."""


class ResponsesEncoder(Encoder):
    """Write one response."""

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._id = f"resp_{head.ids.new()}"
        self._numbered = 0

    def begin(self) -> bytes:
        """Write the response as it begins."""
        return b"".join(
            self._event(f"response.{word}", response=self._response("in_progress"))
            for word in ("created", "in_progress")
        )

    def opened(self, spoken: Spoken) -> bytes:
        """Write that an item begins, and the part in it that streams."""
        spoken.id = f"{_PREFIXES[type(spoken.part)]}_{self.head.ids.new()}"
        added = self._item("added", spoken, is_done=False)
        match spoken.part:
            case Say():
                return added + self._in(spoken, "content_part.added", content_index=0, part=_text(""))
            case Think():
                return added + self._in(spoken, "reasoning_summary_part.added", summary_index=0, part=_summary(""))
            case Call():
                return added

    def said(self, spoken: Spoken, text: str) -> bytes:
        """Write a piece of an item."""
        match spoken.part:
            case Say():
                return self._in(spoken, "output_text.delta", content_index=0, delta=text, logprobs=[])
            case Think():
                return self._in(spoken, "reasoning_summary_text.delta", summary_index=0, delta=text)
            case Call():
                return self._in(spoken, "function_call_arguments.delta", delta=text)

    def closed(self, spoken: Spoken) -> bytes:
        """Write what an item has come to."""
        text, done = spoken.text, b""
        match spoken.part:
            case Say():
                done += self._in(spoken, "output_text.done", content_index=0, text=text, logprobs=[])
                done += self._in(spoken, "content_part.done", content_index=0, part=_text(text))
            case Think():
                done += self._in(spoken, "reasoning_summary_text.done", summary_index=0, text=text)
                done += self._in(spoken, "reasoning_summary_part.done", summary_index=0, part=_summary(text))
            case Call():
                done += self._in(spoken, "function_call_arguments.done", name=spoken.tool, arguments=text)
        return done + self._item("done", spoken, is_done=True)

    def stopped(self) -> bytes:
        """Write what the response has come to."""
        response = self.whole()
        return self._event(f"response.{response['status']}", response=response)

    def failed(self, failure: ModelFailure) -> bytes:
        """Write an `error` event, nested as the live service sends it."""
        return self._event("error", **error_body(failure, self.head.request_id))

    def whole(self) -> dict[str, Any]:
        """Return a `response`."""
        reason = self.answer.stop
        output = [_item(spoken, is_done=True) for spoken in self.answer.spoken.values()]
        if reason is None:
            return self._response("in_progress", output=output)
        usage = self._usage()
        if reason in _DONE:
            return self._response("completed", output=output, usage=usage)
        cut_short = {"reason": _CUT_SHORT.get(reason, reason)}
        return self._response("incomplete", output=output, usage=usage, incomplete_details=cut_short)

    def _response(self, status: str, **fields: Any) -> dict[str, Any]:
        request = self.head.request
        return {
            "id": self._id,
            "object": "response",
            "created_at": self.head.created_s,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": request.model,
            "output": [],
            "parallel_tool_calls": request.options.get("parallel_tool_calls", True),
            "temperature": request.options.get("temperature", 1.0),
            "tool_choice": request.options.get("tool_choice", "auto"),
            "tools": [_echo(tool) for tool in request.tools],
            "top_p": request.options.get("top_p", 1.0),
            "usage": None,
        } | fields

    def _usage(self) -> dict[str, Any]:
        usage = self.answer.usage
        return {
            "input_tokens": usage.input_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": usage.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage.input_tokens + usage.output_tokens,
        }

    def _event(self, kind: str, **fields: Any) -> bytes:
        """Write an event with the next number."""
        number, self._numbered = self._numbered, self._numbered + 1
        return message({"type": kind, "sequence_number": number} | fields, event=kind)

    def _item(self, word: str, spoken: Spoken, *, is_done: bool) -> bytes:
        item = _item(spoken, is_done=is_done)
        return self._event(f"response.output_item.{word}", output_index=spoken.position, item=item)

    def _in(self, spoken: Spoken, word: str, **fields: Any) -> bytes:
        """Write an event of what is in an item."""
        return self._event(f"response.{word}", item_id=spoken.id, output_index=spoken.position, **fields)


def read(path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> ModelRequest:
    """Return what a response is to answer: the instructions are its first message.

    A text is a message of the user's. An item that is no message, a call or its result, gets a role and a content.
    Raises `WireError` for a body without input.
    """
    given = body.get("input")
    asked = {**body, "input": [{"role": "user", "content": given}]} if isinstance(given, str) else body
    instructions = [{"role": "system", "content": body["instructions"]}] if body.get("instructions") else []
    return ModelRequest(
        messages=(*instructions, *(_message(item) for item in messages(asked, "input"))),
        tools=tuple(_tool(tool) for tool in items(body, "tools")),
        model=str(body.get("model", "")),
        is_stream=body.get("stream") is True,
        options=rest(body, _READ),
    )


RESPONSES = WireFormat(
    name="openai.responses",
    path=re.compile(r".*/responses"),
    known_as=("/responses",),
    read=read,
    encoder=ResponsesEncoder,
    error=error_body,
    overloaded=503,
    request_id="x-request-id",
)
"""The format of the Responses API."""


def _message(item: Mapping[str, Any]) -> Mapping[str, Any]:
    if "role" in item:
        return item
    return {"role": _ROLES.get(str(item.get("type")), "assistant"), "content": item.get("output", ""), **item}


def _tool(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a function without its type; a tool of another type keeps its fields, and has a name."""
    return rest(tool, ["type"]) if tool.get("type") == "function" else {"name": tool.get("type", ""), **tool}


def _echo(tool: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "function", "strict": None, **tool}


def _item(spoken: Spoken, *, is_done: bool) -> dict[str, Any]:
    status = "completed" if is_done else "in_progress"
    text = spoken.text
    match spoken.part:
        case Say():
            content = [_text(text)] if is_done else []
            return {"id": spoken.id, "type": "message", "status": status, "role": "assistant", "content": content}
        case Think():
            return {"id": spoken.id, "type": "reasoning", "summary": [_summary(text)] if is_done else []}
        case Call():
            call = {"call_id": spoken.call_id, "name": spoken.tool, "arguments": text}
            return {"id": spoken.id, "type": "function_call", "status": status} | call


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _summary(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": text}

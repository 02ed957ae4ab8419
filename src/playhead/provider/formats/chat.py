"""OpenAI Chat Completions, as OpenAI and many others serve it.

Thoughts are `reasoning_content`, as others than OpenAI send them: clients that do not know the field pass it over.
"""

import re
from collections.abc import Mapping
from typing import Any

from playhead.errors import ModelFailure
from playhead.provider.formats.base import Encoder, Head, Spoken, WireFormat, items, message, messages, rest
from playhead.provider.formats.openai_errors import error_body
from playhead.scripts.parts import Call, Say, Think
from playhead.scripts.request import ModelRequest

_READ = ("messages", "tools", "model", "stream")


class ChatEncoder(Encoder):
    """Write one chat completion."""

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._id = f"chatcmpl-{head.ids.new()}"
        stream_options = head.request.options.get("stream_options")
        self._has_usage = isinstance(stream_options, Mapping) and stream_options.get("include_usage") is True

    def begin(self) -> bytes:
        """Write whose message it is."""
        return self._delta({"role": "assistant", "content": None, "refusal": None})

    def opened(self, spoken: Spoken) -> bytes:
        """Write the id and the name of a call."""
        if not isinstance(spoken.part, Call):
            return b""
        return self._call_delta(spoken, _call(spoken, ""))

    def said(self, spoken: Spoken, text: str) -> bytes:
        """Write a piece of text, of a thought, or of a call's arguments."""
        match spoken.part:
            case Say():
                return self._delta({"content": text})
            case Think():
                return self._delta({"reasoning_content": text})
            case Call():
                return self._call_delta(spoken, {"function": {"arguments": text}})

    def closed(self, spoken: Spoken) -> bytes:
        """Write nothing: parts end with their message."""
        return b""

    def stopped(self) -> bytes:
        """Write the reason, the usage if it was asked for, and `[DONE]`."""
        last = self._delta({}, reason=self.answer.stop)
        usage = message(self._chunk([]) | {"usage": self._usage()}) if self._has_usage else b""
        return last + usage + b"data: [DONE]\n\n"

    def failed(self, failure: ModelFailure) -> bytes:
        """Write an error in place of a chunk."""
        return message(error_body(failure, self.head.request_id))

    def whole(self) -> dict[str, Any]:
        """Return a `chat.completion`."""
        said: dict[str, Any] = {"role": "assistant", "content": self.answer.text(Say), "refusal": None}
        if (thought := self.answer.text(Think)) is not None:
            said["reasoning_content"] = thought
        if calls := self.answer.of(Call):
            said["tool_calls"] = [_call(spoken, spoken.text) for spoken in calls]
        choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": self.answer.stop}
        return self._named("chat.completion") | {"choices": [choice], "usage": self._usage()}

    def _named(self, kind: str) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self.head.created_s, "model": self.head.request.model}

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        chunk = self._named("chat.completion.chunk") | {"choices": choices}
        return chunk | {"usage": None} if self._has_usage else chunk

    def _delta(self, delta: dict[str, Any], *, reason: str | None = None) -> bytes:
        return message(self._chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]))

    def _call_delta(self, spoken: Spoken, delta: dict[str, Any]) -> bytes:
        return self._delta({"tool_calls": [{"index": spoken.number} | delta]})

    def _usage(self) -> dict[str, int]:
        usage = self.answer.usage
        return {
            "prompt_tokens": usage.input_tokens,
            "completion_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
        }


def read(path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> ModelRequest:
    """Return what a chat completion asks. Raises `WireError` for a body without messages."""
    return ModelRequest(
        messages=tuple(messages(body, "messages")),
        tools=tuple(_tool(tool) for tool in items(body, "tools")),
        model=str(body.get("model", "")),
        is_stream=body.get("stream") is True,
        options=rest(body, _READ),
    )


CHAT = WireFormat(
    name="openai.chat",
    path=re.compile(r".*/chat/completions"),
    known_as=("/chat/completions",),
    read=read,
    encoder=ChatEncoder,
    error=error_body,
    overloaded=503,
    request_id="x-request-id",
)
"""The format of chat completions."""


def _tool(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a function as what it is; a tool of another type keeps its fields, and has a name."""
    function = tool.get("function")
    if isinstance(function, Mapping):
        return function
    return {"name": tool.get("type", ""), **tool}


def _call(spoken: Spoken, arguments: str) -> dict[str, Any]:
    function = {"name": spoken.tool, "arguments": arguments}
    return {"id": spoken.call_id, "type": "function", "function": function}

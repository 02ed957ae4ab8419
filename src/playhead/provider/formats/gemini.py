"""Gemini, as `generateContent` answers and `streamGenerateContent?alt=sse` streams.

Nothing opens a stream, lines end with CRLF, and a function call comes whole when its arguments are complete.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from playhead.errors import ModelFailure, WireError
from playhead.provider.formats.base import Encoder, Head, Spoken, WireFormat, items, message, messages, rest
from playhead.scripts.parts import Call, Say, Think
from playhead.scripts.request import ModelRequest

_READ = ("systemInstruction", "contents", "tools")
_PATH = re.compile(r".*/models/(?P<model>[^/:]+):(?P<method>generateContent|streamGenerateContent)")

_SPELLINGS: Final = MappingProxyType(
    {
        "system_instruction": "systemInstruction",
        "function_declarations": "functionDeclarations",
        "parameters_json_schema": "parametersJsonSchema",
    }
)
"""The service takes names in either spelling, and the SDK mixes the two."""

_REASONS: Final = MappingProxyType(
    {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
)
_STATUSES: Final = MappingProxyType(
    {
        "rate_limit": "RESOURCE_EXHAUSTED",
        "overloaded": "UNAVAILABLE",
        "server_error": "INTERNAL",
        "bad_request": "INVALID_ARGUMENT",
        "unauthorized": "UNAUTHENTICATED",
        "not_found": "NOT_FOUND",
    }
)
_MALFORMED = "MALFORMED_FUNCTION_CALL"


class GeminiEncoder(Encoder):
    """Write one `GenerateContentResponse`, whole or in chunks."""

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._id = head.ids.new()

    def begin(self) -> bytes:
        """Write nothing: the first piece is the first chunk."""
        return b""

    def opened(self, spoken: Spoken) -> bytes:
        """Write nothing: parts have no beginning."""
        return b""

    def said(self, spoken: Spoken, text: str) -> bytes:
        """Write a piece of text or of a thought. A call is written when it is whole."""
        return b"" if isinstance(spoken.part, Call) else _crlf(self._response([_part(spoken, text)]))

    def closed(self, spoken: Spoken) -> bytes:
        """Write a call, unless it is malformed: then the stream ends with that reason."""
        return _crlf(self._response([_part(spoken, "")])) if _is_sound_call(spoken) else b""

    def stopped(self) -> bytes:
        """Write the last chunk: the reason and the usage."""
        return _crlf(self._response([{"text": ""}], reason=self._reason()) | self._usage())

    def failed(self, failure: ModelFailure) -> bytes:
        """Write an error in place of a chunk."""
        return _crlf(error_body(failure, self.head.request_id))

    def whole(self) -> dict[str, Any]:
        """Return a `GenerateContentResponse`."""
        said = [
            _part(spoken, spoken.text)
            for spoken in self.answer.spoken.values()
            if not isinstance(spoken.part, Call) or _is_sound_call(spoken)
        ]
        return self._response(said, reason=self._reason()) | self._usage()

    def _response(self, parts: list[dict[str, Any]], *, reason: str | None = None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if reason is not None:
            candidate["finishReason"] = reason
        return {"candidates": [candidate], "modelVersion": self.head.request.model, "responseId": self._id}

    def _reason(self) -> str | None:
        stop = self.answer.stop
        if stop is not None and not all(_is_sound_call(spoken) for spoken in self.answer.of(Call)):
            return _MALFORMED
        return _REASONS.get(stop, stop) if stop is not None else None

    def _usage(self) -> dict[str, Any]:
        usage = self.answer.usage
        counts = {
            "promptTokenCount": usage.input_tokens,
            "candidatesTokenCount": usage.output_tokens,
            "totalTokenCount": usage.input_tokens + usage.output_tokens,
        }
        return {"usageMetadata": counts}


def read(path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> ModelRequest:
    """Return what a request asks: a system instruction is its first message, and the model stands in the path.

    Raises `WireError` for a body without contents, and for a stream that is not to be one of events.
    """
    asked = _PATH.fullmatch(path)
    is_stream = asked is not None and asked["method"] == "streamGenerateContent"
    if is_stream and query.get("alt") != "sse":
        raise WireError("only event streams are served: ask for streamGenerateContent?alt=sse")
    body = _spelled(body)
    system = body.get("systemInstruction")
    return ModelRequest(
        messages=(
            # Google's SDK sends it as the user's.
            *([_message({**system, "role": "system"})] if isinstance(system, Mapping) else []),
            *(_message(content) for content in messages(body, "contents")),
        ),
        tools=tuple(_tool(each) for tool in items(body, "tools") for each in _functions(tool)),
        model=asked["model"] if asked else "",
        is_stream=is_stream,
        options=rest(body, _READ),
    )


def error_body(failure: ModelFailure, request_id: str) -> dict[str, Any]:
    """Return the body of a refusal, which is the data of an error in a stream too."""
    error: dict[str, Any] = {
        "code": GEMINI.status(failure),
        "message": str(failure),
        "status": _STATUSES.get(failure.kind, failure.kind),
    }
    if failure.retry_after_s is not None:
        delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{failure.retry_after_s:g}s"}
        error["details"] = [delay]
    return {"error": error}


GEMINI = WireFormat(
    name="gemini",
    path=_PATH,
    known_as=("/models/{model}:generateContent", "/models/{model}:streamGenerateContent?alt=sse"),
    read=read,
    encoder=GeminiEncoder,
    error=error_body,
    overloaded=503,
    request_id="x-request-id",
)
"""The format of the Gemini API."""


def _message(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a content as a message. Parts that are text and nothing else are one text, others stay as they are."""
    parts = content.get("parts")
    if isinstance(parts, list) and all(isinstance(part, dict) and part.keys() == {"text"} for part in parts):
        parts = "".join(str(part["text"]) for part in parts)
    return {"role": content.get("role") or "user", "content": parts}


def _functions(tool: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the functions of a tool; a tool of Gemini's own is named as its field is."""
    tool = _spelled(tool)
    return items(tool, "functionDeclarations") or [{"name": name, name: value} for name, value in tool.items()]


def _tool(function: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a function with its schema under the name that all formats share."""
    function = _spelled(function)
    if "parametersJsonSchema" not in function:
        return function
    return {**rest(function, ["parametersJsonSchema"]), "parameters": function["parametersJsonSchema"]}


def _spelled(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {_SPELLINGS.get(name, name): value for name, value in fields.items()}


def _is_sound_call(spoken: Spoken) -> bool:
    return isinstance(spoken.part, Call) and isinstance(spoken.arguments, dict)


def _part(spoken: Spoken, text: str) -> dict[str, Any]:
    match spoken.part:
        case Say():
            return {"text": text}
        case Think():
            return {"text": text, "thought": True}
        case Call():
            return {"functionCall": {"id": spoken.call_id, "name": spoken.tool, "args": spoken.arguments}}


def _crlf(value: dict[str, Any]) -> bytes:
    # JSON escapes its line feeds, so the only ones are those of the event stream.
    return message(value).replace(b"\n", b"\r\n")

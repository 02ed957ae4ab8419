"""shipit's questions, answers and results as JSON values, and back.

    question     {"messages": [...], "system_prompt": "...", "tools": [...], "response_format": {...}}
    chunk        {"text": "..."} or {"tool_input": {"id": "...", "name": "...", "text": "..."}}
    last chunk   {"response": {"content": "...", "tool_calls": [...], "usage": {...}}}
    tool_call    {"name": "...", "arguments": {...}}
    tool_result  a text, {"text": "...", "metadata": {...}}, or a list of these for a result that was streamed

Knows how shipit spells its classes. Does not know LLMs. Importing this module without shipit raises `UsageError`.
"""

# shipit carries no types.
# mypy: disable-error-code="import-untyped"

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic_core import to_jsonable_python

from playhead.errors import UsageError
from playhead.models.tap import Codec
from playhead.recording.calls import FACTS
from playhead.replaying.failures import revived

try:
    from shipit_agent.llms.base import LLMResponse, coerce_messages
    from shipit_agent.models import ToolCall
    from shipit_agent.tools.base import ToolOutput
except ImportError as _error:
    raise UsageError("this needs shipit, which is not installed: pip install 'playhead[shipit]'") from _error

_GENERATED = re.compile(r"call_\d{3,}_[0-9a-f]{8}")
"""What shipit calls a call that its LLM left unnamed."""


def asked_of(
    messages: Sequence[Any], tool_input_callback: Any, require_tool_call: bool, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what an LLM is asked, without what it is not."""
    more = {"tool_input_callback": tool_input_callback, "require_tool_call": require_tool_call or None}
    return {"messages": messages, **options, **{name: value for name, value in more.items() if value is not None}}


def question_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is asked as JSON, without how it is asked and what shipit makes up."""
    options = {name: value for name, value in asked.items() if name not in _WAYS and value not in (None, [], "")}
    return {**plain(options), "messages": _messages(asked["messages"])}


def _messages(messages: Sequence[Any]) -> list[dict[str, Any]]:
    numbers: dict[str, str] = {}

    def even(name: str | None) -> str | None:
        if not name or not _GENERATED.fullmatch(name):
            return name
        return numbers.setdefault(name, f"call-{len(numbers) + 1}")

    return [_message(message, even) for message in coerce_messages(messages)]


def _message(message: Any, even: Callable[[str | None], str | None]) -> dict[str, Any]:
    calls = [{"id": even(call.id), "name": call.name, "arguments": call.arguments} for call in message.tool_calls]
    found = {"role": message.role, "content": message.content, "name": message.name, "tool_calls": calls}
    found["tool_call_id"] = even(message.tool_call_id)
    return {name: plain(value) for name, value in found.items() if value}


def text_piece(text: str) -> dict[str, Any]:
    """Return a piece of what is said."""
    return {"text": text}


def input_piece(call: str, tool: str, text: str) -> dict[str, Any]:
    """Return a piece of the arguments of a call."""
    return {"tool_input": {"id": call, "name": tool, "text": text}}


def hand_out(piece: Mapping[str, Any], asked: Mapping[str, Any]) -> Any:
    """Give a piece of an answer to whoever asked for it. Returns what they say."""
    match piece:
        case {"text": text} if callback := asked.get("text_delta_callback"):
            return callback(text)
        case {"tool_input": {"id": call, "name": tool, "text": text}} if callback := asked.get("tool_input_callback"):
            return callback(call, tool, text)
    return None


def _dump_piece(piece: Mapping[str, Any]) -> Mapping[str, Any]:
    if "response" not in piece:
        return piece
    answer = piece["response"]
    found = {name: getattr(answer, name, None) for name in _ANSWER}
    calls = [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in answer.tool_calls]
    return {"response": plain({name: value for name, value in (found | {"tool_calls": calls}).items() if value})}


def _load_piece(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if "response" not in value:
        return value
    answer = dict(value["response"])
    calls = [ToolCall(**call, index=index) for index, call in enumerate(answer.pop("tool_calls", ()))]
    return {"response": LLMResponse(tool_calls=calls, **answer)}


def _dump_result(result: Any) -> Any:
    match result:
        case str() | bytes():
            return result
        case list():
            return [_dump_result(piece) for piece in result]
    if not hasattr(result, "text"):
        return plain(result)
    found = {"text": str(result.text), "metadata": result.metadata, "model_text": getattr(result, "model_text", None)}
    return plain({name: value for name, value in found.items() if value or name == "text"})


def _load_result(value: Any) -> Any:
    match value:
        case list():
            return [_load_result(piece) for piece in value]
        case dict():
            return ToolOutput(**value)
    return value


def plain(value: Any) -> Any:
    """Return a value as JSON, whatever it is."""
    return to_jsonable_python(value, bytes_mode="base64", inf_nan_mode="constants", fallback=_named)


def _named(value: Any) -> str:
    """Say what a value is that has no JSON form: its own text may hold an address, which differs from run to run."""
    return f"<{type(value).__qualname__}>"


def _revive(fault: Mapping[str, Any]) -> Exception:
    """Return the exception of a fault, with the facts by which shipit tells failures apart."""
    error = revived(fault)
    for name in FACTS:
        if name in fault and not hasattr(error, name):
            setattr(error, name, fault[name])
    return error


_ANSWER: Final = ("content", "tool_calls", "metadata", "reasoning_content", "usage")
CALLBACKS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "text_delta_callback": text_piece,
    "tool_input_callback": input_piece,
}
"""How an LLM hands out the pieces of its answer, and what such a piece is on the tape."""

_WAYS: Final = {*CALLBACKS, "messages", "metadata", "timeout"}
"""What of a request is about how it is asked, or is put otherwise."""

PIECES: Final = Codec(dump=_dump_piece, load=_load_piece, text_at=(("text",), ("tool_input", "text")), revive=_revive)
"""Answers in pieces, the whole being the last. A secret is found over several of them."""

RESULTS: Final[Codec[Any]] = Codec(dump=_dump_result, load=_load_result, revive=_revive)
"""What tools return."""

"""locus' questions, answers and results as JSON values, and back.

    question     {"messages": [...], "tools": [...], "options": {"temperature": 0.2}, "stream": true}
    reply        a `ModelResponse`, as locus spells it
    chunk        a `ModelChunkEvent`, as locus spells it, without its time
    tool_call    {"name": "...", "arguments": {...}}
    tool_result  a text, or other JSON that locus puts into the same words; also what was reported before

Knows how locus spells its classes. Does not know models. Importing this module without locus raises `UsageError`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json import dumps as json_text
from json import loads as read_json
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from playhead.adapters.locus.events import event_of
from playhead.errors import UsageError
from playhead.models.tap import Codec
from playhead.recording.calls import FACTS
from playhead.replaying.failures import revived

try:
    from locus.core import errors, events
    from locus.core.interrupt import InterruptException, InterruptValue
    from locus.core.messages import Message
    from locus.models.base import ModelResponse
    from locus.tools.output import ToolOutput
except ImportError as _error:
    raise UsageError("this needs locus, which is not installed: pip install 'playhead[locus]'") from _error

_GENERATED = re.compile(r"call_[0-9a-f]{12}")
"""What locus calls a call that its model left unnamed, or wrote as text."""

_ERRORS: Final = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.LocusError)
}


@dataclass(frozen=True, slots=True)
class Reported:
    """What a tool returned, and what it reported before. `is_live` says that this was heard already."""

    result: Any
    events: Sequence[events.LocusEvent]
    is_live: bool = False


def question_of(messages: Sequence[Message], tools: Sequence[Any] | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model is asked."""
    found = {"messages": messages_of(messages), "tools": tools or None, "options": options or None}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def messages_of(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return messages as JSON, without what locus makes up."""
    numbers: dict[str, str] = {}

    def even(name: str) -> str:
        return numbers.setdefault(name, f"call-{len(numbers) + 1}") if _GENERATED.fullmatch(name) else name

    found = [message.model_dump(mode="json", exclude={"metadata"}, exclude_defaults=True) for message in messages]
    for message in found:
        for call in message.get("tool_calls", ()):
            call["id"] = even(call["id"])
        if "tool_call_id" in message:
            message["tool_call_id"] = even(message["tool_call_id"])
    return found


def tool_question_of(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a tool is asked, without the context that locus hands to it."""
    given = {key: value for key, value in arguments.items() if key not in ("ctx", "context")}
    return {"name": name, "arguments": _plain(given)}


def _plain(value: Any) -> Any:
    return to_jsonable_python(value, bytes_mode="base64", inf_nan_mode="constants", fallback=_named)


def _named(value: Any) -> str:
    """Say what a value is that has no JSON form: its own text may hold an address, which differs from run to run."""
    return f"<{type(value).__qualname__}>"


def _dump_result(result: Any) -> Any:
    """Return a tool's result as JSON that locus puts into the same words."""
    match result:
        case Reported(result=inner, events=heard):
            dumped = _dump_result(inner)
            return {"locus.reported": [_dump_reported(event) for event in heard], "result": dumped} if heard else dumped
        case ToolOutput():
            return {"locus.ToolOutput": {"text": result.text, **_plain(vars(result))}}
        case InterruptException(value=value):
            return {"locus.InterruptException": value.model_dump(mode="json", fallback=_named)}
        case None | str() | int() | float():
            return result
        case BaseModel():
            return result.model_dump_json()
        case dict() | list():
            return read_json(json_text(result, default=str))
    return str(result)


def _load_result(value: Any) -> Any:
    match value:
        case {"locus.reported": list(heard), "result": result}:
            return Reported(_load_result(result), [event_of(event) for event in heard])
        case {"locus.ToolOutput": dict(output), **rest} if not rest:
            return ToolOutput(**output)
        case {"locus.InterruptException": dict(interrupt), **rest} if not rest:
            return InterruptException(InterruptValue.model_validate(interrupt))
    return value


def _dump_chunk(chunk: events.ModelChunkEvent) -> dict[str, Any]:
    # Its time is when it was made, and it is made anew. By its type others know it for an event of locus.
    found = chunk.model_dump(mode="json", exclude={"timestamp"}, exclude_defaults=True, fallback=_named)
    return {"event_type": chunk.event_type, **found}


def _dump_reported(event: events.LocusEvent) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude={"timestamp"}, fallback=_named, serialize_as_any=True)


def _dump_response(response: ModelResponse) -> dict[str, Any]:
    return response.model_dump(mode="json", exclude_defaults=True, fallback=_named)


def _revive(fault: Mapping[str, Any]) -> Exception:
    """Return the exception of a fault: locus' own, or one with the facts by which locus decides to ask again."""
    kind = _ERRORS.get(str(fault.get("type")))
    error = kind(str(fault.get("message", ""))) if kind else revived(fault)
    for name in FACTS:
        if name in fault and not hasattr(error, name):
            setattr(error, name, fault[name])
    return error


RESPONSES: Final = Codec(dump=_dump_response, load=ModelResponse.model_validate, revive=_revive)
"""Answers as a whole."""

CHUNKS: Final = Codec(
    dump=_dump_chunk, load=events.ModelChunkEvent.model_validate, text_at=(("content",), ("reasoning",)), revive=_revive
)
"""Answers in chunks. A secret is found over several of them."""

RESULTS: Final[Codec[Any]] = Codec(dump=_dump_result, load=_load_result, revive=_revive)
"""What tools return, and what they ask a person."""

"""An event or a result wrapped up for a transport: shipit's packets, safe for any payload.

    sse_event_packet(event)        event: <type>, data: <JSON, keys sorted>
    websocket_event_packet(event)  {"type": "agent_event", "packet_type": "agent_event", "event_type", "event"}
    event_packet(event)            {"packet_type": "agent_event", "event"}
    result_packet(result)          {"packet_type": "agent_result", "result"}

Takes whatever `playhead.events.codec` writes: typed events, pydantic models, mappings, dataclasses, objects with a
`to_dict()`. What JSON cannot carry is written as on a tape: sets as arrays, times as text, NaN marked. So every packet
is strict JSON; and no text in an event can end its message or forge another field. Knows shapes, sends nothing.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from playhead.errors import UsageError
from playhead.events.codec import event_json
from playhead.sse.message import SSEMessage
from playhead.text import safe


def event_packet(event: object) -> dict[str, Any]:
    """Return an event as a packet. Raises `UsageError` for an object that has no JSON form."""
    return {"packet_type": "agent_event", "event": _plain(event)}


def result_packet(result: object) -> dict[str, Any]:
    """Return the result of a run as a packet. Raises `UsageError` for an object that has no JSON form."""
    return {"packet_type": "agent_result", "result": _plain(result)}


def websocket_event_packet(event: object) -> dict[str, Any]:
    """Return an event as a packet for a WebSocket. Raises `UsageError` for an object that has no JSON form."""
    plain = _plain(event)
    return {"type": "agent_event", "packet_type": "agent_event", "event_type": _type_of(plain), "event": plain}


def sse_event_packet(event: object) -> str:
    """Return an event as a message of an event stream, named by its type. Line ends in the type are made visible.

    Raises `UsageError` for an object that has no JSON form.
    """
    plain = _plain(event)
    return _message(safe(_type_of(plain), keep=""), plain)


def sse_result_packet(result: object) -> str:
    """Return the result of a run as a message of an event stream, named `agent_result`.

    Raises `UsageError` for an object that has no JSON form.
    """
    return _message("agent_result", _plain(result))


def sse_event_stream(events: Iterable[object]) -> list[str]:
    """Return events as messages of an event stream. Raises `UsageError` for an object that has no JSON form."""
    return [sse_event_packet(event) for event in events]


def _message(name: str, plain: Mapping[str, Any]) -> str:
    return SSEMessage(name, json.dumps(plain, sort_keys=True, allow_nan=False)).format()


def _plain(value: object) -> dict[str, Any]:
    """Return a value as a dict that strict JSON can carry."""
    try:
        plain = json.loads(event_json(value))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{type(value).__qualname__} has no JSON form: {error}") from error
    if not isinstance(plain, dict):
        raise UsageError(f"{type(value).__qualname__} has no JSON form: it is no object with fields")
    return plain


def _type_of(plain: Mapping[str, Any]) -> str:
    return str(plain.get("type", plain.get("event_type", "")))

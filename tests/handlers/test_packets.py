"""Packets are those of shipit where those are right, and safe where they are not."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import RootModel

from playhead.errors import UsageError
from playhead.events.codec import decode_event
from playhead.events.locus import ThinkEvent
from playhead.events.tagged import untag
from playhead.handlers.packets import (
    event_packet,
    result_packet,
    sse_event_packet,
    sse_event_stream,
    sse_result_packet,
    websocket_event_packet,
)
from playhead.sse.parser import SSEParser

PLAIN = {"type": "tool_called", "message": "Tool called: add", "payload": {"b": 1, "a": ["é", None]}, "timestamp": 1.5}


def test_shapes() -> None:
    """Each packet has the documented shape, with sorted keys on the wire."""
    event = decode_event(PLAIN, "shipit")
    assert event_packet(event) == {"packet_type": "agent_event", "event": PLAIN}
    assert result_packet({"output": "3"}) == {"packet_type": "agent_result", "result": {"output": "3"}}
    assert websocket_event_packet(event) == {
        "type": "agent_event",
        "packet_type": "agent_event",
        "event_type": "tool_called",
        "event": PLAIN,
    }
    assert sse_event_packet({"type": "t", "b": 1, "a": 2}) == 'event: t\ndata: {"a": 2, "b": 1, "type": "t"}\n\n'
    assert sse_result_packet({"b": 1, "a": 2}) == 'event: agent_result\ndata: {"a": 2, "b": 1}\n\n'
    assert sse_event_stream([PLAIN, PLAIN]) == [sse_event_packet(PLAIN)] * 2
    assert sse_event_packet(ThinkEvent(iteration=1)).startswith("event: think\ndata: {")


@pytest.mark.parametrize("payload", [{}, {"n": 1, "text": "é\n\u2028"}, {"b": [1, {"d": None, "c": True}], "a": 0.5}])
def test_packets_are_those_of_shipit(payload: dict[str, Any]) -> None:
    """For payloads that shipit can send itself, ours are the same to the byte."""
    theirs = pytest.importorskip("shipit_agent.packets", reason="shipit-agent is not installed")
    models = pytest.importorskip("shipit_agent.models", reason="shipit-agent is not installed")
    event = models.AgentEvent(type="tool_called", message="m", payload=payload)
    assert event_packet(event) == theirs.event_packet(event)
    assert websocket_event_packet(event) == theirs.websocket_event_packet(event)
    assert sse_event_packet(event) == theirs.sse_event_packet(event)
    assert sse_event_stream([event]) == theirs.sse_event_stream([event])
    result = models.AgentResult(output="3", messages=[], events=[event])
    assert result_packet(result) == theirs.result_packet(result)
    assert sse_result_packet(result) == theirs.sse_result_packet(result)


def test_what_json_cannot_carry_is_marked() -> None:
    """Infinities, broken text and bytes go as strict JSON, marked, and can be had back."""
    payload = {"inf": float("inf"), "bytes": b"\xff", "lone": "\ud800", "mark": {"$playhead": 1}}
    packet = event_packet({"type": "t", "payload": payload})
    assert untag(json.loads(json.dumps(packet, allow_nan=False)))["event"]["payload"] == payload
    data = SSEParser().feed(sse_event_packet({"type": "t", "payload": payload}).encode())[0].data
    assert untag(json.loads(data))["payload"] == payload


def test_what_json_has_no_type_for_is_spelled_as_on_a_tape() -> None:
    """Sets go as arrays and dates as text: who reads a packet need not know of marks for those."""
    payload = {"set": {1}, "day": date(2030, 1, 1)}
    assert result_packet(payload)["result"] == {"set": [1], "day": "2030-01-01"}


@given(name=st.text(), text=st.text())
def test_nothing_can_be_injected(name: str, text: str) -> None:
    """Whatever an event's type and text hold, its packet is one message with that JSON as data."""
    event = {"type": name, "message": text}
    messages = SSEParser().feed(sse_event_packet(event).encode())
    assert [untag(json.loads(message.data)) for message in messages] == [event]


def test_odd_objects() -> None:
    """Dataclasses and models pass; what has no fields, or itself inside, is refused."""

    @dataclass
    class Point:
        x: int

    assert result_packet(Point(1)) == {"packet_type": "agent_result", "result": {"x": 1}}
    assert result_packet(ThinkEvent(iteration=1))["result"]["iteration"] == 1
    endless: dict[str, Any] = {}
    endless["self"] = endless
    for bad in (5, object(), Point, endless, RootModel[list[int]]([1]), {"n": 10**5000}):
        with pytest.raises(UsageError, match="has no JSON form"):
            event_packet(bad)

"""Short streams that the tests of contracts begin with."""

from typing import Any

from playhead.contracts.check import check
from playhead.contracts.limits import Limits
from playhead.contracts.rule import Example
from playhead.contracts.rules import selected
from playhead.contracts.wire import WireWatch
from playhead.events.dialects import get_dialect

Event = dict[str, Any]

THINK: Event = {"event_type": "think", "iteration": 1}
START: Event = {"event_type": "tool_start", "tool_name": "search", "tool_call_id": "c1"}
NEWS: Event = {"event_type": "tool_progress", "tool_name": "search", "tool_call_id": "c1", "message": "half"}
DONE: Event = {"event_type": "tool_complete", "tool_name": "search", "tool_call_id": "c1", "result": "ok"}
ASK: Event = {"event_type": "interrupt", "interrupt_id": "i1", "question": "Go on?"}
CHUNK: Event = {"event_type": "model_chunk", "content": "hi"}
END: Event = {
    "event_type": "terminate",
    "reason": "complete",
    "iterations_used": 1,
    "final_confidence": 1.0,
    "total_tool_calls": 1,
}
HEALTHY = [THINK, START, NEWS, DONE, END]

RUN: Event = {"type": "run_started", "payload": {}}
OVER: Event = {"type": "run_completed", "payload": {}}


def step(number: int) -> Event:
    """Return the beginning of a step."""
    return {**THINK, "iteration": number}


def call(key: str, name: str = "search") -> Event:
    """Return the start of a call."""
    return {**START, "tool_call_id": key, "tool_name": name}


def answer(key: str, name: str = "search") -> Event:
    """Return the completion of a call."""
    return {**DONE, "tool_call_id": key, "tool_name": name}


def by(agent: str, event: Event) -> Event:
    """Return an event of an agent that has a name."""
    return {**event, "agent_name": agent}


def codes(events: list[Event], **known: Any) -> list[str]:
    """Return the codes that a stream breaks, in order."""
    return [violation.code for violation in check(events, **known)]


def watched(example: Example, size: int) -> list[str]:
    """Return the codes that the bytes of an example break, in pieces of that size; the second half a second later."""
    limits = example.limits or Limits()
    watch = WireWatch(get_dialect(example.dialect), codes=selected(limits=limits), limits=limits)
    found = watch.headers(example.headers) if example.headers is not None else []
    for start in range(0, len(example.wire), size):
        late = start >= len(example.wire) // 2
        found += watch.feed(example.wire[start : start + size], at_us=late * 1_000_000)
    return [violation.code for violation in found + watch.close(example.end)]

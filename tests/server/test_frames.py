"""A message tells a client that something failed, and never of what: in the JSON of each dialect, live and taped."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from playhead.events.agui import AGUI
from playhead.events.anthropic import ANTHROPIC_MESSAGES
from playhead.events.gemini import GEMINI
from playhead.events.locus import LOCUS, SubagentEvent, TerminateEvent
from playhead.events.locus_server import LOCUS_SERVER
from playhead.events.openai import OPENAI_CHAT, OPENAI_RESPONSES
from playhead.events.shipit import SHIPIT, ShipitEvent
from playhead.events.spans import Dialect
from playhead.events.tagged import dumps
from playhead.events.turns import TURNS, ErrorEvent
from playhead.server.frames import Framer, class_name

TEXT = "postgres://secret-host failed"
HIDDEN = "internal error"


@dataclass
class OwnEvent:
    """Hold an event of somebody's own, whose type is not in its JSON."""

    event_type: ClassVar[str] = "terminate"

    error: str


def ended(error: str | None) -> TerminateEvent:
    """Return the end of a native run."""
    return TerminateEvent(reason="error", iterations_used=1, final_confidence=0.0, total_tool_calls=0, error=error)


@pytest.mark.parametrize(
    ("dialect", "event"),
    [
        (LOCUS, {"event_type": "terminate", "reason": "error", "error": TEXT}),
        (LOCUS, {"event_type": "model_retry", "attempt": 1, "error": TEXT}),
        (LOCUS, {"event_type": "final_answer_verification", "passed": False, "error": TEXT}),
        (LOCUS, {"event_type": "subagent", "event": {"event_type": "terminate", "error": TEXT}}),
        (LOCUS_SERVER, {"type": "error", "error": TEXT, "correlation_id": "6f"}),
        (LOCUS_SERVER, {"type": "model_retry", "error": TEXT}),
        (TURNS, {"type": "ErrorEvent", "turn_id": "t", "error": TEXT}),
        (AGUI, {"type": "RUN_ERROR", "message": TEXT, "code": "E1", "rawEvent": TEXT}),
        (AGUI, {"type": "SUBAGENT_ERROR", "subagentRunId": "r", "message": TEXT, "raw_event": TEXT}),
        (SHIPIT, {"type": "run_failed", "message": TEXT, "payload": {"error": TEXT, "error_type": "OSError"}}),
        (SHIPIT, {"type": "llm_retry", "message": "Retrying", "payload": {"attempt": 1, "error": TEXT}}),
        (OPENAI_CHAT, {"error": {"message": TEXT, "code": 500}}),
        (OPENAI_CHAT, {"error": TEXT}),
        (OPENAI_RESPONSES, {"type": "error", "code": "server_error", "message": TEXT}),
        (OPENAI_RESPONSES, {"type": "error", "error": {"type": "server_error", "message": TEXT}}),
        (OPENAI_RESPONSES, {"type": "response.failed", "response": {"error": {"code": "x", "message": TEXT}}}),
        (ANTHROPIC_MESSAGES, {"type": "error", "error": {"type": "overloaded_error", "message": TEXT}}),
        (GEMINI, {"error": {"code": 500, "message": TEXT, "status": "INTERNAL"}}),
    ],
    ids=str,
)
def test_the_text_of_an_error_stays_here(dialect: Dialect, event: dict[str, Any]) -> None:
    """It is hidden live and from a tape, wherever its dialect has it; whatever else is in the event stays."""
    framer = Framer("0" * 32, dialect)
    taped = framer.taped(dumps(event), 1)
    assert taped == framer.live(event, 1)
    assert taped.data == dumps(event).replace(TEXT.encode(), HIDDEN.encode())


def test_what_an_event_was_made_of_is_hidden_whole() -> None:
    """Nobody knows where in it the text is."""
    event = {"type": "RUN_ERROR", "message": TEXT, "rawEvent": {"data": {"message": TEXT}}}
    sent = json.loads(Framer("0" * 32, AGUI).live(event, 1).data)
    assert sent == {"type": "RUN_ERROR", "message": HIDDEN, "rawEvent": HIDDEN}


@pytest.mark.parametrize(
    ("dialect", "event"),
    [
        (LOCUS, OwnEvent(TEXT)),
        (LOCUS, SubagentEvent(tool_call_id="c", tool_name="ask", event=ended(TEXT))),
        (TURNS, ErrorEvent(turn_id="t", error=TEXT)),
        (SHIPIT, ShipitEvent(type="run_failed", payload={"error": TEXT})),
    ],
    ids=["own", "subagent", "turns", "shipit"],
)
def test_typed_events_tell_no_error(dialect: Dialect, event: object) -> None:
    """An event that says its type in Python is read like any other, also if it says it there alone."""
    sent = Framer("0" * 32, dialect).live(event, 1).json()
    assert HIDDEN in sent
    assert "secret-host" not in sent


@pytest.mark.parametrize(
    ("dialect", "event"),
    [
        (LOCUS, {"event_type": "terminate", "reason": "complete", "error": None}),
        (LOCUS, {"event_type": "tool_complete", "tool_call_id": "c", "error": "no such city: terminate"}),
        (LOCUS, {"event_type": "model_chunk", "content": '"terminate"', "error": "said"}),
        (AGUI, {"type": "TEXT_MESSAGE_CONTENT", "messageId": "RUN_ERROR", "delta": "x", "message": "kept"}),
        (AGUI, {"type": "RUN_ERROR", "message": ""}),
        (OPENAI_CHAT, {"choices": [{"index": 0, "delta": {"content": '"error"'}}]}),
        (SHIPIT, {"type": "tool_failed", "message": "run_failed", "payload": {"error": "no such city"}}),
        (SHIPIT, {"type": "run_failed", "payload": None}),
    ],
    ids=str,
)
def test_what_is_no_error_of_the_run_is_told(dialect: Dialect, event: dict[str, Any]) -> None:
    """An event without such a text goes out byte for byte, also where it speaks of errors; a tool's error is told."""
    assert Framer("0" * 32, dialect).taped(dumps(event), 1).data == dumps(event)


def test_what_is_no_object() -> None:
    """A tape may hold anything, and it goes on as it is."""
    assert Framer("0" * 32, LOCUS).taped(b'["terminate"]', 1).data == b'["terminate"]'


def test_a_class_is_named_once() -> None:
    """The name of a type is found once, not once a message."""
    class_name.cache_clear()
    framer = Framer("0" * 32, LOCUS, "class")
    names = {framer.live(ended(None), number).name for number in range(1, 10)}
    assert (names, class_name.cache_info().misses) == ({"TerminateEvent"}, 1)

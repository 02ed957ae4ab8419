"""The table of Anthropic's messages."""

from typing import Any

import pytest

from playhead.events.anthropic import ANTHROPIC_MESSAGES
from playhead.events.spans import Span, Touch, Verb


def start(**block: Any) -> dict[str, Any]:
    """Return the start of a content block."""
    return {"type": "content_block_start", "index": 1, "content_block": block}


def delta(**what: Any) -> dict[str, Any]:
    """Return a piece of a content block."""
    return {"type": "content_block_delta", "index": 1, "delta": what}


@pytest.mark.parametrize(
    ("event", "touches"),
    [
        (
            start(type="tool_use", id="t", name="add", input={}),
            [Touch(Verb.OPEN, Span.PART, 1, "tool_use"), Touch(Verb.OPEN, Span.TOOL, 1, "add", loose=True)],
        ),
        (
            start(type="thinking", thinking=""),
            [Touch(Verb.OPEN, Span.PART, 1, "thinking"), Touch(Verb.OPEN, Span.REASONING, 1, loose=True)],
        ),
        (start(type="text", text=""), [Touch(Verb.OPEN, Span.PART, 1, "text")]),
        (
            delta(type="text_delta", text="Hi"),
            [Touch(Verb.FEED, Span.PART, 1), Touch(Verb.FEED, Span.MESSAGE, text="Hi", loose=True)],
        ),
        (
            delta(type="input_json_delta", partial_json="{"),
            [Touch(Verb.FEED, Span.PART, 1), Touch(Verb.FEED, Span.TOOL, 1, text="{", loose=True)],
        ),
        (
            delta(type="thinking_delta", thinking="so"),
            [Touch(Verb.FEED, Span.PART, 1), Touch(Verb.FEED, Span.REASONING, 1, text="so", loose=True)],
        ),
        (delta(type="signature_delta", signature="x"), [Touch(Verb.FEED, Span.PART, 1)]),
        (
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
            [Touch(Verb.CLOSE, Span.MODEL, status="end_turn")],
        ),
        ({"type": "message_delta", "delta": {"stop_reason": None}}, []),
        ({"type": "ping"}, []),
        (
            {"type": "error", "error": {"type": "overloaded_error", "message": "m"}},
            [Touch(Verb.CLOSE, Span.RUN, status="overloaded_error")],
        ),
    ],
)
def test_touches(event: dict[str, Any], touches: list[Touch]) -> None:
    """A block is a part, and a tool or reasoning besides; a delta says of what it is."""
    opened = (Span.MESSAGE, Span.MODEL) if event["type"] == "content_block_start" else ()
    assert list(ANTHROPIC_MESSAGES.touches(event)) == [
        *(Touch(Verb.OPEN, span, loose=True) for span in opened),
        *touches,
    ]

"""The table of Gemini."""

from typing import Any

import pytest

from playhead.events.gemini import GEMINI
from playhead.events.spans import Span, Touch, Verb


def chunk(*parts: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Return a chunk with one candidate."""
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, "index": 0, **rest}]}


CALL = {"functionCall": {"name": "add", "args": {}}}


@pytest.mark.parametrize(
    ("event", "kind", "touches"),
    [
        (chunk({"text": "Hi"}), "chunk", [Touch(Verb.FEED, Span.MESSAGE, 0, text="Hi")]),
        (
            chunk({"text": "Hi"}, finishReason="STOP"),
            "finish",
            [Touch(Verb.FEED, Span.MESSAGE, 0, text="Hi"), Touch(Verb.CLOSE, Span.RUN, status="STOP")],
        ),
        (
            chunk({"text": "so", "thought": True}),
            "chunk",
            [Touch(Verb.FEED, Span.REASONING, 0, text="so")],
        ),
        (
            chunk(CALL),
            "chunk",
            [
                Touch(Verb.FEED, Span.MESSAGE, 0),
                Touch(Verb.OPEN, Span.TOOL, "add", "add", given={}),
                Touch(Verb.CLOSE, Span.TOOL, "add", "add"),
            ],
        ),
        ({"candidates": [{"finishReason": "SAFETY"}]}, "finish", [Touch(Verb.CLOSE, Span.RUN, status="SAFETY")]),
        ({"usageMetadata": {}}, "usage", []),
        (
            {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}},
            "blocked",
            [Touch(Verb.CLOSE, Span.RUN, status="SAFETY")],
        ),
        (
            {"error": {"code": 503, "status": "UNAVAILABLE"}},
            "error",
            [Touch(Verb.CLOSE, Span.RUN, status="UNAVAILABLE")],
        ),
        ({"candidates": 5}, "chunk", []),
        ({}, "", []),
    ],
)
def test_what_is_in_a_chunk(event: dict[str, Any], kind: str, touches: list[Touch]) -> None:
    """A chunk names no type: what is in it tells it."""
    assert GEMINI.type_of(event) == kind
    assert list(GEMINI.touches(event)) == touches

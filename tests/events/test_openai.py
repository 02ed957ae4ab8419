"""The tables of OpenAI's chat completions and responses."""

from typing import Any

import pytest

from playhead.events.openai import OPENAI_CHAT, OPENAI_RESPONSES
from playhead.events.spans import Span, Touch, Verb

CHUNK = "chat.completion.chunk"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"object": CHUNK, "choices": []}, CHUNK),
        ({"object": "", "choices": []}, CHUNK),
        ({"choices": []}, CHUNK),
        ({"error": {"message": "m"}}, "error"),
        ({"object": CHUNK, "choices": [], "error": {"message": "m"}}, "error"),
        ({"object": CHUNK, "choices": [], "error": None}, CHUNK),
        ({"object": "[DONE]"}, "[DONE]"),
        ({"object": "of_tomorrow"}, "of_tomorrow"),
        ({}, ""),
    ],
)
def test_what_is_in_a_chunk_tells_its_type(event: dict[str, Any], kind: str) -> None:
    """Some servers leave the `object` empty, and some put an error into a chunk."""
    assert OPENAI_CHAT.type_of(event) == kind


def chunk(index: int = 0, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """Return one chunk of a chat."""
    return {"object": CHUNK, "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


CALLS = [{"index": 1, "id": "a", "function": {"name": "add", "arguments": "{"}}, {"index": 0, "function": {}}]


@pytest.mark.parametrize(
    ("event", "touches"),
    [
        (
            chunk(role="assistant", content=""),
            [Touch(Verb.OPEN, Span.MESSAGE, 0, "assistant", loose=True)],
        ),
        (chunk(2, content="Hi"), [Touch(Verb.FEED, Span.MESSAGE, 2, text="Hi")]),
        (chunk(refusal="No"), [Touch(Verb.FEED, Span.MESSAGE, 0, text="No")]),
        (chunk(reasoning="so"), [Touch(Verb.FEED, Span.REASONING, 0, text="so")]),
        (chunk(reasoning_content="so"), [Touch(Verb.FEED, Span.REASONING, 0, text="so")]),
        (chunk(finish="stop"), [Touch(Verb.CLOSE, Span.MESSAGE, 0, status="stop", loose=True)]),
        (
            chunk(3, tool_calls=CALLS),
            [
                Touch(Verb.OPEN, Span.TOOL, (3, 1), "add", loose=True),
                Touch(Verb.FEED, Span.TOOL, (3, 1), text="{"),
                Touch(Verb.FEED, Span.TOOL, (3, 0)),
            ],
        ),
        (chunk(tool_calls=None), []),
        ({"object": CHUNK, "choices": [], "usage": {}}, []),
        ({"object": "[DONE]"}, [Touch(Verb.CLOSE, Span.RUN)]),
        ({"error": {"type": "server_error", "code": None}}, [Touch(Verb.CLOSE, Span.RUN, status="server_error")]),
    ],
)
def test_touches_of_a_chunk(event: dict[str, Any], touches: list[Touch]) -> None:
    """A message is told by its choice, a tool call by its choice and its own index."""
    assert list(OPENAI_CHAT.touches(event)) == touches


@pytest.mark.parametrize(
    ("kind", "item", "span", "name"),
    [
        ("message", {"role": "assistant"}, Span.MESSAGE, "assistant"),
        ("reasoning", {}, Span.REASONING, None),
        ("function_call", {"name": "add"}, Span.TOOL, "add"),
        ("web_search_call", {}, Span.TOOL, "web_search_call"),
    ],
)
def test_items_of_a_response(kind: str, item: dict[str, str], span: Span, name: str | None) -> None:
    """An item is a message, reasoning or a tool, told by its place."""
    event = {"type": "response.output_item.added", "output_index": 2, "item": {"type": kind, **item}}
    assert list(OPENAI_RESPONSES.touches(event)) == [Touch(Verb.OPEN, span, 2, name)]
    done = {**event, "type": "response.output_item.done"}
    assert list(OPENAI_RESPONSES.touches(done)) == [Touch(Verb.CLOSE, span, 2, name)]


def test_parts_of_a_response() -> None:
    """A part is told by its item and its own index; a part of a summary is another one."""
    text = {"type": "response.output_text.delta", "output_index": 2, "content_index": 1, "delta": "Hi"}
    assert list(OPENAI_RESPONSES.touches(text)) == [
        Touch(Verb.FEED, Span.PART, (2, None, 1)),
        Touch(Verb.FEED, Span.MESSAGE, 2, text="Hi", loose=True),
    ]
    summary = {"type": "response.reasoning_summary_part.added", "output_index": 2, "summary_index": 1, "part": {}}
    assert list(OPENAI_RESPONSES.touches(summary)) == [Touch(Verb.OPEN, Span.PART, (2, 1, None))]


def test_an_item_of_another_kind_is_a_point() -> None:
    """What is neither of the three has no span."""
    event = {"type": "response.output_item.added", "output_index": 0, "item": {"type": "mcp_list_tools"}}
    assert list(OPENAI_RESPONSES.touches(event)) == []

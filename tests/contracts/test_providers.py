"""Raw streams of model providers: recorded ones break no rule, and what breaks them is found."""

import base64
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from playhead.contracts.check import check
from playhead.events.dialects import DIALECTS
from playhead.events.spans import Dialect
from playhead.sse.parser import SSEParser

Event = dict[str, Any]

BY_ENDPOINT = {
    "messages": "anthropic.messages",
    "completions": "openai.chat",
    "responses": "openai.responses",
    "responses-resume": "openai.responses",
    "streamGenerateContent": "gemini",
}


def codes(events: list[Event], dialect: str, end: str | None = None) -> list[str]:
    """Return what the rules say of a stream."""
    return [violation.code for violation in check(events, dialect=dialect, end=end)]


def chunk(index: int = 0, *, finish: str | None = None, **delta: Any) -> Event:
    """Return one chunk of a chat."""
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def call(index: int, arguments: str, **first: Any) -> Event:
    """Return a chunk of a tool call. The first one of a call has its id and name."""
    function = {"name": first.pop("name"), "arguments": arguments} if first else {"arguments": arguments}
    return chunk(tool_calls=[{"index": index, **first, "function": function}])


def part(text: str, finish: str | None = None) -> Event:
    """Return one chunk of Gemini's."""
    candidate: Event = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    return {"candidates": [candidate | ({"finishReason": finish} if finish else {})]}


DONE: Event = {"object": "[DONE]"}
ROLE = chunk(role="assistant", content="")
USAGE: Event = {"object": "chat.completion.chunk", "choices": [], "usage": {"total_tokens": 3}}
START: Event = {"type": "message_start", "message": {"id": "m", "role": "assistant", "model": "x", "content": []}}
BLOCK: Event = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
TEXT: Event = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}
BLOCK_END: Event = {"type": "content_block_stop", "index": 0}
REASON: Event = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}
STOP: Event = {"type": "message_stop"}
PING: Event = {"type": "ping"}
CREATED: Event = {"type": "response.created", "sequence_number": 0, "response": {"id": "r", "status": "in_progress"}}
ITEM: Event = {
    "type": "response.output_item.added",
    "sequence_number": 1,
    "output_index": 0,
    "item": {"type": "message", "id": "i", "role": "assistant", "content": []},
}
PART: Event = {
    "type": "response.content_part.added",
    "sequence_number": 2,
    "output_index": 0,
    "content_index": 0,
    "part": {"type": "output_text", "text": ""},
}
DELTA: Event = {
    "type": "response.output_text.delta",
    "sequence_number": 3,
    "output_index": 0,
    "content_index": 0,
    "delta": "Hi",
}
PART_END: Event = {**PART, "type": "response.content_part.done", "sequence_number": 4}
ITEM_END: Event = {**ITEM, "type": "response.output_item.done", "sequence_number": 5}
COMPLETED: Event = {"type": "response.completed", "sequence_number": 6, "response": {"id": "r", "status": "completed"}}

WHOLE: dict[str, list[Event]] = {
    "openai.chat": [ROLE, chunk(content="Hi"), chunk(finish="stop"), USAGE, DONE],
    "openai.responses": [CREATED, ITEM, PART, DELTA, PART_END, ITEM_END, COMPLETED],
    "anthropic.messages": [START, BLOCK, PING, TEXT, BLOCK_END, REASON, STOP],
    "gemini": [part("H"), part("i", "STOP")],
}
ERRORS: dict[str, Event] = {
    "openai.chat": {"error": {"message": "overloaded", "type": "server_error", "code": None}},
    "openai.responses": {"type": "error", "code": "server_error", "message": "overloaded"},
    "anthropic.messages": {"type": "error", "error": {"type": "overloaded_error", "message": "overloaded"}},
    "gemini": {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}},
}
CONTENT = {
    "openai.chat": chunk(content="!"),
    "openai.responses": DELTA,
    "anthropic.messages": TEXT,
    "gemini": part("!"),
}


@pytest.mark.parametrize("dialect", WHOLE)
def test_a_whole_stream_breaks_no_rule(dialect: str) -> None:
    """The streams that faults are planted in are clean."""
    assert codes(WHOLE[dialect], dialect) == []


@pytest.mark.parametrize("dialect", WHOLE)
def test_every_cut_is_found(dialect: str) -> None:
    """An empty stream, one cut after its start, one that lacks its last event: an SDK takes each for a success."""
    events = WHOLE[dialect]
    assert [codes(events[:length], dialect) for length in range(len(events))] == [["TRM001"]] * len(events)


@pytest.mark.parametrize("dialect", WHOLE)
def test_an_error_ends_a_stream(dialect: str) -> None:
    """An error may come at any time, spans open or not, and nothing comes after it."""
    events, error = WHOLE[dialect], ERRORS[dialect]
    for length in range(len(events)):
        assert codes([*events[:length], error], dialect) == []
        assert codes([*events[:length], error, CONTENT[dialect]], dialect) == ["TRM002"]
        assert codes([*events[:length], error, error], dialect) == ["TRM003"]


@pytest.mark.parametrize("dialect", WHOLE)
def test_content_after_the_end_is_found(dialect: str) -> None:
    """What follows the terminal event is never read."""
    assert codes([*WHOLE[dialect], CONTENT[dialect]], dialect) == ["TRM002"]
    assert codes([*WHOLE[dialect], WHOLE[dialect][-1]], dialect) == ["TRM003"]


CALLS = [
    ROLE,
    call(0, "", id="a", name="add"),
    call(0, '{"x"'),
    call(1, "", id="b", name="add"),
    call(1, "{}"),
    call(0, ":1}"),
    chunk(finish="tool_calls"),
    DONE,
]
SAID_AGAIN = [
    chunk(role="assistant", content="H"),
    chunk(role="assistant", content="i"),
    chunk(role="assistant", content="", finish="stop"),
    {**chunk(role="assistant", content="", finish="stop"), "usage": {"total_tokens": 2}},
    DONE,
]


@pytest.mark.parametrize(
    "events",
    [
        CALLS,
        SAID_AGAIN,
        [chunk(role="assistant", content="Hi", finish="stop"), DONE],
        [ROLE, chunk(1, role="assistant"), chunk(1, content="a"), chunk(1, finish="stop"), chunk(finish="stop"), DONE],
        [{"object": "", "choices": [], "prompt_filter_results": []}, *WHOLE["openai.chat"]],
        [ROLE, ERRORS["openai.chat"], DONE],
        [ROLE, {**chunk(role="assistant", content=""), "error": {"code": 400, "message": "limit"}}, DONE],
    ],
)
def test_what_servers_do_with_chunks_is_known(events: list[Event]) -> None:
    """Calls at once, roles and reasons said again, choices at once, chunks without choices, an end after an error."""
    assert codes(events, "openai.chat") == []


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([chunk(content="Hi"), chunk(finish="stop"), DONE], ["ORD002"]),
        ([ROLE, chunk(content="Hi"), DONE], ["TRM004"]),
        ([ROLE, chunk(finish="stop"), chunk(content="Hi"), chunk(content="Ho"), DONE], ["ORD002"]),
        ([ROLE, call(0, "{}"), chunk(finish="tool_calls"), DONE], ["ORD002"]),
        ([ROLE, chunk(finish="stop"), DONE, ERRORS["openai.chat"]], ["TRM003"]),
    ],
)
def test_the_order_of_chunks_is_checked(events: list[Event], expected: list[str]) -> None:
    """No role, no reason of the end, content after it, arguments of no call, an error after the end."""
    assert codes(events, "openai.chat") == expected


def test_what_servers_do_with_responses_is_known() -> None:
    """A failed response after an error, a chat's sentinel, an end in the middle, a stream that is read again."""
    failed = {"type": "response.failed", "response": {"id": "r", "status": "failed"}}
    incomplete = {"type": "response.incomplete", "response": {"id": "r", "status": "incomplete"}}
    queued = {"type": "response.queued", "response": {"id": "r", "status": "queued"}}
    whole = WHOLE["openai.responses"]
    assert codes([*whole[:4], ERRORS["openai.responses"], failed], "openai.responses") == []
    assert codes([*whole[:4], failed], "openai.responses") == []
    assert codes([*whole[:4], incomplete], "openai.responses") == []
    assert codes([*whole, {"type": "[DONE]"}], "openai.responses") == []
    assert codes([queued, *whole[1:]], "openai.responses") == []
    assert codes([*whole[:-1], {"type": "[DONE]"}], "openai.responses") == ["TRM001"]


def test_blocks_of_a_message_are_told_apart_by_index() -> None:
    """Thinking, tools and text follow each other; an index does not come again."""
    tool = {**BLOCK, "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "add", "input": {}}}
    typed = {**TEXT, "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{}"}}
    ended = {**BLOCK_END, "index": 1}
    usage: Event = {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 1}}
    head, tail = [START, BLOCK, TEXT, BLOCK_END], [usage, REASON, STOP, PING]
    assert codes([*head, tool, typed, ended, *tail], "anthropic.messages") == []
    assert codes([*head, typed, ended, *tail], "anthropic.messages") == ["ORD002"]
    assert codes([*head, tool, typed, *tail], "anthropic.messages") == ["ORD005"]
    assert codes([*head, BLOCK, BLOCK_END, *tail], "anthropic.messages") == ["ORD003"]
    assert codes([*head, STOP], "anthropic.messages") == ["TRM004"]


def test_what_gemini_does_is_known() -> None:
    """Calls that come whole, in an end, too; a prompt that was blocked; usage after the end."""
    whole = {"functionCall": {"name": "add", "args": {}}}
    calls = {"candidates": [{"content": {"parts": [whole, whole]}, "finishReason": "STOP", "index": 0}]}
    assert codes([part("Hi"), calls], "gemini") == []
    assert codes([{"promptFeedback": {"blockReason": "SAFETY"}}], "gemini") == []
    assert codes([*WHOLE["gemini"], {"usageMetadata": {"totalTokenCount": 3}}], "gemini") == []


class Choice(BaseModel):
    """A choice, as an SDK holds it."""

    index: int
    delta: dict[str, Any]
    finish_reason: str | None


class Chunk(BaseModel):
    """A chunk, as an SDK hands it out."""

    object: str
    choices: list[Choice]


def test_objects_and_texts_are_read_as_their_json() -> None:
    """What an SDK hands out, and what stands on the wire: all are the same stream."""
    events = [ROLE, chunk(content="Hi"), chunk(finish="stop")]
    objects = [Chunk.model_validate(event) for event in events]
    texts = [json.dumps(event) for event in events]
    for stream in (objects, texts):
        assert list(check([*stream, "[DONE]"], dialect="openai.chat")) == []
        assert [each.code for each in check(stream[1:], dialect="openai.chat")] == ["ORD002", "TRM001"]


def events_of(raw: bytes, dialect: Dialect) -> Iterator[Event]:
    """Yield the events of a response's bytes."""
    for message in SSEParser().feed(raw):
        yield {dialect.tag: message.data} if message.data == dialect.sentinel else json.loads(message.data)


def recorded(shared_data: Path) -> dict[str, tuple[str, list[Event]]]:
    """Return each recorded response of a provider: its dialect and its events."""
    rows = [json.loads(line) for line in (shared_data / "sse/corpus.jsonl").read_bytes().splitlines()]
    found = {}
    for row in rows:
        dialect = next((name for end, name in BY_ENDPOINT.items() if row["name"].endswith(f"-{end}")), None)
        if row["tier"] == "recorded" and dialect:
            events = list(events_of(base64.b64decode(row["input_b64"]), DIALECTS[dialect]))
            found[row["name"]] = (dialect, events)
    return found


def test_recorded_responses_break_no_rule(shared_data: Path) -> None:
    """Real streams are clean, and of known types. One finding is true: Snowflake says no reason why a message ended."""
    streams = recorded(shared_data)
    found = {name: codes(events, dialect) for name, (dialect, events) in streams.items()}
    assert {dialect for dialect, _ in streams.values()} == set(BY_ENDPOINT.values())
    assert {name: broken for name, broken in found.items() if broken} == {
        "wire/myorg-myaccount.snowflakecomputing.com-completions": ["TRM004"]
    }
    for dialect, events in streams.values():
        assert {DIALECTS[dialect].type_of(event) for event in events} <= DIALECTS[dialect].ops.keys()


DROPPED = {
    "message_start": {"ORD009"},
    "content_block_start": {"ORD002"},
    "content_block_stop": {"ORD005"},
    "message_delta": {"TRM004"},
    "message_stop": {"TRM001"},
    "response.created": {"ORD009"},
    "response.output_item.added": {"ORD001", "ORD002"},
    "response.output_item.done": {"TRM004"},
    "response.content_part.added": {"ORD001", "ORD002"},
    "response.content_part.done": {"TRM004"},
    "response.completed": {"TRM001"},
    "[DONE]": {"TRM001"},
    "finish": {"TRM001"},
}
DOUBLED = {
    "message_start": {"ORD003"},
    "content_block_start": {"ORD003"},
    "content_block_stop": {"ORD001"},
    "message_delta": {"ORD001"},
    "message_stop": {"TRM003"},
    "response.created": {"ORD003"},
    "response.output_item.added": {"ORD003"},
    "response.output_item.done": {"ORD001"},
    "response.content_part.added": {"ORD003"},
    "response.content_part.done": {"ORD001"},
    "response.completed": {"TRM003"},
    "[DONE]": {"TRM003"},
    "finish": {"TRM003"},
}
SWAPPED = {
    ("message_start", "content_block_start"): {"ORD009"},
    ("content_block_delta", "content_block_stop"): {"ORD002"},
    ("message_delta", "message_stop"): {"TRM002"},
    ("response.created", "response.in_progress"): {"ORD009"},
    ("response.content_part.added", "response.output_text.delta"): {"ORD002"},
    ("response.output_item.added", "response.function_call_arguments.delta"): {"ORD002"},
    ("response.output_item.done", "response.completed"): {"TRM002"},
    ("chat.completion.chunk", "[DONE]"): {"TRM002"},
}


def healthy(shared_data: Path) -> Iterator[tuple[str, list[Event], list[str]]]:
    """Yield the dialect, the events and their types of each recorded response that is clean."""
    for dialect, events in recorded(shared_data).values():
        if not codes(events, dialect):
            yield dialect, events, [DIALECTS[dialect].type_of(event) for event in events]


def optional(dialect: str, kind: str) -> bool:
    """Say whether a stream does without such an event: some end responses with a chat's sentinel."""
    return dialect == "openai.responses" and kind == "[DONE]"


def test_each_structural_event_is_missed(shared_data: Path) -> None:
    """A real stream that lacks one of them breaks exactly one rule."""
    seen = set()
    for dialect, events, kinds in healthy(shared_data):
        for index, kind in enumerate(kinds):
            if kind in DROPPED and not optional(dialect, kind):
                found = codes(events[:index] + events[index + 1 :], dialect)
                assert (len(found), set(found) <= DROPPED[kind]) == (1, True), (dialect, index, kind, found)
                seen.add(kind)
    assert seen == DROPPED.keys()


def test_each_structural_event_comes_once(shared_data: Path) -> None:
    """A real stream that has one of them twice breaks exactly one rule."""
    seen = set()
    for dialect, events, kinds in healthy(shared_data):
        for index, kind in enumerate(kinds):
            if kind in DOUBLED and not optional(dialect, kind):
                found = codes(events[: index + 1] + events[index:], dialect)
                assert (len(found), set(found)) == (1, DOUBLED[kind]), (dialect, index, kind, found)
                seen.add(kind)
    assert seen == DOUBLED.keys()


def test_events_out_of_order_are_found(shared_data: Path) -> None:
    """A real stream in which two neighbours changed places breaks exactly one rule."""
    seen = set()
    for dialect, events, kinds in healthy(shared_data):
        for index, pair in enumerate(pairwise(kinds)):
            if pair in SWAPPED:
                one, other = events[index : index + 2]
                found = codes([*events[:index], other, one, *events[index + 2 :]], dialect)
                assert (len(found), set(found)) == (1, SWAPPED[pair]), (dialect, index, pair, found)
                seen.add(pair)
    assert seen == SWAPPED.keys()


def test_every_cut_of_a_real_stream_is_found(shared_data: Path) -> None:
    """However much came: until the terminal event is there, the stream is not whole."""
    for dialect, events, kinds in healthy(shared_data):
        terminal = next(index for index, kind in enumerate(kinds) if kind in DIALECTS[dialect].terminals)
        for length in range(terminal + 1):
            assert codes(events[:length], dialect) == ["TRM001"], (dialect, length)


def test_the_start_of_a_tool_call_is_missed(shared_data: Path) -> None:
    """Chunks have no type: what they hold makes them structural."""
    seen = 0
    for dialect, events, _ in healthy(shared_data):
        if dialect != "openai.chat":
            continue
        for index, event in enumerate(events):
            calls = [each for choice in event.get("choices", ()) for each in choice["delta"].get("tool_calls") or ()]
            # A call that comes whole leaves nothing behind.
            if any(each.get("id") and not each["function"]["arguments"] for each in calls):
                assert codes(events[:index] + events[index + 1 :], dialect) == ["ORD002"]
                seen += 1
            if any(choice.get("finish_reason") for choice in event.get("choices", ())):
                assert codes(events[:index] + events[index + 1 :], dialect) == ["TRM004"]
                seen += 1
    assert seen > 5

"""Plain values for whoever keeps snapshots elsewhere, and what is taken for a stream."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from playhead.errors import MissingCassette, UsageError
from playhead.events.locus import AgentEvent, ThinkEvent, ToolStartEvent
from playhead.replaying.tape import open_tape
from playhead.snapshot import canonical, canonical_sse
from playhead.sse.message import SSEMessage
from tests.cli.running import write_tape

EVENTS: list[AgentEvent] = [ThinkEvent(iteration=1), ToolStartEvent(tool_name="search", tool_call_id="call-77")]
TOLD: list[dict[str, object]] = [
    {"event_type": "think", "iteration": 1},
    {"event_type": "tool_start", "tool_call_id": "<id 1>"},
]


def test_events_of_every_kind_have_one_form(tmp_path: Path) -> None:
    """Typed events, JSON objects, their text, a tape, and a cassette by name or path."""
    found = canonical(EVENTS)
    assert [{key: event[key] for key in told} for event, told in zip(found, TOLD, strict=True)] == TOLD
    assert {event["timestamp"] for event in found} == {"<volatile>"}
    assert canonical(iter([event.model_dump(mode="json") for event in EVENTS])) == found
    assert canonical([event.model_dump_json() for event in EVENTS]) == found

    place = write_tape(tmp_path / "a.jsonl")
    with open_tape(place) as tape:
        assert canonical(place) == canonical(str(place)) == canonical(tape) == canonical(tape.events())


def test_the_dialect_says_what_is_volatile(tmp_path: Path) -> None:
    """It is that of the tape, and `locus` where nobody says anything."""
    event = {"type": "x", "duration_ms": 1, "event_id": "e"}
    assert canonical([event]) == [{**event, "duration_ms": "<volatile>"}]
    told = canonical([event], dialect="shipit")
    assert told != canonical([event])
    assert canonical(write_tape(tmp_path / "a.jsonl", [(0, event)], dialect="shipit")) == told
    with pytest.raises(UsageError, match=r"there is no dialect 'locos'.*did you mean 'locus'"):
        canonical([], dialect="locos")


@dataclasses.dataclass
class Response:
    """A response of any library."""

    content: bytes


BODY = b"event: a\ndata: 1\n\ndata: \xc3\xa4\n\n"


@pytest.mark.parametrize(
    "data",
    [
        BODY,
        bytearray(BODY),
        memoryview(BODY),
        BODY.decode(),
        [BODY[:20], BODY[20:25], BODY[25:]],
        iter(["event: a\n", "data: 1\n\n", "data: ä\n\n"]),
        [SSEMessage("a", "1"), SSEMessage(data="ä")],
        Response(BODY),
        httpx2.Response(200, content=BODY),
    ],
    ids=["bytes", "bytearray", "memoryview", "str", "split", "chunks", "messages", "response", "httpx2"],
)
def test_bytes_of_every_kind_are_the_same(data: object) -> None:
    """Whole or in pieces, as text, as messages, or in a response."""
    assert canonical_sse(data) == ["event: a\ndata: 1\n\n", "data: ä\n\n"]


def test_a_dialect_masks_the_data() -> None:
    """Times and ids go, and every other byte stays."""
    data = b'id: 3\ndata: {"timestamp": 17, "tool_call_id":"x", "n":1.0}\n\n: ping\n\n'
    told = 'id: 3\ndata: {"timestamp": "<volatile>", "tool_call_id":"<id 1>", "n":1.0}\n\n'
    assert canonical_sse(data, dialect="locus") == [told, ": ping\n\n"]


async def _stream() -> AsyncIterator[bytes]:
    yield BODY


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"a": 1},
            "dict is not the bytes of an event stream: give bytes, str, an iterable of chunks or of messages, or",
        ),
        (None, "NoneType is not the bytes of an event stream"),
        (_stream(), "collect it first: [item async for item in it]"),
        ([b"a", 3], "chunk 1 of the event stream is int: chunks are bytes, str or SSEMessage"),
        ("\ud800", "the text of an event stream has no UTF-8 form"),
    ],
    ids=["dict", "none", "async", "chunk", "surrogate"],
)
def test_other_values_are_refused_as_bytes(data: object, message: str) -> None:
    """The message says what it is, and what to give instead."""
    with pytest.raises(UsageError) as failed:
        canonical_sse(data)
    assert message in str(failed.value)


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (b"data: 1\n\n", "compare the bytes with sse_snapshot"),
        ({"event_type": "think"}, "give a list, [event]"),
        (7, "int is not events: give a list of events or JSON objects, a tape, or the name of a cassette"),
        (_stream(), "collect it first"),
        ([{"event_type": "think"}, 7], "item 1 of the stream is no event"),
    ],
    ids=["bytes", "one event", "int", "async", "item"],
)
def test_other_values_are_refused_as_events(events: object, message: str) -> None:
    """The message says what it is, and what to give instead."""
    with pytest.raises(UsageError) as failed:
        canonical(events)
    assert message in str(failed.value)


def test_a_missing_cassette_is_missing(tmp_path: Path) -> None:
    """A name is that of a cassette."""
    with pytest.raises(MissingCassette):
        canonical(tmp_path / "none.jsonl")

"""Bytes are held to the format and to their events' rules, in any pieces, with line and offset."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.contracts.check import check
from playhead.contracts.rule import Rule, Severity
from playhead.contracts.rules import RULES
from playhead.contracts.wire import WireWatch, sniff
from playhead.errors import UsageError
from playhead.events.codec import decode_event
from playhead.events.dialects import DIALECTS, get_dialect
from playhead.handlers.sse import SSEHandler
from playhead.recording.recorder import record
from playhead.replaying.tape import open_tape
from playhead.sse.message import SSEMessage
from tests.contracts.streams import DONE, END, HEALTHY, THINK, watched

WIRE = [rule for rule in RULES.values() if rule.code.startswith("WIR")]
HEAD = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}


def sent(*events: dict[str, object], named: bool = False) -> bytes:
    """Return events as messages without ids."""
    texts = [json.dumps(event) for event in events]
    names = [f"event: {event['event_type']}\n" if named else "" for event in events]
    return "".join(f"{name}data: {text}\n\n" for name, text in zip(names, texts, strict=True)).encode()


def found(wire: bytes, **options: object) -> list[str]:
    """Return the codes that bytes break."""
    return [violation.code for violation in check(wire, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", WIRE, ids=[rule.code for rule in WIRE])
def test_pieces_do_not_matter(rule: Rule) -> None:
    """Byte by byte, by threes, or as a whole: the examples break the same."""
    sizes = (1, 3, 64) if len(rule.breaks.wire) < 10_000 else (1000,)
    for size in sizes:
        assert watched(rule.breaks, size) == [rule.code]
        assert watched(rule.keeps, size) == []


@given(cuts=st.lists(st.integers(0, 400), max_size=8))
def test_any_pieces_give_the_same_findings(cuts: list[int]) -> None:
    """With a byte order mark, comments, ids, a block without data, NaN and a cut end."""
    wire = (
        b"\xef\xbb\xbf: hi\n\nretry: 5\n\n" + sent(THINK, named=True) + b"id: 7\r\ndata:x\r\n\r\n: ping\n\n"
        b'data: {"event_type":"custom","n":NaN}\n\ndata: \xff\n\nevil: 1\n\n' + sent(DONE, END) + b"data: cut\n"
    )
    bounds = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    pieces = [wire[start:stop] for start, stop in pairwise(bounds)]

    whole = list(check(wire))
    assert list(check(pieces)) == whole
    assert len({each.code for each in whole}) >= 8


def test_a_finding_has_line_and_offset() -> None:
    """Both of the message's first field, and its number among the messages."""
    wire = sent(THINK) + b": beat\n\n" + sent(DONE, END)
    (violation,) = check(wire)
    assert (violation.code, violation.index) == ("ORD001", 1)
    assert (violation.line, violation.offset) == (5, len(sent(THINK)) + 8)
    assert str(violation).startswith("line 5: ORD001 tool_complete closes")


def test_bytes_say_whose_events_they_carry() -> None:
    """The first message that some table knows; until then messages wait, and are checked then."""
    wire = b"data: hello\n\n" + sent(DONE, END)
    assert found(wire) == ["WIR004", "ORD001"]
    assert found(b"data: hello\n\ndata: world\n\n") == []
    assert found(b"data: hello\n\n" * 20 + sent(DONE)) == []
    assert found(sent(THINK), dialect="shipit") == ["TRM001"]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ('{"event_type":"think"}', "locus"),
        ('{"type":"think"}', "locus.server"),
        ('{"type":"run_started"}', "shipit"),
        ('{"type":"RUN_STARTED"}', "agui"),
        ('{"type":"message_start"}', "anthropic.messages"),
        ('{"type":"response.created"}', "openai.responses"),
        ('{"object":"chat.completion.chunk","choices":[]}', "openai.chat"),
        ('{"candidates":[]}', "gemini"),
        ('{"type":"tool_complete","error":"boom"}', "locus.server"),
        ('{"hello":1}', None),
        ("[1]", None),
        ("no JSON", None),
    ],
)
def test_a_message_is_known_by_its_type(data: str, name: str | None) -> None:
    """By the field that names it, or by what is in it."""
    guess = sniff(SSEMessage(data=data))
    assert (guess.name if guess else None) == name


async def served(dialect: str, events: list[dict[str, object]], *, error: Exception | None = None) -> bytes:
    """Return what our handler sends."""
    handler = SSEHandler()
    for event in events:
        await handler.on_event(decode_event(event, dialect))
    await (handler.on_error(error) if error else handler.on_complete())
    return handler.format_all().encode()


@pytest.mark.anyio
async def test_what_our_handler_sends_is_clean() -> None:
    """A run that is complete, and one that failed; after the frame nothing may come."""
    wire = await served("locus", HEALTHY)
    assert found(wire) == []
    assert found(wire + sent(THINK)) == ["WIR007", "WIR011"]
    failed = await served("locus", [THINK], error=ValueError("x"))
    assert found(failed) == []
    assert found(await served("locus", HEALTHY, error=ValueError("x"))) == ["TRM005"]
    heartbeat = b'event: heartbeat\ndata: {"timestamp":"2030-01-01T00:00:00Z"}\n\n'
    head, rest = wire[: wire.index(b"event: tool_start")], wire[wire.index(b"event: tool_start") :]
    assert found(head + heartbeat + rest + heartbeat) == []


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["shipit221_parallel", "locus301_stream_tokens", "shipit106_tool_once"])
async def test_recorded_runs_are_clean_on_the_wire(name: str, shared_data: Path) -> None:
    """What our handler makes of a real run breaks no rule, and dropping any of its messages does."""
    rows = [json.loads(line) for line in (shared_data / "runs" / f"{name}.jsonl").read_text().splitlines()]
    wire = await served(
        name.partition("221")[0].partition("301")[0].partition("106")[0],
        [row["event"] for row in rows if "event" in row],
    )
    assert found(wire) == []
    messages = [block + b"\n\n" for block in wire.split(b"\n\n")[:-1]]
    for index in range(1, len(messages)):
        kept = b"".join(messages[:index] + messages[index + 1 :])
        assert found(kept) in (["WIR009"], ["WIR010"])
        doubled = b"".join([*messages[:index], messages[index], *messages[index:]])
        assert found(doubled) == ["WIR008"]
    assert found(wire[:-1]) == ["WIR002"]


def test_recorded_bytes_are_clean_or_their_faults_are_true(shared_data: Path) -> None:
    """One of the recordings fails after the agent had said that it was complete: docs/contracts.md explains it."""
    told = {path.name: found(path.read_bytes()) for path in (shared_data / "wire").glob("*.sse")}
    assert len(told) == 4
    assert {name: codes for name, codes in told.items() if codes} == {"wire_locus301_asyncsse_error.sse": ["TRM005"]}
    rows = (shared_data / "wire/wire_shipit106_ws.jsonl").read_text().splitlines()
    events = [row["event"] for row in map(json.loads, rows) if "event" in row]
    assert events
    assert list(check(events, dialect="shipit")) == []


def test_golden_files_are_clean(root: Path) -> None:
    """What our own handler sent, of seven real runs."""
    golden = sorted((root / "fixtures").glob("*.sse"))
    assert len(golden) >= 7
    for path in golden:
        errors = [each for each in check(path.read_bytes()) if RULES[each.code].severity is Severity.ERROR]
        assert errors == [], path.name


@pytest.mark.parametrize(
    ("head", "codes"),
    [
        (HEAD, []),
        ({"content-type": "Text/Event-Stream;Charset=UTF-8", "cache-control": "no-store, no-transform"}, []),
        ({**HEAD, "Content-Type": "text/event-stream; charset=latin-1"}, ["WIR015"]),
        ({"Cache-Control": "no-cache"}, ["WIR015"]),
        ({**HEAD, "Content-Encoding": "gzip"}, ["WIR016"]),
        ({}, ["WIR015", "WIR016"]),
    ],
)
def test_the_head_of_a_response(head: dict[str, str], codes: list[str]) -> None:
    """What a browser refuses is an error, what may hold a stream back a warning."""
    assert [each.code for each in WireWatch().headers(head)] == codes
    assert [each.code for each in WireWatch().headers(list(head.items()))] == codes


def test_a_cut_connection_promised_no_end() -> None:
    """Who went away, or lost the connection, cannot ask for the rest of a message."""
    assert found(sent(THINK) + b"data: {") == ["WIR002"]
    assert found(sent(THINK) + b"data: {", end="closed") == []
    assert found(sent(THINK), end="error") == []


def test_ids_are_forgotten_after_a_while() -> None:
    """A window of ids is remembered, so that memory is bounded."""
    wire = b"".join(b"id: a%d\ndata: x\n\n" % number for number in range(3000))
    assert found(wire) == []
    assert found(wire + b"id: a2999\ndata: x\n\n") == ["WIR008"]
    assert found(wire + b"id: a5\ndata: x\n\n") == ["WIR009"]


def test_arguments_are_judged_at_the_end_of_their_tool_or_of_the_run() -> None:
    """Beyond a mebibyte they are not kept, and nothing is said of them."""
    start = {"type": "message_start", "message": {"id": "m", "role": "assistant"}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "name": "f", "id": "t"}}
    delta = {"type": "input_json_delta", "partial_json": "x" * 1000}
    piece = {"type": "content_block_delta", "index": 0, "delta": delta}
    stop = {"type": "content_block_stop", "index": 0}
    last = [{"type": "message_delta", "delta": {"stop_reason": "tool_use"}}, {"type": "message_stop"}]

    def broken(count: int, *stops: object) -> list[str]:
        events = [start, block, *[piece] * count, *stops, *last]
        return [each.code for each in check(events, dialect="anthropic.messages")]

    assert broken(3, stop) == ["WIR017"]
    assert "WIR017" in broken(3)
    assert broken(1100, stop) == []


def test_numbers_of_events_leave_none_out() -> None:
    """Responses are numbered: a lost, doubled or late event is noticed by its number."""
    events = [
        {"type": "response.created", "response": {"id": "r"}, "sequence_number": 0},
        {"type": "response.in_progress", "sequence_number": 1},
        {"type": "response.in_progress", "sequence_number": 2},
        {"type": "response.completed", "response": {"id": "r"}, "sequence_number": 3},
    ]

    def codes(*order: int) -> list[str]:
        return [each.code for each in check([events[index] for index in order], dialect="openai.responses")]

    assert codes(0, 1, 2, 3) == []
    assert codes(0, 2, 3) == codes(0, 1, 1, 2, 3) == ["WIR009"]
    assert codes(0, 2, 1, 3) == ["WIR009"]
    assert codes(0, 1, 2) == ["TRM001"]


def test_the_wire_track_of_a_tape_is_checked(tmp_path: Path) -> None:
    """Findings stand on the line of the chunk that brought them."""
    place = tmp_path / "wire.jsonl"
    with record(place) as recorder:
        list(recorder.chunks([sent(THINK), sent(DONE)[:20], sent(DONE)[20:], sent(END)]))
    with open_tape(place) as tape:
        (violation,) = check(tape)
    assert (violation.code, violation.where, violation.run) == ("ORD001", f"{place}:4", "r1")


def test_what_is_no_stream_is_refused() -> None:
    """Text has no bytes; chunks of bytes are a stream in any iterable."""
    with pytest.raises(UsageError, match="a text is no stream"):
        check("data: x\n\n")
    assert found(bytes(bytearray(sent(*HEALTHY)))) == []
    assert [each.code for each in check(iter([sent(THINK), sent(DONE), sent(END)]))] == ["ORD001"]
    assert [each.code for each in check(iter([]))] == ["TRM001"]


def test_every_dialect_can_be_watched() -> None:
    """An empty stream of any dialect has no terminal event; on the wire nobody knows whose it was."""
    for name in DIALECTS:
        assert [each.code for each in WireWatch(get_dialect(name)).close()] == ["TRM001"]
    assert WireWatch().close() == []

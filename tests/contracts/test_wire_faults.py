"""One fault on the wire is told once, at its place, however the bytes are cut, and what is valid is not told."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.contracts.check import check
from playhead.contracts.rule import Rule
from playhead.contracts.rules import RULES, selected
from playhead.contracts.violation import Violation
from playhead.contracts.wire import WireWatch
from playhead.contracts.wire_rules import RULES_OF_WIRE
from playhead.events.dialects import get_dialect
from tests.contracts.streams import DONE, END, NEWS, START, THINK

Event = dict[str, object]

SHORT = [rule for rule in RULES_OF_WIRE if len(rule.breaks.wire) < 10_000 and rule.breaks.limits is None]
FRAME: Event = {"status": "complete", "total_events": 5}
RUN = [THINK, START, NEWS, DONE, END]
CHUNK: Event = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"role": "assistant"}}]}


def block(event: Event, number: int | None = None, *, name: str | None = None) -> bytes:
    """Return one message as a handler sends it; a number is its id."""
    name = str(event.get("event_type", "done")) if name is None else name
    head = (f"event: {name}\n" if name else "") + (f"id: {number}\n" if number is not None else "")
    return f"{head}data: {json.dumps(event)}\n\n".encode()


def blocks() -> list[bytes]:
    """Return a healthy run as our handler sends it."""
    return [block(event, number) for number, event in enumerate([*RUN, FRAME], 1)]


def found(wire: bytes, dialect: str | None = None) -> list[str]:
    """Return the codes that bytes break."""
    return [violation.code for violation in check(wire, dialect=dialect)]


def fed(pieces: list[bytes], dialect: str) -> list[Violation]:
    """Return what is found in pieces."""
    watch = WireWatch(get_dialect(dialect))
    return [violation for piece in pieces for violation in watch.feed(piece)] + watch.close()


@pytest.mark.parametrize("rule", SHORT, ids=[rule.code for rule in SHORT])
def test_every_split_finds_the_same_at_the_same_place(rule: Rule) -> None:
    """Cut in two anywhere, the examples give equal findings: message, index, line and offset."""
    for example in (rule.breaks, rule.keeps):
        whole = fed([example.wire], example.dialect)
        for cut in range(1, len(example.wire)):
            assert fed([example.wire[:cut], example.wire[cut:]], example.dialect) == whole


def ends(wire: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield the stream cut at each byte of its last message, and whether a line of data had begun."""
    start = wire.rindex(b"\n\n", 0, -2) + 2
    data = wire.index(b"data:", start) + len(b"data")
    for cut in range(start + 1, len(wire)):
        yield wire[:cut], cut >= data


@pytest.mark.parametrize("name", ["think", ""])
def test_every_cut_inside_a_message_is_found(name: str) -> None:
    """With its name before its data, too: nothing of the block has been read then."""
    wire = block(THINK) + block(END, name=name)
    for cut, has_data in ends(wire):
        assert ("WIR002" in found(cut)) == has_data, cut


def test_every_cut_of_a_recorded_stream_is_found(root: Path) -> None:
    """And nothing else is said of it: what did not come is not missed again."""
    for path in sorted((root / "fixtures").glob("*.sse")):
        for cut, has_data in list(ends(path.read_bytes()))[:60:7]:
            if has_data:
                assert found(cut) == ["WIR002"], path.name


def test_a_cut_that_is_not_asked_for_hides_nothing() -> None:
    """The terminal event that was cut off is missed where nobody asks for the cut itself."""
    wire = block(THINK) + block(END)[:-20]
    assert found(wire) == ["WIR002"]
    assert [each.code for each in check(wire, select=["TRM"])] == ["TRM001"]


def test_a_line_that_only_begins_like_data_is_no_message() -> None:
    """A stream that is cut in a field of another name lost no message by it."""
    assert found(block(THINK) + block(END) + b"event: x\ndatabase: 1") == []
    assert found(block(THINK) + block(END) + b"event: x\ndata") == ["WIR002"]


def test_half_of_a_surrogate_pair_is_json() -> None:
    """JSON allows it and `JSON.parse` reads it, as a model's token may end there; rules still read the event."""
    half: Event = {**THINK, "reasoning": "\ud83d"}
    assert found(block(half) + block(END)) == []
    assert found(block(THINK) + block({**DONE, "result": "\ud83d"}) + block(END)) == ["ORD001"]
    assert found(block({**half, "iteration": 2}) + block({**half, "iteration": 2}) + block(END)) == ["ORD006"]


def test_long_integers_are_json_and_deep_nesting_raises_nothing() -> None:
    """What Python refuses to convert is read roughly; what is too deep to read is told."""
    integer = block(THINK).replace(b'"iteration": 1', b'"iteration": 1, "n": ' + b"9" * 5000)
    assert found(integer + block(END)) == []
    deep = block(THINK).replace(b'"iteration": 1', b'"n": ' + b"[" * 200_000 + b"]" * 200_000)
    assert set(found(deep + block(END))) == {"WIR004", "WIR013"}


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_no_space_matters_to_gemini_alone(size: int) -> None:
    """Its reader wants one. Whose stream it is shows in its own first message, in whatever pieces that comes."""
    gemini = b'data:{"candidates":[{"index":0,"finishReason":"STOP"}]}\n\n'
    locus = (block(THINK) + block(END)).replace(b"data: ", b"data:")
    for wire, codes in ((gemini, ["WIR022"]), (locus, []), (b"data:hello\n\n", [])):
        pieces = [wire[start : start + size] for start in range(0, len(wire), size)]
        assert [violation.code for violation in check(pieces)] == codes


def test_what_is_odd_is_told_of_its_message() -> None:
    """A line inside a block belongs to its message, and a block behind one to that before it."""
    wire = block(THINK) + block(END)[:-1] + b"evil: 1\n\n" + b"retry: 1\n\n"
    assert [(each.code, each.index, each.line) for each in check(wire)] == [("WIR003", 1, 6), ("WIR021", 1, 8)]
    assert [each.index for each in check(block(THINK) + b"data: {")] == [1]


def test_odd_lines_without_a_message_are_not_kept() -> None:
    """A server that sends nothing but such lines is told of at once, but for the last few."""
    watch = WireWatch()
    told = [len(watch.feed(b"evil\n")) for _ in range(100)]
    assert sum(told) == 84
    assert len(watch.close()) == 16


def test_a_heartbeat_before_the_first_event_is_not_counted() -> None:
    """Messages that wait for one that says whose they are keep their number."""
    beat = b"event: heartbeat\ndata: {}\n\n"
    assert [(each.code, each.index) for each in check(beat * 3 + block(DONE) + block(END))] == [("ORD001", 0)]


@pytest.mark.parametrize("index", range(1, 5))
def test_a_message_that_cannot_be_read_is_told_once(index: int) -> None:
    """Its event is lost, and nothing that follows from the loss is told."""
    sent = blocks()
    for old, new, code in (
        (b"}\n\n", b"\n\n", "WIR004"),
        (b"event_type", b"event_typ\xff", "WIR001"),
        (b'"event_type": ', b'"event_type": \xff', "WIR001"),
        (b'"event_type"', b'"score": NaN, "event_type"', "WIR005"),
    ):
        wire = b"".join([*sent[:index], sent[index].replace(old, new), *sent[index + 1 :]])
        assert found(wire) == [code]


def test_the_frame_at_the_end_may_be_damaged() -> None:
    """It says that the stream ends even so."""
    sent = blocks()
    assert found(b"".join(sent)[:-3] + b"\n\n") == ["WIR004"]
    assert found(b"".join(sent).replace(b'"status"', b'"stat\xff"')) == ["WIR001"]


def test_text_that_never_was_an_event_hides_nothing() -> None:
    """Only what begins like an object is taken for an event that was lost."""
    assert found(block(THINK) + b"data: hello\n\n" + block(DONE) + block(END)) == ["WIR004", "ORD001"]
    assert found(block(THINK) + b"data: {\n\n" + block(DONE) + block(END)) == ["WIR004"]


@pytest.mark.parametrize("code", ["WIR001", "WIR004", "WIR005"])
def test_a_rule_that_is_not_asked_hides_nothing(code: str) -> None:
    """What follows from a fault is told where the fault itself is not."""
    lost = {"WIR001": b"\xff", "WIR004": b"{", "WIR005": b'{"event_type":"tool_complete","n":NaN,"tool_call_id":"c1"}'}
    wire = block(THINK) + b"data: " + lost[code] + b"\n\n" + block(DONE) + block(END)
    assert "ORD001" in [each.code for each in check(wire, select=["ORD"])]


@pytest.mark.parametrize(
    ("numbers", "codes"),
    [
        ([1, 2, 3, 4, 5, 6], []),
        ([1, 3, 2, 4, 5, 6], ["WIR009"]),
        ([2, 1, 3, 4, 5, 6], ["WIR009"]),
        ([5, 6, 7, 1, 2, 3, 4], ["WIR009"]),
        ([1, None, 2, 3, 4, 5], ["WIR007"]),
        ([1, None, 3, 4, 5, 6], ["WIR007"]),
        ([1, None, 4, 5, 6, 7], ["WIR007", "WIR009"]),
        ([1, None, 3, 4, 6, 7], ["WIR007", "WIR009"]),
        ([1, 2, 2, 3, 4, 5], ["WIR008"]),
        ([1, 3, 4, 6, 7, 8], ["WIR009", "WIR009"]),
    ],
)
def test_one_fault_of_numbers_is_told_once(numbers: list[int | None], codes: list[str]) -> None:
    """Two that were swapped, one that is missing with or without its number, two losses."""
    wire = b"".join(block({"event_type": "note", "n": at}, number) for at, number in enumerate(numbers))
    assert found(wire, "locus")[: len(codes)] == codes
    assert [code for code in found(wire, "locus") if code in ("WIR007", "WIR008", "WIR009")] == codes


def test_a_late_message_behind_the_end_was_missed_already() -> None:
    """The last event and the frame are swapped: one fault."""
    sent = blocks()
    assert found(b"".join([*sent[:4], sent[5], sent[4]])) == ["WIR009"]


def test_messages_of_the_server_are_no_events() -> None:
    """What has no type may stand anywhere, behind the terminal event, too; a frame of another name is missed."""
    note = block({"tokens": 5}, name="usage")
    assert found(block(THINK) + note + block(END) + note) == []
    assert found(b"".join(blocks()).replace(b"event: done", b"event: over")) == ["WIR010"]


def test_numbers_without_names_promise_no_frame() -> None:
    """Handlers name their messages; a server of somebody's own that only numbers them ends with its last event."""
    assert found(block(THINK, 1, name="") + block(END, 2, name="")) == []
    assert found(block(THINK, 1) + block(END, 2)) == ["WIR010"]


def test_a_chat_says_why_it_ends_and_that_it_does() -> None:
    """Without a reason, and without `[DONE]`, which both big SDKs take for a success."""
    last = {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    first, reason, done = block(CHUNK, name=""), block(last, name=""), b"data: [DONE]\n\n"
    assert found(first + reason + done) == []
    assert found(first + done) == ["TRM004"]
    assert found(first + reason) == ["TRM001"]
    assert found(first + reason + done + first) == ["WIR011"]


def test_rules_are_asked_by_their_codes() -> None:
    """Each rule of the wire is silent where it is not selected."""
    for rule in RULES_OF_WIRE:
        example = rule.breaks
        asked = selected(ignore=[rule.code]) - {rule.code}
        watch = WireWatch(get_dialect(example.dialect), codes=asked)
        told = watch.headers(example.headers or {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        told = [*told, *watch.feed(example.wire), *watch.close(example.end)]
        assert rule.code not in {each.code for each in told}
    assert {rule.code for rule in RULES_OF_WIRE} <= set(RULES)

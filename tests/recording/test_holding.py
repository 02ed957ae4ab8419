"""A key that is cut over several events never reaches the tape; consumer, times and order stay as they are."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.cassettes.redact import Redactor
from playhead.clocks.virtual import VirtualClock
from playhead.events.codec import encode_event, event_json
from playhead.events.locus import SubagentEvent, ToolProgressEvent
from playhead.recording.holding import Holding
from playhead.recording.recorder import record
from playhead.replaying.tape import open_tape
from tests.recording.samples import START, chunk, made_up_key, terminate, think

KEY = made_up_key()


@st.composite
def cut(draw: st.DrawFn, text: str = KEY, *, around: bool = True) -> list[str]:
    """Return a key with words around it, cut into pieces anywhere."""
    whole = f"the key is {text}, keep it" if around else text
    places = draw(st.lists(st.integers(0, len(whole)), max_size=12))
    ends = [0, *sorted(places), len(whole)]
    return [whole[start:end] for start, end in itertools.pairwise(ends)]


def texts_of(place: str, *path: str) -> list[str]:
    """Return the text at a path of each event that has one."""
    found: list[str] = []
    with open_tape(place) as tape:
        for event in tape.events():
            value: Any = encode_event(event)
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            if isinstance(value, str):
                found.append(value)
    return found


def spelled(place: str) -> str:
    """Return all of a tape as text."""
    with open_tape(place) as tape:
        return "".join(entry.data.decode() for entry in tape.entries())


@given(pieces=cut())
def test_a_key_in_pieces_is_still_a_key(pieces: list[str]) -> None:
    """However the model's text is cut, the tape has a placeholder where the key began, and all other text."""
    place, clock = ":memory:::pieces", VirtualClock()
    source: list[Any] = [think(), *map(chunk, pieces), chunk(None, done=True), terminate()]

    def ticking() -> Iterator[Any]:
        for event in source:
            yield event
            clock.advance(0.25)

    with record(place, clock=clock) as tape:
        assert list(tape.events(ticking())) == source
        assert tape.held == 0
    assert "".join(texts_of(place, "content")) == "the key is <openai-key-1>, keep it"
    assert KEY not in spelled(place)
    with open_tape(place) as played:
        assert [entry.dt_us for entry in played.entries()] == [0] + [250_000] * (len(source) - 1)
        assert [event.event_type for event in played.events()] == [event.event_type for event in source]
    assert tape.seal is not None
    assert tape.seal.redacted == {"openai-key": 1}


@given(pieces=cut(around=False), more=st.sampled_from(["text_delta", "reasoning_delta", "tool_output_delta"]))
def test_the_dialect_says_where_the_text_is(pieces: list[str], more: str) -> None:
    """In shipit's events the text lies in the payload; other events in between wait their turn."""
    place = ":memory:::shipit"
    tick = {"type": "usage_tick", "payload": {"n": 1}}
    source: list[dict[str, Any]] = []
    for piece in pieces:
        source += [{"type": more, "payload": {"chunk": piece, "call_id": "c"}}, tick]
    with record(place, dialect="shipit") as tape:
        assert list(tape.events([*source, {"type": "run_completed"}])) == [*source, {"type": "run_completed"}]
    assert "".join(texts_of(place, "payload", "chunk")) == "<openai-key-1>"
    with open_tape(place) as played:
        assert [event.type for event in played.events()] == [each["type"] for each in source] + ["run_completed"]


@given(first=cut(around=False), second=cut(around=False))
def test_streams_are_kept_apart(first: list[str], second: list[str]) -> None:
    """Two tools that speak by turns, and a sub-agent inside one of them, are streams of their own."""
    place = ":memory:::apart"
    source: list[Any] = []
    for index in range(max(len(first), len(second))):
        source += [progress("a", piece) for piece in first[index : index + 1]]
        source += [progress("b", piece) for piece in second[index : index + 1]]
        source += [inside("b", chunk(piece)) for piece in first[index : index + 1]]
    with record(place) as tape:
        list(tape.events([*source, terminate()]))
    assert KEY not in spelled(place)
    assert "".join(texts_of(place, "message")).count("<openai-key-1>") == 2
    assert "".join(texts_of(place, "event", "content")) == "<openai-key-1>"


def progress(call: str, message: str) -> ToolProgressEvent:
    """Return news of a running tool."""
    return ToolProgressEvent(tool_name="t", tool_call_id=call, progress=1, message=message, timestamp=START)


def inside(call: str, event: Any) -> SubagentEvent:
    """Return an event of an agent inside a tool."""
    return SubagentEvent(tool_call_id=call, tool_name="t", event=event, timestamp=START)


@given(pieces=cut())
def test_a_key_in_pieces_on_the_wire(pieces: list[str]) -> None:
    """So it is with the bytes that go to a client; bytes around it that are no text stay as they are."""
    place = ":memory:::wire"
    chunks = [b"\xff", *(piece.encode() for piece in pieces), b"\xe2\x82"]
    with record(place) as tape:
        assert list(tape.chunks(chunks)) == chunks
    with open_tape(place) as played:
        got = list(played.chunks())
    assert b"".join(got) == b"\xffthe key is <openai-key-1>, keep it\xe2\x82"
    assert len(got) == len(chunks)


def test_an_entry_waits_only_while_it_must(tmp_path: Path) -> None:
    """What may be the beginning of a key waits, later entries behind it; the end of the model's turn lets all go."""
    path = tmp_path / "run.jsonl"

    def lines() -> int:
        return (tmp_path / "run.jsonl.partial").read_bytes().count(b"\n")

    with record(path) as tape:
        source = [think(), chunk(KEY[:12]), think(2), chunk(KEY[12:20]), chunk(None, done=True)]
        held = [(tape.held, lines()) for _ in tape.events(source)]
    assert held == [(0, 2), (1, 2), (0, 4), (0, 5), (0, 6)]


def test_the_end_of_a_run_lets_its_streams_go() -> None:
    """A run that stops in the middle of a doubtful text leaves nothing waiting, and its text is what it was."""
    place = ":memory:::ends"
    with record(place) as tape:
        list(tape.events([chunk("my key is sk-"), chunk("proj")]))
        assert tape.held == 0
        half = tape.events([chunk("my key is sk-"), chunk("never")])
        next(half)
        assert tape.held == 1
    assert texts_of(place, "content") == ["my key is sk-", "proj", "my key is sk-"]


def test_what_waits_is_in_a_rejected_recording_too(tmp_path: Path) -> None:
    """A recording that is rejected has the entries that waited."""
    path = tmp_path / "run.jsonl"

    def main() -> None:
        with record(path) as tape:
            next(tape.events([chunk("sk-"), chunk("proj")]))
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        main()
    assert b'"content":"sk-"' in (tmp_path / "run.jsonl.rejected").read_bytes()


def test_nothing_waits_where_nothing_is_looked_for() -> None:
    """With `redact=()` each event goes to the tape as it is, at once."""
    place = ":memory:::off"
    with record(place, redact=()) as tape:
        for _ in tape.events(map(chunk, [KEY[:10], KEY[10:]])):
            assert tape.held == 0
    assert texts_of(place, "content") == [KEY[:10], KEY[10:]]


@given(texts=st.lists(st.text(max_size=30), max_size=10))
def test_harmless_text_is_written_as_it_is(texts: list[str]) -> None:
    """Text without secrets comes back byte for byte, whatever waited for a while."""
    place = ":memory:::harmless"
    source = [*map(chunk, texts), terminate()]
    with record(place) as tape:
        list(tape.events(source))
    with open_tape(place) as played:
        assert list(map(event_json, played.events())) == list(map(event_json, source))


def test_an_entry_without_a_stream_costs_no_wait() -> None:
    """Entries that carry no text go straight to the writer, redacted by themselves."""
    written: list[bytes] = []
    holding = Holding(Redactor(), lambda at_us, prefix, data: written.append(data))
    holding.put(0, b"", b'{"a":1}')
    holding.put(0, b"", b'{"a":"%b"}' % KEY.encode())
    assert written == [b'{"a":1}', b'{"a":"<openai-key-1>"}']
    assert holding.held == 0


def test_what_says_the_same_elsewhere_in_an_event_is_taken_out_too(tmp_path: Path) -> None:
    """Some of shipit's events carry a piece of text twice, and a sub-agent's pieces one level down."""
    key = "sk-proj-" + "a1B2c3D4e5F6" * 4
    cuts = [key[at : at + 9] for at in range(0, len(key), 9)]
    shapes: list[Callable[[str], dict[str, Any]]] = [
        lambda cut: {"type": "text_delta", "message": cut, "payload": {"chunk": cut}},
        lambda cut: {"type": "tool_input_delta", "message": "", "payload": {"call_id": "c", "delta": cut}},
        lambda cut: {"type": "subagent_event", "message": cut, "payload": {"call_id": "c", "inner": {"chunk": cut}}},
    ]
    for number, shape in enumerate(shapes):
        place = tmp_path / f"{number}.jsonl"
        with record(place, dialect="shipit") as recorder:
            list(recorder.events([shape(cut) for cut in cuts]))
        with open_tape(place) as tape:
            values = [entry.value() for entry in tape.entries()]
        said = ["".join(value["message"] for value in values), "".join(map(str, values))]
        assert [text for text in said if key[:18] in text or "".join(cuts[1:3]) in text] == []
        assert "<openai-key-1>" in said[1]
        assert not any(cut in said[1] for cut in cuts[1:])

"""Which events add to a stream of text, which end one, and how a changed text gets back into the event."""

from typing import Any

import pytest

from playhead.events.codec import event_json
from playhead.events.dialects import DIALECTS, get_dialect
from playhead.events.spans import Verb
from playhead.events.tagged import dumps
from playhead.recording.texts import NOTHING, ChunkTexts, EventTexts, Piece, Stream, put_back, read_field
from tests.recording.samples import chunk, run_of_a_tool, terminate, think
from tests.secrets.corpus import feeding


def pieces_of(dialect: str, *events: dict[str, Any]) -> list[str]:
    """Return the pieces of text that events carry."""
    texts = EventTexts(get_dialect(dialect), "r1")
    found = [texts.look(event, dumps(event))[0] for event in events]
    return [piece.text for piece in found if piece is not None]


def stream_of(texts: EventTexts, event: Any) -> Stream:
    """Return the stream that an event adds to."""
    piece, _ = texts.look(event, event_json(event))
    assert piece is not None
    return piece.stream


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_text_of_the_tables_is_found(dialect: str) -> None:
    """Where a dialect's table says that an event feeds text, that text is found, and can be replaced."""
    table = get_dialect(dialect)
    for kind, ops in table.ops.items():
        for op in (op for op in ops if op.verb is Verb.FEED and op.text):
            event = feeding(op, kind, table.tag)
            piece, _ = EventTexts(table, "r1").look(event, dumps(event))
            assert piece is not None
            assert piece.text == "old"
            assert put_back(dumps(event), [(piece.where, "new")]) == dumps(event).replace(b"old", b"new")


def test_most_events_mean_nothing() -> None:
    """An event that carries no text means nothing while no stream is open, and is not even read."""
    texts = EventTexts(get_dialect("locus"), "r1")
    for event in run_of_a_tool():
        assert texts.look(event, b"not read") is NOTHING
    assert pieces_of("locus", {"event_type": "model_chunk"}, {"event_type": "model_chunk", "content": ""}) == []
    assert pieces_of("locus", {"event_type": "model_chunk", "content": 5}) == []
    assert pieces_of("shipit", {"type": "text_delta", "payload": 5}, {"type": "text_delta"}) == []


def test_what_ends_a_stream() -> None:
    """A stream ends with its span, with the step, or with the run; until then an ending event is looked at."""
    texts = EventTexts(get_dialect("locus"), "r1")
    for ending in (chunk(None, done=True), think(2), terminate()):
        stream = stream_of(texts, chunk("a"))
        assert texts.look(ending, event_json(ending)) == (None, {stream})
        assert texts.look(ending, event_json(ending)) == (None, set()) or texts.look(ending, b"") is NOTHING
    stream = stream_of(texts, chunk("a"))
    assert set(texts.close()) == {stream}
    assert set(texts.close()) == set()


def test_streams_of_two_agents_are_apart() -> None:
    """Agents that share a run have streams of their own, and the step of one ends nothing of the other's."""
    texts = EventTexts(get_dialect("locus"), "r1")
    first = stream_of(texts, chunk("a").model_copy(update={"agent_name": "first"}))
    second = stream_of(texts, chunk("a").model_copy(update={"agent_name": "second"}))
    assert first != second
    step = think().model_copy(update={"agent_name": "second"})
    assert texts.look(step, event_json(step)) == (None, {second})


def test_chunks_are_one_stream() -> None:
    """The chunks of a run are one stream, byte for byte a character; what is no chunk is none."""
    texts = ChunkTexts("r1")
    piece, ended = texts.look(b"\xff\x00a", b"")
    assert isinstance(piece, Piece)
    assert (piece.text, piece.is_all, ended) == ("\xff\x00a", True, ())
    assert texts.look("text", b"") is NOTHING
    assert list(texts.close()) == [piece.stream]


def test_fields_of_any_event() -> None:
    """A field is read from a mapping or an object, and may be missing."""
    assert read_field({"a": 1}, "a") == 1
    assert read_field(think(), "iteration") == 1
    assert read_field({}, "a") is read_field(object(), "a") is None

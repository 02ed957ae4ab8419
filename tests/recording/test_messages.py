"""Where messages of any kind carry text, which streams they end, and how much is remembered."""

import json
from typing import Any

from playhead.cassettes.redact import Redactor
from playhead.recording.messages import MAX_STREAMS, NO_JSON, MessageTexts, read_message
from playhead.recording.texts import Stream


class Looking:
    """Look at messages one by one. `waiting` are the streams that hold something back."""

    def __init__(self) -> None:
        self.waiting: set[Stream] = set()
        self.texts = MessageTexts(("w",), may_begin=Redactor().may_open, waits=lambda stream: stream in self.waiting)

    def at(self, message: Any) -> dict[tuple[str | int, ...], str]:
        """Return the pieces of a message by their places."""
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        pieces, _ = self.texts.look(payload, read_message(payload))
        return {piece.where: piece.text for piece in pieces}


def delta(text: str, **more: Any) -> dict[str, Any]:
    """Return an event of a message of Anthropic's."""
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}} | more


def test_messages_are_read_as_what_they_are() -> None:
    """JSON, with lone surrogates as well, and anything else."""
    assert read_message(b'{"a":[1,"x"]}') == {"a": [1, "x"]}
    assert read_message(b'"\\ud800"') == "\ud800"
    assert [read_message(each) for each in (b"", b"word", b"\xff", b"[" * 5000)] == [NO_JSON] * 4


def test_the_places_of_texts() -> None:
    """A table says where text is; without one all texts are pieces, and what is no object is one itself."""
    look = Looking()
    assert look.at(delta("hi", extra="not looked at")) == {("delta", "text"): "hi"}
    assert look.at({"own": {"t": ["a", ""]}, "u": "b", "n": 1}) == {("own", "t", 0): "a", ("u",): "b"}
    assert look.at("a word") == {(): "a word"}
    assert look.at(b"caf\xe9") == {(): "caf\xe9"}
    assert look.at("") == {}


def test_other_places_are_looked_at_where_a_secret_may_begin() -> None:
    """A place that no table names is followed from what may begin a secret to where it stops waiting."""
    look = Looking()
    assert look.at(delta("s")) == {("delta", "text"): "s"}
    look.at(delta("hi", note="zz"))
    assert look.texts.glance(json.dumps(delta("hi", note="abc")).encode()) is not None
    begun = look.at(delta("hi", note="sk-"))
    assert begun[("note",)] == "sk-"
    look.waiting = {("w", "at", "note")}
    look.at(delta("hi", note="abc"))
    assert look.texts.glance(json.dumps(delta("hi", note="abc")).encode()) is None
    assert look.at(delta("hi", note="abc"))[("note",)] == "abc"
    assert look.texts.is_waiting()
    look.waiting = set()
    assert look.at(delta("hi", note="def")) == {("delta", "text"): "hi"}
    assert not look.texts.is_waiting()


def test_what_ends_a_text_ends_its_stream() -> None:
    """The end of a block lets its text go, and the close of all the rest."""
    look = Looking()
    look.at(delta("hi"))
    look.at({"own": "x"})
    stop = {"type": "content_block_stop", "index": 0}
    assert look.texts.look(b"", stop)[1] == set()
    pieces, ended = look.texts.look(b"", {"type": "message_stop"})
    assert pieces == []
    assert len(ended) == 1
    assert look.texts.close() == [("w", "at", "own")]
    assert look.texts.close() == []


def test_a_look_is_remembered_until_it_may_mean_something_else() -> None:
    """A message like the last one needs no reading; where a string of it may begin a secret, it is read."""
    look = Looking()
    message = json.dumps(delta("hi", extra="zz")).encode()
    assert look.texts.glance(message) is None
    look.at(message)
    for text, extra, glanced in (("you", "yy", "you"), ("s", "yy", "s"), ("you", "sk-", None)):
        piece = look.texts.glance(json.dumps(delta(text, extra=extra)).encode())
        assert (piece and piece.text) == glanced
    look.at({"type": "message_stop"})
    assert look.texts.glance(message) is None


def test_a_hostile_stream_is_bounded() -> None:
    """Of any number of places only so many are followed."""
    look = Looking()
    for number in range(2 * MAX_STREAMS):
        look.at({f"k{number}": "x"})
    assert len(look.texts.close()) == MAX_STREAMS

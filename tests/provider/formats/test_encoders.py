"""What each format makes of any turn: bytes that break no rule, and that say what the turn says."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.contracts.check import check
from playhead.errors import ModelFailure
from playhead.provider.formats.base import WireFormat
from playhead.scripts import Begin, Call, Piece, Say, Turn, call, say, think, turn
from playhead.sse.parser import SSEParser
from tests.provider.formats.asking import BY_NAME, encoder_of, stream_of, whole_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
SAID = st.builds(say, TEXT, chunks=st.integers(1, 4))
THOUGHT = st.builds(think, TEXT, chunks=st.integers(1, 4))
CALLED = st.builds(
    lambda tool, arguments, chunks: call(tool, **arguments).in_chunks(chunks),
    NAMES,
    st.dictionaries(NAMES, TEXT | st.integers() | st.none(), max_size=3),
    st.integers(1, 4),
)
TURNS = st.builds(lambda parts: turn(*parts), st.lists(SAID | THOUGHT | CALLED, min_size=1, max_size=4))

FORMATS = pytest.mark.parametrize("wire_format", BY_NAME.values(), ids=BY_NAME)
Value = dict[str, Any]


def values(stream: bytes) -> list[Value]:
    """Return the JSON of each message of a stream."""
    parser = SSEParser()
    return [json.loads(message.data) for message in parser.feed(stream) if message.data != "[DONE]"]


def chat_text(value: Value) -> Iterable[str | None]:
    """Return the text in a chunk of a chat completion."""
    return (choice["delta"].get("content") for choice in value["choices"])


def responses_text(value: Value) -> Iterable[str | None]:
    """Return the text in an event of a response."""
    return [value["delta"]] if value["type"] == "response.output_text.delta" else []


def anthropic_text(value: Value) -> Iterable[str | None]:
    """Return the text in an event of a message."""
    return [value["delta"].get("text")] if value["type"] == "content_block_delta" else []


def gemini_text(value: Value) -> Iterable[str | None]:
    """Return the text in a chunk of Gemini's."""
    parts = [part for candidate in value["candidates"] for part in candidate["content"]["parts"]]
    return (part.get("text") for part in parts if "thought" not in part)


TEXTS: dict[str, Callable[[Value], Iterable[str | None]]] = {
    "openai.chat": chat_text,
    "openai.responses": responses_text,
    "anthropic.messages": anthropic_text,
    "gemini": gemini_text,
}


@FORMATS
@given(said=TURNS)
def test_no_rule_is_broken(wire_format: WireFormat, said: Turn) -> None:
    """Whatever a model says, the rules of the wire and of the dialect find nothing."""
    assert [str(found) for found in check(stream_of(wire_format, said), dialect=wire_format.name)] == []


@FORMATS
@given(said=TURNS)
def test_the_stream_says_what_the_turn_says(wire_format: WireFormat, said: Turn) -> None:
    """Each character of text is in the stream once, in order."""
    stream = values(stream_of(wire_format, said))
    assert "".join(text or "" for value in stream for text in TEXTS[wire_format.name](value)) == said.text


@FORMATS
@given(said=TURNS)
def test_every_piece_of_text_has_bytes(wire_format: WireFormat, said: Turn) -> None:
    """No piece waits for the next one: its bytes are those of its own step."""
    encoder = encoder_of(wire_format)
    for step in said.steps():
        data = encoder.feed(step)
        if isinstance(step, Piece) and isinstance(step.part, Say):
            (value,) = values(data)
            assert list(TEXTS[wire_format.name](value)) == [step.text]


@FORMATS
def test_a_lone_surrogate_is_escaped(wire_format: WireFormat) -> None:
    """Text that has no UTF-8 form arrives as JSON spells it."""
    stream = stream_of(wire_format, turn(say("\ud83d")))
    assert rb'"\ud83d"' in stream
    assert "\ud83d" in json.dumps(whole_of(wire_format, turn(say("\ud83d"))), ensure_ascii=False)


@FORMATS
def test_a_failure_is_the_last_event(wire_format: WireFormat) -> None:
    """The rules find the error and nothing else: a stream may end with one."""
    encoder = encoder_of(wire_format)
    said = Call("weather", ("{}",), id="call_1")
    stream = encoder.begin() + encoder.feed(Begin(0, said))
    stream += encoder.failed(ModelFailure("Busy.", kind="overloaded", status=529))
    assert [found.code for found in check(stream, dialect=wire_format.name) if found.code.startswith("WIR")] == []
    assert values(stream)[-1]["error"]["message"] == "Busy."


@FORMATS
@pytest.mark.parametrize(
    ("kind", "status"),
    [("rate_limit", 429), ("server_error", 500), ("bad_request", 400), ("unauthorized", 401), ("teapot", 500)],
)
def test_a_failure_without_a_status_has_that_of_its_kind(wire_format: WireFormat, kind: str, status: int) -> None:
    """A model that says only what went wrong is refused as the provider would; an unknown kind is an error of ours."""
    assert wire_format.status(ModelFailure("No.", kind=kind)) == status
    assert wire_format.error(ModelFailure("No.", kind=kind), "req_1")["error"]["message"] == "No."


@FORMATS
def test_too_much_work_has_the_status_of_the_provider(wire_format: WireFormat) -> None:
    """It is 529 at Anthropic, and 503 elsewhere."""
    expected = 529 if wire_format.name == "anthropic.messages" else 503
    assert wire_format.status(ModelFailure("Busy.", kind="overloaded")) == expected
    assert wire_format.status(ModelFailure("Busy.", kind="overloaded", status=529)) == expected

"""Tests of playhead.sse.message."""

import copy
import dataclasses
import enum
import pickle
import re
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.errors import UsageError
from playhead.sse.message import MAX_RETRY_DIGITS, SSEMessage, comment, encode_fields, trusted_message
from playhead.sse.parser import SSEParser

names = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"))
texts = st.text(st.characters(codec="utf-8")) | st.text("ab:\r\n \0\ufeffé\u2028")
retries = st.integers(min_value=0, max_value=10**30)


class Mixed(str, enum.Enum):  # noqa: UP042 - its formatted text is not its value, which is the point
    """An event type of the kind that formats as its name."""

    THINK = "think"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (SSEMessage(), "data: \n\n"),
        (SSEMessage(data="x"), "data: x\n\n"),
        (SSEMessage("think", "x"), "event: think\ndata: x\n\n"),
        (SSEMessage("think", "x", "7", 50), "event: think\nid: 7\nretry: 50\ndata: x\n\n"),
        (SSEMessage(retry=0, id=""), "id: \nretry: 0\ndata: \n\n"),
        (SSEMessage("", "x"), "data: x\n\n"),
        (SSEMessage(data="a\nb\rc\r\nd"), "data: a\ndata: b\ndata: c\ndata: d\n\n"),
        (SSEMessage(data="a\r\n\r\n"), "data: a\ndata: \ndata: \n\n"),
        (SSEMessage(data=" x"), "data:  x\n\n"),
        (SSEMessage(data="a\u2028b\x0bc\x85d"), "data: a\u2028b\x0bc\x85d\n\n"),
        (SSEMessage(Mixed.THINK, "x"), "event: think\ndata: x\n\n"),
    ],
)
def test_format(message: SSEMessage, text: str) -> None:
    """Fields come in the order event, id, retry, data, one line of data each, and an empty line."""
    assert message.format() == text
    assert message.encode() == text.encode()


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"event": "a\nb"}, "SSE event 'a\\nb' holds a line feed at index 1"),
        ({"event": "\r"}, "SSE event '\\r' holds a carriage return at index 0"),
        ({"event": "ab\0"}, "SSE event 'ab\\x00' holds a NUL at index 2"),
        ({"id": "a\nb"}, "SSE id 'a\\nb' holds a line feed at index 1"),
        ({"id": "\r"}, "SSE id '\\r' holds a carriage return at index 0"),
        ({"id": "\0"}, "SSE id '\\x00' holds a NUL at index 0"),
        ({"event": "x\ud800"}, "SSE event holds a lone surrogate '\\ud800' at index 1"),
        ({"id": "\udfff"}, "SSE id holds a lone surrogate '\\udfff' at index 0"),
        ({"data": "ab\ud800"}, "SSE data holds a lone surrogate '\\ud800' at index 2"),
        ({"data": None}, "SSE data must be a str, not NoneType."),
        ({"data": b"x"}, "SSE data must be a str, not bytes."),
        ({"data": 10**5000}, "SSE data must be a str, not int."),
        ({"event": 1}, "SSE event must be a str, not int."),
        ({"id": 1}, "SSE id must be a str, not int."),
        ({"retry": -1}, "SSE retry must not be negative"),
        ({"retry": True}, "SSE retry must be an int of milliseconds, not bool."),
        ({"retry": 1.0}, "SSE retry must be an int of milliseconds, not float."),
        ({"retry": "1"}, "SSE retry must be an int of milliseconds, not str."),
        ({"retry": 10**MAX_RETRY_DIGITS}, "SSE retry must have at most 640 digits"),
    ],
)
def test_what_cannot_come_back_is_refused(fields: dict[str, object], error: str) -> None:
    """A value that a reader would not get back is refused by the name of its field."""
    with pytest.raises(UsageError, match="^" + re.escape(error)):
        SSEMessage(**fields)  # type: ignore[arg-type]


def test_a_long_wrong_value_is_not_shown_whole() -> None:
    """An error shows the beginning of a long value only."""
    with pytest.raises(UsageError) as caught:
        SSEMessage(event="x" * 10_000 + "\n")
    assert len(str(caught.value)) < 400


def test_the_longest_retry_survives_the_strictest_setting_of_python() -> None:
    """A retry of 640 digits is sent and read even where Python converts no longer ones."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(MAX_RETRY_DIGITS)
    try:
        message = SSEMessage(retry=10**MAX_RETRY_DIGITS - 1)
        assert SSEParser().feed(message.encode())[0].retry == message.retry
    finally:
        sys.set_int_max_str_digits(before)


def test_messages_are_frozen_and_carry_no_dict() -> None:
    """A message cannot be changed, be it made by hand or by a parser."""
    received = trusted_message("message", "x", "", None, True, 1, 0)
    for message in (SSEMessage(data="x"), received):
        assert type(message) is SSEMessage
        assert not hasattr(message, "__dict__")
        with pytest.raises(dataclasses.FrozenInstanceError):
            message.data = "y"  # type: ignore[misc]


def test_a_received_message_is_like_any_other() -> None:
    """What a parser makes compares, hashes, copies, pickles and prints like a message made by hand."""
    made = SSEMessage("message", "x", "7")
    [received] = SSEParser(last_event_id="7").feed(b"data: x\n\n")
    assert received == made
    assert hash(received) == hash(made)
    assert repr(received) == repr(made) == "SSEMessage(event='message', data='x', id='7', retry=None)"
    twins = [copy.copy(received), copy.deepcopy(received), pickle.loads(pickle.dumps(received))]
    for twin in [*twins, dataclasses.replace(received)]:
        assert dataclasses.astuple(twin) == dataclasses.astuple(received)
    assert dataclasses.replace(received, data="y").data == "y"


def test_an_inherited_id_is_not_sent_again() -> None:
    """Formatting a received message leaves out the id that an earlier block had set."""
    first, second = SSEParser().feed(b"id: 1\ndata: a\n\ndata: b\n\n")
    assert (first.block_id, second.block_id) == ("1", None)
    assert first.format() + second.format() == "event: message\nid: 1\ndata: a\n\nevent: message\ndata: b\n\n"


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("ping", ": ping\n\n"),
        ("", ": \n\n"),
        ("a\nb\r\nc", ": a\n: b\n: c\n\n"),
        ("a\n\ndata: x", ": a\n: \n: data: x\n\n"),
    ],
)
def test_comment(text: str, block: str) -> None:
    """A comment is a block of its own, whatever lines its text has."""
    assert comment(text) == block


def test_a_comment_that_has_no_bytes_is_refused() -> None:
    """A lone surrogate in a comment is refused."""
    with pytest.raises(UsageError, match=r"^SSE comment holds a lone surrogate"):
        comment("\ud800")


@given(text=texts)
def test_a_comment_reaches_no_listener(text: str) -> None:
    """No text of a comment becomes a message or a field."""
    parser = SSEParser(last_event_id="7")
    assert parser.feed(comment(text).encode()) == []
    assert (parser.last_event_id, parser.reconnection_time_ms) == ("7", None)
    assert [message.data for message in parser.feed(b"data: x\n\n")] == ["x"]


@given(
    event=names.filter(bool),
    data=texts.map(lambda text: re.sub("\r\n|\r", "\n", text)),
    id=names,
    retry=st.none() | retries,
)
@example(event="message", data="", id="", retry=None)
@example(event=" x", data="\ufeff\n", id=" ", retry=0)
def test_encode_then_parse_is_identity(event: str, data: str, id: str, retry: int | None) -> None:
    """A message with all its fields comes back from the parser as it was."""
    message = SSEMessage(event, data, id, retry)
    assert SSEParser().feed(message.encode()) == [message]


@given(event=st.none() | names, data=texts, id=st.none() | names, last_event_id=names)
def test_what_is_left_out_comes_back_as_its_default(
    event: str | None, data: str, id: str | None, last_event_id: str
) -> None:
    """A default event comes back as "message", a missing id as the one in force, every line end as LF."""
    [message] = SSEParser(last_event_id=last_event_id).feed(SSEMessage(event, data, id).encode())
    assert message.event == (event or "message")
    assert message.data == re.sub("\r\n|\r", "\n", data)
    assert message.id == (last_event_id if id is None else id)
    assert message.block_id == id


@given(event=st.text() | names, data=st.text(), id=st.text() | names)
def test_any_text_comes_back_or_is_refused(event: str, data: str, id: str) -> None:
    """There is no third way: whatever is not refused comes back."""
    try:
        message = SSEMessage(event, data, id)
    except UsageError:
        assert re.search("[\r\n\0\ud800-\udfff]", event + id) or re.search("[\ud800-\udfff]", data)
    else:
        [back] = SSEParser().feed(message.encode())
        assert (back.event, back.id) == (event or "message", id)


def test_encode_fields_trusts_its_caller() -> None:
    """The unchecked encoder writes what it is given, as documented."""
    assert encode_fields("a\nid: 9", None, "x") == "event: a\nid: 9\ndata: x\n\n"

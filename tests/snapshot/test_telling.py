"""Every difference is told, by message or event and the field that moved, and nothing in it steers a terminal."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from playhead.events.dialects import get_dialect
from playhead.snapshot.telling import MAX_COLUMNS, MAX_LISTED, event_differences, sse_differences
from tests.snapshot.test_blocks import STREAMS


def _message(number: int, **fields: object) -> str:
    data = json.dumps({"reasoning": f"r{number}", "n": [1, 2], **fields})
    return f"event: think\nid: {number}\ndata: {data}\n\n"


OLD = "".join(map(_message, range(4)))
LONG = "x" * 400


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (OLD.replace("r2", "new"), ["message 2 (event: think), line 11: $.reasoning changed: 'r2' -> 'new'"]),
        (OLD.replace("id: 1", "id: 9"), ["message 1 (event: think), line 6: id changed: '1' -> '9'"]),
        (OLD.replace("id: 1\n", ""), ["message 1 (event: think), line 6: id changed: '1' -> None"]),
        (
            OLD.replace("id: 1\n", "id: 1\nretry: 5\n"),
            ["message 1 (event: think), line 5: retry changed: None -> 5"],
        ),
        (
            OLD.replace("id: 1\ndata: {", "id: 1\ndata:{"),
            ["message 1 (event: think), line 7: its text changed: 'data: {"],
        ),
        (
            OLD.replace(_message(1), _message(1, x={"two words": 1})),
            ["message 1 (event: think), line 7: $.x is new: {'two words': 1}"],
        ),
        (
            OLD.replace('1", "n": [1, 2]', '1", "n": [1]'),
            ["message 1 (event: think), line 7: $.n[1] is gone, it was 2"],
        ),
        (
            OLD.replace(_message(1), ""),
            [r"message 1 (event: think), line 5: missing, it was 'event: think\nid: 1\ndata: "],
        ),
        (OLD + ": ping\n\n", [r"comment behind message 3: extra, it is ': ping\n\n'"]),
        (
            OLD.replace(_message(1), "").replace(_message(2), _message(2) + _message(1)),
            ["message 1 (event: think), line 5: moved, it is now message 2 (event: think)"],
        ),
        (
            "\ufeff" + OLD,
            [r"message 0 (event: think), line 1: its text changed: 'event: think\n' -> '\ufeffevent: think\n'"],
        ),
        (
            OLD.replace("\n", "\r\n", 4),
            [r"message 0 (event: think), line 1: its text changed: 'event: think\n' -> 'event: think\r\n'"],
        ),
    ],
    ids=["field", "id", "no id", "retry", "space", "new", "gone", "missing", "extra", "moved", "bom", "crlf"],
)
def test_messages_are_told_apart_by_field(new: str, told: list[str]) -> None:
    """One change is one line, which names the message, its line in the file, and both values."""
    sizes, *lines = sse_differences(OLD.encode(), new.encode())
    assert sizes.startswith("4 messages in the snapshot, ")
    found = [line for line in lines if not line.startswith("only ")]
    assert len(found) == len(told)
    for line, expected in zip(found, told, strict=True):
        assert line.startswith(expected)


def test_long_values_are_cut_around_the_difference() -> None:
    """What differs is seen, however far back it is."""
    _, line = sse_differences(f"data: {LONG}a{LONG}\n\n".encode(), f"data: {LONG}b{LONG}\n\n".encode())
    assert line.startswith("message 0 (event: message), line 1: data changed at character 400: 'xxxxxxxxxxxxaxxx")
    assert " -> 'xxxxxxxxxxxxbxxx" in line


def test_names_are_made_safe_and_cut() -> None:
    """The event of a message, and the type of an event, are text from outside."""
    name = "\x1b[31m" + LONG
    new = json.dumps({"event_type": name})
    lines = sse_differences(b"", f"event: {name}\ndata: 1\n\n".encode())
    lines += event_differences([], [new], get_dialect("locus"))
    assert all(line.isprintable() and len(line) <= MAX_COLUMNS for line in lines)
    assert sum(r"\x1b[31mxxx" in line for line in lines) == 2


def test_causes_of_all_differences_are_told_first() -> None:
    """Line ends that git changed, and what differs in every run."""
    crlf = OLD.replace("\n", "\r\n").encode()
    assert sse_differences(OLD.encode(), crlf)[1].endswith("write '*.sse -text' to .gitattributes")
    shipit = [f'data: {{"type":"run_started","timestamp":{time}}}\n\n'.encode() for time in (1, 2)]
    assert "sse_snapshot(dialect='shipit')" in sse_differences(*shipit)[1]
    assert not any("dialect" in line for line in sse_differences(shipit[0], shipit[1].replace(b"run", b"ran")))


@given(old=STREAMS | st.binary(max_size=30), new=STREAMS | st.binary(max_size=30))
def test_no_difference_of_bytes_goes_untold(old: bytes, new: bytes) -> None:
    """Whatever the bytes are, a line tells a difference, prints as it is, and fits."""
    assume(old != new)
    _, *lines = sse_differences(old, new)
    assert [line for line in lines if not line.startswith("only ")]
    assert all(line.isprintable() and len(line) <= MAX_COLUMNS for line in lines if not line.startswith("only "))


def test_events_are_told_apart_by_path() -> None:
    """Paths are the event's own, also where it has fields called like those of a message."""
    old = ['{"data":{"x":1},"event_type":"think","id":1}', '{"event_type":"a"}', '{"event_type":"b"}']
    new = ['{"data":{"x":2},"event_type":"think","id":"\x1b"}', '{"event_type":"b"}', '{"event_type":"a"}']
    new[0] = new[0].replace("\x1b", "\\u001b")
    assert event_differences(old, [*new, '{"event_type":"c"}'], get_dialect("locus")) == [
        "3 events in the snapshot, 4 events received (counted from 0)",
        "event 0 (think), line 1: $.data.x changed: 1 -> 2",
        r"event 0 (think), line 1: $.id changed: 1 -> '\x1b'",
        "event 1 (a), line 2: moved, it is now event 2",
        "event 3 (c): extra, it is {'event_type': 'c'}",
    ]


def test_many_differences_are_counted() -> None:
    """A stream that is another one does not fill the screen."""
    old, new = ([json.dumps({"event_type": "x", "n": [start + number]}) for number in range(30)] for start in (0, 100))
    told = event_differences(old, new, get_dialect("locus"))
    assert len(told) == 1 + MAX_LISTED + 1
    assert told[-1] == "and 10 more"

"""Other texts come back to the bytes where they stood, in whatever chunks those were."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.cassettes.redact import Redactor
from playhead.recording.byte_streams import MAX_TAIL_BYTES, ByteStream

MESSAGE = b'event: x\ndata: {"a" : "one", "n":1.0, "b":["tw\\u00f6", "three"]}\n\n'


def stream(waiting: bool = False) -> ByteStream:
    """Return a stream of bytes whose texts all wait, or none does."""
    return ByteStream(("w",), Redactor(), waits=lambda stream: waiting)


@given(places=st.lists(st.integers(0, len(MESSAGE)), max_size=6))
def test_a_changed_text_stands_where_the_old_one_began(places: list[int]) -> None:
    """Any chunks: the bytes of the new message are the old ones but for the text, and no chunk is lost."""
    ends = [0, *sorted(places), len(MESSAGE)]
    chunks = [MESSAGE[start:end] for start, end in itertools.pairwise(ends)]
    source = stream()
    found = [look for chunk in chunks for look in source.feed(chunk)]
    ((line, pieces, _),) = found
    assert [piece.text for piece in pieces] == ["one", "tw\u00f6", "three"]
    source.add(line)
    line.changes = [(pieces[0].where, "1 \u2014"), (pieces[2].where, "")]
    line.open = 0
    source.settle(line)
    told = [source.take(chunk) for chunk in chunks]
    assert b"".join(told) == MESSAGE.replace(b'"one"', b'"1 \\u2014"').replace(b'"three"', b'""')
    assert source.settled == source.total == len(MESSAGE)


def test_a_chunk_is_settled_when_its_lines_are() -> None:
    """All before the first line with an open text is settled, and before a line that has no end yet."""
    source = stream()
    looks = list(source.feed(b'data: {"a":"s"}\n\ndata: {"a":"t"}\n\ndata: {"'))
    assert [len(pieces) for _, pieces, _ in looks] == [1, 1]
    for line, _, _ in looks:
        source.add(line)
    assert source.settled == 6
    looks[1][0].open = 0
    source.settle(looks[1][0])
    assert source.settled == 6
    assert source.waits_for_pieces()
    looks[0][0].open = 0
    source.settle(looks[0][0])
    assert source.settled == 34
    assert not source.waits_for_pieces()
    source.pass_by()
    assert source.settled == source.total == 42


@pytest.mark.parametrize(("waiting", "text"), [(False, b"xyz "), (True, b"xyz "), (True, b'{"a":"sk-' + b"z" * 20)])
def test_the_beginning_of_a_long_line_does_not_wait(waiting: bool, text: bytes) -> None:
    """Unless a secret goes on in it, or may: nobody knows for how long."""
    source = stream(waiting and text == b"xyz ")
    list(source.feed(b'data: {"a":"s"}\n'))
    start = source.total
    list(source.feed(b"data: " + b"xyz " * MAX_TAIL_BYTES + text))
    assert source.settled == (start if waiting else source.total)


def test_what_is_no_line_does_not_wait() -> None:
    """A field that is no data, or a body that is no JSON, goes on at once."""
    source = stream()
    for chunk in (b"eve", b"nt: x\n<ht", b"ml>", b"\xff\xfe"):
        assert list(source.feed(chunk)) == []
        assert source.settled == source.total


def test_what_was_taken_stays() -> None:
    """Of a text whose beginning was given out, the rest is dropped, and the message is JSON still."""
    source = stream()
    list(source.feed(b'data: {"a":"secr'))
    source.pass_by()
    assert source.take(b'data: {"a":"secr') == b'data: {"a":"secr'
    ((line, pieces, _),) = source.feed(b'et","b":"x"}\n')
    source.add(line)
    line.changes, line.open = [(pieces[0].where, "<mark>")], 0
    source.settle(line)
    assert source.take(b'et","b":"x"}\n') == b'","b":"x"}\n'


def test_an_escape_is_not_cut_in_two() -> None:
    """Where the first half of an escape was given out, the other half follows."""
    for cut in range(10, 20):
        data = b'data: {"a":"x\\u000ay\\nz"}\n'
        source = stream()
        list(source.feed(data[:cut]))
        source.pass_by()
        told = source.take(data[:cut])
        ((line, pieces, _),) = source.feed(data[cut:])
        source.add(line)
        line.changes, line.open = [(pieces[0].where, "")], 0
        source.settle(line)
        told += source.take(data[cut:])
        assert json.loads(told[6:])["a"] in ("", "x", "x\n", "x\ny")


def test_what_is_dropped_elsewhere_stays_here() -> None:
    """Of a text whose beginning was given out nothing is cut while the one who took it drops the rest."""
    source = ByteStream(("w",), Redactor(), waits=lambda stream: False, is_dropping=lambda: True)
    list(source.feed(b'data: {"a":"se'))
    source.pass_by()
    source.take(b'data: {"a":"se')
    ((line, pieces, _),) = source.feed(b'cret"}\n')
    line.changes, line.open = [(pieces[0].where, "<mark>")], 0
    source.settle(line)
    assert source.take(b'cret"}\n') == b'cret"}\n'


PASSWORD = b'{"password":"hun\\u0074er2X","in":"{\\"token\\":\\"a1b2c3d4e5f6g7h8i9\\"}"}'
CLEAN = b'{"password":"<password-1>","in":"{\\"token\\":\\"<secret-1>\\"}"}'


@pytest.mark.parametrize("template", [b"data: %b\n", b'data: {"e":"\xc3\xa9","x":%b}\n', b"data: [%b]\n", b"%b%b\n"])
def test_strings_that_no_table_names_are_looked_at_by_name(template: bytes) -> None:
    """A password beside its name, and JSON in a string, are taken out of a message as of any entry."""
    source = stream()
    count = template.count(b"%b")
    data = template % ((PASSWORD,) * count)
    ((line, _, _),) = source.feed(data)
    source.add(line)
    line.open = 0
    source.settle(line)
    assert source.take(data) == template % ((CLEAN,) * count)

"""Reading whole blocks: what is read at once is what is read line by line, and everything else is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.sse.ordinary import OrdinaryReader, Where
from tests.sse.reference import reference, seen

BEGIN: Where = (1, 0, "", True)
TEXTS = st.text(st.sampled_from("aé\U0001f600 :\0\u2028{"), max_size=5)
NAMES = st.sampled_from(["", "a", "b", "é"])
IDS = st.sampled_from([None, "", "1", "é"])
BLOCKS = st.tuples(NAMES, IDS, st.lists(TEXTS, min_size=1, max_size=3))
ENDS = st.sampled_from(["\n", "\r\n"])


def spelled(name: str | None, id: str | None, data: list[str]) -> str:
    """Return a block, its lines ended by LF."""
    head = "" if name is None else f"event: {name}\n"
    return head + ("" if id is None else f"id: {id}\n") + "".join(f"data: {line}\n" for line in data)


@given(blocks=st.lists(BLOCKS, min_size=1, max_size=6), end=ENDS)
def test_named_blocks_are_read_as_the_standard_reads_them(
    blocks: list[tuple[str, str | None, list[str]]], end: str
) -> None:
    """Names, ids, several lines of data, places and the id at the end are those of the naive reader."""
    check("\n".join(spelled(*block) for block in blocks), end)


@given(blocks=st.lists(st.lists(TEXTS, min_size=1, max_size=3), min_size=1, max_size=6), end=ENDS)
def test_blocks_of_data_are_read_as_the_standard_reads_them(blocks: list[list[str]], end: str) -> None:
    """It is the same for blocks that are all data."""
    check("\n".join(spelled(None, None, data) for data in blocks), end)


def check(stream: str, end: str) -> None:
    """Read blocks at once, and again when the reader may know a row of them, and compare with the naive reader."""
    whole = (stream + "\n").replace("\n", end).encode()
    expected = reference(whole + whole)
    reader = OrdinaryReader()
    messages, where, has_only_begun = reader.read(whole, BEGIN, crlf=end != "\n")
    again, (line, offset, id, _), _ = reader.read(whole, where, crlf=end != "\n")
    assert tuple(map(seen, messages + again)) == expected.messages
    assert (line, offset, id) == (1 + 2 * whole.count(b"\n"), 2 * len(whole), expected.last_event_id)
    assert not has_only_begun or where[1] == len(whole)


@pytest.mark.parametrize("name", [None, "a", "", "é"])
@given(texts=st.lists(TEXTS, min_size=2, max_size=6), end=ENDS, data=st.data())
def test_a_row_is_read_as_the_same_blocks_among_others(
    name: str | None, texts: list[str], end: str, data: st.DataObject
) -> None:
    """However a row is cut, a reader that knows it reads what one does that does not, and keeps no whole block back."""
    crlf = end != "\n"
    row = ("\n".join(spelled(name, None, [text]) for text in texts) + "\n").replace("\n", end).encode()
    known, new = OrdinaryReader(), OrdinaryReader()
    known.read(row, BEGIN, crlf=crlf)
    part = row[: data.draw(st.integers(0, len(row)))]
    messages, where, has_only_begun = known.read(part, BEGIN, crlf=crlf)
    among_others, there, _ = new.read(part, BEGIN, crlf=crlf)
    assert (list(map(seen, messages)), where) == (list(map(seen, among_others)), there)
    assert len(messages) == part.count(2 * end.encode())
    assert not has_only_begun or (end * 2).encode() not in row[where[1] : len(part)]


def test_a_row_that_is_known_is_left_where_it_ends() -> None:
    """Blocks of other names, with ids, or of several lines end a row, and are read all the same."""
    row = b"event: a\ndata: 1\n\n" * 2
    for other in (b"event: b\ndata: 1\n\n", b"event: a\nid: 1\ndata: 1\n\n", b"event: a\ndata: 1\ndata: 2\n\n"):
        reader = OrdinaryReader()
        reader.read(row, BEGIN, crlf=False)
        for chunk in (row + other + row, row + other, other + row):
            messages, (_, offset, _, _), has_only_begun = reader.read(chunk, BEGIN, crlf=False)
            assert tuple(map(seen, messages)) == reference(chunk).messages
            assert (offset, has_only_begun) == (len(chunk), False)


def test_only_the_begin_of_a_block_of_the_row_is_called_begun() -> None:
    """What the reader says may wait has no line in it that could count already."""
    reader = OrdinaryReader()
    row = b"event: a\r\ndata: 1\r\n\r\n" * 2
    reader.read(row, BEGIN, crlf=True)
    for rest, expected in ((b"", True), (b"event: a\r\ndata: 2", True), (b"event: a\r\ndata: 2\rretry: 5\r", False)):
        _, (_, offset, _, _), has_only_begun = reader.read(row + rest, BEGIN, crlf=True)
        assert (offset, has_only_begun) == (len(row), expected)


def test_an_id_is_inherited_from_before_and_by_what_follows() -> None:
    """The id in force comes along; only the first block may say that it is its own, where an id had stood before it."""
    reader = OrdinaryReader()
    for _ in range(2):
        blocks = b"event: a\ndata: 1\n\nevent: a\ndata: 2\n\n"
        messages, where, _ = reader.read(blocks, (7, 70, "x", False), crlf=False)
        assert [(each.id, each.block_id, each.line, each.offset) for each in messages] == [
            ("x", "x", 7, 70),
            ("x", None, 10, 88),
        ]
        assert where == (13, 106, "x", True)


@pytest.mark.parametrize(
    "block",
    [
        b": comment",
        b"retry: 5",
        b"data:unspaced",
        b"event: a\nretry: 5\ndata: 1",
        b"event: a\nretry: 5\nid: 1\ndata: 1",
        b"event: a\nid: 1\nid: 2\ndata: 1",
        b"event: a\nid: 1\0\ndata: 1",
        b"data: 1\nid: 2",
        b"event: a",
        b"\ndata: 2",
        b"",
    ],
)
def test_whatever_else_there_is_is_left_alone(block: bytes) -> None:
    """Only the two shapes are read. Another block stays, with at most the one before it, and its id is not in force."""
    for before in (b"data: 1\n\n", b"event: a\ndata: 1\n\n"):
        for count in range(4):
            reader = OrdinaryReader()
            for _ in range(2):
                messages, where, has_only_begun = reader.read(before * count + block + b"\n\n", BEGIN, crlf=False)
                assert count - 1 <= len(messages) <= count
                assert where == (1 + len(messages) * before.count(b"\n"), len(messages) * len(before), "", True)
                assert not has_only_begun


@pytest.mark.parametrize("block", [b"data: \xff", b"event: \xff\ndata: 1"])
def test_what_is_not_utf_8_is_left_alone(block: bytes) -> None:
    """Broken bytes are the parser's, and all that came with them; a code point that is cut at the end is not broken."""
    assert OrdinaryReader().read(b"data: 1\n\n" + block + b"\n\n", BEGIN, crlf=False) == ([], BEGIN, False)
    messages, where, _ = OrdinaryReader().read(b"data: 1\n\ndata: \xf0\x9f", BEGIN, crlf=False)
    assert (len(messages), where[1]) == (1, 9)


@pytest.mark.parametrize("block", [b"data: 1\rdata: 2", b"event: a\rdata: 1", b"data: 1\n\ndata: 2", b"data: 1\n2"])
def test_mixed_line_ends_are_read_right_or_left_alone(block: bytes) -> None:
    """Where there is a CR, what is read is what the standard reads, and the rest begins between two blocks."""
    for before in (b"event: a\r\ndata: 1\r\n\r\n", b"data: 1\r\n\r\n", b"data: 1\n\n"):
        chunk = before + before + block + b"\r\n\r\n"
        expected = reference(chunk).messages
        reader = OrdinaryReader()
        for _ in range(2):
            messages, (line, offset, _, _), has_only_begun = reader.read(chunk, BEGIN, crlf=True)
            assert tuple(map(seen, messages)) == expected[: len(messages)]
            assert len(messages) + len(reference(chunk[offset:]).messages) == len(expected)
            assert line == 1 + chunk[:offset].count(b"\n")
            assert not has_only_begun or offset == len(chunk)

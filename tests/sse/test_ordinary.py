"""Reading whole blocks: what is read at once is what is read line by line, and everything else is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.sse.ordinary import Where, read_ordinary
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
    """Read blocks at once, and compare with the naive reader."""
    whole = (stream + "\n").replace("\n", end).encode()
    found = read_ordinary(whole.removesuffix(2 * end.encode()), BEGIN, crlf=end != "\n")
    assert found is not None
    messages, (line, offset, id, _) = found
    expected = reference(whole)
    assert tuple(map(seen, messages)) == expected.messages
    assert (line, offset, id) == (1 + whole.count(b"\n"), len(whole), expected.last_event_id)


@pytest.mark.parametrize("name", [None, "a", ""])
@given(texts=st.lists(TEXTS, min_size=1, max_size=6), end=ENDS)
def test_a_row_is_read_as_the_same_blocks_among_others(name: str | None, texts: list[str], end: str) -> None:
    """The way for rows of one name agrees with the way for all blocks, which a last block of two lines asks for."""
    row = "\n".join(spelled(name, None, [text]) for text in texts)
    longer = row + "\n" + spelled(name, None, ["x", "y"])
    crlf = end != "\n"
    at_once, among_others = (
        read_ordinary(text.removesuffix("\n").replace("\n", end).encode(), BEGIN, crlf=crlf) for text in (row, longer)
    )
    assert at_once is not None
    assert among_others is not None
    assert list(map(seen, at_once[0])) == list(map(seen, among_others[0]))[:-1]
    assert among_others[0][-1].line == at_once[1][0]
    assert among_others[0][-1].offset == at_once[1][1]


def test_an_id_is_inherited_from_before_and_by_what_follows() -> None:
    """The id in force comes along; only the first block may say that it is its own, where an id had stood before it."""
    found = read_ordinary(b"event: a\ndata: 1\n\nevent: a\ndata: 2", (7, 70, "x", False), crlf=False)
    assert found is not None
    assert [(each.id, each.block_id, each.line, each.offset) for each in found[0]] == [
        ("x", "x", 7, 70),
        ("x", None, 10, 88),
    ]
    assert found[1] == (13, 106, "x", True)


@pytest.mark.parametrize(
    "blocks",
    [
        b": comment",
        b"retry: 5",
        b"data:unspaced",
        b"data: 1\n\nevent: a\ndata: 2",
        b"event: a\ndata: 1\n\ndata: 2",
        b"event: a\nretry: 5\ndata: 1",
        b"event: a\nid: 1\nid: 2\ndata: 1",
        b"event: a\nid: 1\0\ndata: 1",
        b"data: 1\nid: 2",
        b"event: a",
        b"data: \xff",
        b"event: \xff\ndata: 1",
        b"data: 1\n\n\ndata: 2",
        b"",
    ],
)
def test_whatever_else_there_is_is_left_alone(blocks: bytes) -> None:
    """Only the two shapes are read; one block of another kind among them is enough to leave all to the parser."""
    assert read_ordinary(blocks, BEGIN, crlf=False) is None
    assert read_ordinary(b"data: 1\n\n" + blocks, BEGIN, crlf=False) is None
    assert read_ordinary(b"event: a\ndata: 1\n\n" + blocks, BEGIN, crlf=False) is None


@pytest.mark.parametrize("blocks", [b"data: 1\rdata: 2", b"event: a\rdata: 1", b"data: 1\n\ndata: 2", b"data: 1\n2"])
def test_mixed_line_ends_are_left_alone(blocks: bytes) -> None:
    """Where there is a CR, only CRLF throughout is ordinary."""
    assert read_ordinary(blocks, BEGIN, crlf=True) is None
    assert read_ordinary(b"event: a\r\ndata: 1\r\n\r\nevent: a\r\n" + blocks, BEGIN, crlf=True) is None

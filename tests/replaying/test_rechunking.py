"""Tests of playhead.replaying.rechunking: the cuts of each adversary, and that no byte is lost."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import UsageError
from playhead.replaying.rechunking import Rechunking, rechunked, rechunked_in_time

CHUNKS = [b"\xef\xbb\xbfda", b"ta: \xf0\x9f", b"\x8c\x8d\r", b"\n\r\n", b": e\xcc\x81\n\n"]
WAYS: tuple[Rechunking, ...] = get_args(Rechunking)
ways = st.sampled_from(WAYS)
seeds = st.integers(0, 100)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("whole", ["\ufeffdata: 🌍\r\n\r\n: e\u0301\n\n".encode()]),
        ("lines", ["\ufeffdata: 🌍\r".encode(), b"\n\r", "\n: e\u0301\n".encode(), b"\n"]),
        (
            "points",
            [b"\xef", b"\xbb", b"\xbfdata: \xf0", b"\x9f", b"\x8c", b"\x8d\r\n\r\n: e\xcc", b"\x81\n\n"],
        ),
        ("bytes", [bytes([byte]) for byte in b"".join(CHUNKS)]),
    ],
)
def test_cuts(how: Rechunking, expected: list[bytes]) -> None:
    """Each way cuts where it says, whatever the chunks were."""
    assert rechunked(CHUNKS, how) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\r\r", [b"\r", b"\r"]),
        (b"a\n\n\nb", [b"a\n", b"\n", b"\nb"]),
        (b"a\rb\nc", [b"a\rb\nc"]),
    ],
)
def test_lines_of_other_kinds(data: bytes, expected: list[bytes]) -> None:
    """Two line ends are cut apart, and one alone is not cut."""
    assert rechunked([data], "lines") == expected


def test_chance_is_repeatable() -> None:
    """A seed always cuts alike, and seeds differ."""
    cuts = [rechunked(CHUNKS, "random", seed=seed) for seed in range(20)]
    assert cuts == [rechunked(CHUNKS, "random", seed=seed) for seed in range(20)]
    assert len({tuple(pieces) for pieces in cuts}) > 10


@given(st.lists(st.binary()), ways, seeds)
def test_no_byte_is_lost(chunks: list[bytes], how: Rechunking, seed: int) -> None:
    """The joined bytes are equal, and no piece is empty."""
    pieces = rechunked(chunks, how, seed=seed)
    assert b"".join(pieces) == b"".join(chunks)
    assert all(pieces)


@given(st.lists(st.binary()), ways, seeds)
def test_a_piece_is_due_when_its_last_byte_was(chunks: list[bytes], how: Rechunking, seed: int) -> None:
    """No piece comes before its bytes had come, and none later."""
    came_us = [at_us for at_us, data in enumerate(chunks) for _ in data]
    read = 0
    for at_us, piece in rechunked_in_time(list(enumerate(chunks)), how, seed=seed):
        read += len(piece)
        assert at_us == came_us[read - 1]
    assert read == len(came_us)


def test_unknown_way() -> None:
    """A way that there is not is an error that names those that there are."""
    with pytest.raises(UsageError, match=r"by 'byte': give one of bytes, points, lines.*'bytes'"):
        rechunked([b"a"], "byte")  # type: ignore[arg-type]

"""Compressed bytes become plain ones again, as far as they are right, and what is wrong with them is named."""

import gzip
import io
import random
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.cassettes.compressing import CODECS, PIECE_BYTES, Codec, unpack
from playhead.errors import CorruptCassette, PlayheadError, TornCassette

TEXT = b"".join(b'{"n":%d,"text":"%x"}\n' % (number, random.Random(number).getrandbits(400)) for number in range(2_000))
"""Lines that compress badly, and take more than one piece."""


@pytest.fixture(params=CODECS)
def codec(request: pytest.FixtureRequest) -> Codec:
    """Return each codec."""
    return CODECS[request.param]()


def packed(codec: Codec, text: bytes = TEXT) -> bytes:
    """Return a text compressed."""
    packer = codec.packer()
    return packer.compress(text) + packer.flush()


def opened(data: bytes) -> Callable[[], Callable[[int], bytes]]:
    """Return what begins to read some bytes."""
    return lambda: io.BytesIO(data).read


def unpacked(codec: Codec, data: bytes) -> tuple[bytes, PlayheadError | None]:
    """Return what bytes unpack to, and what is wrong with them."""
    found = b""
    try:
        for piece in unpack(opened(data), codec):
            found += piece
    except PlayheadError as error:
        return found, error
    return found, None


@given(texts=st.lists(st.binary(max_size=200), max_size=5))
def test_what_was_compressed_comes_back(texts: list[bytes]) -> None:
    """Whatever the bytes are, and in however many pieces they were given."""
    for codec in (make() for make in CODECS.values()):
        packer = codec.packer()
        data = b"".join(map(packer.compress, texts)) + packer.flush()
        assert unpacked(codec, data) == (b"".join(texts), None)


def test_the_same_bytes_become_the_same_bytes(codec: Codec) -> None:
    """Nothing in them tells when or where they were made: the time that gzip has room for is 0."""
    assert packed(codec) == packed(codec)
    if codec.name == "gzip":
        assert gzip.decompress(packed(codec)) == TEXT
        assert packed(codec)[3:8] == bytes(5), "no name of a file, and no time"


def test_no_piece_is_large(codec: Codec) -> None:
    """Even bytes that compress a thousandfold come in pieces."""
    zeros = bytes(32 * 1024 * 1024)
    pieces = [len(piece) for piece in unpack(opened(packed(codec, zeros)), codec)]
    assert sum(pieces) == len(zeros)
    assert max(pieces) <= (PIECE_BYTES if codec.name == "gzip" else 5 * 1024 * 1024)


def cuts(data: bytes) -> Iterator[bytes]:
    """Yield the beginnings of some bytes, the short ones and the long ones all."""
    for size in (*range(40), *range(40, len(data) - 20, 997), *range(len(data) - 20, len(data))):
        yield data[:size]


def test_a_cut_is_torn_wherever_it_is(codec: Codec) -> None:
    """What comes before the cut is there, and the end is missing, even where only the last byte is."""
    data = packed(codec)
    for part in cuts(data):
        found, error = unpacked(codec, part)
        assert TEXT.startswith(found)
        assert isinstance(error, TornCassette), len(part)
        assert "ends early" in str(error)
    assert len(unpacked(codec, data[:-1])[0]) == len(TEXT)


def test_a_cut_loses_little(codec: Codec) -> None:
    """Half of a file gives about half of its text, but for what one block of the format holds."""
    data = packed(codec)
    assert len(unpacked(codec, data[: len(data) // 2])[0]) > len(TEXT) // 2 - 160 * 1024


def test_a_flipped_bit_is_seen(codec: Codec) -> None:
    """Either the data cannot be read on, or its checksum is wrong: no flip is taken for a good file."""
    data = packed(codec, TEXT[:300])
    for at in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        found, error = unpacked(codec, bytes(flipped))
        # Some bits of a gzip's head mean nothing.
        assert error is not None or found == TEXT[:300], at


def test_what_comes_before_the_damage_is_there() -> None:
    """A checksum that is wrong at the end costs nothing that was unpacked, though the library drops the last piece."""
    data = bytearray(packed(CODECS[".gz"]()))
    data[-6] ^= 1
    found, error = unpacked(CODECS[".gz"](), bytes(data))
    assert found == TEXT
    assert isinstance(error, CorruptCassette)
    assert str(error) == "the gzip data is damaged: incorrect data check"


@pytest.mark.parametrize("tail", [b"x", bytes(1), "again"])
def test_nothing_follows(codec: Codec, tail: bytes | str) -> None:
    """Bytes behind the end are no part of a cassette, be they zero or a second one."""
    data = packed(codec)
    found, error = unpacked(codec, data + (data if isinstance(tail, str) else tail))
    assert (found, type(error)) == (TEXT, CorruptCassette)
    assert str(error) == f"more follows behind the end of the {codec.name} data"


def test_nothing_follows_where_a_read_ends(codec: Codec) -> None:
    """Also where the end of the data is the end of what was read, so that the rest was not seen yet."""
    blocks = iter([packed(codec, b"text"), b"x"])
    with pytest.raises(CorruptCassette, match="more follows"):
        list(unpack(lambda: lambda size: next(blocks, b""), codec))


@pytest.mark.parametrize("data", [b"x", b'{"playhead":1}', b"\x1f\x8d", b"PK\x03\x04"])
def test_what_is_not_compressed_is_told_so(codec: Codec, data: bytes) -> None:
    """The first bytes tell."""
    _, error = unpacked(codec, data)
    assert str(error) == f"not {codec.name} data: it does not begin as such"


def test_without_its_library_zstandard_is_asked_for_by_name() -> None:
    """Everything else works without it; the error names the extra to install."""
    program = (
        "import sys; sys.modules['zstandard'] = None\n"
        "from playhead.cassettes.places import locate\n"
        "from playhead.errors import UsageError\n"
        "try:\n    locate('trip.jsonl.zst').open()\n"
        "except UsageError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "Zstandard needs zstandard, which is not installed: pip install 'playhead[zstd]'\n"

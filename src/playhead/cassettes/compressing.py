"""How compressed bytes become plain ones, in bounded memory and time, and how plain ones are compressed.

Knows gzip, Zstandard, and what no cassette does but a bomb would. Does not know files, nor what the bytes say.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from playhead.cassettes.format import MAX_LINE_BYTES
from playhead.errors import CassetteError, CorruptCassette, TornCassette, UsageError

try:
    import zstandard
except ImportError:
    zstandard = None  # type: ignore[assignment]

MAX_RATIO: Final = 250
"""How many times its own size compressed data may become. Recorded runs become ten times as large, seldom more."""

MAX_FREE_BYTES: Final = 2 * MAX_LINE_BYTES
"""How much may be unpacked before `MAX_RATIO` counts: a line or two can be as even as they like."""

MAX_UNPACKED_BYTES: Final = 8 * 1024**3
"""How much may be unpacked at all. Larger cassettes are read as plain files."""

MAX_WINDOW_BYTES: Final = 128 * 1024**2
"""How far back Zstandard may refer, which is memory that reading takes: what the program `zstd` allows, too."""

PIECE_BYTES: Final = 64 * 1024
"""How much is read and unpacked at a time."""

# 4 bytes of Zstandard can be a block of 128 KiB, and its library unpacks all that it is given: so it is given little.
_ZSTD_FEED_BYTES: Final = 128
_GZIP_BITS: Final = 16 + zlib.MAX_WBITS
_GZIP_LEVEL: Final = 6
_ZSTD_LEVEL: Final = 10


Read = Callable[[int], bytes]
"""Returns up to so many bytes, and none at the end."""


class Packer(Protocol):
    """Compress a stream: what comes out may lag behind what went in, until `flush`."""

    def compress(self, data: bytes, /) -> bytes:
        """Take bytes, and return those that are ready."""
        ...

    def flush(self) -> bytes:
        """Return the rest, once, at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Codec:
    """Name one way of compressing, and what does it.

    `magic` is what its data begins with. `packer` makes the same bytes of the same bytes: no time, no name of a file.
    `unpacker` is what `unpack` feeds `feed_bytes` at a time through `step`; `broken` is what that raises for data that
    is not what it claims to be.
    """

    name: str
    magic: bytes
    feed_bytes: int
    packer: Callable[[], Packer]
    unpacker: Callable[[], Any]
    step: Callable[[Any, bytes], bytes]
    broken: type[Exception]


GZIP: Final = Codec(
    "gzip",
    magic=b"\x1f\x8b",
    feed_bytes=PIECE_BYTES,
    packer=lambda: zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_BITS),
    unpacker=lambda: zlib.decompressobj(_GZIP_BITS),
    step=lambda stream, data: stream.decompress(data, PIECE_BYTES),
    broken=zlib.error,
)
"""What `gzip` writes and reads."""


def gzip() -> Codec:
    """Return the codec of `.gz`."""
    return GZIP


def zstd() -> Codec:
    """Return the codec of `.zst`. Raises `UsageError` where its library is not installed."""
    if zstandard is None:
        raise UsageError("Zstandard needs zstandard, which is not installed: pip install 'playhead[zstd]'")
    return Codec(
        "Zstandard",
        magic=b"\x28\xb5\x2f\xfd",
        feed_bytes=_ZSTD_FEED_BYTES,
        packer=zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True).compressobj,
        unpacker=zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj,
        step=lambda stream, data: stream.decompress(data),
        broken=zstandard.ZstdError,
    )


CODECS: Final[dict[str, Callable[[], Codec]]] = {".gz": gzip, ".zst": zstd}
"""The codecs by the suffix that they add to a file's name."""


def unpack(opened: Callable[[], Read], codec: Codec) -> Iterator[bytes]:
    """Yield what compressed bytes unpack to, in pieces. `opened` begins to read them, and may be called again.

    Raises what is wrong, behind all that could be unpacked before it: `TornCassette` where the data ends too early,
    `CorruptCassette` where it is damaged or more follows, and `CassetteError` for a bomb. The messages name no place.
    """
    progress = _Progress()
    try:
        yield from _pieces(opened(), codec, progress)
    except codec.broken:
        # What was unpacked of the block that turned out to be damaged is lost in the library: now byte by byte.
        yield from _salvaged(opened(), codec, progress)


@dataclass(slots=True)
class _Progress:
    """Count what was read before the last block, and what was unpacked."""

    block_at: int = 0
    unpacked_bytes: int = 0


def _pieces(read: Read, codec: Codec, progress: _Progress, *, careful_from: int | None = None) -> Iterator[bytes]:
    stream = codec.unpacker()
    packed_bytes = 0
    while not stream.eof:
        data = stream.unconsumed_tail
        if not data:
            data = read(codec.feed_bytes if careful_from is None or packed_bytes < careful_from else 1)
            if not packed_bytes and not data.startswith(codec.magic[: len(data)]):
                raise CorruptCassette(f"not {codec.name} data: it does not begin as such")
            progress.block_at = packed_bytes
            packed_bytes += len(data)
        piece = codec.step(stream, data)
        if piece:
            progress.unpacked_bytes += len(piece)
            _refuse_bomb(codec, packed_bytes, progress.unpacked_bytes)
            yield piece
        elif not data:
            raise TornCassette(f"the {codec.name} data ends early: the file was cut, or its writer died")
    if stream.unused_data or read(1):
        raise CorruptCassette(f"more follows behind the end of the {codec.name} data")


def _salvaged(read: Read, codec: Codec, before: _Progress) -> Iterator[bytes]:
    """Yield what was not yielded before, up to the very byte that is wrong, and raise what is wrong there."""
    known_bytes = before.unpacked_bytes
    try:
        for piece in _pieces(read, codec, _Progress(), careful_from=before.block_at):
            if len(piece) > known_bytes:
                yield piece[known_bytes:]
            known_bytes = max(0, known_bytes - len(piece))
    except codec.broken as error:
        reason = str(error).rpartition(": ")[2]
        raise CorruptCassette(f"the {codec.name} data is damaged: {reason}") from None


def _refuse_bomb(codec: Codec, packed_bytes: int, unpacked_bytes: int) -> None:
    if unpacked_bytes > MAX_FREE_BYTES and unpacked_bytes > MAX_RATIO * packed_bytes:
        wrong = f"{packed_bytes:,} bytes of {codec.name} become more than {MAX_RATIO} times as many"
    elif unpacked_bytes > MAX_UNPACKED_BYTES:
        wrong = f"the {codec.name} data becomes more than {MAX_UNPACKED_BYTES:,} bytes"
    else:
        return
    raise CassetteError(
        f"{wrong}, as of a file that was made to fill memory: it is not read any further. "
        "If you trust it, unpack it yourself"
    )

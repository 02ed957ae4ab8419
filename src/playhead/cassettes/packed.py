"""Cassettes as compressed files, `NAME.jsonl.gz` and `NAME.jsonl.zst`: the lines of a JSON Lines file, in less room.

They are read like any other, a few times over, since compressed data has no way to its end but through it. They are
written as copies of sealed cassettes and never recorded: what a compressor holds back would not survive a crash.

Knows files. Does not know how anything is compressed, nor what lines say.
"""

import os
import re
from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path
from typing import Any, Final, Self

from playhead.cassettes.compressing import CODECS, MAX_FREE_BYTES, Codec, unpack
from playhead.cassettes.format import MAX_LINE_BYTES
from playhead.cassettes.jsonl import JsonlSink, JsonlSource, JsonlStore, split_lines
from playhead.cassettes.naming import SUFFIX
from playhead.cassettes.store import PARTIAL, REJECTED, TORN
from playhead.errors import CassetteError, CorruptCassette, TornCassette, UsageError

PACKED_SUFFIXES: Final = tuple(SUFFIX + added for added in CODECS)
"""What the name of a compressed cassette ends with."""

_ADVICE: Final = "Restore it, or record it again"
_NAME: Final = re.compile(
    rf"{re.escape(SUFFIX)}({'|'.join(map(re.escape, CODECS))})(?:(?:{PARTIAL}|{TORN}|{REJECTED})(?:\.[0-9]+)?)?\Z"
)


def without_suffix(name: str) -> str:
    """Return a name without what that of a cassette's file ends with, compressed or not: `trip` of `trip.jsonl.gz`."""
    for suffix in (SUFFIX, *PACKED_SUFFIXES):
        name = name.removesuffix(suffix) or name
    return name


def is_packed(name: str) -> bool:
    """Say whether a file of that name is a compressed cassette, or was to become one."""
    return _NAME.search(name) is not None


class PackedStore:
    """Hold cassettes as compressed files of a folder. A name is what it is in a `JsonlStore` of the same folder."""

    def __init__(self, folder: str | os.PathLike[str] = ".") -> None:
        self._files = JsonlStore(folder)

    def open(self, name: str) -> "PackedSource":
        """Open a file. Raises `MissingCassette` if there is none, `UsageError` where a library is not installed."""
        codec = _codec(name)
        return PackedSource(self._files.open(name), codec)

    def create(self, name: str) -> "PackedSink":
        """Raise `UsageError`: a recording is not compressed before it is sealed. `pack` writes a copy."""
        where = self.place(name)
        plain = where[: where.rindex(SUFFIX) + len(SUFFIX)]
        raise UsageError(
            f"{where}: a compressed cassette takes copies only, since a crash would take with it what the compressor "
            f"holds back. Write {plain}, then: playhead convert {plain} {where}"
        )

    def pack(self, name: str) -> "PackedSink":
        """Begin a file that becomes a copy of a sealed cassette. Raises `CassetteError` as `JsonlStore.create` does."""
        codec = _codec(name)
        return PackedSink(self._files.create(name), codec)

    def names(self) -> list[str]:
        """Return the names of all files that end as compressed cassettes do, sorted."""
        return self._files.names(PACKED_SUFFIXES)

    def delete(self, name: str) -> None:
        """Remove a file. Raises `MissingCassette` if there is none of that name."""
        self._files.delete(name)

    def place(self, name: str) -> str:
        """Return the path, or that of the folder where the name is empty."""
        return self._files.place(name)

    def __repr__(self) -> str:
        return f"PackedStore({self.place('')!r})"


class PackedSink:
    """Write one file, compressed. See `Sink`; but `append` says nothing of what survives, only `commit` does."""

    def __init__(self, sink: JsonlSink, codec: Codec) -> None:
        self.where: str = sink.where
        self._sink = sink
        self._codec = codec
        self._packer = codec.packer()
        self._taken_bytes = 0

    def append(self, line: bytes) -> None:
        """Add a line, newline included."""
        self._taken_bytes += len(line)
        packed = self._packer.compress(line)
        if packed:
            self._sink.append(packed)

    def commit(self, seal: bytes, *, replace: bool = True) -> None:
        """Add the last line, and put the file in its place. Raises `CassetteError` if it could not be read there."""
        self.append(seal)
        self._sink.append(self._packer.flush())
        if self._taken_bytes > MAX_FREE_BYTES:
            with PackedSource(JsonlSource(Path(self.where + PARTIAL)), self._codec) as written:
                written.size()
        self._sink.commit(b"", replace=replace)

    def discard(self, *, keep_as: str | None = None) -> str | None:
        """Remove the file, or leave it beside the cassette with the suffix `keep_as`."""
        return self._sink.discard(keep_as=keep_as)


class PackedSource:
    """Read one compressed file. See `Source`.

    What is not all there, or damaged, is read as far as it can be unpacked; then `lines` and `blocks` raise
    `TornCassette` or `CorruptCassette`, and there is no last line. A bomb is a `CassetteError` at once.
    """

    def __init__(self, file: JsonlSource, codec: Codec) -> None:
        self.where: str = file.where
        self._file = file
        self._codec = codec
        self._known: tuple[int, bytes] | None = None

    def lines(self) -> Iterator[bytes]:
        """Yield each whole line, newline included; of an undamaged file also a last one that lacks it."""
        unpacking = _Unpacking(self.blocks())
        number = 0
        for number, line in enumerate(split_lines(unpacking, self.where, again=self.lines), 1):
            if unpacking.wrong is not None and not line.endswith(b"\n"):
                raise _at(self.where, number, unpacking.size - len(line), unpacking.wrong)
            yield line
        if unpacking.wrong is not None:
            raise _at(self.where, number + 1, unpacking.size, unpacking.wrong)

    def blocks(self) -> Iterator[bytes]:
        """Yield the same bytes in pieces."""
        try:
            yield from unpack(lambda: self._file.reader().read, self._codec)
        except (TornCassette, CorruptCassette):
            raise
        except CassetteError as error:
            raise CassetteError(f"{self.where}: {error}") from None

    def last_line(self) -> bytes:
        """Return the last line, or as much of its end as a line may have; empty where the file is damaged."""
        return self._measured()[1]

    def size(self) -> int:
        """Return how many bytes there are when it is unpacked, as far as it can be. Raises where that is nothing."""
        return self._measured()[0]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _measured(self) -> tuple[int, bytes]:
        if self._known is None:
            self._known = self._measure()
        return self._known

    def _measure(self) -> tuple[int, bytes]:
        size = 0
        tail = bytearray()
        try:
            for piece in self.blocks():
                size += len(piece)
                _follow(tail, piece)
        except (TornCassette, CorruptCassette) as error:
            if not size:
                raise type(error)(f"{self.where}: {error}. {_ADVICE}") from None
            tail.clear()
        return size, bytes(tail)


class _Unpacking(RawIOBase):
    """Be a stream of pieces; where they end in damage, `wrong` is what it is. `size` is how many bytes there were."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.wrong: CassetteError | None = None
        self.size = 0
        self._pieces = pieces
        # Slices of a view cost nothing, and a piece may be many times as large as the buffer.
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._left or memoryview(self._next())
        taken = min(len(piece), len(buffer))
        buffer[:taken] = piece[:taken]
        self._left = piece[taken:]
        return taken

    def _next(self) -> bytes:
        try:
            piece = next(self._pieces, b"")
        except (TornCassette, CorruptCassette) as error:
            self.wrong = error
            return b""
        self.size += len(piece)
        return piece


def _follow(tail: bytearray, piece: bytes) -> None:
    """Make of the last line so far, as much as is kept of it, the last line once a piece has followed."""
    if tail.endswith(b"\n"):
        tail.clear()
    before = piece.rfind(b"\n", 0, -1) + 1
    if before:
        tail.clear()
    tail += piece[before:]
    # One byte too many says that the line is too long.
    del tail[: -MAX_LINE_BYTES - 1]


def _at(where: str, number: int, offset: int, wrong: CassetteError) -> CassetteError:
    return type(wrong)(f"{where}:{number}: at byte {offset:,} when unpacked: {wrong}")


def _codec(name: str) -> Codec:
    found = _NAME.search(name)
    if found is None:
        raise UsageError(f"{name!r} is no name of a compressed cassette: it ends with {' or '.join(PACKED_SUFFIXES)}")
    return CODECS[found[1]]()

"""Read a cassette from any store, and never take a damaged one for a whole one.

Knows in which order things are checked: the seal, the digests, then what a line says. Does not know stores.
"""

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import Final, Literal, Self
from zlib import crc32

from playhead.cassettes.damage import advise, find_damage
from playhead.cassettes.format import (
    CRC_BYTES,
    NO_LABELS,
    VERSION,
    Entry,
    Header,
    Seal,
    is_intact,
    is_seal,
    labels_of,
    named_version,
    read_data,
    read_entry,
    read_header,
    read_seal,
)
from playhead.cassettes.store import Source
from playhead.errors import CassetteError, CorruptCassette, TornCassette

State = Literal["sealed", "torn"]
"""What a cassette that can be read may be."""

_COMMA: Final = ord(",")
_MAX_INLINE_BYTES: Final = 1024 * 1024


class Cassette:
    """Hold an open cassette: what its header and seal say, and a way to its entries in constant memory.

    `where` names its place, `seal` is None where it is torn, `entry_count` is how many entries there are. Close it, or
    use it in a `with` block. Each iterator starts at the beginning.

    The CRC-32 of the whole was compared when it was opened, and the SHA-256 of a cassette of up to 1 MiB; `verify`
    compares it for larger ones too, which takes some ten times as long.
    """

    def __init__(
        self, source: Source, header: Header, seal: Seal | None, *, entry_count: int, seal_line: bytes
    ) -> None:
        self.where: str = source.where
        self.header = header
        self.seal = seal
        self.entry_count = entry_count
        self._source = source
        self._seal_line = seal_line
        self._sealed_bytes = source.size() - len(seal_line)

    @property
    def state(self) -> State:
        """Say `sealed` or `torn`."""
        return "torn" if self.seal is None else "sealed"

    @property
    def size(self) -> int:
        """Return how many bytes there are, seal included."""
        return self._source.size()

    def entries(self) -> Iterator[Entry]:
        """Yield each entry. Raises `CorruptCassette` for a line that is none."""
        for number, line in enumerate(self._entry_lines(), 2):
            try:
                entry = read_entry(line)
            except CorruptCassette as error:
                raise self._located(number, line, error) from None
            yield entry

    def data(self, track: str = "event") -> Iterator[tuple[int, str, str, bytes]]:
        """Yield `(at_us, owner, kind, data)` of each entry of one track: less than `entries` gives, in less time.

        `at_us` is microseconds since the start of the tape, the time of entries of other tracks included.
        """
        at_us = 0
        for number, line in enumerate(self._entry_lines(), 2):
            dt_us, names, data = self._row(number, line)
            at_us += dt_us
            if names[0] == track:
                yield at_us, names[1], names[2], data

    def payloads(self, track: str, kind: str, *, owner: str | None = None) -> Iterator[bytes]:
        """Yield the data of each entry of one track and kind, of one owner or of all; times are not looked at."""
        labels = NO_LABELS
        for number, line in enumerate(self._entry_lines(), 2):
            start = line.find(_COMMA)
            if line.startswith(labels, start):
                yield line[start + len(labels) : -CRC_BYTES]
                continue
            _, names, data = self._row(number, line)
            if names[0] == track and names[2] == kind and owner in (None, names[1]):
                # Most lines have the labels of the one before.
                labels = labels_of(line)
                yield data

    def verify(self) -> None:
        """Compare the SHA-256 of the whole with what the seal says, and each line's checksum.

        Raises `CorruptCassette` where they differ. Does nothing for a torn cassette: that was read line by line.
        """
        if self.seal is not None and not _digests_match(self._source, self.seal, self._sealed_bytes, sha=True):
            raise _damaged(self._source)

    def lines(self) -> Iterator[bytes]:
        """Yield every line as it is stored: the header, the entries, and the seal if there is one."""
        yield next(self._source.lines())
        yield from self._entry_lines()
        if self._seal_line:
            yield self._seal_line

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Cassette {self.where!r}, {self.state}, {self.entry_count} entries>"

    def _entry_lines(self) -> Iterator[bytes]:
        lines = self._source.lines()
        next(lines, None)
        yield from islice(lines, self.entry_count)
        if self.seal is not None and next(lines, b"") != self._seal_line:
            raise self._wrong_count()

    def _row(self, number: int, line: bytes) -> tuple[int, tuple[str, str, str], bytes]:
        try:
            return read_data(line)
        except CorruptCassette as error:
            raise self._located(number, line, error) from None

    def _located(self, number: int, line: bytes, error: CorruptCassette) -> CorruptCassette:
        if line == self._seal_line:
            return self._wrong_count()
        return CorruptCassette(f"{self.where}:{number}: {error}. {advise(self.where)}")

    def _wrong_count(self) -> CorruptCassette:
        error = CorruptCassette(f"the seal says {self.entry_count:,} entries, and there are not so many")
        return CorruptCassette(f"{self.where}: {error}. {advise(self.where)}")


def read(source: Source, *, torn: bool = False) -> Cassette:
    """Check a cassette and return it, ready to be read. It owns the source, which is closed if this raises.

    A sealed cassette is returned if its seal and the CRC-32 of everything before it are right, and, up to 1 MiB, the
    SHA-256 too. Otherwise raises `TornCassette` where a crash explains what is found, or, with `torn`, returns the
    intact entries; `CorruptCassette` for any other damage, naming line and byte; `CassetteError` for a newer version
    and for failures to read.
    """
    try:
        return _read(source, torn=torn)
    except BaseException:
        source.close()
        raise


def _read(source: Source, *, torn: bool) -> Cassette:
    # A line may be large, so none is held while the next is looked at.
    if not source.size():
        raise TornCassette(f"{source.where} is empty: nothing was recorded. Record it again")
    _refuse_other_version(source.where, next(source.lines()))
    sealed = _read_sealed(source, source.last_line())
    if sealed:
        return sealed
    damage = find_damage(source.where, source.lines())
    if damage is None:
        raise _wrong_sha(source.where)
    if not torn or not damage.lines or not damage.is_torn:
        raise damage.error()
    header = _read_header(source)
    return Cassette(source, header, None, entry_count=damage.lines - 1, seal_line=b"")


def _read_sealed(source: Source, last: bytes) -> Cassette | None:
    if not is_seal(last) or not is_intact(last):
        return None
    seal = _read_seal(source.where, last)
    size = source.size() - len(last)
    if not _digests_match(source, seal, size, sha=size <= _MAX_INLINE_BYTES):
        return None
    return Cassette(source, _read_header(source), seal, entry_count=seal.entries, seal_line=last)


def _digests_match(source: Source, seal: Seal, size: int, *, sha: bool) -> bool:
    """Compare the CRC-32 of the first `size` bytes, and the SHA-256 if it is wanted, with what the seal says."""
    crc = 0
    digest = hashlib.sha256()
    left = size
    for block in source.blocks():
        piece = block if len(block) <= left else block[:left]
        left -= len(piece)
        crc = crc32(piece, crc)
        if sha:
            digest.update(piece)
    return f"{crc:08x}" == seal.crc32 and (not sha or digest.hexdigest() == seal.sha256)


def _damaged(source: Source) -> CorruptCassette:
    """Return the error for a sealed cassette with a wrong digest: the first wrong line, or the digest itself."""
    damage = find_damage(source.where, source.lines())
    error = damage.error() if damage else None
    return error if isinstance(error, CorruptCassette) else _wrong_sha(source.where)


def _refuse_other_version(where: str, first: bytes) -> None:
    version = named_version(first)
    if version is None or version == VERSION:
        return
    damaged = "" if is_intact(first) else ", or its first line is damaged"
    raise CassetteError(
        f"{where}:1: format version {version} is not known{damaged}: this Playhead reads version {VERSION}. "
        "Install a newer one, or record again"
    )


def _read_header(source: Source) -> Header:
    try:
        return read_header(next(source.lines()))
    except CassetteError as error:
        raise type(error)(f"{source.where}:1: {error}. {advise(source.where)}") from None


def _read_seal(where: str, line: bytes) -> Seal:
    try:
        return read_seal(line)
    except CorruptCassette as error:
        raise CorruptCassette(f"{where}: the last line: {error}. {advise(where)}") from None


def _wrong_sha(where: str) -> CorruptCassette:
    error = CorruptCassette("each checksum is right, but not the SHA-256 of the whole: it was changed on purpose")
    return CorruptCassette(f"{where}: {error}. {advise(where)}")

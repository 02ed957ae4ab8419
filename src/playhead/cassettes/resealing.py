"""Sealing a cassette again that was edited by hand: every checksum is made anew, and who asked is told what changed.

Knows what a hand can do to a file: change, add, take away and move lines, leave blank ones, lose the last newline. Does
not know whether a change is right, which nothing in the file can say.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from playhead.cassettes.format import (
    Seal,
    check_limits,
    is_intact,
    is_seal,
    object_line,
    read_data,
    read_entry,
    read_header,
    read_seal,
    with_crc,
)
from playhead.cassettes.places import Place
from playhead.cassettes.store import Sink
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import CassetteError, CorruptCassette, PlayheadError, UsageError

_CRC: Final = re.compile(rb'\s*,\s*"crc"\s*:\s*"[^"\\]*"\s*\}\Z')
_SHOWN_BYTES: Final = 200


@dataclass(frozen=True, slots=True)
class Edited:
    """Say that a line is not as it was sealed: its number, why, and the beginning of its text."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Edits:
    """Say what `find_edits` found in a cassette.

    `sealed_entries` is how many entries the seal speaks of, None where there is no seal; `entries` how many there are.
    `is_whole` says that nothing has to be sealed again. `crc32` is that of what was looked at.
    """

    edited: tuple[Edited, ...]
    entries: int
    sealed_entries: int | None
    is_whole: bool
    crc32: int


def find_edits(place: Place) -> Edits:
    """Look for the lines that are not as they were sealed. Memory is bounded by the longest line.

    Raises `CorruptCassette`, with the line's number, where the text is no cassette's: not JSON, a wrong first line, the
    marks of a merge.
    """
    edited = []
    entries = crc = 0
    seal: Seal | None = None
    with place.open() as source:
        for number, line in enumerate(source.lines(), 1):
            crc = crc32(line, crc)
            new = _renewed(place.where, number, line)
            if new is None:
                continue
            if seal is not None:
                raise CorruptCassette(f"{place.where}:{number}: more follows behind the seal: take out one of them")
            if is_seal(new):
                seal = read_seal(new)
            else:
                entries += number > 1
            if new != line:
                reason = "no checksum" if not _CRC.search(line.rstrip()) else "changed"
                edited.append(Edited(number, reason, line[:_SHOWN_BYTES].decode(errors="replace").strip()))
    return Edits(tuple(edited), entries, seal.entries if seal else None, _is_whole(place), crc)


def reseal(place: Place, *, crc: int) -> Seal:
    """Write the cassette again with right checksums, in its own place, and return its seal.

    Its text is kept but for the checksums; the end of each run is what the old seal says, and `unknown` where that says
    nothing. `crc` is that of the `Edits` that were shown: raises `CassetteError` where the file is not the same any
    more. Whatever fails leaves the old file as it was.
    """
    sink = place.create()
    try:
        with place.open() as source:
            seal = _write(place.where, source.lines(), sink, crc)
    except BaseException:
        sink.discard()
        raise
    return seal


def split_seal(content: bytes) -> tuple[bytes, Seal | None]:
    """Return the text of a cassette without checksums and seal, and the seal: what two versions of it can be merged by.

    Raises `CorruptCassette` for a seal that is none.
    """
    lines = []
    seal = None
    for line in content.splitlines():
        body = _CRC.sub(b"}", line)
        if is_seal(body):
            seal = read_seal(body)
        else:
            lines.append(body + b"\n")
    return b"".join(lines), seal


def merged_seal(ours: Seal | None, theirs: Seal | None) -> bytes:
    """Return the line of a seal that knows the runs of both; ours wins. Its counts and digests are made by `reseal`."""
    if ours is None or theirs is None:
        found = ours or theirs
        return object_line(found) if found else b""
    most = {kind: max(count, ours.redacted.get(kind, 0)) for kind, count in theirs.redacted.items()}
    both = {
        "runs": theirs.runs | ours.runs,
        "errors": theirs.errors | ours.errors,
        "redacted": ours.redacted | most,
    }
    return object_line(ours.model_copy(update=both))


def _write(where: str, lines: Iterator[bytes], sink: Sink, crc: int) -> Seal:
    writer: CassetteWriter | None = None
    old: Seal | None = None
    owners: dict[str, str] = {}
    found = 0
    for number, line in enumerate(lines, 1):
        found = crc32(line, found)
        new = _renewed(where, number, line)
        if new is None:
            continue
        if writer is None:
            writer = CassetteWriter.from_line(sink, new, read_header(new))
        elif is_seal(new):
            old = read_seal(new)
        else:
            _, (track, owner, _), _ = read_data(new)
            if track != "model":
                owners.setdefault(owner, "unknown")
            writer.append_line(new)
    if found != crc or writer is None:
        raise CassetteError(f"{where} was changed while the difference was looked at: ask again")
    return _seal(writer, old, owners)


def _seal(writer: CassetteWriter, old: Seal | None, owners: dict[str, str]) -> Seal:
    if old is None:
        return writer.seal("unknown", runs=owners)
    runs = owners | old.runs
    return writer.seal(old.end, runs=runs, errors=old.errors, redacted=old.redacted, extra=old.model_extra)


def _is_whole(place: Place) -> bool:
    try:
        with place.read() as cassette:
            cassette.verify()
    except CassetteError:
        return False
    return True


def _renewed(where: str, number: int, line: bytes) -> bytes | None:
    """Return a line with a right checksum: itself where that is right, None where it is blank."""
    if not line.strip():
        return None
    try:
        new = line if is_intact(line) else with_crc(_body(line))
        _check(number, new)
    except PlayheadError as error:
        raise type(error)(f"{where}:{number}: {error}") from None
    return new


def _body(line: bytes) -> bytes:
    """Return the text of a line without the checksum and the bracket at its end."""
    text = line.strip()
    if text.startswith((b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")):
        raise CorruptCassette("the mark of a merge: choose one side by hand first")
    if not text.endswith(b"}"):
        raise CorruptCassette("not a JSON object on one line")
    found = _CRC.search(text)
    return text[: found.start()] if found else text[:-1].rstrip()


def _check(number: int, line: bytes) -> None:
    # The fast way to read an entry does not parse its data, which a hand may have broken.
    try:
        json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CorruptCassette(f"not JSON: {error}") from None
    if number == 1:
        read_header(line)
    elif is_seal(line):
        read_seal(line)
    else:
        try:
            check_limits(read_entry(line).data)
        except UsageError as error:
            raise CorruptCassette(str(error)) from None

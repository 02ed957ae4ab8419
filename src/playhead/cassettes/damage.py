"""What is wrong with a cassette, line by line: the slow look that is taken once the fast one has failed.

Knows the traces of a crash (torn) from everything else (corrupt). Does not know stores.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from playhead.cassettes.format import is_seal, line_crc, read_seal, true_crc
from playhead.errors import CassetteError, CorruptCassette, TornCassette

_FIRST: Final = b'{"playhead":'
_MAX_PARSED_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Damage:
    """Where a cassette stops being right, and why.

    Its first `lines` lines, `size` bytes, are intact: the header, if there is any, and entries. `reason` names the
    place and what is wrong there; `is_torn` says whether a crash explains the rest.
    """

    where: str
    lines: int
    size: int
    reason: str
    is_torn: bool

    def error(self) -> CassetteError:
        """Return what to raise: a `TornCassette` or a `CorruptCassette`, with advice."""
        kind = TornCassette if self.is_torn else CorruptCassette
        return kind(f"{self.reason}. {advise(self.where, is_torn=self.is_torn)}")


def find_damage(where: str, lines: Iterator[bytes]) -> Damage | None:
    """Find the first line that is not right, or that the seal is; None where all is right but perhaps the SHA-256.

    Torn is a cassette that has no seal and whose intact lines are followed by nothing, or by an unfinished line, zero
    bytes included. A finished line with a wrong checksum is corrupt, as is anything behind the seal.
    """
    count = size = crc = 0

    def damage(wrong: CassetteError) -> Damage:
        reason = f"{where}:{count + 1}: at byte {size:,}: {wrong}"
        return Damage(where, count, size, reason, isinstance(wrong, TornCassette))

    try:
        for line in lines:
            wrong = _fault(line, is_first=not count)
            if not wrong and not is_seal(line):
                count += 1
                size += len(line)
                crc = crc32(line, crc)
                continue
            wrong = wrong or _seal_fault(line, entries=count - 1, crc=crc, has_more=next(lines, None) is not None)
            return damage(wrong) if wrong else None
    except (TornCassette, CorruptCassette) as error:
        return Damage(where, count, size, str(error), is_torn=isinstance(error, TornCassette))
    return damage(TornCassette("it ends without a seal: the writer died"))


def advise(where: str, *, is_torn: bool = False) -> str:
    """Return what can be done about a cassette that is torn or corrupt."""
    first = "Record it again" if is_torn else "Restore it, record it again"
    return f"{first}, or copy what is intact: playhead repair {where}"


def _fault(line: bytes, *, is_first: bool) -> CassetteError | None:
    if not line.strip(b"\0"):
        return TornCassette(f"only zero bytes, {len(line):,} of them: the writer lost power or died")
    if is_first and not line.startswith(_FIRST[: len(line)]):
        return CorruptCassette("not a cassette: it does not begin as one")
    if not line.endswith(b"\n"):
        return TornCassette(f"the line is unfinished after {len(line):,} bytes: the writer died")
    named = line_crc(line)
    if named is None:
        return CorruptCassette(_json_fault(line) or "the line does not end with its checksum")
    if named != true_crc(line):
        return CorruptCassette(f"the checksum is {named:08x}, should be {true_crc(line):08x}: the line was changed")
    return None


def _json_fault(line: bytes) -> str | None:
    if len(line) > _MAX_PARSED_BYTES:
        return None
    try:
        json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    return None


def _seal_fault(line: bytes, *, entries: int, crc: int, has_more: bool) -> CorruptCassette | None:
    if has_more:
        return CorruptCassette("more follows behind the seal")
    try:
        seal = read_seal(line)
    except CorruptCassette as error:
        return error
    if seal.entries != entries:
        return CorruptCassette(
            f"there are {entries:,} entries before the seal, which says {seal.entries:,}: lines were lost or doubled"
        )
    if seal.crc32 != f"{crc:08x}":
        return CorruptCassette("each line is right by itself, but not all together: lines were swapped or replaced")
    return None

"""What is in an event stream and in none of its messages, and who notices it.

Knows names of fields. Judges nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_MAX_SHOWN: Final = 80


class Oddity(StrEnum):
    """Name what is in a stream and in none of its messages as it was sent."""

    BOM = "bom"
    COMMENT = "comment"
    NO_DATA = "no data"
    UNKNOWN_FIELD = "unknown field"
    UNSPACED = "unspaced"
    NOT_UTF8 = "not utf-8"
    UNENDED = "unended"


@dataclass(frozen=True, slots=True)
class Odd:
    """Say what is odd, and on which line (from 1) at which byte (from 0). `text` is the line, or names of fields."""

    oddity: Oddity
    line: int
    offset: int
    text: str = ""


Place = tuple[int, int]
"""A line, from 1, and an offset in bytes, from 0."""


class Watcher:
    """Notice what is odd in the lines that a parser reads one by one, and tell it."""

    def __init__(self, tell: Callable[[Odd], object]) -> None:
        self._tell = tell
        self._names: dict[str, None] = {}
        self._is_broken = False

    def tell(self, oddity: Oddity, place: Place, line: bytes = b"") -> None:
        """Tell of an oddity."""
        self._tell(Odd(oddity, *place, line[:_MAX_SHOWN].decode(errors="replace")))

    def comment(self, line: bytes) -> None:
        """Take a line of comment."""
        self._names[""] = None
        self._is_broken = self._is_broken or not _is_utf8(line)

    def field(self, line: bytes, name: bytes, value: bytes, *, place: Place, is_known: bool) -> None:
        """Take a field: one that there is not, or data without a space, is odd."""
        if not is_known:
            self.tell(Oddity.UNKNOWN_FIELD, place, line)
        elif name == b"data" and not value.startswith(b" "):
            self.tell(Oddity.UNSPACED, place, line)
        if name != b"data":
            self._is_broken = self._is_broken or not _is_utf8(line)
        if is_known:
            self._names[name.decode()] = None

    def block(self, data: list[bytes], *, place: Place, has_fields: bool) -> None:
        """Take the end of a block, at `place` if it has no fields and else at its first one."""
        names, self._names = self._names, {}
        is_broken, self._is_broken = self._is_broken, False
        if is_broken or not _is_utf8(b"\n".join(data)):
            self.tell(Oddity.NOT_UTF8, place)
        if data:
            return
        if has_fields:
            self._tell(Odd(Oddity.NO_DATA, *place, ", ".join(filter(None, names))))
        elif names:
            self.tell(Oddity.COMMENT, place)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True

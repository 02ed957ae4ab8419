"""Cutting a stream of bytes into lines, and finding in them what is said: the data of SSE, or JSON a line.

Knows bytes and offsets. Does not know what is in a line, nor what becomes of it.
"""

from dataclasses import dataclass
from typing import Final

MAX_LINE_BYTES: Final = 65_536
"""A longer line is passed over: it is a body or a file, and no message with a piece of text."""

_ENDS: Final = (b"\n", b"\r")
_DATA: Final = b"data:"
_JSON: Final = (b"{", b"[", b'"')


@dataclass(frozen=True, slots=True)
class Saying:
    """Hold what a line says, and the offset at which that begins in the stream."""

    start: int
    payload: bytes


class LineCutter:
    """Cut the bytes of one stream into lines, in any pieces. A line ends with a line feed, a carriage return or both.

    `total` is how many bytes came. `tail` is the line that has no end yet and `tail_start` its offset; of a line that
    is too long nothing is kept.
    """

    __slots__ = ("_is_long", "tail", "total")

    def __init__(self) -> None:
        self.total: int = 0
        self.tail: bytes = b""
        self._is_long = False

    @property
    def tail_start(self) -> int:
        """Return where the line begins that has no end yet."""
        return self.total - len(self.tail)

    def feed(self, chunk: bytes) -> list[Saying]:
        """Take the next bytes, and return what is said in the lines that they end."""
        start = self.tail_start
        self.total += len(chunk)
        data = self.tail + chunk if self.tail else chunk
        if b"\n" not in chunk and b"\r" not in chunk:
            self._keep(data)
            return []
        found: list[Saying] = []
        for line in data.splitlines(keepends=True):
            if not line.endswith(_ENDS):
                self._keep(line)
                return found
            if not self._is_long:
                self._say(start, line, found)
            self._is_long = False
            start += len(line)
        self.tail = b""
        return found

    def close(self) -> list[Saying]:
        """End the stream, and return what is said in a line that has no end."""
        found: list[Saying] = []
        if self.tail:
            self._say(self.tail_start, self.tail, found)
        self.tail = b""
        return found

    def _keep(self, tail: bytes) -> None:
        self._is_long = self._is_long or len(tail) > MAX_LINE_BYTES
        self.tail = b"" if self._is_long else tail

    def _say(self, start: int, line: bytes, found: list[Saying]) -> None:
        skipped = _skipped(line)
        payload = line[skipped:].rstrip(b"\r\n")
        if skipped >= 0 and payload:
            found.append(Saying(start + skipped, payload))


def may_say(tail: bytes) -> bool:
    """Tell whether a line that has no end yet may say something."""
    return bool(tail) and (_skipped(tail) >= 0 or _DATA.startswith(tail))


def _skipped(line: bytes) -> int:
    """Return how many bytes stand before what a line says: -1 if it says nothing."""
    if line.startswith(_DATA):
        return 6 if line[5:6] == b" " else 5
    return 0 if line.startswith(_JSON) else -1

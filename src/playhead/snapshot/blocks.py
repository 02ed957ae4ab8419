"""An event stream as blocks of lines: every byte of it is in one of them, whether a reader is told of it or not.

Knows where blocks end and what is in them. Does not compare.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from playhead.events.spans import Dialect
from playhead.snapshot.masking import Masker
from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser

_DATA = (b"data:", b"data\n", b"data\r")


@dataclass(frozen=True, slots=True)
class Block:
    """Hold the lines up to an empty one, or up to the end of the stream.

    `raw` is the very bytes. `line` is that of its first line, from 1. `message` is what a reader is told of it, None
    for comments, for fields without data, and for what has no end. `number` counts the messages before it.
    """

    raw: bytes
    line: int
    message: SSEMessage | None
    number: int

    @property
    def name(self) -> str:
        """Return what to call it: `message 3 (event: think)`."""
        if self.message is not None:
            return f"message {self.number} (event: {self.message.event})"
        return f"{self._kind()} {f'behind message {self.number - 1}' if self.number else 'at the start'}"

    def _kind(self) -> str:
        if self.raw.strip(b"\r\n") and not _is_ended(self.raw):
            return "unfinished block"
        lines = self.raw.splitlines()
        return "comment" if any(lines) and all(line[:1] in (b":", b"") for line in lines) else "block without data"

    def fields(self) -> dict[str, Any]:
        """Return it as a JSON object, to be compared: `event`, `id`, `retry`, `data` and its lines as `bytes`."""
        message = self.message
        told: dict[str, Any] = {"event": None, "bytes": self.lines()}
        if message is not None:
            told |= {"event": message.event, "id": message.block_id, "retry": message.retry}
            told["data"] = _json_or_text(message.data)
        return told

    def line_of(self, field: str) -> int:
        """Return the line in which a field first stands; the block's own where there is none."""
        lines = self.lines()
        return self.line + next((index for index, line in enumerate(lines) if line.startswith(field)), 0)

    def lines(self) -> list[str]:
        """Return its lines as text, with their ends."""
        return [line.decode(errors="backslashreplace") for line in self.raw.splitlines(keepends=True)]

    def text(self) -> str:
        """Return the bytes as text, with escapes for what is not UTF-8."""
        return self.raw.decode(errors="backslashreplace")


def blocks(data: bytes) -> list[Block]:
    """Return the blocks of an event stream. Raises `WireError` for a line of more than 64 MiB."""
    parser, numbers = SSEParser(), count()
    found, line, number = [], 1, next(numbers)
    for lines in _grouped(data):
        raw = b"".join(lines)
        message = next(iter(parser.feed(raw)), None)
        found.append(Block(raw, line, message, number))
        line += len(lines)
        number = next(numbers) if message is not None else number
    return found


def masked_sse(data: bytes, dialect: Dialect) -> bytes:
    """Return an event stream with what a dialect calls volatile, and its ids, masked in the data of its messages.

    Every other byte stays. JSON that is spread over several `data:` lines stays so, too.
    """
    masker = Masker(dialect)
    return b"".join(_masked_block(lines, masker) for lines in _grouped(data))


def _masked_block(lines: list[bytes], masker: Masker) -> bytes:
    places = [index for index, line in enumerate(lines) if line.startswith(_DATA)]
    parts = [lines[index].rstrip(b"\r\n")[5:] for index in places]
    try:
        text = "\n".join(part.removeprefix(b" ").decode() for part in parts)
    except UnicodeDecodeError:
        return b"".join(lines)
    masked = masker.mask(text)
    if masked == text:
        return b"".join(lines)
    first = lines[places[0]]
    start = b"data: " if parts[0].startswith(b" ") else b"data:"
    end = first[len(first.rstrip(b"\r\n")) :]
    anew = b"".join(start + part.encode() + end for part in masked.split("\n"))
    rest = [line for index, line in enumerate(lines) if index not in places[1:]]
    return b"".join([*rest[: places[0]], anew, *rest[places[0] + 1 :]])


def _grouped(data: bytes) -> Iterator[list[bytes]]:
    """Yield the lines of each block, with their ends."""
    lines: list[bytes] = []
    # Of bytes, unlike of str, splitlines knows no line ends but CR, LF and CRLF.
    for line in data.splitlines(keepends=True):
        lines.append(line)
        if not line.rstrip(b"\r\n"):
            yield lines
            lines = []
    if lines:
        yield lines


def _is_ended(raw: bytes) -> bool:
    return raw.endswith((b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r", b"\n\r\n", b"\r\r\n"))


def _json_or_text(data: str) -> Any:
    try:
        # Not strict: a control character in a string is a difference at its path, too.
        found = json.loads(data, strict=False)
    except (ValueError, RecursionError):
        return data
    return found if isinstance(found, dict | list) else data

"""Reading whole blocks of the shapes that nearly every server sends, at a fraction of what the standard's way costs.

Knows blocks that are all data lines, or all event, perhaps id, and data lines. Leaves everything else alone: whatever
is read here the parser would read the same, line by line. Does not know what stands before the blocks or after them.
"""

import re
from typing import Final, NamedTuple

from playhead.sse.message import SSEMessage, trusted_message

Where = tuple[int, int, str, bool]
"""Where blocks begin, by line and byte, the id that is in force there, and whether an earlier block had set it."""

Found = tuple[list[SSEMessage], Where]
"""Messages, and where the next block begins."""


class _Ends(NamedTuple):
    """Hold what depends on how lines end: what is between blocks, before data and id inside, and before a row."""

    blank: str
    data: str
    id: str
    head: re.Pattern[str]


_LF: Final = _Ends("\n\n", "\ndata: ", "\nid: ", re.compile(r"(?:event: ([^\r\n]*)\n)?data: "))
_CRLF: Final = _Ends("\r\n\r\n", "\r\ndata: ", "\r\nid: ", re.compile(r"(?:event: ([^\r\n]*)\r\n)?data: "))
_UNUSUAL = re.compile(r"[\r\n\0]").search


def read_ordinary(blocks: bytes, where: Where, *, crlf: bool) -> Found | None:
    """Read blocks, the empty line after the last one cut off. None if there is anything else than the two shapes.

    `crlf` says that all line ends are CRLF, so far as they are any of these shapes; without it there is no CR at all.
    """
    try:
        text = blocks.decode()
    except UnicodeDecodeError:
        return None
    return _read_row(text, where, crlf=crlf) or _read_blocks(text, where, crlf=crlf)


def _read_row(text: str, where: Where, *, crlf: bool) -> Found | None:
    """Read blocks with the same name or none, no id, and one line of data each: what a model says comes in long rows.

    `_read_blocks` would read the same, and take a fifth more time for it.
    """
    ends = _CRLF if crlf else _LF
    found = ends.head.match(text)
    if found is None:
        return None
    line, offset, id, id_inherited = where
    head, event = found[0], found[1] or "message"
    lines = 3 if found[1] is not None else 2
    separator = ends.blank + head
    gap, ascii = len(separator.encode()), text.isascii()
    messages: list[SSEMessage] = []
    for data in text[len(head) :].split(separator):
        if "\n" in data or (crlf and "\r" in data):
            return None
        messages.append(trusted_message(event, data, id, None, id_inherited, line, offset))
        id_inherited = True
        line += lines
        offset += gap + (len(data) if ascii else len(data.encode()))
    return messages, (line, offset, id, True)


def _read_blocks(text: str, where: Where, *, crlf: bool) -> Found | None:
    """Read blocks of either shape, with names, ids and lines of data of their own."""
    ends = _CRLF if crlf else _LF
    named = text.startswith("event: ")
    first = "event: " if named else "data: "
    if not text.startswith(first):
        return None
    line, offset, id, id_inherited = where
    separator, ascii = ends.blank + first, text.isascii()
    event = "message"
    messages: list[SSEMessage] = []
    for body in text[len(first) :].split(separator):
        data, lines = body, 2
        if named:
            event, found, data = body.partition(ends.data)
            if not found:
                return None
            lines = 3
            if "\n" in event or (crlf and "\r" in event):
                event, found, id = event.partition(ends.id)
                if not found or _UNUSUAL(event) or _UNUSUAL(id):
                    return None
                id_inherited, lines = False, 4
        if "\n" in data or (crlf and "\r" in data):
            parts = data.split(ends.data)
            data = "\n".join(parts)
            if "\r" in data or data.count("\n") >= len(parts):
                return None
            lines += len(parts) - 1
        messages.append(trusted_message(event or "message", data, id, None, id_inherited, line, offset))
        id_inherited = True
        line += lines
        offset += len(separator) + (len(body) if ascii else len(body.encode()))
    return messages, (line, offset, id, True)

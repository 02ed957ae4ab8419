"""Reading whole blocks of the shapes that nearly every server sends, at a fraction of what the standard's way costs.

Knows blocks that are all data lines, or all event, perhaps id, and data lines. Leaves everything else alone: whatever
is read here the parser would read the same, line by line. Does not know what stands before the blocks or after them.
"""

from codecs import utf_8_decode
from typing import Final, NamedTuple

from playhead.sse.message import SSEMessage, trusted_message

Where = tuple[int, int, str, bool]
"""Where blocks begin, by line and byte, the id that is in force there, and whether an earlier block had set it."""


class _Ends(NamedTuple):
    """Hold what depends on how lines end: what is between blocks, and before data and id inside them."""

    blank: str
    data: str
    id: str


class _Row(NamedTuple):
    """Hold what blocks have in common that follow one another with the same name, or none, and one line of data.

    `head` is what is before the data of each, `separator` what is between the data of two, `gap` its size in bytes.
    """

    event: str
    head: str
    blank: str
    separator: str
    gap: int
    lines: int


_LF: Final = _Ends("\n\n", "\ndata: ", "\nid: ")
_CRLF: Final = _Ends("\r\n\r\n", "\r\ndata: ", "\r\nid: ")


class OrdinaryReader:
    """Read blocks of the two shapes from the chunks of one stream.

    What a model says comes in long rows: blocks with the same name, no id, and one line of data each. The reader
    remembers the row that it met last and tries it first, for a row is read in two thirds of the time.
    """

    __slots__ = ("_last", "_row")

    def __init__(self) -> None:
        self._row = _row("", _LF, named=False)
        # The name of the last block, if that could begin a row.
        self._last: str | None = None

    def read(self, chunk: bytes, where: Where, *, crlf: bool) -> tuple[list[SSEMessage], Where, bool]:
        """Read the blocks that `chunk` begins with, so far as they are whole and ordinary.

        Returns their messages, where the rest begins, and whether the rest is known to be nothing, or a block of the
        row that has only begun. Before a block of another kind, one may be left that could have been read. `crlf` says
        that all line ends are CRLF, so far as blocks are ordinary; without it there is no CR at all.
        """
        messages: list[SSEMessage] = []
        try:
            text, _ = utf_8_decode(chunk)
        except UnicodeDecodeError:
            return messages, where, False
        if text.startswith(self._row.head):
            there, has_only_begun = self._read_row(text, where, messages, crlf=crlf)
            if has_only_begun:
                return messages, there, True
            text, _ = utf_8_decode(chunk[there[1] - where[1] :])
            where = there
        return messages, self._read_blocks(text, where, messages, crlf=crlf), False

    def _read_row(self, text: str, where: Where, messages: list[SSEMessage], *, crlf: bool) -> tuple[Where, bool]:
        """Read blocks of the row as `_read_blocks` would. Tell whether after them one has only begun, or nothing is."""
        event, head, blank, separator, gap, lines = self._row
        line, offset, id, id_inherited = where
        ascii = text.isascii()
        bodies = text.split(separator)
        bodies[0] = bodies[0][len(head) :]
        last = bodies.pop()
        has_only_begun = "\n" not in last and not (crlf and "\r" in last)
        if last.endswith(blank):
            bodies.append(last.removesuffix(blank))
            has_only_begun = True
        for body in bodies:
            if "\n" in body or (crlf and "\r" in body):
                has_only_begun = False
                break
            messages.append(trusted_message(event, body, id, None, id_inherited, line, offset))
            id_inherited = True
            line += lines
            offset += gap + (len(body) if ascii else len(body.encode()))
        return (line, offset, id, id_inherited), has_only_begun

    def _read_blocks(self, text: str, where: Where, messages: list[SSEMessage], *, crlf: bool) -> Where:
        """Read blocks of either shape, with names, ids and lines of data of their own."""
        named = text.startswith("event: ")
        first = "event: " if named else "data: "
        if not text.startswith(first):
            return where
        blank, before_data, before_id = ends = _CRLF if crlf else _LF
        line, offset, id, id_inherited = where
        separator = blank + first
        gap, ascii = len(separator), text.isascii()
        event, own_id, lines = "", None, 0
        bodies = text[len(first) :].split(separator)
        last = bodies.pop()
        end = last.rfind(blank)
        if end >= 0:
            bodies.append(last[:end])
        for body in bodies:
            data, lines, own_id = body, 2, None
            if named:
                event, found, data = body.partition(before_data)
                if not found:
                    break
                lines = 3
                if not event.isprintable():
                    event, found, own_id = event.partition(before_id)
                    if not (found and event.isprintable() and own_id.isprintable()):
                        break
                    lines = 4
            if "\n" in data or (crlf and "\r" in data):
                parts = data.split(before_data)
                data = "\n".join(parts)
                if "\r" in data or data.count("\n") >= len(parts):
                    break
                lines += len(parts) - 1
            if own_id is not None:
                id, id_inherited = own_id, False
            messages.append(trusted_message(event or "message", data, id, None, id_inherited, line, offset))
            id_inherited = True
            line += lines
            offset += gap + (len(body) if ascii else len(body.encode()))
        else:
            is_plain = lines == 2 + named
            before = messages[-2].event if len(bodies) > 1 else self._last
            self._last = messages[-1].event if is_plain else None
            if is_plain and self._last == before:
                self._row = _row(event, ends, named=named)
        return line, offset, id, id_inherited


def _row(event: str, ends: _Ends, *, named: bool) -> _Row:
    head = f"event: {event}{ends.data}" if named else "data: "
    separator = ends.blank + head
    return _Row(event or "message", head, ends.blank, separator, len(separator.encode()), 2 + named)

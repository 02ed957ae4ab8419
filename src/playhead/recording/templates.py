"""Reading the next message of a stream by the look of the last one, where only its text is new.

Nearly all messages of a stream differ in one text, and in numbers and times that no table asks for. Such a message need
not be parsed. Knows the spelling of JSON. Does not know what the text means.
"""

import re
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from typing import Final

from playhead.events.canonical import Path
from playhead.events.spans import Dialect, Op
from playhead.recording.texts import Piece

MAX_TEMPLATE_BYTES: Final = 4_096
"""Of a longer message no template is made."""

_TOKEN: Final = re.compile(r'("[^"\\]*")(\s*:)?|(-?[0-9][0-9.eE+-]*)|(\\)|[^"\\0-9-]+|-')
_TEXT: Final = r'"(?P<text>[^"\\]*)"'
_ANY_STRING: Final = r'"([^"\\]*)"'
_LINES_BEFORE: Final = r"(?:(?:(?:event|id):[^\r\n]*\r?\n)*data: ?)?"
_ENDS: Final = r"[\r\n]*"
_ANY_NUMBER: Final = "-?[0-9][0-9.eE+-]*"
_PLACES: Final = tuple(each.name for each in fields(Op) if each.type is Path)


@dataclass(frozen=True, slots=True)
class Template:
    """Match messages that have one piece of text, where only it and what no table asks for is new."""

    pattern: re.Pattern[bytes]
    piece: Piece

    def read(self, message: bytes) -> tuple[Piece, bytes] | None:
        """Return the piece of a message that looks like this, and its other strings; None where it looks otherwise.

        The message may stand in the lines of SSE. Of the other strings only those are told that are new, each with a
        quotation mark behind it.
        """
        match = self.pattern.fullmatch(message)
        if match is None or not message.isascii() or not match["text"]:
            return None
        piece = Piece(self.piece.stream, match["text"].decode(), self.piece.where)
        if self.pattern.groups == 1:
            return piece, b""
        strings = list(match.groups())
        del strings[self.pattern.groupindex["text"] - 1]
        return piece, b'"'.join((*strings, b""))


def learn(payload: bytes, piece: Piece, dialect: Dialect | None) -> Template | None:
    """Return the template of a message with one piece of text, or None where it is too long, or spelled with escapes.

    A text that is there twice is no template's: both may be pieces. Where there is no table, every other string stays
    as it is: it may be a piece, too.
    """
    name = piece.where[-1] if piece.where else ""
    if len(payload) > MAX_TEMPLATE_BYTES or not payload.isascii() or not isinstance(name, str):
        return None
    asked = _asked(dialect) if dialect is not None else None
    pattern: list[str] = []
    key, texts = "", 0
    for match in _TOKEN.finditer(payload.decode()):
        string, colon, number, escape = match.groups()
        if escape:
            return None
        if string and colon:
            key = string[1:-1]
            pattern.append(re.escape(match[0]))
        elif string and string[1:-1] == piece.text:
            texts += 1
            pattern.append(_TEXT)
        elif number and (asked is None or key not in asked):
            pattern.append(_ANY_NUMBER)
        elif string and asked is not None and key not in asked:
            pattern.append(_ANY_STRING)
        else:
            pattern.append(re.escape(match[0]))
    return Template(_compiled("".join((_LINES_BEFORE, *pattern, _ENDS)).encode()), piece) if texts == 1 else None


@cache
def _asked(dialect: Dialect) -> frozenset[str]:
    """Return the names of all fields that a table asks for, wherever in an event they are."""
    places = [getattr(op, name) for ops in dialect.ops.values() for op in ops for name in _PLACES]
    places += [(dialect.tag,), dialect.group, dialect.nested, *dialect.shapes.values()]
    return frozenset(name for place in places for step in place for name in re.split("[|,]", step))


@lru_cache(maxsize=64)
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern)

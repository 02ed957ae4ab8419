"""Where the messages of a stream of bytes carry pieces of text: SSE of any dialect, JSON a line, or plain words.

Knows how a message is read, and which dialect's table says where its text is. Where no table does, every text in it is
a piece. Does not know how messages lie in chunks, nor what is held back for how long.
"""

import json
from collections import deque
from collections.abc import Callable, Collection
from typing import Any, Final

from pydantic_core import from_json

from playhead.events.dialects import dialect_of
from playhead.events.spans import Dialect
from playhead.recording.templates import Template, learn
from playhead.recording.texts import EventTexts, Piece, Place, Stream, leaves

MAX_STREAMS: Final = 256
"""Places of messages without a table whose texts are followed at a time: a hostile stream may have any number."""

MAX_TEMPLATES: Final = 4
"""How many looks of messages are remembered of a stream."""

NO_JSON: Final = object()
"""What a message is that is no JSON."""


class MessageTexts:
    """Find the pieces of text in the messages of one stream of bytes.

    `may_begin` tells whether a secret may begin at the end of a text in a message, and `waits` whether a stream of text
    holds something back. With them the places that no table names are looked at only where it matters.
    """

    def __init__(self, owner: Stream, *, may_begin: Callable[[bytes], bool], waits: Callable[[Stream], bool]) -> None:
        self._owner = owner
        self._may_begin = may_begin
        self._waits = waits
        self._dialect: Dialect | None = None
        self._tables: dict[str, EventTexts] = {}
        self._leaves: set[Stream] = set()
        self._others: set[Stream] = set()
        self._templates: deque[Template] = deque(maxlen=MAX_TEMPLATES)

    def glance(self, message: bytes) -> Piece | None:
        """Return the only piece of a message that looks like one before; None where it must be read.

        The message may stand in the lines of SSE.
        """
        if not self._leaves:
            for template in self._templates:
                found = template.read(message)
                if found is not None:
                    piece, others = found
                    return None if others and self._may_begin(others) else piece
        return None

    def look(self, payload: bytes, value: Any) -> tuple[list[Piece], Collection[Stream]]:
        """Return the pieces of a message, read as `value`, and the streams that it ends."""
        before = self._told_streams()
        dialect = self._dialect_of(value) if isinstance(value, dict) else None
        if dialect is not None:
            pieces, ended = self._by_table(dialect, payload, value)
        elif isinstance(value, dict):
            pieces, ended = self._at_leaves(value, self._others), ()
        else:
            return self._plain(payload, value), ()
        if ended or self._told_streams() != before:
            # A message of the same look may mean something else now: it may end a stream that is open.
            self._templates.clear()
        if len(pieces) == 1 and not ended and not self._leaves:
            template = learn(payload, pieces[0], dialect)
            self._templates.extend([template] if template else ())
        return pieces, ended

    def _by_table(
        self, dialect: Dialect, payload: bytes, value: dict[str, Any]
    ) -> tuple[list[Piece], Collection[Stream]]:
        table = self._tables.get(dialect.name)
        if table is None:
            table = self._tables[dialect.name] = EventTexts(dialect, (*self._owner, dialect.name))
        pieces, ended = table.find(value)
        begins = self._may_begin(_without(payload, pieces))
        if not (self._leaves or begins):
            return pieces, ended
        idle = {stream for stream in self._leaves if not self._waits(stream)}
        self._leaves -= idle
        if self._leaves or begins:
            pieces += self._at_leaves(value, self._leaves, taken={piece.where for piece in pieces})
        return pieces, {*ended, *(idle - self._leaves)}

    def _told_streams(self) -> set[Stream]:
        """Return the open streams that a table tells, and those of messages without one."""
        return self._others.union(*(table.open for table in self._tables.values()))

    def is_waiting(self) -> bool:
        """Tell whether a stream of text holds something back, or loses the rest of a secret."""
        return any(map(self._waits, self._leaves | self._told_streams()))

    def close(self) -> list[Stream]:
        """Return the streams that are open at the end, and forget them."""
        streams = [stream for table in self._tables.values() for stream in table.close()]
        streams += [*self._leaves, *self._others]
        self._leaves, self._others = set(), set()
        return streams

    def _dialect_of(self, value: dict[str, Any]) -> Dialect | None:
        last = self._dialect
        if last is None or last.shapes or last.type_of(value) not in last.ops:
            last = dialect_of(value)
            self._dialect = last or self._dialect
        return last

    def _plain(self, payload: bytes, value: Any) -> list[Piece]:
        """Return the one piece of a message that is a word of text, or a string of JSON."""
        stream = (*self._owner, "text")
        self._others.add(stream)
        if isinstance(value, str):
            return [Piece(stream, value)] if value else []
        return [Piece(stream, payload.decode("latin-1"))]

    def _at_leaves(self, value: Any, known: set[Stream], *, taken: Collection[Place] = ()) -> list[Piece]:
        pieces: list[Piece] = []
        for where, text in leaves(value):
            stream = (*self._owner, "at", *where)
            if text and where not in taken and (stream in known or len(known) < MAX_STREAMS):
                known.add(stream)
                pieces.append(Piece(stream, text, where=where))
        return pieces


def _without(payload: bytes, pieces: list[Piece]) -> bytes:
    """Return a message without the pieces that its table tells, as far as they are spelled without escapes."""
    for piece in pieces:
        payload = payload.replace(f'"{piece.text}"'.encode("utf-8", "surrogatepass"), b'""', 1)
    return payload


def read_message(payload: bytes) -> Any:
    """Return the value of a message, or `NO_JSON`."""
    try:
        return from_json(payload, allow_inf_nan=True)
    except ValueError:
        pass
    try:
        # It knows lone surrogates, too.
        return json.loads(payload)
    except (ValueError, RecursionError):
        return NO_JSON

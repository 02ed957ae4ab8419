"""What stands between the recorder and the writer: entries go through in order, without secrets, some of them late.

An entry waits while the text at the end of its stream may be the beginning of a secret, and later ones wait behind it.
Knows redaction and order. Does not know runs, events or time.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from playhead.cassettes.redact import Redactor, StreamRedactor
from playhead.recording.texts import Piece, Stream


@dataclass(slots=True)
class _Entry:
    at_us: int
    prefix: bytes
    data: bytes
    pieces: tuple[Piece, ...] = ()
    changes: list[tuple[Piece, str]] = field(default_factory=list)


_Token = tuple[_Entry, Piece | None]


class Holding:
    """Pass entries on to `write(at_us, prefix, data)`, redacted. `held` counts those that wait.

    What `write` raises passes through; the entries behind that one are lost.
    """

    def __init__(self, redactor: Redactor, write: Callable[[int, bytes, bytes], None]) -> None:
        self.held: int = 0
        self._redactor = redactor
        self._write = write
        self._streams = StreamRedactor[_Token](redactor)

    def put(self, at_us: int, prefix: bytes, data: bytes, piece: Piece | None = None) -> None:
        """Take an entry, with the piece of a stream of text that it carries, if it carries one."""
        if piece is not None:
            self.held += 1
            entry = _Entry(at_us, prefix, data, (piece, *piece.more))
            for each in entry.pieces:
                self._let_go(self._streams.feed(each.stream, each.text, token=(entry, each)))
        elif self.held:
            self.held += 1
            self._let_go(self._streams.skip((_Entry(at_us, prefix, data), None)))
        else:
            self._write(at_us, prefix, self._redactor.json(data))

    def flush(self, streams: Collection[Stream]) -> None:
        """End streams of text: what waits for more of them goes on."""
        for stream in streams:
            self._let_go(self._streams.flush(stream))

    def close(self) -> None:
        """End all streams, and let everything go."""
        self._let_go(self._streams.close())

    def _let_go(self, released: list[tuple[_Token, str]]) -> None:
        for (entry, piece), text in released:
            if piece is not None and text is not piece.text:
                entry.changes.append((piece, text))
            if piece is None or piece is entry.pieces[-1]:
                self.held -= 1
                self._write(entry.at_us, entry.prefix, self._clean(entry))

    def _clean(self, entry: _Entry) -> bytes:
        data = entry.data
        for piece, text in reversed(entry.changes):
            data = piece.put_back(data, text)
        is_all = bool(entry.pieces) and entry.pieces[0].is_all
        return data if is_all else self._redactor.json(data)

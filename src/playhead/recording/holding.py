"""What stands between the recorder and the writer: entries go through in order, without secrets, some of them late.

An entry waits while the text at the end of its stream may be the beginning of a secret, and later ones wait behind it.
Bytes are looked at twice: for the texts in their messages, and then as they are. Knows redaction and order. Does not
know runs, events or time.
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from playhead.cassettes.redact import Redactor, StreamRedactor
from playhead.events.tagged import dumps
from playhead.recording.byte_streams import ByteStream, Line, Look
from playhead.recording.texts import Change, Piece, Stream, put_back

MAX_HELD: Final = 64
"""How many entries wait at most."""
# No secret has a quotation mark, and a message must keep the one that ends the string in which a secret began.
_END_OF_STRING: Final = r'(?=\\*")'


@dataclass(slots=True, eq=False)
class _Entry:
    """Hold an entry. It is ready when no piece is `open`; a chunk, when its stream is settled up to its `end`."""

    at_us: int
    prefix: bytes
    data: bytes
    open: int = 0
    changes: list[Change] = field(default_factory=list)
    chunk: Piece | None = None
    source: ByteStream | None = None
    end: int = 0

    def is_ready(self) -> bool:
        return self.end <= self.source.settled if self.source else not self.open


_Owner = tuple[_Entry | Line, Piece, ByteStream | None]


class Holding:
    """Pass entries on to `write(at_us, prefix, data)`, redacted. `held` counts those that wait.

    What `write` raises passes through; the entries behind that one are lost.
    """

    def __init__(self, redactor: Redactor, write: Callable[[int, bytes, bytes], None]) -> None:
        self.held: int = 0
        self._redactor = redactor
        self._write = write
        self._texts = StreamRedactor[_Owner](redactor, max_entries=4 * MAX_HELD)
        self._bytes = StreamRedactor[_Entry](redactor, stop=_END_OF_STRING)
        self._sources: dict[Stream, ByteStream] = {}
        # A stream in the place of an entry has ended there.
        self._queue: deque[_Entry | Stream] = deque()

    def put(self, at_us: int, prefix: bytes, data: bytes, piece: Piece | None = None) -> None:
        """Take an entry, with the piece of a stream of text that it carries, if it carries one."""
        if piece is None and not self.held:
            self._write(at_us, prefix, self._redactor.json(data))
            return
        if piece is not None and piece.is_all and not self.held and self._is_plain(piece):
            self._write(at_us, prefix, data)
            return
        entry = _Entry(at_us, prefix, data)
        self.held += 1
        self._queue.append(entry)
        if piece is not None and piece.is_all:
            self._take_chunk(entry, piece)
        elif piece is not None:
            pieces = (piece, *piece.more)
            entry.open = len(pieces)
            for each in pieces:
                self._decide(self._texts.feed(each.stream, each.text, token=(entry, each, None)))
        self._advance()
        while self.held > MAX_HELD:
            self._force()

    def flush(self, streams: Collection[Stream]) -> None:
        """End streams of text: what waits for more of them goes on."""
        for stream in streams:
            source = self._sources.pop(stream, None)
            if source is None:
                self._decide(self._texts.flush(stream))
            else:
                self._finish(source)
                self._queue.append(stream)
        self._advance()

    def close(self) -> None:
        """End all streams, and let everything go."""
        self.flush(list(self._sources))
        self._decide(self._texts.close())
        self._advance()
        self._pass_on(self._bytes.close())

    def _is_plain(self, piece: Piece) -> bool:
        """Tell whether a chunk goes on as it is: a message like the last one, with nothing secret in its text."""
        source = self._sources.get(piece.stream)
        chunk = piece.text.encode("latin-1")
        text = source.glance(chunk) if source else None
        if source is None or text is None or self._bytes.waits(piece.stream):
            return False
        if not self._redactor.is_clean(piece.text) or not self._texts.passes(text.stream, text.text):
            return False
        source.skip(chunk)
        return True

    def _take_chunk(self, entry: _Entry, piece: Piece) -> None:
        source = self._sources.get(piece.stream)
        if source is None:
            is_dropping = partial(self._bytes.drops, piece.stream)
            source = ByteStream(piece.stream, self._redactor, waits=self._texts.waits, is_dropping=is_dropping)
            self._sources[piece.stream] = source
        entry.chunk, entry.source = piece, source
        for look in source.feed(piece.text.encode("latin-1")):
            self._take_line(source, look)
        entry.end = source.total

    def _take_line(self, source: ByteStream, look: Look) -> None:
        line, pieces, ended = look
        source.add(line)
        for each in pieces:
            self._decide(self._texts.feed(each.stream, each.text, token=(line, each, source)))
        for stream in ended:
            self._decide(self._texts.flush(stream))
        if not pieces:
            source.settle(line)

    def _finish(self, source: ByteStream) -> None:
        for look in source.finish():
            self._take_line(source, look)
        for stream in source.close():
            self._decide(self._texts.flush(stream))

    def _decide(self, released: list[tuple[_Owner, str]]) -> None:
        """Note what became of pieces of text."""
        for (owner, piece, source), text in released:
            if text is not piece.text:
                owner.changes.append((piece.where, text))
            owner.open -= 1
            if source is not None and isinstance(owner, Line) and not owner.open:
                source.settle(owner)

    def _advance(self) -> None:
        """Let the entries go that wait for nothing."""
        queue = self._queue
        while queue:
            first = queue[0]
            if isinstance(first, _Entry):
                if not first.is_ready():
                    break
                queue.popleft()
                self._let_go(first)
            else:
                queue.popleft()
                self._pass_on(self._bytes.flush(first))

    def _let_go(self, entry: _Entry) -> None:
        if entry.chunk is None or entry.source is None:
            entry.data = self._redactor.json(put_back(entry.data, entry.changes) if entry.changes else entry.data)
            self._pass_on(self._bytes.skip(entry))
            return
        old = entry.chunk.text.encode("latin-1")
        new = entry.source.take(old)
        if new is not old:
            entry.chunk = Piece(entry.chunk.stream, new.decode("latin-1"))
            entry.data = dumps(new)
        self._pass_on(self._bytes.feed(entry.chunk.stream, entry.chunk.text, token=entry))

    def _pass_on(self, released: list[tuple[_Entry, str]]) -> None:
        for entry, text in released:
            if entry.chunk is not None and text is not entry.chunk.text:
                entry.data = dumps(text.encode("latin-1"))
            self.held -= 1
            self._write(entry.at_us, entry.prefix, entry.data)

    def _force(self) -> None:
        """Let the entry go that waits longest, though nothing is sure yet."""
        if self._bytes.held:
            self._pass_on(self._bytes.force())
            return
        first = self._queue[0]
        assert isinstance(first, _Entry)
        if first.source is not None and not first.source.waits_for_pieces():
            first.source.pass_by()
        else:
            self._decide(self._texts.force())
        self._advance()

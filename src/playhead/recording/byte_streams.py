"""How the messages of a stream of bytes lie in its chunks, and which chunks cannot change any more.

Takes chunks and gives pieces of text; takes back other texts, and puts them where they belong, byte for byte. Knows
offsets. Does not know what is secret, nor in which order entries are written.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from playhead.cassettes.redact import Redactor
from playhead.cassettes.redact.strings import respell, string_spans
from playhead.recording.lines import LineCutter, Saying, may_say
from playhead.recording.messages import NO_JSON, MessageTexts, read_message
from playhead.recording.texts import Change, Piece, Stream, changed

MAX_TAIL_BYTES: Final = 512
"""A chunk waits for the end of a line that is not longer. Of a longer one only while a secret may go on in it."""
_ESCAPE: Final = re.compile(r"\\(?:u.{4}|.)")
_JSON: Final = ("{", "[", '"')


@dataclass(slots=True, eq=False)
class Line:
    """Hold what a line says, until nothing in it can change any more: while `open` pieces of it are not decided."""

    saying: Saying
    is_suspect: bool
    open: int = 0
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Edit:
    """Say that other bytes shall stand from `start` to `end` in the stream."""

    start: int
    end: int
    new: bytes


Look = tuple[Line, list[Piece], Collection[Stream]]
"""A line, its pieces of text, and the streams of text that end with it."""


class ByteStream:
    """Follow one stream of bytes. All before `settled` cannot change any more, and is given out by `take`.

    `waits` tells whether a stream of text holds something back, `is_dropping` whether whoever took the bytes drops what
    follows, as the rest of a secret.
    """

    def __init__(
        self,
        stream: Stream,
        redactor: Redactor,
        *,
        waits: Callable[[Stream], bool],
        is_dropping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._redactor = redactor
        self._is_dropping = is_dropping
        self._texts = MessageTexts(stream, may_begin=redactor.may_open, waits=waits)
        self._cutter = LineCutter()
        self._lines: deque[Line] = deque()
        self._edits: list[_Edit] = []
        self._passed = 0
        self._taken = 0

    @property
    def total(self) -> int:
        """Return how many bytes came."""
        return self._cutter.total

    @property
    def settled(self) -> int:
        """Return the offset before which nothing can change any more."""
        if self._lines:
            return max(self._passed, self._lines[0].saying.start)
        tail = self._cutter.tail
        return self._cutter.tail_start if tail and self._may_change(tail) else self._cutter.total

    def glance(self, chunk: bytes) -> Piece | None:
        """Return the only piece of a chunk that is one message, and looks like one before; None where it is not."""
        is_whole = chunk.endswith(b"\n") and not self._cutter.tail and not self._lines
        return self._texts.glance(chunk) if is_whole else None

    def skip(self, chunk: bytes) -> None:
        """Take and give out a chunk of whole lines in which nothing can change."""
        self._cutter.total += len(chunk)
        self._taken = self._cutter.total

    def feed(self, chunk: bytes) -> Iterator[Look]:
        """Take the next bytes, and return the lines that they end and that say something.

        A line is looked at when it is asked for: what becomes of the text in the line before matters.
        """
        return map(self._look, self._cutter.feed(chunk))

    def finish(self) -> Iterator[Look]:
        """End the stream: return what its last line says, if that has no end."""
        return map(self._look, self._cutter.close())

    def close(self) -> list[Stream]:
        """Return the streams of text that are open at the end."""
        return self._texts.close()

    def add(self, line: Line) -> None:
        """Take a line of which something is not decided."""
        self._lines.append(line)

    def settle(self, line: Line) -> None:
        """Note that all pieces of a line are decided."""
        self._edit(line)
        while self._lines and not self._lines[0].open:
            self._lines.popleft()

    def waits_for_pieces(self) -> bool:
        """Tell whether a line waits for what follows its text, and not only for its own end."""
        return bool(self._lines)

    def pass_by(self) -> None:
        """Let all go that came until now."""
        self._passed = self._cutter.total

    def take(self, chunk: bytes) -> bytes:
        """Return the next chunk as it shall be: the very object where nothing in it changed."""
        start, end = self._taken, self._taken + len(chunk)
        self._taken = end
        if not self._edits:
            return chunk
        pieces, cursor = [], start
        for edit in self._edits:
            if edit.start < end and edit.end > start:
                pieces += [chunk[cursor - start : max(cursor, edit.start) - start], edit.new * (edit.start >= start)]
                cursor = min(end, max(cursor, edit.end))
        self._edits = [edit for edit in self._edits if edit.end > end]
        return b"".join((*pieces, chunk[cursor - start :])) if pieces else chunk

    def _may_change(self, tail: bytes) -> bool:
        if self._passed >= self._cutter.total or not may_say(tail):
            return False
        return len(tail) <= MAX_TAIL_BYTES or self._texts.is_waiting() or self._redactor.may_open(tail)

    def _look(self, saying: Saying) -> Look:
        piece = self._texts.glance(saying.payload)
        if piece is not None and self._redactor.is_clean(saying.payload.decode()):
            return Line(saying, False, 1), [piece], ()
        value = read_message(saying.payload)
        pieces, ended = self._texts.look(saying.payload, value)
        # Two bodies in one line are no JSON, but have its strings.
        has_strings = value is not NO_JSON or (saying.payload.startswith(b"{") and saying.payload.isascii())
        is_suspect = has_strings and not self._redactor.is_clean(saying.payload.decode("utf-8", "replace"))
        return Line(saying, is_suspect, len(pieces)), pieces, ended

    def _edit(self, line: Line) -> None:
        old = line.saying.payload
        new = _with_changes(old, line.changes) if line.changes else old
        if line.is_suspect:
            new = self._redactor.json(new)
        for first, last, told in _differences(old.decode("latin-1"), new.decode("latin-1")):
            start, end = line.saying.start + first, line.saying.start + last
            # What has been let go stays, and a secret that began there loses the rest, if not elsewhere already.
            if start >= self._taken:
                self._edits.append(_Edit(start, end, told))
            elif not self._is_dropping():
                cut = _after_escape(old.decode("latin-1"), self._taken - line.saying.start)
                self._edits.append(_Edit(line.saying.start + cut, end, b""))
        self._edits.sort(key=lambda edit: edit.start)


def _differences(old: str, new: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield what was replaced in a line, as narrow as may be: from where, to where, and by what."""
    if old == new:
        return
    before, after = string_spans(old), string_spans(new)
    if len(before) != len(after) or not old.startswith(_JSON):
        before, after = [(0, len(old))], [(0, len(new))]
    for (start, end), (first, last) in zip(before, after, strict=True):
        one, other = old[start:end], new[first:last]
        if one != other:
            head = _common(one, other)
            tail = _common(one[head:][::-1], other[head:][::-1])
            yield start + head, end - tail, other[head : len(other) - tail].encode("latin-1")


def _after_escape(text: str, place: int) -> int:
    """Return the end of the escape of JSON in which a place lies, or the place itself."""
    return next((match.end() for match in _ESCAPE.finditer(text) if match.start() < place < match.end()), place)


def _common(one: str, other: str) -> int:
    """Return how many bytes two texts have in common at their beginning."""
    both = min(len(one), len(other))
    return next((place for place in range(both) if one[place] != other[place]), both)


def _with_changes(payload: bytes, changes: list[Change]) -> bytes:
    value: Any = read_message(payload)
    if value is NO_JSON:
        return changes[-1][1].encode("latin-1")
    new = changed(value, changes)
    text = respell(payload.decode(), new)
    return (json.dumps(new) if text is None else text).encode()

"""Redacting text that comes in pieces: a key split over three chunks is still a key.

Knows which entries of a recording must wait, because the text at the end of their stream may be the beginning of a
secret, and in which order entries go on. Does not know events: its caller says which text an entry adds to which
stream, and what to do with an entry that is let go.
"""

import re
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Generic, TypeVar

from playhead.cassettes.redact.redactor import Redactor
from playhead.cassettes.redact.scanner import Span

T = TypeVar("T")

# What may stand before a secret, and belongs to its pattern, is shorter.
_CONTEXT = 160
_MAX_EATEN = 65_536


@dataclass(slots=True)
class _Entry(Generic[T]):
    token: T
    text: str
    done: bool = False


@dataclass(slots=True)
class _Channel(Generic[T]):
    """Hold the end of one stream's text: `context` has been let go, `held` has not."""

    context: str = ""
    held: list[_Entry[T]] = field(default_factory=list)
    rest: str = ""
    carry: str = ""
    eaten: int = 0


class StreamRedactor(Generic[T]):
    """Redact the joined text of streams, entry by entry, in the order in which the entries came.

    Call `feed` for an entry that adds text to a stream and `skip` for any other; each returns the entries that may
    be written now, as pairs of the caller's token and the entry's text, the very object where nothing in it was
    secret. An entry waits while the end of its stream's text may be the beginning of a secret, and all later entries
    wait behind it. A secret's placeholder stands in the entry in which the secret begins; the others lose their part.

    Nothing waits for long: not behind more than `max_entries`, and not once the doubtful end of a stream is longer
    than `max_bytes`. Then it is let go; if it is a secret already, it is replaced, and what still comes of it
    is dropped, up to `stop`, an expression, if it is found before the secret's end. `flush` ends a stream, `close` all
    of them. Bytes of a wire can pass as Latin-1 text.
    """

    def __init__(self, redactor: Redactor, *, max_bytes: int = 512, max_entries: int = 64, stop: str = "") -> None:
        self._redactor = redactor
        self._stop = f"|{stop}" * bool(stop)
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._channels: dict[Hashable, _Channel[T]] = {}
        self._queue: deque[tuple[_Channel[T] | None, _Entry[T]]] = deque()

    @property
    def held(self) -> int:
        """How many entries wait."""
        return len(self._queue)

    def feed(self, stream: Hashable, text: str, *, token: T) -> list[tuple[T, str]]:
        """Take an entry that adds text to a stream, and return the entries that may be written now."""
        channel = self._channels.get(stream)
        if channel is None:
            channel = self._channels[stream] = _Channel()
        if channel.rest:
            text = _after_rest(channel, text)
        if not channel.held and self._goes_on(channel, text):
            return self._pass(token, text)
        entry = _Entry(token, text)
        channel.held.append(entry)
        self._queue.append((channel, entry))
        self._settle(channel, force=False)
        return self._released()

    def passes(self, stream: Hashable, text: str) -> bool:
        """Take text that adds to a known stream if nothing waits and nothing in it is secret; else change nothing."""
        channel = self._channels.get(stream)
        if channel is None or channel.rest or self._queue:
            return False
        return self._goes_on(channel, text)

    def skip(self, token: T) -> list[tuple[T, str]]:
        """Take an entry without text, and return the entries that may be written now."""
        return self._pass(token, "")

    def flush(self, stream: Hashable) -> list[tuple[T, str]]:
        """End one stream: nothing follows its text. Return the entries that may be written now."""
        channel = self._channels.pop(stream, None)
        if channel is not None:
            self._settle(channel, force=True)
        return self._released()

    def close(self) -> list[tuple[T, str]]:
        """End all streams and return every entry that waits."""
        for channel in self._channels.values():
            self._settle(channel, force=True)
        self._channels.clear()
        return self._released()

    def waits(self, stream: Hashable) -> bool:
        """Tell whether an entry waits for more of a stream, or a secret goes on in it that was let go."""
        channel = self._channels.get(stream)
        return channel is not None and bool(channel.held or channel.rest)

    def drops(self, stream: Hashable) -> bool:
        """Tell whether a secret goes on in a stream that was let go, so that what follows is dropped."""
        channel = self._channels.get(stream)
        return channel is not None and bool(channel.rest)

    def force(self) -> list[tuple[T, str]]:
        """Return the entry that waits longest, and those that waited only behind it, though nothing is sure yet."""
        if self._queue:
            channel, entry = self._queue[0]
            if channel is not None and not entry.done:
                self._settle(channel, force=True)
        return self._released()

    def _goes_on(self, channel: _Channel[T], text: str) -> bool:
        """Tell whether text has no secret and begins none, and if so let it be what stands before the next one."""
        joined = channel.context + text
        if not self._redactor.is_whole(joined, len(channel.context)):
            return False
        channel.context = joined[-_CONTEXT:]
        return True

    def _pass(self, token: T, text: str) -> list[tuple[T, str]]:
        if not self._queue:
            return [(token, text)]
        self._queue.append((None, _Entry(token, text, done=True)))
        return self._released()

    def _released(self) -> list[tuple[T, str]]:
        queue = self._queue
        released: list[tuple[T, str]] = []
        while queue:
            channel, entry = queue[0]
            if not entry.done:
                if len(queue) <= self._max_entries or channel is None:
                    break
                self._settle(channel, force=True)
            queue.popleft()
            released.append((entry.token, entry.text))
        return released

    def _settle(self, channel: _Channel[T], *, force: bool) -> None:
        """Decide on the entries of a channel whose text cannot become part of a secret any more; forced, on all."""
        base = len(channel.context)
        joined = channel.context + "".join(entry.text for entry in channel.held)
        found = [] if self._redactor.is_clean(joined) else self._redactor.spans(joined, base)
        size = len(joined)
        opening = self._redactor.opening(joined, base)
        force = force or len(joined[opening:].encode("utf-8", "surrogatepass")) > self._max_bytes
        end = self._end(channel, found, size if force else opening)
        settled = [span for span in found if span.start < end]
        if force and settled and opening <= settled[-1].start:
            last = settled[-1]
            channel.rest, channel.eaten = last.rest + self._stop, 0
            channel.carry = joined[last.start :][-_CONTEXT:]
            if not _rest(last.rest).search(joined, last.end):
                settled[-1] = replace(last, end=size)
        self._rewrite(channel, joined, settled)
        channel.held = [entry for entry in channel.held if not entry.done]
        channel.context = joined[:end][-_CONTEXT:]

    def _end(self, channel: _Channel[T], found: list[Span], opening: int) -> int:
        """Return the end of the last entry that can go: before the opening, and not in the middle of a secret."""
        limit = opening
        while True:
            end = position = len(channel.context)
            for entry in channel.held:
                position += len(entry.text)
                if position > limit:
                    break
                end = position
            cut = [span.start for span in found if span.start < end < span.end]
            if not cut:
                break
            limit = cut[0]
        position = len(channel.context)
        for entry in channel.held:
            position += len(entry.text)
            entry.done = position <= end
            if not entry.done:
                break
        return end

    def _rewrite(self, channel: _Channel[T], joined: str, found: list[Span]) -> None:
        """Put each placeholder into the entry where its secret begins, and take the secret out of the others."""
        if not found:
            return
        marks = [self._redactor.placeholder(joined[span.start : span.end], kind=span.kind) for span in found]
        begin = len(channel.context)
        for entry in channel.held:
            if not entry.done:
                break
            end = begin + len(entry.text)
            pieces, cursor = [], begin
            for span, mark in zip(found, marks, strict=True):
                if span.start < end and span.end > begin:
                    pieces += [joined[cursor : max(cursor, span.start)], mark if span.start >= begin else ""]
                    cursor = min(end, span.end)
            if cursor > begin or pieces:
                entry.text = "".join((*pieces, joined[cursor:end]))
            begin = end


def _after_rest(channel: _Channel[T], text: str) -> str:
    """Drop what still belongs to a secret that was let go, and return what follows it."""
    seen = channel.carry + text
    # The end of a private key may begin in what was dropped already, so that is searched with it.
    ends = (match for match in _rest(channel.rest).finditer(seen) if match.end() >= len(channel.carry))
    match = next(ends, None)
    end = match.end() if match else len(seen)
    channel.eaten += len(text)
    if end == len(seen) and not (match and match[0]) and channel.eaten <= _MAX_EATEN:
        channel.carry = seen[-_CONTEXT:]
        return ""
    channel.rest = ""
    channel.context = seen[:end][-_CONTEXT:]
    return seen[end:]


@lru_cache(maxsize=64)
def _rest(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)

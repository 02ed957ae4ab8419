"""A response as it was taped: its head if there is one, then its bytes.

Knows which responses bring an event stream. Does not know what is wrong with one: `playhead.contracts.wire` does.
"""

from typing import Final

from playhead.contracts.limits import Limits
from playhead.contracts.violation import Violation
from playhead.contracts.wire import WireWatch
from playhead.contracts.wire_head import Headers, says_stream

_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")


class ResponseWatch:
    """Watch one response. A body that is no event stream, by its head and by its first bytes, has no findings.

    Bytes without a head are taken for an event stream, for somebody taped them as one.
    """

    def __init__(self, *, codes: frozenset[str], limits: Limits | None = None) -> None:
        self._codes = codes
        self._limits = limits
        self._head: Headers | None = None
        self._watch: WireWatch | None = None
        self._is_other = False

    def headers(self, head: Headers) -> list[Violation]:
        """Return what is wrong with the head."""
        self._head = head
        return self._begin() if says_stream(head) else []

    def feed(self, chunk: bytes, *, at_us: int | None = None) -> list[Violation]:
        """Return what is wrong with the next bytes, and with a head that hides that they are an event stream."""
        found: list[Violation] = []
        if self._watch is None and not self._is_other:
            self._is_other = self._head is not None and not chunk.lstrip().startswith(_FIELDS)
            found = [] if self._is_other else self._begin()
        return found + (self._watch.feed(chunk, at_us=at_us) if self._watch else [])

    def close(self, end: str | None = None) -> list[Violation]:
        """Return what is wrong at the end, which is one of a cassette's words."""
        return self._watch.close(end) if self._watch else []

    def _begin(self) -> list[Violation]:
        self._watch = WireWatch(codes=self._codes, limits=self._limits)
        return self._watch.headers(self._head) if self._head is not None else []

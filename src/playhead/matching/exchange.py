"""One recorded call, read back: the question, and what came of it.

Knows the kinds of entry of the track `model`, as `playhead.recording.calls` writes them. Does not know where they are
kept, nor who asks again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from playhead.events.tagged import loads
from playhead.matching.conversation import unfold

ASKING: Final = frozenset({"request", "tool_call"})
"""The kinds of entry that begin a call."""

_WHOLE: Final = {"request": "reply", "tool_call": "tool_result"}


@dataclass(slots=True)
class Exchange:
    """One call as it was recorded. Times are microseconds since the tape began.

    `chunks` are `(at_us, JSON)`. `fault` is what it failed with; `how` says how a stream ended that did not fail:
    `complete`, `closed`, `cancelled`, or None where the tape does not say. `ended` is the place of its end among all
    entries of the track, so that the order of endings is known.
    """

    call: str
    kind: str
    request: dict[str, Any]
    at_us: int
    begun: int
    reply: Any = None
    has_reply: bool = False
    reply_at_us: int = 0
    chunks: list[tuple[int, bytes]] = field(default_factory=list)
    fault: dict[str, Any] | None = None
    how: str | None = None
    end_at_us: int = 0
    ended: int = 0

    def take(self, kind: str, data: bytes, *, at_us: int, place: int) -> None:
        """Take an entry of this call. Kinds that this version does not know are left alone."""
        if kind == "chunk":
            self.chunks.append((at_us, data))
        elif kind == "fault":
            self.fault = loads(data)
        elif kind == "end":
            self.how = loads(data)["how"]
        elif kind == _WHOLE[self.kind]:
            self.reply, self.has_reply, self.reply_at_us = loads(data), True, at_us
        self.end_at_us, self.ended = at_us, place


def exchanges(entries: Iterable[tuple[int, str, str, bytes]]) -> list[Exchange]:
    """Return the calls of a track in the order in which they began. `entries` are `(at_us, call, kind, data)`.

    Raises `CassetteError` for a question that repeats what is not there. Entries of calls without a question are left
    out.
    """
    found: dict[str, Exchange] = {}
    asked: dict[str, Mapping[str, Any]] = {}
    for place, (at_us, call, kind, data) in enumerate(entries):
        if kind in ASKING:
            request = unfold(loads(data), asked)
            asked[call] = request
            found[call] = Exchange(call, kind, request, at_us, begun=place, end_at_us=at_us, ended=place)
        elif call in found:
            found[call].take(kind, data, at_us=at_us, place=place)
    return list(found.values())

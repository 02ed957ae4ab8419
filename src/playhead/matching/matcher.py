"""Which recorded call answers a question: by what is asked, never by when.

A question carries its conversation, so what is equal in content has the same cause too; and a tool's call names the
model's call that caused it. Among equal questions the recorded order counts: a retry gets the second answer, and two
at once get one each. Knows JSON values; does not know protocols.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from playhead.comparing.fields import ABSENT, changes
from playhead.errors import ReplayMismatch
from playhead.events.canonical import canonical
from playhead.events.paths import replaced
from playhead.matching.conversation import messages_at
from playhead.matching.exchange import Exchange
from playhead.matching.normalise import Normaliser, normaliser
from playhead.text import and_more, clip, safe

_MAX_CHANGES = 5
_MAX_VALUE = 160


class Matcher:
    """Give each question its recorded call. One task or thread at a time.

    `ignore` names what may vary: see `playhead.matching.normalise`. `redact` makes of a live question what the recorder
    made of it. `mismatches` keeps what was raised, so that it can be raised again where the code under test caught it.
    """

    def __init__(
        self,
        recorded: Sequence[Exchange],
        *,
        where: str = "the cassette",
        ignore: Sequence[str | Normaliser] = (),
        redact: Callable[[Any], Any] = lambda request: request,
    ) -> None:
        self.mismatches: list[ReplayMismatch] = []
        self._recorded = recorded
        self._where = where
        self._even = normaliser(ignore)
        self._redact = redact
        self._waiting: defaultdict[str, deque[Exchange]] = defaultdict(deque)
        self._counts: Counter[str] = Counter()
        for exchange in recorded:
            key = self._key(exchange.kind, exchange.request)
            self._waiting[key].append(exchange)
            self._counts[key] += 1

    def take(self, request: Mapping[str, Any], kind: str = "request") -> Exchange:
        """Return the call that answers a question, and use it up. Raises `ReplayMismatch`: what is nearest, and why."""
        found = self.find(request, kind)
        if found is not None:
            return found
        mismatch = ReplayMismatch(self._explain(self._redact(dict(request)), kind))
        self.mismatches.append(mismatch)
        raise mismatch

    def find(self, request: Mapping[str, Any], kind: str = "request") -> Exchange | None:
        """Return the call that answers a question, and use it up; None if there is none."""
        waiting = self._waiting.get(self._key(kind, self._redact(dict(request))))
        return waiting.popleft() if waiting else None

    def unplayed(self) -> list[Exchange]:
        """Return the calls that nobody asked for, in recorded order."""
        left = [exchange for waiting in self._waiting.values() for exchange in waiting]
        return sorted(left, key=lambda exchange: exchange.begun)

    def assert_complete(self) -> None:
        """Raise the first mismatch again, if there was one; else `ReplayMismatch` for calls that nobody asked for."""
        if self.mismatches:
            raise self.mismatches[0]
        if left := self.unplayed():
            names = and_more([f"{exchange.call} ({outline(exchange)})" for exchange in left], 3)
            raise ReplayMismatch(f"{self._where}: {len(left)} of {len(self._recorded)} calls were not made: {names}")

    def _key(self, kind: str, request: Mapping[str, Any]) -> str:
        return f"{kind} {canonical(self._even(request))}"

    def _explain(self, request: dict[str, Any], kind: str) -> str:
        what = "tool" if kind == "tool_call" else "model"
        same_kind = [exchange for exchange in self._recorded if exchange.kind == kind]
        count = self._counts[self._key(kind, request)]
        asked = f"{self._where}: the {what} was asked what the recording does not have"
        if count:
            return f"{self._where}: the {what} was asked the same {count + 1} times, and the recording has {count}"
        if not same_kind:
            return f"{asked}: it has no call of a {what} at all"
        even = self._even(request)
        best = min(same_kind, key=lambda exchange: _distance(self._even(exchange.request), even))
        moved = list(changes(self._even(best.request), even))
        lines = [f"  {place}: {_shown(old)} -> {_shown(new)}" for place, old, new in moved[:_MAX_CHANGES]]
        more = [f"  and {len(moved) - _MAX_CHANGES} more"] if len(moved) > _MAX_CHANGES else []
        return "\n".join([f"{asked}. The nearest is {best.call}, and these differ (recorded -> asked):", *lines, *more])


def outline(exchange: Exchange) -> str:
    """Say in a few words what was asked."""
    request = exchange.request
    if exchange.kind == "tool_call":
        return f"tool {_shown(request.get('name'))}"
    _, messages = messages_at(request)
    last = messages[-1] if messages else request.get("body", request)
    place = request.get("path")
    text = last.get("content", last) if isinstance(last, Mapping) else last
    return f"{safe(str(place))} " * (place is not None) + _shown(text, 60)


def _distance(old: Any, new: Any) -> tuple[int, int]:
    """Return how far two requests are apart: messages that are not shared, then fields that differ."""
    (_, olds), (_, news) = messages_at(old), messages_at(new)
    shared = 0
    for left, right in zip(olds, news, strict=False):
        if canonical(left) != canonical(right):
            break
        shared += 1
    differing = sum(1 for _ in changes(_bare(old), _bare(new)))
    return max(len(olds), len(news)) - shared, differing


def _bare(request: Any) -> Any:
    """Return a request without its messages: they were counted."""
    path, messages = messages_at(request)
    return replaced(request, path, None) if messages else request


def _shown(value: Any, limit: int = _MAX_VALUE) -> str:
    return repr(value) if value is ABSENT else clip(safe(canonical(value), keep=""), limit)

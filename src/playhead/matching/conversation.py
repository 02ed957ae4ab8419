"""Growing conversations, stored once.

An agent sends its whole conversation with each question. A question that repeats the first messages of an earlier one
says so, and stores the rest:

    {"body": {"messages": [<only the new ones>]}, "repeats": {"call": "c1", "at": ["body", "messages"], "count": 4}}

Knows where the usual requests keep their messages. Does not know what a message is.
"""

from collections.abc import Mapping
from itertools import accumulate
from typing import Any, Final

from playhead.errors import CassetteError
from playhead.events.canonical import Path, canonical
from playhead.events.paths import at, replaced
from playhead.ids import derived_id

PLACES: Final[tuple[Path, ...]] = (
    ("messages",),
    ("body", "messages"),
    ("body", "input"),
    ("body", "contents"),
)
"""Where a request keeps its conversation: a list of messages, the oldest first."""

REPEATS: Final = "repeats"
"""The key that says which messages a question repeats."""


def messages_at(request: Mapping[str, Any]) -> tuple[Path, list[Any]]:
    """Return where a request keeps its conversation, and the messages; an empty path and list where it keeps none."""
    for path in PLACES:
        found = at(request, path)
        if isinstance(found, list | tuple):
            return path, list(found)
    return (), []


class Conversations:
    """Fold the questions of one cassette: each is compared with all before it. Memory is a hash for each message."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def fold(self, request: Mapping[str, Any], call: str) -> Mapping[str, Any]:
        """Return a question without the messages that it repeats. `call` is its own name, for those that come."""
        path, messages = messages_at(request)
        if not messages or REPEATS in request:
            return request
        try:
            keys = _prefix_keys(path, messages)
        except (TypeError, ValueError):
            # What has no JSON form is for the writer to refuse.
            return request
        count = next((n for n in range(len(keys), 0, -1) if keys[n - 1] in self._known), 0)
        earlier = self._known[keys[count - 1]] if count else ""
        for key in keys[count:]:
            self._known[key] = call
        if not count:
            return request
        repeats = {"call": earlier, "at": list(path), "count": count}
        return {**replaced(dict(request), path, messages[count:]), REPEATS: repeats}


def unfold(request: Mapping[str, Any], earlier: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a question whole. `earlier` has those before it, whole, by the name of their call.

    Raises `CassetteError` where it repeats what is not there.
    """
    whole = dict(request)
    repeats = whole.pop(REPEATS, None)
    if not isinstance(repeats, Mapping):
        return whole
    try:
        path, count = tuple(repeats["at"]), int(repeats["count"])
        first = at(earlier[repeats["call"]], path)[:count]
        if len(first) != count:
            raise ValueError(f"there are {len(first)} messages")
        return dict(replaced(whole, path, [*first, *at(whole, path)]))
    except (KeyError, TypeError, ValueError) as error:
        raise CassetteError(f"a request repeats what is not on the tape, {dict(repeats)!r}: {error}") from error


def _prefix_keys(path: Path, messages: list[Any]) -> list[str]:
    """Return a key for the first message, for the first two, and so on."""
    starts = accumulate(map(canonical, messages), lambda key, text: derived_id(key + text), initial=".".join(path))
    return list(starts)[1:]

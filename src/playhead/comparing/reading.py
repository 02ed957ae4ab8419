"""One event as the comparison sees it: without what differs from run to run, and with its ids apart.

Knows a dialect's table, and follows tool spans from their opening on. Does not compare.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from playhead.errors import UsageError
from playhead.events.canonical import Path, canonical
from playhead.events.codec import encode_event, strict_json
from playhead.events.paths import at, replaced
from playhead.events.spans import Dialect, Span, Touch, Verb
from playhead.events.tagged import loads

ID = "<id>"
"""What stands in a reading where the event has an id."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold one event, ready to be compared.

    `event` is the JSON object as it came. In `steady` the volatile fields and the ids are masked; `ids` holds what was
    there, by path, in the order of the dialect's table. `event_type` and `names` (those of the spans that it touches)
    are a coarse key, `content` is a fine one, and `opening` is the content of the event that opened its tool, and the
    number of the tool among those open that began alike. `tool` is the key of an open tool with which the event goes
    on, or which it ends, if it does nothing else.
    """

    event: Mapping[str, Any]
    steady: dict[str, Any]
    ids: tuple[tuple[str, Any], ...]
    event_type: str
    names: tuple[Any, ...]
    content: str
    opening: tuple[str, int]
    tool: str | None


def read(events: Iterable[object], dialect: Dialect) -> list[Reading]:
    """Return the readings of a stream: typed events, JSON objects, or their JSON text.

    Raises `UsageError` for anything else.
    """
    reader = _Reader(dialect)
    return [reader.read(_json_object(event, position)) for position, event in enumerate(events)]


def _json_object(event: object, position: int) -> dict[str, Any]:
    if isinstance(event, dict):
        return event
    try:
        found = loads(strict_json(event)) if isinstance(event, bytes | str) else encode_event(event)
    except UsageError as error:
        raise UsageError(f"item {position} of the stream is no event: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"item {position} of the stream is no event: {type(found).__name__}, not a JSON object")
    return found


class _Reader:
    """Read the events of one stream, remembering which tools are open."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._openings: dict[str, tuple[str, int]] = {}
        self._open: Counter[str] = Counter()

    def read(self, event: dict[str, Any]) -> Reading:
        ids: list[tuple[str, Any]] = []
        steady = _without_ids(self._dialect.steady(event), self._dialect, ids, "$")
        content = canonical(steady)
        touches = list(self._dialect.touches(event))
        tools = [(touch.verb, self._key(event, touch)) for touch in touches if touch.span is Span.TOOL]
        opening = ("", 0)
        for verb, key in tools:
            opening = self._openings.get(key, opening)
            if verb is Verb.OPEN:
                opening = (content, self._open[content])
            self._openings[key] = opening
            self._open[opening[0]] += {Verb.OPEN: 1, Verb.CLOSE: -1}.get(verb, 0)
        goes_on = len(tools) == len(touches) == 1 and tools[0][0] is not Verb.OPEN
        return Reading(
            event=event,
            steady=steady,
            ids=tuple(ids),
            event_type=self._dialect.type_of(event),
            names=tuple(repr(touch.name) for touch in touches),
            content=content,
            opening=opening,
            tool=tools[0][1] if goes_on else None,
        )

    def _key(self, event: dict[str, Any], touch: Touch) -> str:
        # A dialect, or a version of it, without ids has its tools told apart by name.
        return repr((at(event, self._dialect.group), touch.name if touch.key is None else touch.key))


def _without_ids(event: dict[str, Any], dialect: Dialect, ids: list[tuple[str, Any]], where: str) -> Any:
    """Return an event with its ids masked, nested events included; what they were goes to `ids`."""
    copied: Any = event
    for path in dialect.ids:
        copied = _masked(copied, path, ids, where)
    nested = at(copied, dialect.nested)
    if isinstance(nested, dict):
        inner = _without_ids(nested, dialect, ids, ".".join((where, *dialect.nested)))
        copied = replaced(copied, dialect.nested, inner)
    return copied


def _masked(value: Any, path: Path, ids: list[tuple[str, Any]], where: str) -> Any:
    if not path:
        if isinstance(value, str | int) and not isinstance(value, bool):
            ids.append((where, value))
            return ID
        return value
    head, rest = path[0], path[1:]
    if isinstance(value, list) and head == "*":
        return [_masked(item, rest, ids, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict) and head == "*":
        return {key: _masked(item, rest, ids, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, dict) and head in value:
        return {**value, head: _masked(value[head], rest, ids, f"{where}.{head}")}
    return value


def id_pairs(old: Reading, new: Reading) -> Iterator[tuple[str, Any, Any]]:
    """Yield each path where both events have an id, with the two."""
    there = dict(new.ids)
    for where, found in old.ids:
        if where in there:
            yield where, found, there[where]

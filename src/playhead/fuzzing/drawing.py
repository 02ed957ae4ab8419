"""Drawing runs at random: walks that are valid by construction, and walks over samples that keep most spans in order.

Knows which texts, keys and lengths have broken handlers before. Does not know handlers, nor promises.
"""

from collections.abc import Mapping
from random import Random
from typing import Any, Final

from playhead.events.spans import Dialect, Verb
from playhead.testing.deliveries import Delivery, How
from playhead.testing.samples import SAMPLES, Row, events_of
from playhead.walks.texts import TEXTS
from playhead.walks.walk import CHOICE_BITS, Walk, moves_for, rows_of

_TEXTS: Final = (
    *("", "a", "ab cd", " lead", "trail ", "é", "雨", "🌧️", "e\u0301", "שלום"),
    *("\n", "\r", "\r\n", "a\n\nb", "data: x\n\n", ": y", "\u2028", "\ufeff", "\x00", '"}', "\\u00e9", "</script>"),
    *("null", "0", "[DONE]", "done", "error"),
)
_LONG: Final = ("x", "é", "日本", "🌧️", "a\n")
_SIZES: Final = (7, 30, 100, 350, 1_100, 5_000, 20_000)
_KEYS: Final = ("c1", "c2", "c3")
_KEYED: Final = frozenset({"tool_call_id", "call_id", "toolCallId", "messageId"})
_FIXED: Final = frozenset(
    {"timestamp", "role", "reason", "turn_id", "threadId", "runId", "stage", "type", "event_type"}
)
_MAX_EVENTS: Final = 24
_VALID: Final = 0.5
"""How many of the runs are valid."""

_CROWDS: Final = (40, 120, 300, 1_100)


def draw_delivery(random: Random, dialect: Dialect) -> Delivery:
    """Return a run of random events, and a way to deliver it."""
    events = tuple(events_of(draw_run(random, dialect), dialect.name))
    how = random.choice((How.COMPLETE, How.COMPLETE, *How))
    return Delivery(events, how, random.randint(0, len(events)))


def draw_run(random: Random, dialect: Dialect) -> list[Row]:
    """Return a run of random events as JSON objects: a valid one of all kinds of events, or one mostly in order."""
    if dialect.name not in SAMPLES or random.random() < _VALID:
        # Lone surrogates are left out: a handler that sends text has no right way to send them.
        walk = Walk(moves_for(dialect.name), texts=TEXTS, max_size=random.randint(1, 2 * _MAX_EVENTS))
        choices = (random.getrandbits(CHOICE_BITS) for _ in range(2 * _MAX_EVENTS))
        return list(rows_of(walk, choices, random.getrandbits(CHOICE_BITS)))
    return _disorderly(random, dialect)


def _disorderly(random: Random, dialect: Dialect) -> list[Row]:
    """Return a run of varied samples, mostly in order."""
    first, last = SAMPLES[dialect.name][0][0], SAMPLES[dialect.name][0][-1]
    middle: dict[str, list[Row]] = {}
    for row in (row for run in SAMPLES[dialect.name] for row in run if row not in (first, last)):
        middle.setdefault(dialect.type_of(row), []).append(row)
    kinds = sorted(middle)
    opened: dict[tuple[Any, Any], Any] = {}
    rows = [_varied(random, first)]
    for _ in range(random.randint(0, _MAX_EVENTS)):
        row = _aimed(random, _varied(random, random.choice(middle[random.choice(kinds)])), dialect, opened)
        if _fits(row, dialect, opened) or random.random() < 0.02:
            rows.append(row)
    if random.random() < 0.02:
        rows += [rows[-1]] * random.choice(_CROWDS)
    return [*rows, _varied(random, last)] if random.random() < 0.9 else rows


def _aimed(random: Random, row: Row, dialect: Dialect, opened: dict[tuple[Any, Any], Any]) -> Row:
    """Return an event that goes on with a span which is open, where it goes on with one at all."""
    for touch in dialect.touches(row):
        keys = [key for span, key in opened if span == touch.span]
        if touch.verb is not Verb.OPEN and touch.span in dialect.paired and keys:
            key = random.choice(keys)
            return {name: _with_key(item, key, name) for name, item in row.items()}
    return row


def _with_key(value: Any, key: str, name: str) -> Any:
    """Return a value with this key in each place that has one."""
    if isinstance(value, Mapping):
        return {inner: _with_key(item, key, inner) for inner, item in value.items()}
    return key if name in _KEYED else value


def _fits(row: Row, dialect: Dialect, opened: dict[tuple[Any, Any], Any]) -> bool:
    """Say whether an event may come now, and note what it opens and closes."""
    for touch in dialect.touches(row):
        span = (touch.span, touch.key)
        if touch.span not in dialect.paired:
            continue
        if (touch.verb is Verb.OPEN) == (span in opened) and not touch.loose:
            return False
        if touch.verb is Verb.OPEN:
            opened[span] = touch.name
        elif touch.verb is Verb.CLOSE and span in opened:
            if touch.name is not None and opened[span] != touch.name:
                return False
            del opened[span]
    return True


def _varied(random: Random, value: Any, name: str = "") -> Any:
    """Return a copy with other keys and texts in it."""
    if isinstance(value, Mapping):
        return {key: item if key in _FIXED else _varied(random, item, key) for key, item in value.items()}
    if name in _KEYED:
        return random.choice(_KEYS)
    if isinstance(value, str) and not name.endswith(("name", "Name")) and name != "tool":
        return _text(random, value)
    return value


def _text(random: Random, otherwise: str) -> str:
    dice = random.random()
    if dice < 0.4:
        return otherwise
    if dice < 0.9:
        return "".join(random.choices(_TEXTS, k=random.randint(1, 3)))
    return random.choice(_TEXTS) + random.choice(_LONG) * random.choice(_SIZES)

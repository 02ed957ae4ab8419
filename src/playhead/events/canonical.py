"""One spelling for each JSON value, so that equal values are equal text.

Keys are sorted, spaces left out, whole numbers written without a fraction (1.0 is 1, -0.0 is 0); what JSON cannot carry
is tagged, so NaN equals NaN, and True is not 1. Does not know which fields of an event are volatile: `mask` is told.
"""

import json
from collections.abc import Iterable
from typing import Any

from playhead.events.tagged import MARK, tag

Path = tuple[str, ...]
"""Where a value is in an object: its keys from the outside in. `*` is any key, or each item of a list."""

MASKED = "<volatile>"
"""What stands in a masked value where something was that means nothing."""


def canonical(value: object) -> str:
    """Return the one JSON text of `value`."""
    try:
        text = _text(_even(value))
        if MARK not in text and (text.isascii() or text.encode()):
            return text
    except (TypeError, ValueError):
        # JSON cannot carry it, or UTF-8 cannot.
        pass
    return _text(_even(tag(value)))


_text = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True).encode


def _even(value: Any) -> Any:
    if type(value) in _EVEN:
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list | tuple):
        return [_even(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        # A tag writes what has no order as a list, in the order in which it came.
        case {"$playhead": ["object" | "set" as kind, list(items)]}:
            return {MARK: [kind, sorted(map(_even, items), key=_text)]}
    return {key: _even(item) for key, item in value.items()}


_EVEN = frozenset({str, int, bool, type(None)})


def mask(value: Any, paths: Iterable[Path]) -> Any:
    """Return `value` with whatever stands at one of `paths` read `<volatile>`. Null stays null.

    The value itself is not changed; what holds nothing to mask is not copied.
    """
    for path in paths:
        value = _masked(value, path)
    return value


def _masked(value: Any, path: Path) -> Any:
    if not path:
        return MASKED if value is not None else None
    head, *rest = path
    if isinstance(value, list) and head == "*":
        return [_masked(item, tuple(rest)) for item in value]
    if not isinstance(value, dict):
        return value
    if head == "*":
        return {key: _masked(item, tuple(rest)) for key, item in value.items()}
    return {**value, head: _masked(value[head], tuple(rest))} if head in value else value

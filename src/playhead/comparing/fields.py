"""Where two JSON values differ, as paths from `$`.

Knows JSON values only. Numbers compare by value, NaN equals NaN, and True is not 1: as canonical JSON says.
"""

import json
from collections.abc import Iterator
from enum import Enum
from typing import Any

from playhead.comparing.aligning import align
from playhead.events.canonical import canonical


class Absent(Enum):
    """Stand where one side has no value at all: not even null."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "(absent)"


ABSENT = Absent.ABSENT
"""The side that has no value."""

Change = tuple[str, Any, Any]
"""A path, and what stands there in the old value and in the new one."""


def changes(old: Any, new: Any, where: str = "$") -> Iterator[Change]:
    """Yield each path at which two JSON values differ, as deep down as they can be told apart.

    Of two lists, an item that only one has is one change: `$.items[3]` counts in the list that has it. Keys that are no
    plain words are quoted: `$["two words"]`.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _change(old.get(key, ABSENT), new.get(key, ABSENT), where + step(key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(old, new, where)
    elif canonical(old) != canonical(new):
        yield where, old, new


def step(key: str) -> str:
    """Return how a path spells a key."""
    return f".{key}" if key.isidentifier() else f"[{json.dumps(key)}]"


def _change(old: Any, new: Any, where: str) -> Iterator[Change]:
    if old is ABSENT or new is ABSENT:
        yield where, old, new
    else:
        yield from changes(old, new, where)


def _items(old: list[Any], new: list[Any], where: str) -> Iterator[Change]:
    old_at = new_at = 0
    pairs = align([canonical(item) for item in old], [canonical(item) for item in new])
    for old_stop, new_stop in [*pairs, (len(old), len(new))]:
        lefts, rights = range(old_at, old_stop), range(new_at, new_stop)
        for left, right in zip(lefts, rights, strict=False):
            yield from changes(old[left], new[right], f"{where}[{left}]")
        for left in lefts[len(rights) :]:
            yield f"{where}[{left}]", old[left], ABSENT
        for right in rights[len(lefts) :]:
            yield f"{where}[{right}]", ABSENT, new[right]
        old_at, new_at = old_stop + 1, new_stop + 1

"""Places in events: how a table spells them, and what reads them off many events.

Knows JSON objects, dictionaries of fields included. Does not know what stands there.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from playhead.events.canonical import Path


def path(spelled: str) -> Path:
    """Return `"payload.call_id"` as the path `("payload", "call_id")`.

    `*` is any key or item, `a|b` is the first of two keys that is there, and `:` what a text says after its `": "`.
    The key of a span may be made of two fields of an event, or of more: `"turn,index"`.
    """
    return tuple(spelled.split(".")) if spelled else ()


def at(value: Any, where: Path) -> Any:
    """Return what stands at a path without `*`; None if nothing does, or the path is empty."""
    if not where:
        return None
    for step in where:
        if step == ":":
            value = value.partition(": ")[2] if isinstance(value, str) else None
        elif isinstance(value, Mapping):
            value = next((value[key] for key in step.split("|") if value.get(key) is not None), None)
        else:
            return None
    return value


Event = Mapping[str, Any]
"""An event as a JSON object."""
Get = Callable[[Event], Any]
"""What reads one place of an event."""

_PLAIN = re.compile(r"[^|:*,]+")
_EITHER = re.compile(r"([^|:*,]+)\|([^|:*,]+)")


def getter(where: Path) -> Get:
    """Return `at` for one path, made for many events. A key of several fields is a tuple of their values."""
    if not where:
        return lambda event: None
    if len(where) > 1:
        return _chain([getter((step,)) for step in where]) if ":" not in where else lambda event: at(event, where)
    (step,) = where
    if "," in step:
        parts = [getter((part,)) for part in step.split(",")]
        return lambda event: tuple([part(event) for part in parts])
    if _PLAIN.fullmatch(step):
        return lambda event: event.get(step)
    if either := _EITHER.fullmatch(step):
        one, other = either.groups()
        return lambda event: event.get(other) if (found := event.get(one)) is None else found
    return lambda event: at(event, where)


def _chain(steps: list[Get]) -> Get:
    def get(event: Event) -> Any:
        value: Any = event
        for step in steps:
            if not is_object(value):
                return None
            value = step(value)
        return value

    return get


def any_getter(where: Path) -> Get:
    """Return `getter` for a path that may have a `*`: what is there in the first item that has it."""
    if "*" not in where:
        return getter(where)
    star = where.index("*")
    outer, inner = getter(where[:star]), any_getter(where[star + 1 :])

    def find(event: Event) -> Any:
        items = outer(event)
        for item in items if isinstance(items, list) else ():
            if is_object(item) and (found := inner(item)) is not None:
                return found
        return None

    return find


def spellings(step: str) -> tuple[str, ...]:
    """Return the one key that a step of a path names, or the two of `a|b`; nothing for other steps."""
    if _PLAIN.fullmatch(step):
        return (step,)
    either = _EITHER.fullmatch(step)
    return either.groups() if either else ()


def is_plain(where: Path) -> bool:
    """Say whether a path is just one key."""
    return len(where) == 1 and _PLAIN.fullmatch(where[0]) is not None


def is_object(value: Any) -> bool:
    """Say whether a value is a JSON object."""
    return type(value) is dict or isinstance(value, Mapping)


def kind_reader(tag: str, shapes: Mapping[str, Path]) -> Callable[[Event], str]:
    """Return what tells the type of an event, as `Dialect` says, made for many of them."""
    tagged, is_key = getter((tag,)), is_plain((tag,))
    places = [(kind, any_getter(where)) for kind, where in shapes.items()]

    def by_tag(event: Event) -> str:
        try:
            found = event.get(tag) if is_key else tagged(event)
        except AttributeError:
            # It is no object.
            return ""
        if type(found) is str:
            return found
        # A member of an enumeration says its own name when it is printed.
        return str.__str__(found) if isinstance(found, str) else ""

    def by_shape(event: Event) -> str:
        if is_object(event):
            for kind, get in places:
                if get(event) is not None:
                    return kind
        return by_tag(event)

    return by_shape if places else by_tag


def replaced(value: Mapping[str, Any], where: Path, new: Any) -> dict[str, Any]:
    """Return a copy of `value` with `new` at a path that exists."""
    head, *rest = where
    return {**value, head: replaced(value[head], tuple(rest), new) if rest else new}

"""What may vary in a question and mean the same: named ways to even it out before it is compared.

Each takes a request, a JSON value, and returns one; a normaliser of a user's own is such a function too. The whole
request counts unless one of these is asked for, but for two things that never do: its headers, and the numbers of
secrets, for a live secret has another number than the recorded one.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from playhead.errors import UsageError
from playhead.text import did_you_mean

Normaliser = Callable[[Any], Any]
"""Takes a request and returns it evened out. It must not change its argument."""

_SECRET = re.compile(r"<([a-z][a-z-]*)-\d+>")
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_TIME = re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_ID_KEYS = frozenset({"id", "call_id", "tool_call_id", "tool_use_id"})


def secrets(request: Any) -> Any:
    """Leave the number off each secret that was taken out: `<openai-key-2>` is `<openai-key>`."""
    return _texts(request, lambda text: _SECRET.sub(r"<\1>", text))


def headers(request: Any) -> Any:
    """Leave a request's headers out: they are kept to be read, and do not count."""
    return {key: value for key, value in request.items() if key != "headers"} if isinstance(request, dict) else request


def uuids(request: Any) -> Any:
    """Take each UUID for the same one."""
    return _texts(request, lambda text: _UUID.sub("<uuid>", text))


def times(request: Any) -> Any:
    """Take each date and each time in ISO form for the same one."""
    return _texts(request, lambda text: _TIME.sub("<time>", text))


def call_ids(request: Any) -> Any:
    """Even out the ids of messages and calls: each gets a number, so that which is which still counts."""
    numbers: dict[str, str] = {}

    def renamed(value: Any, key: str | None = None) -> Any:
        if isinstance(value, dict):
            return {name: renamed(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [renamed(item) for item in value]
        if key in _ID_KEYS and isinstance(value, str):
            return numbers.setdefault(value, f"<id-{len(numbers) + 1}>")
        return value

    return renamed(request)


NORMALISERS: Final[dict[str, Normaliser]] = {"call_ids": call_ids, "times": times, "uuids": uuids}
"""The named ones, for `ignore=`."""


def normaliser(ignore: Sequence[str | Normaliser]) -> Normaliser:
    """Return one normaliser that does all of these, by name or as functions.

    A text that begins with `$.` is a path, `$.body.temperature`: what stands there does not count. Raises `UsageError`
    for a name that there is not.
    """
    chosen = [headers, secrets, *(_chosen(each) for each in ignore)]

    def even(request: Any) -> Any:
        for each in chosen:
            request = each(request)
        return request

    return even


def _chosen(each: str | Normaliser) -> Normaliser:
    if callable(each):
        return each
    if each.startswith("$."):
        keys = each.removeprefix("$.").split(".")
        return lambda request: _without(request, keys)
    if each in NORMALISERS:
        return NORMALISERS[each]
    raise UsageError(
        f"there is no normaliser {each!r}: there are {', '.join(NORMALISERS)}, paths such as '$.body.temperature', and "
        f"functions{did_you_mean(each, NORMALISERS)}"
    )


def _without(value: Any, keys: list[str]) -> Any:
    """Return a value without what stands at a path; `*` is any key, or each item of a list."""
    head, *rest = keys
    if isinstance(value, list) and head == "*":
        return [_without(item, rest) for item in value] if rest else []
    if not isinstance(value, dict):
        return value
    if not rest:
        return {} if head == "*" else {key: item for key, item in value.items() if key != head}
    return {key: _without(item, rest) if head in ("*", key) else item for key, item in value.items()}


def _texts(value: Any, even: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return even(value)
    if isinstance(value, list):
        return [_texts(item, even) for item in value]
    if isinstance(value, dict):
        return {key: _texts(item, even) for key, item in value.items()}
    return value

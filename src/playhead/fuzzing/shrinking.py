"""Making what breaks a promise small: fewer events, fewer fields, shorter texts, as long as it still breaks it.

Knows lists, objects and texts. Does not know what they mean, nor what is broken: a function of its caller says.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

_T = TypeVar("_T")

Breaks = Callable[[list[Any]], bool]
"""What says whether a list of JSON values still shows the fault."""

PLAIN: Final = ("", "a")
"""The texts that every text is tried to become."""


def fewer(items: Sequence[_T], breaks: Callable[[list[_T]], bool]) -> list[_T]:
    """Return a part of the items that still breaks, from which no item can be left out.

    Larger parts are tried first, so that a thousand items take a few dozen tries.
    """
    kept = list(items)
    size = len(kept)
    while size:
        start = 0
        while start < len(kept):
            rest = kept[:start] + kept[start + size :]
            if breaks(rest):
                kept = rest
            else:
                start += size
        size //= 2
    return kept


def fewest(count: int, breaks: Callable[[int], bool]) -> int:
    """Return the smallest number that still breaks, where `count` does and each greater one would, too."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if breaks(middle) else (middle + 1, high)
    return high


def simpler(items: Sequence[Any], breaks: Breaks) -> list[Any]:
    """Return the items with every value in them as simple as it can be."""
    kept = list(items)
    for number in range(len(kept)):
        is_changing = True
        while is_changing:
            is_changing = False
            for candidate in simplified(kept[number]):
                changed = [*kept[:number], candidate, *kept[number + 1 :]]
                if breaks(changed):
                    kept, is_changing = changed, True
                    break
    return kept


def simplified(value: Any) -> Iterator[Any]:
    """Yield simpler values in place of one, the simplest first."""
    if isinstance(value, Mapping):
        for key in value:
            yield {name: item for name, item in value.items() if name != key}
        for key, item in value.items():
            yield from ({**value, key: other} for other in simplified(item))
    elif isinstance(value, list):
        if value:
            yield []
        for number, item in enumerate(value):
            yield value[:number] + value[number + 1 :]
            yield from ([*value[:number], other, *value[number + 1 :]] for other in simplified(item))
    elif isinstance(value, str):
        yield from _shorter(value)


def _shorter(text: str) -> Iterator[str]:
    if text in PLAIN:
        yield from PLAIN[: PLAIN.index(text)]
        return
    yield from PLAIN
    half = len(text) // 2
    if half:
        yield text[:half]
        yield text[half:]
    if len(text) > 8:
        yield text[: -len(text) // 8]
        yield text[len(text) // 8 :]
    yield text[:-1]
    yield text[1:]
    others = sorted(set(text) - {"a"})
    if 0 < len(others) <= 6:
        yield from (text.replace(other, "a") for other in others if len(text) > 1 or other.isascii())

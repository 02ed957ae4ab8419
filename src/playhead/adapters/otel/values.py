"""What of a run may be the value of an attribute, and in which form.

Knows that names and ids come from a model, and can be anything. Does not know spans.
"""

from collections.abc import Mapping
from typing import Any, Final

from playhead.adapters.otel.names import USAGE
from playhead.clock import Clock
from playhead.text import clip, safe

MAX_COLUMNS: Final = 256
"""How long a name or an id may be. What a model made longer is cut."""


def tidy(text: str) -> str:
    """Return a name or an id in a form that every exporter takes: short, on one line, without lone surrogates."""
    return clip(safe(text, keep=""), MAX_COLUMNS)


def whole(text: str) -> str:
    """Return content as it is, but for lone surrogates, which no exporter takes."""
    return text.encode("utf-8", "backslashreplace").decode()


def tokens(usage: Mapping[str, Any]) -> dict[str, int]:
    """Return the numbers of tokens that a model tells, under the names of the conventions."""
    found = {name: next((usage[key] for key in keys if key in usage), None) for name, keys in USAGE.items()}
    return {name: number for name, number in found.items() if type(number) is int and number >= 0}


def wall_ns(clock: Clock) -> int:
    """Return a clock's time as spans want it: nanoseconds since 1970."""
    now = clock.now()
    return int(now.timestamp()) * 1_000_000_000 + now.microsecond * 1_000

"""What a terminal is shown of a test that failed: no text from a recording can steer it.

Exceptions carry recorded text as it is, whether they are ours, an agent's or the test's own, and pytest prints what
they say. Knows how a report is made up. Does not know what is on a cassette.
"""

import dataclasses
import re
from collections.abc import Callable
from typing import Any, Final

from playhead.text import safe

# What highlights source and differences: some colours, and nothing that hides, moves or links.
_COLOURS: Final = re.compile(r"(\x1b\[(?:0|39;49;00|0?[1-4]|2[24]|3[1-79]|9[0-7])m)")


def made_safe(value: Any, *, is_coloured: bool = False) -> Any:
    """Return a part of a report with every text in it made safe. Objects stay the same, their fields are replaced.

    `is_coloured` says that pytest has coloured it already: colours then stay, whoever wrote them.
    """
    return _mapped(value, _safe_in_colours if is_coloured else safe)


def _mapped(value: Any, clean: Callable[[str], str]) -> Any:
    match value:
        case str():
            return clean(value)
        case list():
            value[:] = [_mapped(item, clean) for item in value]
        case tuple():
            return tuple(_mapped(item, clean) for item in value)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            for field in dataclasses.fields(value):
                setattr(value, field.name, _mapped(getattr(value, field.name), clean))
    return value


def _safe_in_colours(text: str) -> str:
    return "".join(part if _COLOURS.fullmatch(part) else safe(part) for part in _COLOURS.split(text))


def compared_safely(left: object, right: object) -> tuple[str, str] | None:
    """Return how two texts that were compared in vain may be shown; None where that is as they are."""
    if not isinstance(left, str) or not isinstance(right, str):
        return None
    shown = safe(left), safe(right)
    if shown == (left, right):
        return None
    # Two that differ only in what is spelled out look the same, so both are spelled out as Python does.
    return shown if (shown[0] == shown[1]) == (left == right) else (ascii(left), ascii(right))

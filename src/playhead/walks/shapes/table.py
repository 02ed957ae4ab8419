"""The shapes of all dialects, by name."""

from collections.abc import Mapping
from typing import Final

from playhead.errors import UsageError
from playhead.events.spans import Dialect
from playhead.text import did_you_mean
from playhead.walks.shapes.agui import AGUI
from playhead.walks.shapes.locus import LOCUS
from playhead.walks.shapes.loops import SHIPIT, TURNS
from playhead.walks.shapes.providers import ANTHROPIC, CHAT, GEMINI, RESPONSES
from playhead.walks.shapes.template import Shapes

SHAPES: Final[Mapping[str, Shapes]] = {
    shapes.dialect: shapes for shapes in (LOCUS, SHIPIT, TURNS, AGUI, CHAT, RESPONSES, ANTHROPIC, GEMINI)
}
"""The shapes of each dialect that runs can be drawn of."""


def shapes_of(dialect: str | Dialect) -> Shapes:
    """Return the shapes of a dialect. Raises `UsageError` where there are none."""
    wanted = dialect.name if isinstance(dialect, Dialect) else dialect
    if wanted not in SHAPES:
        hint = did_you_mean(wanted, SHAPES)
        raise UsageError(f"no runs of dialect {wanted!r} can be drawn: there are {', '.join(SHAPES)}{hint}")
    return SHAPES[wanted]

"""What the tests of strategies share."""

from typing import Any

from hypothesis import HealthCheck, settings

from playhead.events.codec import encode_event
from playhead.events.dialects import get_dialect
from playhead.events.spans import Span, Verb
from playhead.walks.shapes.table import SHAPES

DIALECTS = tuple(SHAPES)
FEW = settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
FIND = settings(max_examples=3000, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def kinds(run: list[Any]) -> list[str]:
    """Return the types of a run's events."""
    return [event.event_type for event in run]


def most_tools(run: list[Any], dialect: str) -> int:
    """Return how many tools are open at the same time, at most."""
    table, most, open_now = get_dialect(dialect), 0, 0
    for event in run:
        for touch in table.touches(encode_event(event)):
            if touch.span is Span.TOOL and not touch.loose:
                open_now += {Verb.OPEN: 1, Verb.CLOSE: -1}.get(touch.verb, 0)
                most = max(most, open_now)
    return most

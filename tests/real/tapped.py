"""What a test of the tap needs: a run with all that it yielded, and whether two runs were the same."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from playhead.comparing.streams import compare
from playhead.events.codec import encode_event
from playhead.events.dialects import get_dialect


async def heard(stream: AsyncIterator[Any] | Iterator[Any]) -> list[dict[str, Any]]:
    """Return all that a run yields, as JSON."""
    if isinstance(stream, AsyncIterator):
        return [encode_event(event) async for event in stream]
    return [encode_event(event) for event in stream]


def check_same(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]], dialect: str) -> None:
    """Check that two runs have the same events in the same order, ids included, but for what is volatile."""
    assert not (found := compare(old, new, dialect=dialect, any_order=False)), str(found)
    assert steady(old, dialect) == steady(new, dialect)


def steady(events: Sequence[dict[str, Any]], dialect: str) -> list[Any]:
    """Return events without what is volatile."""
    return [get_dialect(dialect).steady(event) for event in events]

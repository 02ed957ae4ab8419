"""What must be true of the handler, whatever an agent does."""

import asyncio
from typing import Any

from hypothesis import given
from progress import ProgressHandler

import playhead.strategies


def feed(handler: ProgressHandler, run: list[Any]) -> None:
    """Give a whole run to the handler."""

    async def give() -> None:
        for event in run:
            await handler.on_event(event)

    asyncio.run(give())


@given(run=playhead.strategies.runs("locus"))
def test_every_tool_is_counted_once(run: list[Any]) -> None:
    """Each completion counts, and what has not completed is running."""
    handler = ProgressHandler()
    feed(handler, run)
    kinds = [event.event_type for event in run]
    assert handler.finished == kinds.count("tool_complete")
    assert len(handler.running) == kinds.count("tool_start") - kinds.count("tool_complete")


@given(run=playhead.strategies.runs("locus"))
def test_nothing_runs_after_a_good_end(run: list[Any]) -> None:
    """A run that is complete leaves no tool on the screen."""
    handler = ProgressHandler()
    feed(handler, run)
    assert handler.ended != "complete" or not handler.running

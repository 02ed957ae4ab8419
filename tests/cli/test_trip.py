"""The agent of the demo keeps to its script and to its clock."""

import pytest

from playhead.cli.trip import plan_a_trip
from playhead.clocks.virtual import VirtualClock

pytestmark = pytest.mark.anyio


async def test_a_tool_fails_once_and_the_run_ends_well() -> None:
    """Two tools, one of which fails once; streamed text; five seconds of virtual time."""
    clock = VirtualClock()
    events = [event async for event in plan_a_trip(clock)]
    done = [(event.tool_name, event.error) for event in events if event.event_type == "tool_complete"]
    assert done == [
        ("weather", None),
        ("flights", "TimeoutError: the airline did not answer"),
        ("flights", None),
    ]
    last = events[-1]
    assert last.event_type == "terminate"
    assert last.reason == "complete"
    assert clock.monotonic_ns() == 4_460_000_000

"""A deadline leaves what takes too long, and nothing else."""

import anyio
import anyio.lowlevel
import pytest

from playhead.agent.deadlines import move_on_after

pytestmark = pytest.mark.anyio


async def test_what_takes_too_long_is_left() -> None:
    """The body is cancelled where it waits, and whoever waits for it goes on."""
    seen: list[str] = []
    with move_on_after(0.01):
        try:
            await anyio.sleep_forever()
        finally:
            seen.append("left")
    assert seen == ["left"]
    await anyio.lowlevel.checkpoint()


async def test_what_is_in_time_is_left_alone() -> None:
    """Nothing of a deadline remains that was not reached."""
    with move_on_after(0.01):
        await anyio.lowlevel.checkpoint()
    await anyio.sleep(0.03)


async def test_one_that_has_passed_cancels_at_the_first_wait() -> None:
    """With no time left, what does not wait is done all the same."""
    seen: list[str] = []
    with move_on_after(0.0):
        seen.append("done")
    with move_on_after(0.0):
        await anyio.sleep(60)
        seen.append("not reached")
    assert seen == ["done"]


async def test_failures_pass_through() -> None:
    """What the body raises is raised, also when it is raised because of the deadline."""
    with pytest.raises(ValueError, match="no luck"), move_on_after(60):
        raise ValueError("no luck")
    with pytest.raises(ValueError, match="cleaning up"):
        await stumble()
    await anyio.lowlevel.checkpoint()


async def stumble() -> None:
    """Raise while being left."""
    with move_on_after(0.01):
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError("cleaning up")


async def test_a_cancellation_from_outside_stays_one() -> None:
    """A scope around it is cancelled as a whole, before the deadline or in the same moment."""
    for inner_s in (60.0, 0.0):
        with anyio.CancelScope() as scope:
            scope.cancel()
            with move_on_after(inner_s):
                await anyio.sleep_forever()
            await anyio.lowlevel.checkpoint()
            pytest.fail("the scope around it was cancelled")
        assert scope.cancelled_caught
        await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("is_outer_first", [True, False])
async def test_deadlines_lie_in_each_other(is_outer_first: bool) -> None:
    """Each leaves its own body, whichever is first; one of anyio's may lie in between."""
    outer_s, inner_s = (0.01, 60.0) if is_outer_first else (60.0, 0.01)
    seen: list[str] = []
    with move_on_after(outer_s):
        with anyio.CancelScope(), move_on_after(inner_s):
            await anyio.sleep_forever()
        seen.append("inner")
    assert seen == ([] if is_outer_first else ["inner"])
    await anyio.lowlevel.checkpoint()

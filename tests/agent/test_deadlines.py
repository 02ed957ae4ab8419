"""A deadline leaves what takes too long, and nothing else."""

import anyio
import anyio.lowlevel
import pytest

from playhead.agent.deadlines import Deadlines
from playhead.clocks import run as run_on
from playhead.clocks.virtual import VirtualClock


@pytest.fixture
def deadlines() -> Deadlines:
    """Return the deadlines of one run."""
    return Deadlines()


@pytest.mark.anyio
async def test_what_takes_too_long_is_left(deadlines: Deadlines) -> None:
    """The body is cancelled where it waits, and whoever waits for it goes on."""
    seen: list[str] = []
    with deadlines.within(0.01):
        try:
            await anyio.sleep_forever()
        finally:
            seen.append("left")
    assert seen == ["left"]
    await anyio.lowlevel.checkpoint()


@pytest.mark.anyio
async def test_what_is_in_time_is_left_alone(deadlines: Deadlines) -> None:
    """Nothing of a deadline remains that was not reached, nor of one that was."""
    for _ in range(2):
        with deadlines.within(0.01):
            await anyio.lowlevel.checkpoint()
        await anyio.sleep(0.03)
        with deadlines.within(0.01):
            await anyio.sleep_forever()
        await anyio.sleep(0.03)


@pytest.mark.anyio
async def test_one_that_has_passed_cancels_at_the_first_wait(deadlines: Deadlines) -> None:
    """With no time left, what does not wait is done all the same."""
    seen: list[str] = []
    with deadlines.within(0.0):
        seen.append("done")
    with deadlines.within(0.0):
        await anyio.sleep(60)
        seen.append("not reached")
    assert seen == ["done"]


@pytest.mark.anyio
async def test_failures_pass_through(deadlines: Deadlines) -> None:
    """What the body raises is raised, also when it is raised because of the deadline."""
    with pytest.raises(ValueError, match="no luck"), deadlines.within(60):
        raise ValueError("no luck")
    with pytest.raises(ValueError, match="cleaning up"):
        await stumble(deadlines)
    await anyio.lowlevel.checkpoint()


async def stumble(deadlines: Deadlines) -> None:
    """Raise while being left."""
    with deadlines.within(0.01):
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError("cleaning up")


@pytest.mark.anyio
async def test_a_cancellation_from_outside_stays_one(deadlines: Deadlines) -> None:
    """A scope around it is cancelled as a whole, before the deadline or in the same moment."""
    for inner_s in (60.0, 0.0):
        with anyio.CancelScope() as scope:
            scope.cancel()
            with deadlines.within(inner_s):
                await anyio.sleep_forever()
            await anyio.lowlevel.checkpoint()
            pytest.fail("the scope around it was cancelled")
        assert scope.cancelled_caught
        await anyio.lowlevel.checkpoint()


@pytest.mark.anyio
@pytest.mark.parametrize("is_outer_first", [True, False])
async def test_deadlines_lie_in_each_other(deadlines: Deadlines, is_outer_first: bool) -> None:
    """Each leaves its own body, whichever is first; a scope of anyio's may lie in between."""
    outer_s, inner_s = (0.01, 60.0) if is_outer_first else (60.0, 0.01)
    seen: list[str] = []
    with deadlines.within(outer_s):
        with anyio.CancelScope(), deadlines.within(inner_s):
            await anyio.sleep_forever()
        seen.append("inner")
    assert seen == ([] if is_outer_first else ["inner"])
    await anyio.lowlevel.checkpoint()


@pytest.mark.anyio
async def test_one_that_does_not_listen_is_cancelled_again(deadlines: Deadlines) -> None:
    """A body that catches its cancellation and goes on waiting is left all the same."""
    tries = [0]
    with anyio.fail_after(30), deadlines.within(0.01):
        while True:
            try:
                await anyio.sleep_forever()
            except BaseException:
                tries[0] += 1
                if tries[0] == 3:
                    raise
    assert tries == [3]
    await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_waits_side_by_side_each_have_their_own(backend: str) -> None:
    """The timer is set for the nearest of them, whichever begins first."""
    clock, deadlines, left = VirtualClock(), Deadlines(), dict[float, float]()

    async def wait(seconds: float) -> None:
        with deadlines.within(seconds):
            await anyio.sleep_forever()
        left[seconds] = round(clock.monotonic_ns() / 1e9 - begin_s, 3)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for seconds in (20.0, 40.0, 10.0, 30.0):
                group.start_soon(wait, seconds)
        deadlines.close()

    begin_s = clock.monotonic_ns() / 1e9
    run_on(main, clock=clock, backend=backend)
    assert left == {10.0: 10.0, 20.0: 20.0, 30.0: 30.0, 40.0: 40.0}

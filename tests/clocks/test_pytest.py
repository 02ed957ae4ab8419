"""Tests that anyio's pytest plugin runs whole test suites on a virtual clock."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from playhead.clocks.running import backend_options
from playhead.clocks.virtual import VirtualClock

SUITE = """
import anyio, pytest
from playhead.clocks import VirtualClock, backend_options

@pytest.fixture
def clock():
    return VirtualClock(patience_s=0.05)

@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request, clock):
    return request.param, backend_options(request.param, clock)

@pytest.mark.anyio
async def test_stuck():
    await anyio.Event().wait()

@pytest.mark.anyio
async def test_sound(clock):
    await anyio.sleep(3600)
    assert clock.monotonic_ns() == 3_600_000_000_000
"""


@pytest.fixture
def clock() -> VirtualClock:
    """Give each test a clock of its own."""
    return VirtualClock()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest, clock: VirtualClock) -> tuple[str, dict[str, Any]]:
    """Run every test on the clock, as the documentation of `backend_options` says."""
    return request.param, backend_options(request.param, clock)


@pytest.fixture
async def slow_resource(clock: VirtualClock) -> AsyncIterator[str]:
    """Take an hour to come and an hour to go."""
    await clock.sleep(3600)
    yield "resource"
    await clock.sleep(3600)


@pytest.mark.anyio
async def test_fixture_and_test_share_the_clock(slow_resource: str, clock: VirtualClock) -> None:
    """An async fixture's hour and the test's hour add up."""
    await anyio.sleep(3600)
    assert slow_resource == "resource"
    assert clock.monotonic_ns() == 7_200_000_000_000


@pytest.mark.anyio
async def test_a_timeout_in_a_test(clock: VirtualClock) -> None:
    """Time starts anew for each test, and timeouts fire."""
    with anyio.move_on_after(3600) as scope:
        await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert clock.monotonic_ns() == 3_600_000_000_000


def test_a_stuck_test_fails_and_the_next_one_runs(pytester: pytest.Pytester) -> None:
    """A deadlock fails its own test, says why, and leaves the rest of the suite alone."""
    pytester.makepyfile(SUITE)
    others = ("langsmith_plugin", "asyncio", "trio")
    off = [argument for name in others for argument in ("-p", f"no:{name}")]
    result = pytester.runpytest_subprocess(*off, "-W", "error")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        ["*_ test_stuck?asyncio? _*", "*deadlock on the virtual clock*", "*_ test_stuck?trio? _*"]
    )

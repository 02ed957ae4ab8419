"""Tests of playhead.clock: the machine's clock keeps the protocol."""

from datetime import UTC, datetime, timedelta

import pytest

from playhead.clock import SYSTEM_CLOCK, Clock, SystemClock, utc_now
from playhead.clocks.running import run
from playhead.clocks.virtual import VirtualClock


@pytest.mark.parametrize("clock", [SystemClock(), VirtualClock(), SYSTEM_CLOCK])
def test_clocks_keep_the_protocol(clock: Clock) -> None:
    """Every clock tells aware UTC times and a time that does not go back."""
    assert isinstance(clock, Clock)
    assert clock.now().tzinfo is UTC
    first = clock.monotonic_ns()
    assert isinstance(first, int)
    assert clock.monotonic_ns() >= first


def test_something_else_is_no_clock() -> None:
    """The protocol can tell."""
    assert not isinstance(datetime, Clock)


def test_the_system_clock_tells_the_machines_time() -> None:
    """It agrees with the standard library."""
    before = datetime.now(UTC)
    assert before <= utc_now() <= datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(("seconds", "slept_ns"), [(3600, 3_600_000_000_000), (0, 0), (-1, 0)])
def test_the_system_clock_sleeps_on_the_running_loop(backend: str, seconds: float, slept_ns: int) -> None:
    """On a virtual loop an hour passes, in no real time; nothing and less is nothing."""
    clock = VirtualClock()
    run(SystemClock().sleep, seconds, backend=backend, clock=clock)
    assert clock.monotonic_ns() == slept_ns

"""Tests of playhead.clocks.virtual: the clock by itself, moved by hand."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.clocks.virtual import START, VirtualClock
from playhead.errors import UsageError


def test_a_clock_starts_where_it_is_told() -> None:
    """The start is kept in UTC, and no time has passed."""
    assert (VirtualClock().now(), VirtualClock().monotonic_ns()) == (START, 0)
    noon_in_oslo = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    clock = VirtualClock(noon_in_oslo)
    assert clock.now() == noon_in_oslo
    assert clock.now().tzinfo is UTC


def test_a_start_without_a_time_zone_is_refused() -> None:
    """A naive time would mean something else on every machine."""
    with pytest.raises(UsageError, match="time zone"):
        VirtualClock(datetime(2030, 1, 1))  # noqa: DTZ001


def test_time_passes_when_it_is_told_to() -> None:
    """Both ways to read the clock move together, and only then."""
    clock = VirtualClock()
    clock.advance(3600.25)
    assert clock.monotonic_ns() == 3_600_250_000_000
    assert clock.now() == START + timedelta(seconds=3600, milliseconds=250)
    clock.advance(0)
    assert clock.monotonic_ns() == 3_600_250_000_000


def test_a_thousand_tenths_are_a_hundred_seconds() -> None:
    """Sums do not drift as sums of floats do."""
    clock = VirtualClock()
    for _ in range(1_000):
        clock.advance(0.1)
    assert clock.monotonic_ns() == 100_000_000_000


def test_the_smallest_step_is_a_nanosecond() -> None:
    """A loop that advances by what is left always gets on."""
    clock = VirtualClock()
    clock.advance(1e-300)
    assert clock.monotonic_ns() == 1


@pytest.mark.parametrize("seconds", [-1, -1e-9, math.inf, math.nan])
def test_a_clock_moves_forward_by_a_finite_time(seconds: float) -> None:
    """Anything else is a mistake of the caller and leaves the clock alone."""
    clock = VirtualClock()
    with pytest.raises(UsageError, match="moves forward"):
        clock.advance(seconds)
    assert clock.monotonic_ns() == 0


@given(st.lists(st.integers(0, 10**13)))
def test_whole_nanoseconds_are_exact(steps_ns: list[int]) -> None:
    """Steps of up to hours add up to the nanosecond."""
    clock = VirtualClock()
    for step_ns in steps_ns:
        clock.advance(step_ns / 1e9)
    assert clock.monotonic_ns() == sum(steps_ns)


def test_a_held_clock_says_so() -> None:
    """Holds nest, and end with their blocks even when those fail."""
    clock = VirtualClock()
    with clock.held():
        with pytest.raises(ZeroDivisionError), clock.held():
            raise ZeroDivisionError
        assert clock.is_held
    assert not clock.is_held


def test_one_loop_at_a_time() -> None:
    """A second loop would jump over the timers of the first."""
    clock = VirtualClock()
    clock.attach()
    with pytest.raises(UsageError, match="clock of its own"):
        clock.attach()
    clock.detach()
    clock.check_free()


def test_time_stays_when_a_loop_gives_the_clock_back() -> None:
    """What passed on a lent source of time has passed."""
    clock = VirtualClock()
    lender = VirtualClock()
    clock.attach(lender._time)
    lender.advance(5)
    clock.detach()
    lender.advance(5)
    assert clock.monotonic_ns() == 5_000_000_000


@pytest.mark.anyio
async def test_on_a_foreign_loop_sleeping_is_advancing() -> None:
    """Where real time drives the loop, virtual sleep takes none of it."""
    clock = VirtualClock()
    await clock.sleep(3600)
    await clock.sleep(-1)
    assert clock.monotonic_ns() == 3_600_000_000_000


def test_a_clock_shows_its_time() -> None:
    """A failing test prints something to go by."""
    assert repr(VirtualClock()) == "VirtualClock(2030-01-01T00:00:00+00:00)"

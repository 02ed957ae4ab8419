"""A pace is a speed, and a pacer waits until each entry is due."""

import pytest

from playhead.clocks.virtual import VirtualClock
from playhead.errors import UsageError
from playhead.replaying.pace import Pacer, scaled, to_speed

pytestmark = pytest.mark.anyio


def test_paces_are_speeds() -> None:
    """`instant` does not wait, `recorded` is speed one, and the rest is what was asked for."""
    assert (to_speed("instant"), to_speed("recorded"), to_speed(scaled(4))) == (None, 1.0, 4)


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_is_a_number_above_zero(speed: float) -> None:
    """A tape cannot be played at any other speed."""
    with pytest.raises(UsageError, match="give a number above zero"):
        scaled(speed)


def test_an_unknown_pace_is_refused() -> None:
    """A name that is no pace is answered with those that are."""
    with pytest.raises(UsageError, match="there is no pace 'slow': give 'instant', 'recorded'"):
        to_speed("slow")  # type: ignore[arg-type]


async def test_waits_do_not_add_up() -> None:
    """What a consumer takes for an item is taken off the next wait; one that is late waits not at all."""
    clock = VirtualClock()
    pacer = Pacer(2.0, clock)
    await pacer.wait(1_000_000)
    assert clock.monotonic_ns() == 500_000_000
    clock.advance(0.4)
    await pacer.wait(2_000_000)
    assert clock.monotonic_ns() == 1_000_000_000
    clock.advance(5)
    await pacer.wait(3_000_000)
    assert clock.monotonic_ns() == 6_000_000_000

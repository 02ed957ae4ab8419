"""How fast a tape is played: at once, as it was recorded, or at another speed."""

from dataclasses import dataclass
from typing import Literal

from playhead.clock import Clock
from playhead.errors import UsageError


@dataclass(frozen=True, slots=True)
class Scaled:
    """Play at `speed` times the recorded speed: 4.0 takes a quarter of the time. None does not wait at all."""

    speed: float | None


Pace = Literal["instant", "recorded"] | Scaled
"""`"instant"`, `"recorded"`, or what `scaled` returns."""


def scaled(speed: float) -> Scaled:
    """Return the pace that plays at `speed` times the recorded speed. Raises `UsageError` unless it is above zero."""
    if not 0 < speed < float("inf"):
        raise UsageError(f"a tape cannot be played at speed {speed!r}: give a number above zero")
    return Scaled(speed)


_NAMED = {"instant": Scaled(None), "recorded": Scaled(1.0)}


def to_speed(pace: Pace) -> float | None:
    """Return a pace as a speed; None does not wait. Raises `UsageError` for a name that is unknown."""
    if isinstance(pace, Scaled):
        return pace.speed
    if pace in _NAMED:
        return _NAMED[pace].speed
    raise UsageError(f"there is no pace {pace!r}: give 'instant', 'recorded' or playhead.scaled(2.0)")


class Pacer:
    """Wait until an entry is due. Waits are measured from the start of the replay, so that errors do not add up."""

    def __init__(self, speed: float, clock: Clock) -> None:
        self._speed = speed
        self._clock = clock
        self._start_ns = clock.monotonic_ns()

    def left_s(self, at_us: int) -> float:
        """Return the seconds until `at_us` microseconds of recorded time have passed, negative where they have."""
        due_ns = self._start_ns + at_us * 1000 / self._speed
        return (due_ns - self._clock.monotonic_ns()) / 1e9

    async def wait(self, at_us: int) -> None:
        """Return when `at_us` microseconds of recorded time have passed."""
        left_s = self.left_s(at_us)
        if left_s > 0:
            await self._clock.sleep(left_s)

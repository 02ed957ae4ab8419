"""What a clock is, and the one that the machine has.

Knows how to read time and how to wait. Does not know virtual time: `playhead.clocks` does. No other module reads the
time or sleeps.
"""

import time
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

import anyio


@runtime_checkable
class Clock(Protocol):
    """Tell the time and wait for it to pass."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        ...

    def monotonic_ns(self) -> int:
        """Return nanoseconds since some fixed moment. Never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait. Zero and less still let other tasks run once."""
        ...


class SystemClock:
    """Read the machine's clocks and sleep on its event loop, asyncio or trio."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    # Not a function of our own around it: it is read several times an event.
    monotonic_ns: "staticmethod[[], int]" = staticmethod(time.monotonic_ns)
    """Return the machine's monotonic clock in nanoseconds."""

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop. Under a virtual loop this takes no real time."""
        await anyio.sleep(max(0.0, seconds))

    def __repr__(self) -> str:
        return "SystemClock()"


SYSTEM_CLOCK = SystemClock()
"""The clock that everything takes unless it is given another."""


def utc_now() -> datetime:
    """Return the machine's wall-clock time: the default timestamp of an event that is made without one."""
    return SYSTEM_CLOCK.now()

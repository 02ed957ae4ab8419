"""A clock whose time passes only when it is told to.

Knows its time, who drives it, and what the loops on it must be told. Does not know asyncio or trio: the loops of
`playhead.clocks.asyncio_loop` and `playhead.clocks.trio_loop` do.
"""

import math
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

import anyio
import anyio.lowlevel

from playhead.errors import UsageError

START = datetime(2030, 1, 1, tzinfo=UTC)
"""Where a virtual clock starts unless it is told otherwise."""

NS_PER_S = 1_000_000_000
"""Nanoseconds in a second."""

_WEEK_S = 7 * 24 * 3600.0


class TimeSource(Protocol):
    """Hold the time of a virtual clock. An event loop that must keep its own time lends one to the clock."""

    def elapsed_ns(self) -> int:
        """Return the nanoseconds that have passed since the clock was made."""
        ...

    def advance_ns(self, nanoseconds: int) -> None:
        """Let that many nanoseconds pass at once."""
        ...


class CountedTime:
    """Hold time as one integer, so that no sum of pauses drifts."""

    def __init__(self, elapsed_ns: int = 0) -> None:
        self._elapsed_ns = elapsed_ns

    def elapsed_ns(self) -> int:
        """Return the nanoseconds counted so far."""
        return self._elapsed_ns

    def advance_ns(self, nanoseconds: int) -> None:
        """Count that many nanoseconds more."""
        self._elapsed_ns += nanoseconds


class VirtualClock:
    """Tell a time that passes only when nobody has anything to do, or when it is advanced by hand.

    A `Clock`. `start` is the wall-clock time at its beginning, aware; `monotonic_ns` begins at 0. On a loop that runs
    on this clock (`playhead.clocks.run`) the clock jumps to the next timer as soon as every task waits. It does not
    jump while the loop waits for a socket, a pipe or a worker thread: then it passes at the speed of real time, and
    only while the loop waits. On a loop of another clock nothing moves it but `advance`, and `sleep`, which is then
    `advance` followed by a turn for the other tasks.

    A loop stops with a `UsageError` where waiting on would never end: when every task waits and nothing is left that
    could wake one (threads that the loop does not know have `patience_s` real seconds to do so), and when `horizon_s`
    virtual seconds have passed since the clock was made.

    For one thread. One loop at a time runs on it; several may do so in turn, and time goes on from one to the next.
    """

    def __init__(self, start: datetime = START, *, patience_s: float = 5.0, horizon_s: float = _WEEK_S) -> None:
        if start.tzinfo is None:
            raise UsageError(f"VirtualClock(start={start!r}): the start must say its time zone, as in tzinfo=UTC")
        self.patience_s = patience_s
        self.horizon_s = horizon_s
        self._start = start.astimezone(UTC)
        self._time: TimeSource = CountedTime()
        self._is_driven = False
        self._holds = 0

    @property
    def is_held(self) -> bool:
        """Say whether somebody holds this clock, so that it must not jump."""
        return self._holds > 0

    def now(self) -> datetime:
        """Return the virtual wall-clock time, aware, in UTC, in whole microseconds."""
        return self._start + timedelta(microseconds=self.monotonic_ns() // 1_000)

    def monotonic_ns(self) -> int:
        """Return the virtual nanoseconds since this clock was made."""
        return self._time.elapsed_ns()

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time. Zero and less still let other tasks run once."""
        pause_s = max(0.0, seconds)
        if self._is_driven:
            await anyio.sleep(pause_s)
        else:
            self.advance(pause_s)
            await anyio.lowlevel.checkpoint()

    def advance(self, seconds: float) -> None:
        """Let time pass at once, a nanosecond at least unless `seconds` is 0.

        On a running loop, timers that have become due fire on its next turn. Raises `UsageError` for negative and
        endless times.
        """
        if not 0 <= seconds < math.inf:
            raise UsageError(f"advance({seconds!r}): a clock moves forward, by a finite number of seconds")
        if seconds:
            self._time.advance_ns(max(1, round(seconds * NS_PER_S)))

    @contextmanager
    def held(self) -> Generator[None]:
        """Keep the clock from jumping inside the `with` block, so that it passes at the speed of real time.

        For what a loop cannot see: a thread of one's own that will answer, as a database driver's does.
        """
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1

    def check_free(self) -> None:
        """Raise `UsageError` if an event loop is running on this clock."""
        if self._is_driven:
            raise UsageError(f"{self!r} already drives a running event loop: give each loop a clock of its own")

    def attach(self, source: TimeSource | None = None) -> None:
        """Hand the clock to an event loop, which lends it a source of time or drives it by `advance`.

        Raises `UsageError` if another loop is running on it. For the authors of event loops.
        """
        self.check_free()
        self._is_driven = True
        if source is not None:
            self._time = source

    def detach(self) -> None:
        """Take the clock back from its event loop. The time stays."""
        self._is_driven = False
        self._time = CountedTime(self._time.elapsed_ns())

    def __repr__(self) -> str:
        return f"VirtualClock({self.now().isoformat()})"

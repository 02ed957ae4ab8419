"""A trio run on a virtual clock. The only module that imports trio.

Knows how trio's own mock clock is made to jump, to pass at the speed of real time, and to stand still. Does not see
threads that others start, nor what waits for signals: see `VirtualClock.held`.
"""

import math
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, TypeVarTuple

import trio
import trio.testing

from playhead.clock import SYSTEM_CLOCK
from playhead.clocks.stuck import beyond_horizon, deadlock, waiting_task
from playhead.clocks.virtual import NS_PER_S, VirtualClock
from playhead.errors import UsageError

_Result = TypeVar("_Result")
_Arguments = TypeVarTuple("_Arguments")

# Which of them there are depends on the system; trio itself waits for one file, through which threads wake it.
_FILE_WAITS = ("tasks_waiting_read", "tasks_waiting_write", "tasks_waiting", "tasks_waiting_overlapped")
_OWN_FILE_WAITS = 1
# One poll may find nothing although `wait_all_tasks_blocked` is about to wake a task.
_IDLE_POLLS = 3
_IDLE_POLL_S = 0.001


def run(async_fn: Callable[[*_Arguments], Awaitable[_Result]], *args: *_Arguments, clock: VirtualClock) -> _Result:
    """Run an async function on trio, on `clock`, and return its result."""
    pilot = Pilot(clock)
    try:
        return trio.run(async_fn, *args, **pilot.options())
    except trio.TrioInternalError:
        if pilot.fault is None:
            raise
        raise pilot.fault from None


def backend_options(clock: VirtualClock) -> dict[str, Any]:
    """Return the options that make a trio run, or anyio's trio backend, run on `clock`.

    A run that is stuck then ends with a `trio.TrioInternalError`, whose cause is the `UsageError`: trio has no other
    way to end a run from outside of its tasks.
    """
    return Pilot(clock).options()


class Pilot(trio.abc.Instrument):
    """Steer trio's mock clock: let it jump, or pass at the speed of real time while something real is pending."""

    def __init__(self, clock: VirtualClock) -> None:
        self.fault: UsageError | None = None
        self._clock = clock
        self._mock = trio.testing.MockClock(autojump_threshold=0)
        self._is_real = False
        self._idle_polls = 0
        self._idle_since_ns = 0
        self._no_event = threading.Event()

    def options(self) -> dict[str, Any]:
        """Return the options of `trio.run` that put this pilot to work."""
        return {"clock": self._mock, "instruments": [self]}

    def elapsed_ns(self) -> int:
        """Return the time of trio's clock."""
        return round(self._mock.current_time() * NS_PER_S)

    def advance_ns(self, nanoseconds: int) -> None:
        """Move trio's clock."""
        self._mock.jump(nanoseconds / NS_PER_S)

    def before_run(self) -> None:
        """Take over the time at which the clock stands."""
        self.fault = None
        self._mock.jump(max(0.0, self._clock.monotonic_ns() / NS_PER_S - self._mock.current_time()))
        self._clock.attach(self)

    def after_run(self) -> None:
        """Hand the time back to the clock, standing still."""
        self._pass_in_real_time(is_real=False)
        self._clock.detach()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Note that something happens, and let no time pass while it does."""
        self._idle_polls = 0
        self._pass_in_real_time(is_real=False)

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Choose how time passes from here on: only a step can begin or end a wait."""
        is_pending = self._clock.is_held or trio.testing.active_thread_count() > 0 or _is_waiting_for_files()
        self._pass_in_real_time(is_real=is_pending)

    def _pass_in_real_time(self, *, is_real: bool) -> None:
        if is_real != self._is_real:
            self._is_real = is_real
            self._mock.rate = 1.0 if is_real else 0.0
            self._mock.autojump_threshold = math.inf if is_real else 0.0

    def before_io_wait(self, timeout: float) -> None:
        """Stop a run that is stuck."""
        if timeout > 0 or self._is_real:
            return
        statistics = trio.lowlevel.current_statistics()
        if statistics.tasks_runnable:
            return
        if statistics.seconds_to_next_deadline < math.inf:
            if self._clock.monotonic_ns() > self._clock.horizon_s * NS_PER_S:
                self._stop(beyond_horizon(self._clock, _waiting()))
        elif self._is_out_of_patience():
            self._stop(deadlock(_waiting()))

    def _is_out_of_patience(self) -> bool:
        now_ns = SYSTEM_CLOCK.monotonic_ns()
        if self._idle_polls == 0:
            self._idle_since_ns = now_ns
        self._idle_polls += 1
        if self._idle_polls <= _IDLE_POLLS:
            return False
        if threading.active_count() > 1 and now_ns - self._idle_since_ns < self._clock.patience_s * NS_PER_S:
            # trio would poll without a pause. Whoever wakes it is noticed at the next poll.
            self._no_event.wait(_IDLE_POLL_S)
            return False
        return True

    def _stop(self, fault: UsageError) -> None:
        if self.fault is None:
            self.fault = fault
            trio.lowlevel.current_trio_token().run_sync_soon(_raise, fault)


def _raise(fault: UsageError) -> None:
    raise fault


def _is_waiting_for_files() -> bool:
    waits = trio.lowlevel.current_statistics().io_statistics
    return sum(getattr(waits, name, 0) for name in _FILE_WAITS) > _OWN_FILE_WAITS


def _waiting() -> list[str]:
    root = trio.lowlevel.current_root_task()
    tasks = [root] if root else []
    # The list grows while it is walked: every task is followed by its children.
    for task in tasks:
        tasks.extend(child for nursery in task.child_nurseries for child in nursery.child_tasks)
    # trio's own tasks bear names like "<init>".
    return [waiting_task(task.name, task.iter_await_frames()) for task in tasks if not task.name.startswith("<")]

"""An asyncio event loop on a virtual clock.

Knows when nothing but a timer is left to wait for, and then jumps to it instead of waiting. Sees its own sockets and
pipes, child processes, executors and anyio's worker threads. Does not see threads that others start: see
`VirtualClock.held`.
"""

import asyncio
import selectors
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from functools import partial
from types import FrameType
from typing import Any, TypeVar, TypeVarTuple

import anyio

from playhead.clock import SYSTEM_CLOCK
from playhead.clocks.stuck import beyond_horizon, deadlock, waiting_task
from playhead.clocks.virtual import NS_PER_S, VirtualClock

_Result = TypeVar("_Result")
_Arguments = TypeVarTuple("_Arguments")
# Where the system has no file to watch a child process by, asyncio waits for it in a thread of this name.
_CHILD_WATCHER = "asyncio-waitpid-"

# A watching thread that ends right after it woke the loop wakes it no second time, so the loop looks again by itself.
_MAX_REAL_WAIT_S = 0.05

_Ready = list[tuple[selectors.SelectorKey, int]]


def run(async_fn: Callable[[*_Arguments], Awaitable[_Result]], *args: *_Arguments, clock: VirtualClock) -> _Result:
    """Run an async function on a new asyncio loop that runs on `clock`, and return its result."""
    return anyio.run(async_fn, *args, backend="asyncio", backend_options=backend_options(clock))


def backend_options(clock: VirtualClock) -> dict[str, Any]:
    """Return the options that make anyio's asyncio backend run on `clock`."""
    return {"loop_factory": partial(VirtualEventLoop, clock)}


class VirtualEventLoop(asyncio.SelectorEventLoop):
    """Run asyncio tasks and timers on a virtual clock.

    For `asyncio.Runner(loop_factory=...)`; `call_later`, `asyncio.timeout` and everything built on them keep virtual
    time. Raises what `VirtualClock` describes out of `run_forever` and `run_until_complete`.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._executor_calls = 0
        self._jumping = JumpingSelector(clock, is_thread_pending=self._is_thread_pending, waiting=self._waiting)
        super().__init__(self._jumping)
        self._jumping.adopt()

    def time(self) -> float:
        """Return the virtual seconds since the clock was made."""
        return self.clock.monotonic_ns() / NS_PER_S

    def run_forever(self) -> None:
        """Run until `stop` is called, on the clock."""
        self.clock.attach()
        try:
            super().run_forever()
        finally:
            self.clock.detach()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Arguments], _Result], *args: *_Arguments
    ) -> "asyncio.Future[_Result]":
        """Call `func` in a thread or process. The clock does not jump until its result is there."""
        future = super().run_in_executor(executor, func, *args)
        self._executor_calls += 1
        future.add_done_callback(self._executor_call_done)
        return future

    async def shutdown_default_executor(self, *args: Any) -> None:
        """Join the executor's threads in real time, whatever time limit Python sets."""
        with self.clock.held():
            await super().shutdown_default_executor(*args)

    def _executor_call_done(self, _future: "asyncio.Future[Any]") -> None:
        self._executor_calls -= 1

    def _is_thread_pending(self) -> bool:
        if self._executor_calls:
            return True
        return threading.active_count() > 1 and any(map(self._is_busy, threading.enumerate()))

    def _is_busy(self, thread: threading.Thread) -> bool:
        if thread.name.startswith(_CHILD_WATCHER):
            return True
        # anyio has no public way to ask for its busy workers. Its worker threads carry these attributes, which change
        # only in the thread of their loop.
        workers, idle_workers = getattr(thread, "workers", ()), getattr(thread, "idle_workers", ())
        return getattr(thread, "loop", None) is self and thread in workers and thread not in idle_workers

    def _waiting(self) -> list[str]:
        tasks = sorted(asyncio.all_tasks(self), key=asyncio.Task.get_name)
        return [waiting_task(task.get_name(), _frames(task.get_coro())) for task in tasks]


class JumpingSelector(selectors.BaseSelector):
    """Wait for files as the machine's selector does, or let a clock jump where there is nothing to wait for.

    `is_thread_pending` says whether a thread is about to wake the loop; `waiting` describes the tasks that wait.
    """

    def __init__(
        self, clock: VirtualClock, *, is_thread_pending: Callable[[], bool], waiting: Callable[[], list[str]]
    ) -> None:
        self._clock = clock
        self._is_thread_pending = is_thread_pending
        self._waiting = waiting
        self._selector = selectors.DefaultSelector()
        self._own_files = 0

    def adopt(self) -> None:
        """Take all files registered so far for the loop's own, which nobody waits for."""
        self._own_files = len(self.get_map())

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch a file."""
        return self._selector.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Watch a file no longer."""
        return self._selector.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch a file for other events."""
        return self._selector.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return the watched files."""
        return self._selector.get_map()

    def close(self) -> None:
        """Watch nothing any more."""
        self._selector.close()

    def select(self, timeout: float | None = None) -> _Ready:
        """Return the files that are ready. Wait for none longer than `timeout` virtual seconds."""
        if timeout is not None and timeout <= 0:
            return self._selector.select(0)
        # Asked before the files are polled: a thread that ends in between has made the loop's own file ready.
        is_pending = self._is_pending()
        ready = self._selector.select(0)
        if ready:
            return ready
        if is_pending:
            return self._select_in_real_time(timeout)
        if timeout is None:
            return self._select_or_give_up()
        if self._clock.monotonic_ns() > self._clock.horizon_s * NS_PER_S:
            raise beyond_horizon(self._clock, self._waiting())
        self._clock.advance(timeout)
        return []

    def _is_pending(self) -> bool:
        return self._clock.is_held or len(self.get_map()) > self._own_files or self._is_thread_pending()

    def _select_in_real_time(self, timeout: float | None) -> _Ready:
        wait_s = _MAX_REAL_WAIT_S if timeout is None else min(timeout, _MAX_REAL_WAIT_S)
        before_ns = SYSTEM_CLOCK.monotonic_ns()
        ready = self._selector.select(wait_s)
        passed_s = (SYSTEM_CLOCK.monotonic_ns() - before_ns) / NS_PER_S
        self._clock.advance(passed_s if timeout is None else min(passed_s, timeout))
        return ready

    def _select_or_give_up(self) -> _Ready:
        ready = self._selector.select(self._clock.patience_s) if threading.active_count() > 1 else []
        if not ready:
            raise deadlock(self._waiting())
        return ready


def _frames(coroutine: Any) -> Iterator[tuple[FrameType, int]]:
    while frame := getattr(coroutine, "cr_frame", None):
        yield frame, frame.f_lineno
        coroutine = coroutine.cr_await

"""How a task is started that outlives the call which starts it, on asyncio and on trio.

anyio starts tasks in task groups only, and a task group must not be open across the `yield` of an iterator: its scopes
would close in the wrong order. Knows starting and cancelling. Does not know what the task does, and imports no trio:
where a trio run is under way, trio has been imported by whoever started that.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any


def start_task(
    run: Callable[[], Coroutine[Any, Any, None]], *, on_end: Callable[[], None], context: Context | None = None
) -> Callable[[], object]:
    """Start `run()` as a task of the running event loop, in `context` or a copy of this task's; return what cancels it.

    `on_end` is called when the task is over, even if it was cancelled before it ran at all. `run` must not raise
    anything but its own cancellation. The event loop cancels what is left when its main task ends.
    """
    trio = running_trio()
    if trio is not None:
        return _start_on_trio(trio, run, on_end, context or copy_context())
    has_ended = False

    def end(*_: object) -> None:
        nonlocal has_ended
        if not has_ended:
            has_ended = True
            on_end()

    async def ended() -> None:
        try:
            await run()
        finally:
            end()

    task = asyncio.get_running_loop().create_task(ended(), context=context)
    # For one that is cancelled before it ran at all.
    task.add_done_callback(end)
    return task.cancel


def running_trio() -> Any:
    """Return trio where this code runs on it, else None."""
    trio: Any = sys.modules.get("trio")
    return trio if trio is not None and trio.lowlevel.in_trio_run() else None


def _start_on_trio(
    trio: Any, run: Callable[[], Coroutine[Any, Any, None]], on_end: Callable[[], None], context: Context
) -> Callable[[], object]:
    scope = trio.CancelScope()

    async def scoped() -> None:
        try:
            with scope:
                await run()
        finally:
            on_end()

    trio.lowlevel.spawn_system_task(scoped, context=context)
    cancel: Callable[[], object] = scope.cancel
    return cancel

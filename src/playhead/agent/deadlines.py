"""How long something may take, on asyncio and on trio.

As anyio's `move_on_after`, for a third of its time: a run has a deadline for each answer and each tool, and nearly none
of them passes. Knows waiting and cancelling. Does not know what is waited for.
"""

import asyncio
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from playhead.handlers.tasks import running_trio


def move_on_after(seconds: float) -> AbstractContextManager[object, bool]:
    """Return a context whose body is cancelled after so many seconds, and left. Nobody is told of it."""
    trio = running_trio()
    if trio is None:
        return _Deadline(seconds)
    scope: AbstractContextManager[object, bool] = trio.move_on_after(seconds)
    return scope


class _Deadline:
    """Do on asyncio what `asyncio.timeout` does, without an error: the task is cancelled once."""

    __slots__ = ("_cancelling", "_handle", "_has_passed", "_seconds", "_task")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._has_passed = False

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._task: asyncio.Task[Any] | None = asyncio.current_task(loop)
        self._cancelling = self._task.cancelling() if self._task else 0
        self._handle = loop.call_later(self._seconds, self._pass)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not self._has_passed:
            self._handle.cancel()
            return False
        # Somebody else may have cancelled the task at the same time: then it is theirs.
        is_ours = self._task is not None and self._task.uncancel() <= self._cancelling
        return is_ours and kind is asyncio.CancelledError

    def _pass(self) -> None:
        self._has_passed = True
        if self._task is not None:
            self._task.cancel()

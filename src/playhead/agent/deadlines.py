"""How long the waits of one run may take, on asyncio and on trio.

As anyio's `move_on_after`, for a tenth of its time: a run waits for every piece of an answer and for every tool, and
nearly no deadline passes. So one timer serves them all, and a wait that begins and ends in time never touches it. Knows
waiting and cancelling. Does not know what is waited for.
"""

import asyncio
import math
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final

from playhead.handlers.tasks import running_trio

AGAIN_S: Final = 0.05
"""How long one that has been cancelled has to stop before it is cancelled once more."""


class Deadlines:
    """Watch over the waits of one run. `close` when it is over."""

    def __init__(self) -> None:
        self._waits: set[_Wait] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = math.inf

    def within(self, seconds: float) -> AbstractContextManager[object, bool]:
        """Return a context whose body is cancelled after so many seconds, and left. Nobody is told of it.

        A body that takes no notice is cancelled again and again. A cancellation from elsewhere passes through.
        """
        trio = running_trio()
        if trio is None:
            return _Wait(self, seconds)
        scope: AbstractContextManager[object, bool] = trio.move_on_after(seconds)
        return scope

    def close(self) -> None:
        """Let go of the timer, unless somebody is left behind who waits."""
        if not self._waits:
            self._set_timer(math.inf)

    def begin(self, wait: "_Wait") -> None:
        """Watch over a wait too."""
        self._waits.add(wait)
        if wait.until_s < self._due_s:
            self._set_timer(wait.until_s)

    def end(self, wait: "_Wait") -> None:
        """Watch over a wait no longer. The timer stays as it is: when it comes, it looks for itself."""
        self._waits.discard(wait)

    def _look(self) -> None:
        now_s = asyncio.get_running_loop().time()
        for wait in self._waits:
            if wait.until_s <= now_s:
                wait.cancel()
                wait.until_s = now_s + AGAIN_S
        self._set_timer(min((wait.until_s for wait in self._waits), default=math.inf))

    def _set_timer(self, due_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due_s = due_s
        self._timer = None if due_s == math.inf else asyncio.get_running_loop().call_at(due_s, self._look)


class _Wait:
    """Do on asyncio what `asyncio.timeout` does, without an error."""

    __slots__ = ("_count", "_deadlines", "_outer", "_seconds", "_task", "until_s")

    def __init__(self, deadlines: Deadlines, seconds: float) -> None:
        self._deadlines = deadlines
        self._seconds = seconds
        self._count = 0

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task: asyncio.Task[Any] = task
        self._outer = task.cancelling()
        self.until_s: float = task.get_loop().time() + self._seconds
        self._deadlines.begin(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._deadlines.end(self)
        for _ in range(self._count):
            self._task.uncancel()
        # Somebody else may have cancelled the task at the same time: then it is theirs.
        return self._count > 0 and kind is asyncio.CancelledError and self._task.cancelling() <= self._outer

    def cancel(self) -> None:
        """Cancel the task that waits."""
        self._count += 1
        self._task.cancel()

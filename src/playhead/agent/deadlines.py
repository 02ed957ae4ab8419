"""How long the waits of one run may take, on asyncio and on trio.

A run waits for every piece of an answer and for every tool, and nearly no deadline passes. anyio's `move_on_after`
makes a scope and a timer for each; here one timer serves a whole run, and a wait that ends in time never touches it.
Knows waiting and cancelling. Does not know what is waited for.
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
    """Watch over the `waits` of one run, the next one due at `due_s`. `close` when it is over.

    A wait that ends leaves the timer as it is: when that goes off, it looks for itself.
    """

    def __init__(self) -> None:
        self.waits: set[_Wait] = set()
        self.due_s: float = math.inf
        self._timer: asyncio.TimerHandle | None = None

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
        if not self.waits:
            self.set_timer(math.inf)

    def set_timer(self, due_s: float) -> None:
        """Look at the waits again at that time of the loop."""
        if self._timer is not None:
            self._timer.cancel()
        self.due_s = due_s
        self._timer = None if due_s == math.inf else asyncio.get_running_loop().call_at(due_s, self._look)

    def _look(self) -> None:
        now_s = asyncio.get_running_loop().time()
        for wait in self.waits:
            if wait.until_s <= now_s:
                wait.cancel()
                wait.until_s = now_s + AGAIN_S
        self.set_timer(min((wait.until_s for wait in self.waits), default=math.inf))


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
        deadlines = self._deadlines
        deadlines.waits.add(self)
        if self.until_s < deadlines.due_s:
            deadlines.set_timer(self.until_s)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._deadlines.waits.discard(self)
        if not self._count:
            return False
        for _ in range(self._count):
            self._task.uncancel()
        # Somebody else may have cancelled the task at the same time: then it is theirs.
        return kind is asyncio.CancelledError and self._task.cancelling() <= self._outer

    def cancel(self) -> None:
        """Cancel the task that waits."""
        self._count += 1
        self._task.cancel()

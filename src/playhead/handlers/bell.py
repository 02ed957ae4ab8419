"""How a task that waits for news is woken.

Knows only waiting and waking, on asyncio and on trio. Does not know what the news is: whoever wakes looks for itself.
"""

import asyncio
from typing import Any

from playhead.handlers.tasks import running_trio


class Bell:
    """Wake every task that waits. Where waiting is rare, asking `awaited` first costs next to nothing."""

    __slots__ = ("_event", "awaited")

    def __init__(self) -> None:
        self.awaited: bool = False
        self._event: Any = None

    def ring(self) -> None:
        """Wake every task that waits now."""
        if self._event is not None:
            self._event.set()
            self._event = None
            self.awaited = False

    async def wait(self) -> None:
        """Wait for the next ring. Check first what is waited for: a ring that nobody hears is not kept."""
        event = self._event
        if event is None:
            # As anyio does it, which asks anew each time what it runs on.
            trio = running_trio()
            event = self._event = asyncio.Event() if trio is None else trio.Event()
            self.awaited = True
        await event.wait()

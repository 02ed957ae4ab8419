"""A model that says each piece when it is allowed to, so that a test sees what is sent in between."""

import asyncio
import threading
from collections.abc import AsyncGenerator

from playhead.scripts import ModelRequest, Piece, Step, Stop, Turn, turn


class PermitModel:
    """Wait for a permit before each piece, and before the end. `has_left` is set when nobody listens any more."""

    def __init__(self, said: Turn) -> None:
        self.has_left = threading.Event()
        self._said = turn(said)
        self._permits = asyncio.Semaphore(0)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = threading.Event()

    async def steps(self, request: ModelRequest) -> AsyncGenerator[Step, None]:
        """Yield the steps of the answer, whatever is asked."""
        self._loop = asyncio.get_running_loop()
        self._asked.set()
        try:
            for step in self._said.steps():
                if isinstance(step, Piece | Stop):
                    await self._permits.acquire()
                yield step
        finally:
            self.has_left.set()

    def permit(self) -> None:
        """Let the next piece go, from any thread, once the model has been asked."""
        assert self._asked.wait(20)
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._permits.release)

    def await_question(self) -> None:
        """Wait, in any thread, until the model has been asked."""
        assert self._asked.wait(20)

"""Runs that go on: each feeds its cassette, and keeps its newest messages for the clients that follow it closely.

A run never waits for a client. Who falls behind what is kept reads the cassette. Knows tasks, windows and who is
there. Does not know connections, nor how a client follows (`following`).
"""

import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal

from anyio import CancelScope, create_task_group, get_cancelled_exc_class, move_on_after, to_thread
from anyio.lowlevel import checkpoint

from playhead.cassettes.format import Seal
from playhead.errors import PlayheadError, UsageError
from playhead.handlers.bell import Bell
from playhead.handlers.failures import safe_traceback
from playhead.ids import derived_id
from playhead.recording.recorder import Recorder
from playhead.server.frames import Frame, Framer
from playhead.server.shelf import Shelf

OnLeave = Literal["cancel", "finish"]
"""What becomes of a run whose clients have all left: it is cancelled, or goes on into its cassette."""

_logger = logging.getLogger("playhead.server")

_SAID: Final = {
    "error": "internal error",
    "cancelled": "the run was cancelled",
    "closed": "the run was cancelled",
    "unknown": "the run did not say how it ended",
}
_ENDS_WELL: Final = frozenset({"complete", "paused"})
_CUT_OFF: Final = "the run was cut off: the server that ran it went down"


@dataclass(frozen=True, slots=True)
class Leaving:
    """Say what becomes of a run when its last client leaves, and after how many seconds without a new one."""

    on_leave: OnLeave = "cancel"
    linger_s: float = 0.0


class Run:
    """Hold one run while it goes on, and a little longer for those who follow it.

    `count` is how many events there were. `window` has the newest of their messages: at least `max_buffer`, and all
    that are not yet on the tape. `end` is the last message, once there is one; `failure` what the agent raised.
    """

    def __init__(self, framer: Framer, recorder: Recorder, *, max_buffer: int, ticket: str | None = None) -> None:
        self.id: str = framer.run
        self.ticket: str | None = ticket
        self.framer: Framer = framer
        self.count: int = 0
        self.window: deque[Frame] = deque()
        self.end: Frame | None = None
        self.failure: Exception | None = None
        self.news: Bell = Bell()
        self.scope: CancelScope = CancelScope()
        self._recorder = recorder
        self._max_buffer = max_buffer
        self._clients = 0
        self._comings = Bell()

    @property
    def first(self) -> int:
        """Return the number of the oldest message in the window."""
        return self.count - len(self.window) + 1

    def after(self, number: int, limit: int) -> Sequence[Frame]:
        """Return the messages behind a number that the window has, at most so many."""
        start = number + 1 - self.first
        return list(islice(self.window, start, start + limit))

    async def has_begun(self) -> bool:
        """Wait for the first event, or for the end; say whether the agent could do what it was asked."""
        while not self.count and self.end is None:
            await self.news.wait()
        return bool(self.count) or not isinstance(self.failure, UsageError)

    def come(self) -> None:
        """Count a client."""
        self._clients += 1
        self._comings.ring()

    def leave(self) -> None:
        """Count a client less."""
        self._clients -= 1
        self._comings.ring()

    async def work(self, events: Any) -> None:
        """Run the agent to its end, and seal the cassette. Raises nothing of what the agent raises."""
        try:
            with self.scope:
                await self._consume(events)
        except Exception as error:
            self.failure = error
            _tell(self.id, error)
        except get_cancelled_exc_class():
            # The server is being stopped, and whoever stops it may not wait for a thread.
            self._settle(self._seal())
            raise
        with CancelScope(shield=True):
            seal = await to_thread.run_sync(self._seal)
        self._settle(seal)

    async def tend(self, leaving: Leaving) -> None:
        """Cancel the run when its clients have left, if that is wanted."""
        if leaving.on_leave == "finish":
            return
        while self.end is None:
            while self._clients:
                await self._comings.wait()
            with move_on_after(leaving.linger_s) as patience:
                await self._comings.wait()
            if patience.cancelled_caught:
                self.scope.cancel()
                return

    async def _consume(self, events: Any) -> None:
        recorder = self._recorder
        async with aclosing(recorder.events(events)) as taped:
            async for event in taped:
                self.count += 1
                self.window.append(self.framer.live(event, self.count))
                # What a secret may begin in is not on the tape yet, so it must not go from here.
                keep = max(self._max_buffer, recorder.held)
                while len(self.window) > keep:
                    self.window.popleft()
                self.news.ring()
                # An agent that never waits would let nobody else run.
                await checkpoint()

    def _seal(self) -> Seal | None:
        """Seal the cassette, and return None where that failed: the log says why, and the client is none the wiser."""
        try:
            return self._recorder.close()
        except PlayheadError as error:
            _logger.error("run %s could not be taped: %s", self.id, error)
            return None

    def _settle(self, seal: Seal | None) -> None:
        if seal is not None:
            self.end = ending(self.framer, self.count, seal)
        elif self.failure is None and not self.scope.cancel_called:
            self.end = self.framer.done(self.count)
        else:
            self.end = self.framer.error(_SAID["error"], correlation_id=correlation_id(self.id))
        self.news.ring()


class Runs:
    """Hold the runs that go on, by their ids, and the places of those that are about to."""

    def __init__(self, shelf: Shelf, leaving: Leaving, *, max_runs: int) -> None:
        self.shelf: Shelf = shelf
        self._leaving = leaving
        self._max_runs = max_runs
        self._live: dict[str, Run | None] = {}

    @property
    def is_full(self) -> bool:
        """Say whether as many go on, or are about to, as may."""
        return len(self._live) >= self._max_runs

    def get(self, run: str) -> Run | None:
        """Return a run that goes on, None if it does not."""
        return self._live.get(run)

    @contextmanager
    def reserved(self, run: str) -> Iterator[None]:
        """Keep a place for a run that the block makes ready, until it is `hosted`. A block that fails gives it back."""
        self._live[run] = None
        try:
            yield
        except BaseException:
            del self._live[run]
            raise

    @asynccontextmanager
    async def hosted(self, run: Run, events: Any) -> AsyncIterator[None]:
        """Let a run go on while the block serves its first client, and behind it until it ends.

        It is cancelled when no client is left, unless it is to finish, and when the block is cancelled.
        """
        self._live[run.id] = run
        run.come()
        try:
            async with create_task_group() as tasks:

                async def work() -> None:
                    await run.work(events)
                    tending.cancel()

                async def tend() -> None:
                    with tending:
                        await run.tend(self._leaving)

                tending = CancelScope()
                tasks.start_soon(work)
                tasks.start_soon(tend)
                try:
                    yield
                finally:
                    run.leave()
        finally:
            del self._live[run.id]
            self.shelf.note_end(run.id)


def ending(framer: Framer, count: int, seal: Seal | None) -> Frame:
    """Return the last message of a run of `count` events, by its seal; None where it has none.

    It is the same, whether it comes live or from the cassette.
    """
    if seal is not None and seal.end in _ENDS_WELL:
        return framer.done(count)
    said = _CUT_OFF if seal is None else _SAID.get(seal.end, _SAID["unknown"])
    return framer.error(said, correlation_id=correlation_id(framer.run))


def correlation_id(run: str) -> str:
    """Return the id under which the log tells of a run's failure: 32 hexadecimal digits."""
    return derived_id(f"run {run}")


def _tell(run: str, error: Exception) -> None:
    _logger.error("run %s failed, correlation id %s\n%s", run, correlation_id(run), safe_traceback(error))

"""How far a producer may run ahead of its consumer.

Knows the three forms: not at all, by so many items, without limit. Does not know what the items are.
"""

import math
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import anyio

from playhead.errors import UsageError
from playhead.handlers.base import ClosableStream
from playhead.handlers.bell import Bell
from playhead.handlers.tasks import start_task

Item = TypeVar("Item")


def consume_with_buffer(stream: AsyncIterable[Item], buffer_size: float) -> "BufferedStream[Item]":
    """Iterate over `stream` while it runs ahead by at most `buffer_size` items.

    - 0, blocking: nothing is produced before it is asked for. The stream runs in the consumer's own task.
    - N, bounded: the stream runs in a task of its own, and waits while N items wait. 10 to 50 suit a user interface.
    - `math.inf`, unbounded: the stream never waits.

    Items keep their order. What the stream raises reaches the consumer after the items before it. The task starts with
    the first item that is asked for, and is over when `aclose()` returns: leave early by `async with`, or by
    `contextlib.aclosing`. A consumer that is cancelled while it waits closes the stream; one that just drops it lets
    it be cancelled. Raises `UsageError` for any other `buffer_size`.
    """
    if isinstance(buffer_size, bool) or not (buffer_size == math.inf or (buffer_size >= 0 and buffer_size % 1 == 0)):
        raise UsageError(f"consume_with_buffer(buffer_size={buffer_size!r}) must be 0, a whole number or math.inf.")
    return BufferedStream(aiter(stream), buffer_size)


class BufferedStream(ClosableStream[Item]):
    """Iterate over what another iterator produces, buffered. Made by `consume_with_buffer`.

    For one consumer. As a context manager it closes itself. No async generator: one cannot hold a task safely.
    """

    def __init__(self, source: AsyncIterator[Item], buffer_size: float) -> None:
        self._source = source
        self._pump = _Pump(source, buffer_size)
        self._cancel: Callable[[], object] | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def __anext__(self) -> Item:
        pump = self._pump
        if pump.max_items == 0 and not self._closed:
            return await anext(self._source)
        if self._cancel is None and not self._closed:
            self._cancel = start_task(pump.run, on_end=pump.end)
        while not self._closed:
            if pump.items:
                return pump.take()
            if pump.ended:
                self._closed = True
                pump.raise_failure()
                break
            await self._wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop the stream and wait until it has cleaned up. Raises what its cleaning up raises.

        An error of the stream that the consumer did not stay for is dropped.
        """
        self._closed = True
        pump = self._pump
        if self._cancel is not None and not pump.ended:
            pump.stop(self._cancel)
            # A consumer that is being cancelled waits for this all the same.
            with anyio.CancelScope(shield=True):
                while not pump.ended:
                    await pump.news.wait()
        pump.news.ring()
        if self._cancel is not None and pump.stopped:
            pump.raise_failure()
        # Still open if its task never began to run.
        await _close(self._source)

    def __del__(self) -> None:
        cancel = getattr(self, "_cancel", None)
        if cancel is not None and not self._pump.ended:
            self._pump.stop(cancel)

    async def _wait(self) -> None:
        try:
            await self._pump.news.wait()
        except BaseException:
            await self.aclose()
            raise


class _Pump(Generic[Item]):
    """Move items from the source to the buffer, in a task of its own.

    Does not know the `BufferedStream`: as long as the task runs, it must not keep that alive.
    """

    def __init__(self, source: AsyncIterator[Item], max_items: float) -> None:
        self.source = source
        self.max_items = max_items
        self.items: deque[Item] = deque()
        self.news = Bell()
        self.room = Bell()
        self.stopped = False
        self.ended = False
        self.failure: BaseException | None = None

    async def run(self) -> None:
        """Feed until the source ends, fails or is stopped, then close it, all in this one task."""
        try:
            try:
                await self._feed()
            finally:
                await _close(self.source)
        except BaseException as error:
            self.failure = error
            if isinstance(error, anyio.get_cancelled_exc_class()):
                raise

    def end(self) -> None:
        """Say that the task is over."""
        self.ended = True
        self.news.ring()

    def stop(self, cancel: Callable[[], object]) -> None:
        """Let the task end. It is cancelled only if it waits for its source: cleaning up is easier uncancelled."""
        self.stopped = True
        self.failure = None
        if self.room.awaited:
            self.room.ring()
        else:
            cancel()

    def take(self) -> Item:
        """Take the first item out."""
        item = self.items.popleft()
        if self.room.awaited:
            self.room.ring()
        return item

    def raise_failure(self) -> None:
        """Raise what the task failed with, once. Its cancellation is no failure if it was stopped."""
        failure, self.failure = self.failure, None
        if failure is not None and (not self.stopped or isinstance(failure, Exception)):
            raise failure

    async def _feed(self) -> None:
        async for item in self.source:
            self.items.append(item)
            self.news.ring()
            while len(self.items) >= self.max_items and not self.stopped:
                await self.room.wait()
            if self.stopped:
                break


async def _close(source: Any) -> None:
    aclose = getattr(source, "aclose", None)
    if aclose is not None:
        await aclose()

"""An asynchronous stream for code without an event loop.

Each stream has an event loop of its own, which runs while somebody waits for the next item, and stands still otherwise.
All of the stream runs in one task of it: what spans several items, a timeout for instance, works as ever.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from typing import Any, TypeVar

from playhead.errors import UsageError

T = TypeVar("T")


def iterate(make: Callable[[], AsyncGenerator[T, None]], *, name: str) -> Generator[T, None, None]:
    """Yield what an asynchronous generator yields. Closing this one closes that one, and waits for it.

    It may be read from any thread, from one at a time. Raises `UsageError`, naming the caller, where an event loop is
    running: there, the asynchronous form is the one to take.
    """
    _refuse_running_loop(name)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        feed = _Feed(make, loop)
        task = loop.create_task(feed.run())
        try:
            while True:
                found = loop.run_until_complete(feed.next())
                if found is None:
                    break
                yield found[0]
        finally:
            feed.close()
            loop.run_until_complete(task)


class _Feed:
    """Take items out of a stream, each when it is asked for, all in one task."""

    def __init__(self, make: Callable[[], AsyncGenerator[Any, None]], loop: asyncio.AbstractEventLoop) -> None:
        self._make = make
        self._loop = loop
        self._wanted: asyncio.Future[bool] = loop.create_future()
        self._found: asyncio.Future[tuple[Any] | None] = loop.create_future()
        self._is_closed = False

    async def run(self) -> None:
        """Hand items out until there are no more, or none are wanted. Failures go to whoever waits."""
        try:
            async with aclosing(self._make()) as items:
                while await self._wanted:
                    self._wanted = self._loop.create_future()
                    item = (await anext(items),)
                    self._found.set_result(item)
        except StopAsyncIteration:
            self._found.set_result(None)
        except Exception as error:
            if self._is_closed:
                raise
            self._found.set_exception(error)

    async def next(self) -> tuple[Any] | None:
        """Return the next item in a tuple, or None after the last one."""
        self._found = self._loop.create_future()
        self._wanted.set_result(True)
        return await self._found

    def close(self) -> None:
        """Want no more."""
        self._is_closed = True
        if not self._wanted.done():
            self._wanted.set_result(False)


def _refuse_running_loop(name: str) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise UsageError(f"{name}() waits for the whole run, and an event loop is running here: use run() instead")

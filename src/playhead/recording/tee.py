"""A tee for iterators: the consumer gets the very objects that the source yields, and the tape gets them too.

A tee never buffers, delays or swallows. Closing, cancelling and failing reach the source and the consumer exactly as
without it; how the stream ended is told to the tape. A consumer that leaves without closing is noticed by the recorder.
"""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import Any, Generic, Protocol, Self, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Take what a tee sees. Neither method raises."""

    def take(self, item: Any) -> None:
        """Put an item on the tape."""
        ...

    def finish(self, error: BaseException | None = None) -> None:
        """Note the end: the source ran dry, or raised. A second end is ignored."""
        ...


class Tee(Generic[T]):
    """Iterate over a source and tape what it yields. Offers `close`, `send` and `throw` where the source does."""

    def __init__(self, source: Iterable[T], track: Track) -> None:
        self._source: Any = iter(source)
        self._track = track
        self._take = track.take

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        # As `_step` does, without its call: this is what nearly all consumers do.
        try:
            item: T = next(self._source)
        except StopIteration:
            self._track.finish()
            raise
        except BaseException as error:
            self._track.finish(error)
            raise
        self._take(item)
        return item

    def send(self, value: Any) -> T:
        """Send a value into the source, a generator."""
        return self._step(self._source.send, value)

    def throw(self, error: BaseException) -> T:
        """Raise an exception inside the source, a generator."""
        return self._step(self._source.throw, error)

    def close(self) -> None:
        """Close the source: the run is `closed` unless it had ended before."""
        try:
            if hasattr(self._source, "close"):
                self._source.close()
        except BaseException as error:
            self._track.finish(error)
            raise
        self._track.finish(GeneratorExit())

    def _step(self, step: Callable[..., T], *value: Any) -> T:
        try:
            item = step(*value)
        except StopIteration:
            self._track.finish()
            raise
        except BaseException as error:
            self._track.finish(error)
            raise
        self._track.take(item)
        return item


class AsyncTee(Generic[T]):
    """Iterate over an asynchronous source and tape what it yields.

    Offers `aclose`, `asend` and `athrow` where the source does.
    """

    def __init__(self, source: AsyncIterable[T], track: Track) -> None:
        self._source: Any = aiter(source)
        self._track = track
        self._take = track.take
        self._has_ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        # As `_step` does, without a coroutine of its own: this is what nearly all consumers do.
        try:
            item: T = await self._source.__anext__()
        except StopAsyncIteration:
            self._has_ended = True
            self._track.finish()
            raise
        except BaseException as error:
            self._has_ended = True
            self._track.finish(error)
            raise
        self._has_ended = False
        self._take(item)
        return item

    async def asend(self, value: Any) -> T:
        """Send a value into the source, an asynchronous generator."""
        return await self._step(self._source.asend, value)

    async def athrow(self, error: BaseException) -> T:
        """Raise an exception inside the source, an asynchronous generator."""
        if self._has_ended:
            # One that has ended may answer None, which is no item.
            return await self._source.athrow(error)  # type: ignore[no-any-return]
        return await self._step(self._source.athrow, error)

    async def aclose(self) -> None:
        """Close the source: the run is `closed` unless it had ended before."""
        self._has_ended = True
        try:
            if hasattr(self._source, "aclose"):
                await self._source.aclose()
        except BaseException as error:
            self._track.finish(error)
            raise
        self._track.finish(GeneratorExit())

    async def _step(self, step: Callable[..., Awaitable[T]], *value: Any) -> T:
        try:
            item = await step(*value)
        except StopAsyncIteration:
            self._has_ended = True
            self._track.finish()
            raise
        except BaseException as error:
            self._has_ended = True
            self._track.finish(error)
            raise
        self._has_ended = False
        self._track.take(item)
        return item

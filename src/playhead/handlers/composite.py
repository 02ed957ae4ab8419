"""One handler made of many.

Knows that a child which fails must not starve its siblings, and that cancellation is nobody's failure. Does not know
what its children do.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import anyio

from playhead.handlers.base import OnceHandler, StreamHandler

_Failed = tuple[tuple[StreamHandler, Exception], ...]


class CompositeHandler(OnceHandler):
    """Pass each call on to several handlers, one after the other, in order.

    A child that raises does not keep the call from its siblings: when all have had it, their errors are raised
    together as one `ExceptionGroup`, and the failing child gets the next event all the same. Cancellation, and whatever
    else is no `Exception`, passes through at once; errors that were already there are named in its notes. Only when
    cancellation strikes during an end do the remaining children still hear of that end, each up to its first wait, so
    that none is left streaming for ever.

    `handlers` is the live list. Adding and removing take effect with the next call. Feed it from one task at a time;
    calls that overlap keep the order of each caller, and one that an end overtakes goes to no further child and counts
    as late.
    """

    late: int

    def __init__(self, handlers: Iterable[StreamHandler] | None = None) -> None:
        super().__init__()
        self.handlers: list[StreamHandler] = list(handlers or ())

    def add_handler(self, handler: StreamHandler) -> None:
        """Add a child after the others, from the next call on."""
        self.handlers.append(handler)

    def remove_handler(self, handler: StreamHandler) -> None:
        """Remove a child, from the next call on. Raises `ValueError` if it is none."""
        self.handlers.remove(handler)

    async def on_event(self, event: Any) -> None:
        """Pass the event on to all children. Raises an `ExceptionGroup` of what they raised."""
        if self._ended:
            self.late += 1
            return
        failed: _Failed = ()
        for handler in tuple(self.handlers):
            if self._ended:
                # The end came meanwhile, from a child or another task.
                self.late += 1  # type: ignore[unreachable]
                break
            try:
                await handler.on_event(event)
            except Exception as error:
                failed += ((handler, error),)
            except BaseException as interruption:
                _note(interruption, failed)
                raise
        if failed:
            raise _group(failed, f"on_event({event.event_type!r})")

    async def on_complete(self) -> None:
        """Tell all children that the stream is complete. Raises an `ExceptionGroup` of what they raised."""
        if self._ends_now():
            await self._tell_all("on_complete()", lambda handler: handler.on_complete())

    async def on_error(self, error: Exception) -> None:
        """Tell all children of the error. Raises an `ExceptionGroup` of what they raised."""
        if self._ends_now():
            await self._tell_all(f"on_error({type(error).__name__})", lambda handler: handler.on_error(error))

    def clear(self) -> None:
        """Make this handler, and every child that has a `clear`, ready for another stream."""
        super().clear()
        for handler in self.handlers:
            clear_if_it_can(handler)

    async def _tell_all(self, call: str, tell: Callable[[StreamHandler], Awaitable[None]]) -> None:
        failed: _Failed = ()
        cancelled: BaseException | None = None
        # A child that is listed twice is told of the end once.
        for handler in {id(handler): handler for handler in self.handlers}.values():
            try:
                if cancelled is None:
                    await tell(handler)
                else:
                    await _up_to_the_first_wait(tell, handler)
            except Exception as error:
                failed += ((handler, error),)
            except anyio.get_cancelled_exc_class() as cancellation:
                cancelled = cancelled or cancellation
        if cancelled is not None:
            _note(cancelled, failed)
            raise cancelled
        if failed:
            raise _group(failed, call)


async def _up_to_the_first_wait(tell: Callable[[StreamHandler], Awaitable[None]], handler: StreamHandler) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await tell(handler)


def clear_if_it_can(handler: Any) -> None:
    """Call the handler's `clear()` if it has one: the protocol does not ask for it."""
    clear = getattr(handler, "clear", None)
    if callable(clear):
        clear()


def _group(failed: _Failed, call: str) -> ExceptionGroup[Exception]:
    names = ", ".join(type(handler).__name__ for handler, _ in failed)
    return ExceptionGroup(f"{len(failed)} failed in {call}: {names}", [error for _, error in failed])


def _note(interruption: BaseException, failed: _Failed) -> None:
    for handler, error in failed:
        interruption.add_note(f"Before this, {type(handler).__name__} raised {error!r}.")

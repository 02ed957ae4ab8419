"""What a handler is, and the life that every handler of Playhead leads.

Knows the three calls and that nothing follows the end. Does not know what any handler does with an event.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Any, Protocol, TypeVar, runtime_checkable

Item_co = TypeVar("Item_co", covariant=True)


class EventLike(Protocol):
    """Be an event: anything that says its own type. Other fields are read where they are there."""

    @property
    def event_type(self) -> str:
        """Return the name of the event's type."""
        ...


class ClosableStream(AsyncIterator[Item_co]):
    """Be an async iterator that can be closed, as by `contextlib.aclosing`."""

    @abstractmethod
    async def aclose(self) -> None:
        """Stop the iteration. What had to be cleaned up has been when this returns."""


@runtime_checkable
class StreamHandler(Protocol):
    """Take the events of one stream in order, then its end: `on_complete` or `on_error`, once.

    `event` is typed as Any so that handlers which are written for one framework's own classes fit as they are.
    """

    async def on_event(self, event: Any) -> None:
        """Take the next event. What it raises goes to whoever feeds the handler."""
        ...

    async def on_complete(self) -> None:
        """Learn that the stream ended as it should."""
        ...

    async def on_error(self, error: Exception) -> None:
        """Learn that the stream ended with `error`."""
        ...


class BaseStreamHandler(ABC):
    """Begin a handler of one's own: only `on_event` must be written, both ends do nothing."""

    @abstractmethod
    async def on_event(self, event: Any) -> None:
        """Take the next event."""

    async def on_complete(self) -> None:  # noqa: B027
        """Learn that the stream ended as it should. Does nothing unless overridden."""

    async def on_error(self, error: Exception) -> None:  # noqa: B027
        """Learn that the stream ended with `error`. Does nothing unless overridden."""


class OnceHandler(BaseStreamHandler):
    """Lead the life of every handler that Playhead ships: events, then one end, then nothing.

    Whatever comes after the end, a second end included, is dropped and counted in `late`. A subclass asks `_is_late()`
    first thing in `on_event`, and `_ends_now()` in both ends.
    """

    def __init__(self) -> None:
        self._ended = False
        # A subclass that adds to it declares it again: without that its type there is no part of a typed package.
        self.late: int = 0

    def clear(self) -> None:
        """Make the handler ready for another stream: forget what it holds and what it counted."""
        self._ended = False
        self.late = 0

    def _is_late(self) -> bool:
        self.late += self._ended
        return self._ended

    def _ends_now(self) -> bool:
        if self._is_late():
            return False
        self._ended = True
        return True

"""A handler that keeps what it gets.

Knows how to hold the newest events at constant cost. Does not copy them: one that somebody changes is changed here.
"""

from collections import deque
from typing import Any

from playhead.errors import UsageError
from playhead.handlers.base import OnceHandler


class BufferingHandler(OnceHandler):
    """Keep events and errors to be looked at later.

    Keeps the newest `max_size` events, all of them if that is None, none if it is 0; `dropped` counts those that had to
    go. An event costs the same at any size.
    """

    late: int

    def __init__(self, max_size: int | None = None) -> None:
        super().__init__()
        if max_size is not None and max_size < 0:
            raise UsageError(f"BufferingHandler(max_size={max_size!r}) must be 0 or more, or None to keep all events.")
        self.dropped: int = 0
        self._max_size = max_size
        self._events: deque[Any] = deque(maxlen=max_size)
        self._errors: list[Exception] = []
        self._complete = False

    async def on_event(self, event: Any) -> None:
        """Keep the event. The oldest goes if there is no room."""
        if self._ended:
            self.late += 1
            return
        if self._max_size is not None and len(self._events) == self._max_size:
            self.dropped += 1
        self._events.append(event)

    async def on_complete(self) -> None:
        """Remember that the stream is complete."""
        if self._ends_now():
            self._complete = True

    async def on_error(self, error: Exception) -> None:
        """Keep the error."""
        if self._ends_now():
            self._errors.append(error)

    def get_events(self) -> list[Any]:
        """Return the events that are held, oldest first, in a new list."""
        return list(self._events)

    def get_errors(self) -> list[Exception]:
        """Return the error that ended the stream, if one did, in a new list."""
        return list(self._errors)

    @property
    def max_size(self) -> int | None:
        """Return how many events are kept at most, or None for all of them."""
        return self._max_size

    @property
    def is_complete(self) -> bool:
        """Say whether the stream ended as it should. An error is no completion."""
        return self._complete

    def clear(self) -> None:
        """Forget events, errors and counts, and be ready for another stream."""
        super().clear()
        self.dropped = 0
        self._events.clear()
        self._errors.clear()
        self._complete = False

"""A handler that turns events into the messages of an event stream and holds them.

Knows how to hold, hand out and push messages. Does not know how they are made (`drafts`) nor who sends them.
"""

import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from inspect import isawaitable
from typing import Any

from playhead.errors import UsageError
from playhead.handlers.base import ClosableStream
from playhead.handlers.bell import Bell
from playhead.handlers.drafts import Draft, Drafter, Serializer
from playhead.handlers.messages import MessageHandler
from playhead.ids import SYSTEM_IDS, Ids
from playhead.sse.message import SSEMessage

OnMessage = Callable[[SSEMessage], Awaitable[object] | object]
"""What is called with each message at once: a function, or a coroutine function, which is awaited."""


class SSEHandler(MessageHandler):
    """Collect the stream as messages of an event stream: one an event, then `done` or `error`.

    `done` carries `{"status":"complete","total_events":n}`, n without itself; `error` carries `"internal error"` and a
    correlation id from `ids`, under which the log has the real error; with `debug` it carries the real text. (In a
    browser a message named `error` also reaches `EventSource.onerror`.)

    The data of a message is the event's own JSON, and the recorded bytes where it was decoded. `custom_serializer`
    returns what is sent instead: a dict, which is written as JSON, or the text itself. Line ends in a foreign event's
    type are made visible, so that they forge no field.

    `max_messages` keeps only the newest, and `dropped` counts those that had to go. `on_message` is given each message
    at once, and can be set at any time; with `max_messages=0` nothing is collected beside it.
    """

    late: int

    def __init__(
        self,
        include_timestamp: bool = True,
        include_id: bool = True,
        id_prefix: str = "",
        custom_serializer: Serializer | None = None,
        *,
        max_messages: int | None = None,
        on_message: OnMessage | None = None,
        ids: Ids = SYSTEM_IDS,
        debug: bool = False,
    ) -> None:
        super().__init__(Drafter(include_timestamp, include_id, id_prefix, custom_serializer, ids=ids, debug=debug))
        if max_messages is not None and max_messages < 0:
            raise UsageError(f"SSEHandler(max_messages={max_messages!r}) must be 0 or more, or None to keep all.")
        self.on_message = on_message
        self._drafts: deque[Draft] = deque(maxlen=max_messages)
        self._count = 0
        self._popped = 0
        self._stream = 0
        self._news = Bell()

    async def on_event(self, event: Any) -> None:
        """Hold the event's message. Raises what the serializer raises; no number is used up then."""
        if self._ended:
            self.late += 1
            return
        draft = event if type(event) in self._kept else self._drafter.draft(event)
        self._drafts.append(draft)
        self._count += 1
        if self._news.awaited:
            self._news.ring()
        if self.on_message is not None:
            await self._push(draft)

    def get_messages(self) -> list[SSEMessage]:
        """Return the messages that are held, oldest first, in a new list."""
        return list(map(self._drafter.message, self._drafts, self._numbers()))

    def pop_messages(self) -> list[SSEMessage]:
        """Return the messages that are held, and hold them no longer. Numbers go on."""
        messages = self.get_messages()
        self._popped += len(messages)
        self._drafts.clear()
        return messages

    def format_all(self) -> str:
        """Return the messages that are held as text for the wire."""
        return self._drafter.texts(self._drafts, self._gone + 1)

    def messages(self) -> ClosableStream[SSEMessage]:
        """Iterate over the messages: those that are held, then each new one, up to the end of the stream.

        They stay held, so several readers get the same. A reader misses what is dropped or popped before it comes by.
        The iterator ends with the stream, at once if that has ended already, and when the handler is cleared.
        """
        return _Messages(self)

    @property
    def max_messages(self) -> int | None:
        """Return how many messages are kept at most, or None for all of them."""
        return self._drafts.maxlen

    @property
    def dropped(self) -> int:
        """Return how many messages had to go because only `max_messages` are kept."""
        return self._gone - self._popped

    def clear(self) -> None:
        """Forget messages, numbers and counts, and be ready for another stream. Iterators over this one end."""
        super().clear()
        self._drafts.clear()
        self._count = 0
        self._popped = 0
        self._stream += 1
        self._news.ring()

    @property
    def _gone(self) -> int:
        return self._count - len(self._drafts)

    def _numbers(self) -> Iterable[int]:
        return itertools.count(self._gone + 1)

    def _sent(self) -> int:
        return self._count

    async def _end(self, last: Draft) -> None:
        self._drafts.append(last)
        self._count += 1
        self._news.ring()
        if self.on_message is not None:
            await self._push(last)

    async def _push(self, draft: Draft) -> None:
        assert self.on_message is not None
        result = self.on_message(self._drafter.message(draft, self._count))
        if isawaitable(result):
            await result

    def _next(self, position: int) -> tuple[SSEMessage | None, int]:
        """Return the first message that is held at or after a position in the stream, and the position after it."""
        gone = self._gone
        position = max(position, gone)
        index = position - gone
        if index == len(self._drafts):
            return None, position
        return self._drafter.message(self._drafts[index], position + 1), position + 1


class _Messages(ClosableStream[SSEMessage]):
    """Read a handler's messages from the first one on.

    No async generator: one that is dropped half-read draws a warning from trio, and this one has nothing to clean up.
    """

    def __init__(self, handler: SSEHandler) -> None:
        self._handler = handler
        self._stream = handler._stream
        self._position = 0
        self._closed = False

    async def __anext__(self) -> SSEMessage:
        handler = self._handler
        while self._stream == handler._stream and not self._closed:
            message, self._position = handler._next(self._position)
            if message is not None:
                return message
            if handler._ended:
                break
            await handler._news.wait()
        self._closed = True
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the iteration, also for a task that waits in it."""
        self._closed = True
        self._handler._news.ring()

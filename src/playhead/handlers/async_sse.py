"""A handler that streams events as messages of an event stream to one consumer, in bounded memory.

Knows backpressure, heartbeats and how a stream ends. Does not know how messages are made (`drafts`) nor how the line
between producer and consumer is kept (`channel`).
"""

from collections.abc import Callable
from typing import Any, TypeVar, get_args

import anyio

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import UsageError
from playhead.events.tagged import dumps
from playhead.handlers.base import ClosableStream
from playhead.handlers.channel import Channel, OnFull
from playhead.handlers.drafts import Draft, Drafter, Serializer
from playhead.handlers.messages import MessageHandler
from playhead.ids import SYSTEM_IDS, Ids
from playhead.sse.message import SSEMessage

Out = TypeVar("Out")


class AsyncSSEHandler(MessageHandler):
    """Stream events as messages to one consumer: `stream()` for text, `stream_messages()` for messages.

    Messages are those of `SSEHandler`. At most `max_buffer` of them wait, and the last one. When it is full, `on_full`
    says what gives way:

    - `"block"`: the producer waits, but only for a consumer that is there. Before one has come, a full buffer is a
      `UsageError`; after it has left, the oldest message goes and is counted in `dropped`, so that a client which comes
      back finds the newest ones.
    - `"drop_oldest"`: the oldest message goes and is counted.
    - `"error"`: `on_event` raises `UsageError`.

    One consumer at a time; a second one at the same time gets a `UsageError`, one after the end an empty stream. A
    consumer is there from its first message on until its stream ends, is closed, is cancelled while it waits, or is
    dropped. Every stream ends after `done` or `error`, which never wait for room, and on `clear()`.

    With `heartbeat_s`, a consumer that has waited so long gets a message `heartbeat` with the time by `clock`.
    It has no id and is not counted. The wait itself is timed by the event loop.

    For the tasks of one event loop.
    """

    late: int

    def __init__(
        self,
        include_timestamp: bool = True,
        include_id: bool = True,
        id_prefix: str = "",
        custom_serializer: Serializer | None = None,
        *,
        max_buffer: int = 256,
        on_full: OnFull = "block",
        heartbeat_s: float | None = None,
        clock: Clock = SYSTEM_CLOCK,
        ids: Ids = SYSTEM_IDS,
        debug: bool = False,
    ) -> None:
        super().__init__(Drafter(include_timestamp, include_id, id_prefix, custom_serializer, ids=ids, debug=debug))
        _check(max_buffer, on_full, heartbeat_s)
        self._heartbeat_s = heartbeat_s
        self._clock = clock
        self._channel: Channel[Draft] = Channel(max_buffer, on_full)

    async def on_event(self, event: Any) -> None:
        """Send the event's message. What happens when the buffer is full is told above."""
        if self._ended:
            self.late += 1
            return
        draft = event if type(event) in self._kept else self._drafter.draft(event)
        channel = self._channel
        if not channel.offer(draft) and not await channel.put(draft):
            self.late += 1

    def stream(self) -> ClosableStream[str]:
        """Iterate over the messages as text for the wire."""
        return _Consumer(self._channel, self._drafter.text, self._beat, heartbeat_s=self._heartbeat_s)

    def stream_messages(self) -> ClosableStream[SSEMessage]:
        """Iterate over the messages."""
        return _Consumer(self._channel, self._drafter.message, self._beat, heartbeat_s=self._heartbeat_s)

    @property
    def max_buffer(self) -> int:
        """Return how many messages may wait."""
        return self._channel.max_items

    @property
    def on_full(self) -> OnFull:
        """Return what gives way when so many wait."""
        return self._channel.on_full

    @property
    def heartbeat_s(self) -> float | None:
        """Return after how long a wait a consumer gets a heartbeat, or None: never."""
        return self._heartbeat_s

    @property
    def has_consumer(self) -> bool:
        """Say whether somebody reads the stream now."""
        return self._channel.attached

    @property
    def consumer_left(self) -> bool:
        """Say whether somebody has read the stream and nobody does now: time to stop an agent that nobody watches."""
        return self._channel.was_attached and not self._channel.attached

    @property
    def dropped(self) -> int:
        """Return how many messages were given up for want of room."""
        return self._channel.dropped

    def clear(self) -> None:
        """Forget messages, numbers and counts, and be ready for another stream. The stream of a consumer ends."""
        super().clear()
        self._channel.items.clear()
        self._channel.close()
        self._channel = Channel(self.max_buffer, self.on_full)

    def _sent(self) -> int:
        return self._channel.count

    async def _end(self, last: Draft) -> None:
        self._channel.close(last)

    def _beat(self) -> Draft:
        return "heartbeat", dumps({"timestamp": self._clock.now()})


class _Consumer(ClosableStream[Out]):
    """Read a channel to its end, and say so when that is no longer wanted.

    No async generator: one that is dropped half-read is only closed when its event loop comes round to it, and the
    producer would wait until then.
    """

    def __init__(
        self,
        channel: Channel[Draft],
        convert: Callable[[Draft, int], Out],
        beat: Callable[[], Draft],
        *,
        heartbeat_s: float | None,
    ) -> None:
        self._channel = channel
        self._convert = convert
        self._beat = beat
        self._heartbeat_s = heartbeat_s
        self._attached = False
        self._closed = False

    async def __anext__(self) -> Out:
        channel = self._channel
        if not self._attached and not self._closed:
            channel.attach()
            self._attached = True
        while not self._closed:
            if channel.items:
                return self._convert(channel.take(), channel.gone)
            if channel.ended:
                break
            if not await self._waited_for_news() and not self._closed:
                return self._convert(self._beat(), 0)
        self._leave()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop reading. Returns when the producer knows; a task that waits for a message gets the end."""
        self._leave()
        self._channel.news.ring()

    def __del__(self) -> None:
        self._leave()

    async def _waited_for_news(self) -> bool:
        try:
            if self._heartbeat_s is None:
                await self._channel.news.wait()
                return True
            with anyio.move_on_after(self._heartbeat_s) as scope:
                await self._channel.news.wait()
            return not scope.cancelled_caught
        except BaseException:
            # A cancelled reader may never come back, and whoever holds it may hold it long.
            self._leave()
            raise

    def _leave(self) -> None:
        self._closed = True
        if self._attached:
            self._attached = False
            self._channel.detach()


def _check(max_buffer: int, on_full: str, heartbeat_s: float | None) -> None:
    if max_buffer < 1:
        raise UsageError(f"AsyncSSEHandler(max_buffer={max_buffer!r}) must be 1 or more: the producer needs a place.")
    if on_full not in get_args(OnFull):
        known = ", ".join(map(repr, get_args(OnFull)))
        raise UsageError(f"AsyncSSEHandler(on_full={on_full!r}) must be one of {known}.")
    if heartbeat_s is not None and not heartbeat_s > 0:
        raise UsageError(f"AsyncSSEHandler(heartbeat_s={heartbeat_s!r}) must be more than 0, or None for no heartbeat.")

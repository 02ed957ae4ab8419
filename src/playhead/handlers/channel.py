"""A bounded line of items from producers to one consumer at a time.

Knows who waits for whom, in which order, and what gives way when the line is full. Does not know what the items are.
For the tasks of one event loop.
"""

from collections import deque
from typing import Generic, Literal, TypeVar

from playhead.errors import UsageError
from playhead.handlers.bell import Bell

Item = TypeVar("Item")
OnFull = Literal["block", "drop_oldest", "error"]
"""What a full line does: let the producer wait, drop the oldest item, or raise `UsageError`."""


class Channel(Generic[Item]):
    """Hold at most `max_items` between producers and a consumer, and know whether there is a consumer.

    Items are numbered from 1 in the order in which they come; `gone` of them, taken or dropped, are no longer here.

    A producer first tries `offer`, which is fast, and where that is refused awaits `put`. The last item of a stream is
    given to `close`, which never waits: it has a place of its own.
    """

    def __init__(self, max_items: int, on_full: OnFull) -> None:
        self.max_items = max_items
        self.on_full = on_full
        self.items: deque[Item] = deque()
        self.ended: bool = False
        self.attached: bool = False
        self.was_attached: bool = False
        self.gone: int = 0
        self.dropped: int = 0
        self.news: Bell = Bell()
        self._line: deque[Bell] = deque()

    @property
    def count(self) -> int:
        """Return how many items have come so far."""
        return self.gone + len(self.items)

    def offer(self, item: Item) -> bool:
        """Put an item at the end of the line if there is room, and nobody waits for it already. False: there is not."""
        items = self.items
        if self._line or len(items) >= self.max_items:
            return False
        # As `_push` does, without its call: nearly all items go this way.
        items.append(item)
        if self.news.awaited:
            self.news.ring()
        return True

    async def put(self, item: Item) -> bool:
        """Make or await room, first come, first served, for an item that was refused. False: the stream has ended.

        Waits only for a consumer that is attached. When the last one has left, the oldest item makes room instead.
        Raises `UsageError` where `on_full` is "error", or where it is "block" and no consumer has come yet.
        """
        if self.on_full == "error" or (self.on_full == "block" and not self.was_attached):
            raise UsageError(self._why_full())
        if self.on_full == "block" and (self.attached or self._line):
            if not await self._wait_in_line():
                return False
        else:
            self._drop_oldest()
        self._push(item)
        return True

    def take(self) -> Item:
        """Take the first item out; `gone` is its number then. Raises `IndexError` if there is none."""
        item = self.items.popleft()
        self.gone += 1
        if self._line:
            self._call_next()
        return item

    def attach(self) -> None:
        """Begin to consume. Raises `UsageError` while somebody else does."""
        if self.attached:
            raise UsageError(
                "This stream has a consumer already, and each message goes to one consumer only. Make one handler for "
                "each client (CompositeHandler feeds them all), or close the first stream with aclose()."
            )
        self.attached = self.was_attached = True

    def detach(self) -> None:
        """Stop consuming. Producers that wait go on."""
        self.attached = False
        self._call_next()

    def close(self, *last: Item) -> None:
        """End the stream after `last`. Producers that still wait are turned away."""
        self.ended = True
        self.items.extend(last)
        self.news.ring()
        self._call_next()

    def _push(self, item: Item) -> None:
        self.items.append(item)
        if self.news.awaited:
            self.news.ring()

    def _drop_oldest(self) -> None:
        self.items.popleft()
        self.gone += 1
        self.dropped += 1

    async def _wait_in_line(self) -> bool:
        turn = Bell()
        self._line.append(turn)
        try:
            while True:
                await turn.wait()
                if self.ended:
                    return False
                if len(self.items) < self.max_items:
                    return True
                if not self.attached:
                    self._drop_oldest()
                    return True
        finally:
            self._line.remove(turn)
            self._call_next()

    def _call_next(self) -> None:
        if self._line and (self.ended or not self.attached or len(self.items) < self.max_items):
            self._line[0].ring()

    def _why_full(self) -> str:
        if self.on_full == "error":
            return f"The buffer is full: {self.max_items} messages wait, and on_full='error' says to fail then."
        return (
            f"The buffer is full: {self.max_items} messages wait, and nobody has begun to read them, so waiting could "
            f"last for ever. Iterate over stream() in another task, raise max_buffer, or take on_full='drop_oldest'."
        )

"""Handlers that each break one promise."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, ClassVar, Final

import anyio

from playhead.events import encode_event
from playhead.handlers.base import BaseStreamHandler
from playhead.handlers.sse import SSEHandler
from playhead.testing import Sink
from tests.fuzzing.seeded import FACTORIES


class Hangs(SSEHandler):
    """Wait for ever when a tool starts."""

    async def on_event(self, event: Any) -> None:
        if event.event_type == "tool_start":
            await anyio.sleep_forever()
        await super().on_event(event)


class Raises(SSEHandler):
    """Be unable to take what has no text."""

    async def on_event(self, event: Any) -> None:
        if event.event_type == "model_chunk":
            event.content.upper()
        await super().on_event(event)


class Shares(SSEHandler):
    """Keep what belongs to one handler in the class."""

    shared: ClassVar[deque[Any]] = deque(maxlen=20)

    async def on_event(self, event: Any) -> None:
        self.shared.append(event)
        await super().on_event(event)

    def get_messages(self) -> Any:
        return [encode_event(event) for event in self.shared]


class Forgets(BaseStreamHandler):
    """Print texts and results, but not that of a tool whose time was taken."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    async def on_event(self, event: Any) -> None:
        text = getattr(event, "content", None) or getattr(event, "result", None)
        if text and getattr(event, "duration_ms", None) is None:
            self.sink(f"{text}\n")


class Forges(SSEHandler):
    """Write the type of an event as it comes, and cut its bytes where that ends a line."""

    def get_messages(self) -> Any:
        return [self._frame(json.loads(message.data)) for message in super().get_messages()]

    def _frame(self, row: Any) -> bytes:
        name = row.get("event_type", "done")
        return f"event: {name}\ndata: {json.dumps(row)}\n\n".encode() + b"\xe9" * ("\n" in name)


class TooLate(BaseStreamHandler):
    """Send a message a minute after the end."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.task: asyncio.Task[None] | None = None

    async def on_event(self, event: Any) -> None:
        self.sink(event)

    async def on_complete(self) -> None:
        self.task = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        await anyio.sleep(60)
        self.sink({"event_type": "bye"})


class Lingers(TooLate):
    """Leave a task behind."""

    async def _tell(self) -> None:
        await anyio.sleep_forever()


class Queued(BaseStreamHandler):
    """Stream events through a queue without a bound, whose end is read by one reader only."""

    max_items = 0

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue(self.max_items)
        self.ended = False

    async def on_event(self, event: Any) -> None:
        if not self.ended:
            await self.queue.put(event)

    async def on_complete(self) -> None:
        if not self.ended:
            self.ended = True
            await self.queue.put(None)

    async def on_error(self, error: Exception) -> None:
        await self.on_complete()

    async def stream(self) -> AsyncIterator[Any]:
        while (event := await self.queue.get()) is not None:
            yield event


class Blocks(Queued):
    """Wait for a reader that has left."""

    max_items = 4


class Misses(SSEHandler):
    """Give a reader all but the last message."""

    def messages(self) -> Any:
        return self._all_but_one()

    async def _all_but_one(self) -> AsyncIterator[Any]:
        async for message in super().messages():
            if message.event != "done":
                yield message


class Swallows(BaseStreamHandler):
    """Lose the errors of its sink."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    async def on_event(self, event: Any) -> None:
        with suppress(OSError):
            self.sink(event)


class Remembers(SSEHandler):
    """Clear nothing but the end."""

    def clear(self) -> None:
        self._ended = False


FAULTS: Final[tuple[tuple[str, Callable[..., Any]], ...]] = (
    ("calls-return", Hangs),
    ("takes-every-event", Raises),
    ("leaves-events-alone", FACTORIES["mutated_event"]),
    ("carries-every-event", FACTORIES["dropped_tail"]),
    ("carries-every-event", Shares),
    ("shows-every-text", Forgets),
    ("survives-the-wire", Forges),
    ("ends-its-stream", FACTORIES["hang_after_error"]),
    ("takes-a-second-reader", Queued),
    ("ends-once", FACTORIES["two_terminals"]),
    ("tells-errors", FACTORIES["swallowed_error"]),
    ("breaks-no-rule", FACTORIES["two_terminals"]),
    ("is-over-at-the-end", FACTORIES["event_after_the_end"]),
    ("is-over-at-the-end", TooLate),
    ("streams-everything", Misses),
    ("lets-readers-leave", Blocks),
    ("is-bounded", Queued),
    ("leaves-nothing", FACTORIES["leak_on_close"]),
    ("leaves-nothing", Lingers),
    ("passes-refusals", Swallows),
    ("can-be-used-again", Remembers),
)
"""Each promise with a handler that breaks it."""

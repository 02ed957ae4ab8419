"""How a streaming handler and its consumer wait for each other."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any

import anyio
import pytest

from playhead.clocks.running import run
from playhead.clocks.virtual import VirtualClock
from playhead.errors import UsageError
from playhead.handlers.async_sse import AsyncSSEHandler
from playhead.ids import SequenceIds
from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser
from tests.handlers.conformance import event

pytestmark = pytest.mark.anyio


async def feed(handler: AsyncSSEHandler, *numbers: int) -> None:
    """Feed a handler events with these numbers."""
    for number in numbers:
        await handler.on_event(event(number))


async def ids(stream: AsyncIterator[SSEMessage]) -> list[str | None]:
    """Read a stream to its end, and return the ids of its messages."""
    return [message.id async for message in stream]


async def test_text_and_messages_are_the_same_stream() -> None:
    """What `stream()` gives parses to what `stream_messages()` gives, with ids, `done` and the count of events."""
    texts, messages = AsyncSSEHandler(id_prefix="r"), AsyncSSEHandler(id_prefix="r")
    for handler in (texts, messages):
        await handler.on_event(event(1).model_copy(update={"timestamp": VirtualClock().now()}))
        await handler.on_complete()
    text = "".join([part async for part in texts.stream()])
    got = [message async for message in messages.stream_messages()]
    assert SSEParser().feed(text.encode()) == got
    assert got[1] == SSEMessage("done", '{"status":"complete","total_events":1}', "r2")


async def test_an_error_ends_the_stream() -> None:
    """An error is the last message, with a correlation id that a replay can derive."""
    handler = AsyncSSEHandler(ids=SequenceIds())
    await handler.on_error(ValueError("secret"))
    [message] = [message async for message in handler.stream_messages()]
    assert json.loads(message.data) == {"error": "internal error", "correlation_id": f"{1:032x}"}
    assert (handler.is_complete, handler.has_error) == (True, True)


async def test_a_full_buffer_without_consumer_is_a_usage_error() -> None:
    """Before a consumer has come, waiting for one could last for ever."""
    handler = AsyncSSEHandler(max_buffer=2)
    await feed(handler, 1, 2)
    with pytest.raises(UsageError, match=r"2 messages wait.*Iterate over stream\(\) in another task, raise max_buffer"):
        await feed(handler, 3)


async def test_the_producer_waits_for_a_consumer_that_is_there() -> None:
    """A full buffer blocks the producer until its consumer takes a message, and nothing is lost."""
    handler = AsyncSSEHandler(max_buffer=2)
    await feed(handler, 1)
    stream = handler.stream_messages()
    await anext(stream)
    taken: list[int] = []

    async def produce() -> None:
        for number in range(2, 6):
            await feed(handler, number)
            taken.append(number)
        await handler.on_complete()

    async with anyio.create_task_group() as group:
        group.start_soon(produce)
        await anyio.wait_all_tasks_blocked()
        assert taken == [2, 3]
        assert (await anext(stream)).id == "2"
        await anyio.wait_all_tasks_blocked()
        assert taken == [2, 3, 4]
        assert await ids(stream) == ["3", "4", "5", "6"]


async def test_producers_wait_in_line() -> None:
    """Producers that wait are served in the order in which they came, and a newcomer waits behind them."""
    handler = AsyncSSEHandler(max_buffer=1)
    await feed(handler, 0)
    stream = handler.stream_messages()
    await anext(stream)
    await feed(handler, 1)
    async with anyio.create_task_group() as group:
        for number in (2, 3, 4):
            group.start_soon(feed, handler, number)
            await anyio.wait_all_tasks_blocked()
        got = [json.loads((await anext(stream)).data)["tool_name"] for _ in range(4)]
    assert got == ["tool-1", "tool-2", "tool-3", "tool-4"]


async def test_a_cancelled_producer_gives_up_its_place() -> None:
    """A producer that is cancelled while it waits sends nothing, uses no number and lets the next one in."""
    handler = AsyncSSEHandler(max_buffer=1)
    await feed(handler, 1)
    stream = handler.stream_messages()
    await anext(stream)
    await feed(handler, 2)
    async with anyio.create_task_group() as group:
        with anyio.move_on_after(0):
            await feed(handler, 3)
        group.start_soon(feed, handler, 4)
        await anyio.wait_all_tasks_blocked()
        second, third = await anext(stream), await anext(stream)
    assert [(m.id, json.loads(m.data)["tool_name"]) for m in (second, third)] == [("2", "tool-2"), ("3", "tool-4")]


async def test_an_end_turns_waiting_producers_away() -> None:
    """A producer that still waits when another task ends the stream is late; the end itself never waits."""
    handler = AsyncSSEHandler(max_buffer=1)
    await feed(handler, 1)
    stream = handler.stream_messages()
    await anext(stream)
    await feed(handler, 2)
    async with anyio.create_task_group() as group:
        group.start_soon(feed, handler, 3)
        await anyio.wait_all_tasks_blocked()
        await handler.on_complete()
    assert await ids(stream) == ["2", "3"]
    assert handler.late == 1


async def test_drop_oldest() -> None:
    """With `on_full="drop_oldest"` nobody waits, the newest stay, and the gap shows in the ids."""
    handler = AsyncSSEHandler(max_buffer=2, on_full="drop_oldest")
    await feed(handler, 1, 2, 3, 4)
    await handler.on_complete()
    assert await ids(handler.stream_messages()) == ["3", "4", "5"]
    assert handler.dropped == 2


async def test_error_on_full() -> None:
    """With `on_full="error"` a slow consumer fails the producer."""
    handler = AsyncSSEHandler(max_buffer=1, on_full="error")
    await feed(handler, 1)
    async with aclosing(handler.stream_messages()) as stream:
        await anext(stream)
        await feed(handler, 2)
        with pytest.raises(UsageError, match="on_full='error'"):
            await feed(handler, 3)


async def test_two_consumers_at_a_time_are_refused() -> None:
    """A second consumer is told so, the first is not disturbed, and after it has left another may come."""
    handler = AsyncSSEHandler()
    await feed(handler, 1, 2, 3)
    first = handler.stream_messages()
    assert (await anext(first)).id == "1"
    with pytest.raises(UsageError, match="consumer already"):
        await anext(handler.stream())
    assert (await anext(first)).id == "2"
    await first.aclose()
    await handler.on_complete()
    assert await ids(first) == []
    assert await ids(handler.stream_messages()) == ["3", "4"]
    assert await ids(handler.stream_messages()) == []


async def test_it_is_noticed_that_the_consumer_left() -> None:
    """A server can see that nobody watches any more; the producer goes on, and what does not fit is counted."""
    handler = AsyncSSEHandler(max_buffer=2)
    assert (handler.has_consumer, handler.consumer_left) == (False, False)
    await feed(handler, 1)
    async with aclosing(handler.stream_messages()) as stream:
        await anext(stream)
        assert (handler.has_consumer, handler.consumer_left) == (True, False)
    assert (handler.has_consumer, handler.consumer_left) == (False, True)
    await feed(handler, *range(5))
    assert handler.dropped == 3


async def test_a_blocked_producer_goes_on_when_the_consumer_leaves() -> None:
    """A producer that waits for a consumer does not wait for one that has gone."""
    handler = AsyncSSEHandler(max_buffer=1)
    await feed(handler, 1)
    stream = handler.stream_messages()
    await anext(stream)
    async with anyio.create_task_group() as group:
        group.start_soon(partial(feed, handler, 2, 3, 4))
        await anyio.wait_all_tasks_blocked()
        await stream.aclose()
    assert handler.dropped == 2


async def test_a_cancelled_reader_has_left_and_loses_nothing() -> None:
    """A reader that is cancelled while it waits is gone; whoever comes next gets the next message."""
    handler = AsyncSSEHandler()
    stream = handler.stream_messages()
    with anyio.move_on_after(0):
        await anext(stream)
    assert handler.consumer_left
    await feed(handler, 1)
    await handler.on_complete()
    assert await ids(stream) == []
    assert await ids(handler.stream_messages()) == ["1", "2"]


async def test_clear_ends_the_stream_and_begins_anew() -> None:
    """A reader of the old stream gets its end, and the new one is numbered from 1."""
    handler = AsyncSSEHandler(max_buffer=1)
    await feed(handler, 1)
    stream = handler.stream_messages()
    await anext(stream)
    handler.clear()
    await feed(handler, 2)
    await handler.on_complete()
    assert await ids(stream) == []
    assert await ids(handler.stream_messages()) == ["1", "2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_buffer": 0}, "max_buffer=0"),
        ({"on_full": "wait"}, "on_full='wait'.*'block', 'drop_oldest', 'error'"),
        ({"heartbeat_s": 0}, "heartbeat_s=0"),
        ({"heartbeat_s": float("nan")}, "heartbeat_s=nan"),
    ],
)
async def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    """An option that makes no sense is refused when the handler is made."""
    with pytest.raises(UsageError, match=message):
        AsyncSSEHandler(**options)


async def test_defaults_are_readable() -> None:
    """The arguments of the contract have its defaults and can be read back."""
    handler = AsyncSSEHandler()
    assert (handler.include_timestamp, handler.include_id, handler.id_prefix) == (True, True, "")
    assert handler.custom_serializer is None
    assert (handler.max_buffer, handler.on_full, handler.heartbeat_s) == (256, "block", None)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_heartbeats_fill_the_silence(backend: str) -> None:
    """A consumer that waits gets a heartbeat with the time every 15 seconds; it has no id and is not counted."""
    clock = VirtualClock()
    handler = AsyncSSEHandler(heartbeat_s=15, clock=clock)

    async def produce() -> None:
        await clock.sleep(40)
        await feed(handler, 1)
        await clock.sleep(10)
        await handler.on_complete()

    async def consume() -> list[tuple[str | None, str | None, str]]:
        async with anyio.create_task_group() as group:
            group.start_soon(produce)
            return [(m.event, m.id, m.data) async for m in handler.stream_messages()]
        raise AssertionError

    beat, second_beat, message, done = run(consume, backend=backend, clock=clock)
    assert beat == ("heartbeat", None, '{"timestamp":"2030-01-01T00:00:15Z"}')
    assert second_beat == ("heartbeat", None, '{"timestamp":"2030-01-01T00:00:30Z"}')
    assert message[:2] == ("tool_start", "1")
    assert done == ("done", "2", '{"status":"complete","total_events":1}')


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_hour_of_silence_has_240_heartbeats(backend: str) -> None:
    """Heartbeats neither drift nor pile up."""
    clock = VirtualClock()
    handler = AsyncSSEHandler(heartbeat_s=15, clock=clock)

    async def consume() -> int:
        with anyio.move_on_after(3601):
            return len([message async for message in beats()])
        raise AssertionError

    async def beats() -> AsyncIterator[str]:
        stream = handler.stream()
        for _ in range(240):
            yield await anext(stream)

    assert run(consume, backend=backend, clock=clock) == 240
    assert clock.monotonic_ns() == 3600 * 10**9

"""What a handler for event streams holds and hands out."""

import json
import math

import anyio
import anyio.lowlevel
import pytest

from playhead.errors import UsageError
from playhead.events import locus
from playhead.handlers.async_sse import AsyncSSEHandler
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.sse import SSEHandler
from playhead.ids import SequenceIds
from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser
from tests.handlers.conformance import event

pytestmark = pytest.mark.anyio

OPTIONS = {
    "include_timestamp",
    "include_id",
    "id_prefix",
    "custom_serializer",
    "max_messages",
    "max_buffer",
    "on_full",
    "heartbeat_s",
    "max_size",
}


async def fed(handler: SSEHandler, *numbers: int) -> SSEHandler:
    """Feed a handler events with these numbers."""
    for number in numbers:
        await handler.on_event(event(number))
    return handler


def ids(messages: list[SSEMessage]) -> list[str | None]:
    """Return the ids of messages."""
    return [message.id for message in messages]


async def test_a_message_an_event_and_done() -> None:
    """Each event gives a message with its type, a growing id and its JSON; completion adds `done` and counts them."""
    handler = await fed(SSEHandler(id_prefix="run-"), 1, 2)
    await handler.on_complete()
    first, second, done = handler.get_messages()
    assert (first.event, first.id, json.loads(first.data)["tool_name"]) == ("tool_start", "run-1", "tool-1")
    assert second.id == "run-2"
    assert done == SSEMessage("done", '{"status":"complete","total_events":2}', "run-3")
    assert (handler.is_complete, handler.has_error) == (True, False)


async def test_an_error_ends_the_stream() -> None:
    """An error adds `error` with a correlation id, which a replay makes the same every time."""
    handler = await fed(SSEHandler(ids=SequenceIds()), 1)
    await handler.on_error(ValueError("secret"))
    error = handler.get_messages()[-1]
    assert (error.event, error.id) == ("error", "2")
    assert json.loads(error.data) == {"error": "internal error", "correlation_id": f"{1:032x}"}
    assert (handler.is_complete, handler.has_error) == (True, True)


async def test_defaults_are_readable() -> None:
    """The four arguments of the contract have its defaults and can be read back."""
    handler = SSEHandler()
    assert (handler.include_timestamp, handler.include_id, handler.id_prefix) == (True, True, "")
    assert handler.custom_serializer is None
    assert (handler.is_complete, handler.has_error, handler.get_messages()) == (False, False, [])


async def test_format_all_is_what_a_parser_reads() -> None:
    """The text of all messages parses back to them."""
    handler = await fed(SSEHandler(), 1, 2)
    await handler.on_complete()
    assert SSEParser().feed(handler.format_all().encode()) == handler.get_messages()
    assert handler.format_all() == "".join(message.format() for message in handler.get_messages())


async def test_the_same_run_gives_the_same_bytes() -> None:
    """Nothing of a handler's own making differs from run to run when ids are given."""
    run = [event(number) for number in range(3)]

    async def bytes_of_a_run() -> str:
        handler = SSEHandler(ids=SequenceIds())
        for each in run:
            await handler.on_event(each)
        await handler.on_error(ValueError("x"))
        return handler.format_all()

    assert await bytes_of_a_run() == await bytes_of_a_run()


async def test_pop_messages_empties_and_counts_on() -> None:
    """Popped messages are gone, not dropped, and numbers go on after them."""
    handler = await fed(SSEHandler(), 1, 2)
    assert ids(handler.pop_messages()) == ["1", "2"]
    assert handler.get_messages() == []
    await fed(handler, 3)
    await handler.on_complete()
    assert ids(handler.get_messages()) == ["3", "4"]
    assert json.loads(handler.get_messages()[-1].data)["total_events"] == 3
    assert handler.dropped == 0


async def test_max_messages_keeps_the_newest() -> None:
    """A bounded handler drops the oldest and counts them; the numbers show the gap."""
    handler = await fed(SSEHandler(max_messages=2), 1, 2, 3)
    await handler.on_complete()
    assert ids(handler.get_messages()) == ["3", "4"]
    assert handler.dropped == 2
    handler.pop_messages()
    await fed(handler, 5)
    assert handler.dropped == 2


async def test_a_negative_bound_is_refused() -> None:
    """There is no such bound."""
    with pytest.raises(UsageError, match="max_messages=-1"):
        SSEHandler(max_messages=-1)


async def test_push_to_a_function() -> None:
    """A callback gets each message at once, the last one too."""
    pushed: list[SSEMessage] = []
    handler = await fed(SSEHandler(on_message=pushed.append), 1)
    assert ids(pushed) == ["1"]
    await handler.on_complete()
    assert pushed == handler.get_messages()


async def test_push_to_a_coroutine_function() -> None:
    """A coroutine function is awaited, so that it can hold the producer up."""
    pushed: list[SSEMessage] = []

    async def push(message: SSEMessage) -> None:
        await anyio.lowlevel.checkpoint()
        pushed.append(message)

    handler = await fed(SSEHandler(on_message=push, max_messages=0), 1)
    await handler.on_complete()
    assert ids(pushed) == ["1", "2"]
    assert handler.get_messages() == []


async def test_messages_follow_the_stream() -> None:
    """A reader gets what is held, then what comes, and ends with the stream; the messages stay held."""
    handler = await fed(SSEHandler(), 1)
    got: list[str | None] = []

    async def read() -> None:
        async for message in handler.messages():
            got.append(message.id)  # noqa: PERF401

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        group.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        assert got == ["1", "1"]
        await fed(handler, 2)
        await anyio.wait_all_tasks_blocked()
        await handler.on_complete()
    assert sorted(got, key=str) == ["1", "1", "2", "2", "3", "3"]
    assert ids(handler.get_messages()) == ["1", "2", "3"]


async def test_a_slow_reader_misses_what_is_gone() -> None:
    """A reader goes on with the oldest message that is still there."""
    handler = await fed(SSEHandler(max_messages=2), 1, 2)
    reader = handler.messages()
    assert (await anext(reader)).id == "1"
    await fed(handler, 3, 4)
    await handler.on_complete()
    assert [message.id async for message in reader] == ["4", "5"]


async def test_clear_ends_readers_and_begins_anew() -> None:
    """After `clear()` the numbers begin again, and who read the old stream gets none of the new one."""
    handler = await fed(SSEHandler(max_messages=1), 1, 2)
    reader = handler.messages()
    handler.clear()
    await fed(handler, 3)
    assert [message async for message in reader] == []
    assert (ids(handler.get_messages()), handler.dropped, handler.is_complete) == (["1"], 0, False)


async def test_a_failing_serializer_uses_no_number() -> None:
    """What a serializer raises reaches the producer, and the next event takes the number."""

    def serialize(each: locus.ToolStartEvent) -> str:
        if each.tool_name == "tool-1":
            raise ValueError("planted")
        return each.tool_name

    handler = SSEHandler(custom_serializer=serialize)
    with pytest.raises(ValueError, match="planted"):
        await fed(handler, 1)
    await fed(handler, 2)
    assert handler.get_messages() == [SSEMessage("tool_start", "tool-2", "1")]


async def test_nothing_on_the_wire_is_nan() -> None:
    """A run with numbers that JSON lacks is sent as strict JSON."""
    handler = SSEHandler()
    await handler.on_event(locus.CustomEvent(name="x", data={"a": [math.nan, -math.inf]}))
    json.loads(handler.get_messages()[0].data, parse_constant=pytest.fail)


@pytest.mark.parametrize("handler", [SSEHandler(), AsyncSSEHandler(), BufferingHandler()])
def test_options_cannot_be_set_too_late(handler: object) -> None:
    """An option that would have no effect any more is refused, and the refusal names it."""
    options = {name for name in OPTIONS if hasattr(handler, name)}
    assert options
    for name in options:
        with pytest.raises(AttributeError, match=name):
            setattr(handler, name, getattr(handler, name))


async def test_the_callback_can_be_set_at_any_time() -> None:
    """From then on it gets every message."""
    pushed: list[SSEMessage] = []
    handler = await fed(SSEHandler(), 1)
    handler.on_message = pushed.append
    await fed(handler, 2)
    assert ids(pushed) == ["2"]

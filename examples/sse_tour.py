"""A tour of event streams in eleven parts: from an agent's events to a client that reads them, and back.

Run it with `python examples/sse_tour.py`. It needs no network and no model, and prints the same every time: ids come
from `SequenceIds`, times from a virtual clock.
"""

import logging
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import anyio

from playhead.clocks.running import run
from playhead.clocks.virtual import VirtualClock
from playhead.events.locus import AgentEvent, TerminateEvent, ThinkEvent, ToolCompleteEvent, ToolStartEvent
from playhead.handlers.async_sse import AsyncSSEHandler
from playhead.handlers.base import StreamHandler
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.filtering import FilteringHandler
from playhead.handlers.sse import SSEHandler
from playhead.ids import SequenceIds
from playhead.sse.headers import create_sse_response_headers
from playhead.sse.parser import SSEParser

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
CLOCK = VirtualClock(start=NOON)


def a_run() -> list[AgentEvent]:
    """Return the events of a short run: think, use a tool, answer."""
    at = [NOON + timedelta(seconds=second) for second in range(5)]
    return [
        ThinkEvent(timestamp=at[0], iteration=1, reasoning="I need the weather."),
        ToolStartEvent(timestamp=at[1], tool_name="weather", tool_call_id="call-1", arguments={"city": "Paris"}),
        ToolCompleteEvent(timestamp=at[2], tool_name="weather", tool_call_id="call-1", result="sunny", duration_ms=12),
        ThinkEvent(timestamp=at[3], iteration=2, reasoning="Sunny it is."),
        TerminateEvent(
            timestamp=at[4],
            reason="complete",
            iterations_used=2,
            final_confidence=0.9,
            total_tool_calls=1,
            final_message="It is sunny in Paris.",
        ),
    ]


async def feed(handler: StreamHandler, events: list[AgentEvent]) -> None:
    """Give a handler a whole run."""
    for event in events:
        await handler.on_event(event)
    await handler.on_complete()


async def part_1_basic() -> None:
    """Turn events into the text of an event stream."""
    handler = SSEHandler()
    await feed(handler, a_run()[:1])
    print(handler.format_all(), end="")


async def part_2_ids() -> None:
    """Prefix the ids, so that those of two streams differ; leave out what the client does not need."""
    handler = SSEHandler(id_prefix="run-7-", include_timestamp=False)
    await feed(handler, a_run()[:2])
    for message in handler.get_messages():
        print(message.id, message.data)


async def part_3_filtering() -> None:
    """Send only the events about tools."""
    sse = SSEHandler()
    await feed(FilteringHandler(sse, event_types={"tool_start", "tool_complete"}), a_run())
    print([message.event for message in sse.get_messages()])


async def part_4_composite() -> None:
    """Feed several handlers at once: one keeps the last two events, one sends them all."""
    newest, sse = BufferingHandler(max_size=2), SSEHandler()
    await feed(CompositeHandler([newest, sse]), a_run())
    print([event.event_type for event in newest.get_events()], f"({newest.dropped} dropped)")
    print(len(sse.get_messages()), "messages")


async def part_5_streaming() -> None:
    """Stream to a consumer while the agent runs. A slow consumer holds the agent up: at most two messages wait."""
    handler = AsyncSSEHandler(max_buffer=2)
    async with anyio.create_task_group() as group, aclosing(handler.stream()) as stream:
        group.start_soon(feed, handler, a_run())
        async for text in stream:
            print(text.partition("\n")[0])


async def part_6_heartbeats() -> None:
    """Keep the connection open while a tool takes its time: 40 virtual seconds pass at once."""
    handler = AsyncSSEHandler(heartbeat_s=15, clock=CLOCK)

    async def agent() -> None:
        await handler.on_event(a_run()[1])
        await CLOCK.sleep(40)
        await handler.on_event(a_run()[2])
        await handler.on_complete()

    async with anyio.create_task_group() as group, aclosing(handler.stream_messages()) as stream:
        group.start_soon(agent)
        async for message in stream:
            print(message.id, message.event, message.data[:40])


async def part_7_errors() -> None:
    """End with an error. The client gets an id, the log has the text under the same id."""
    handler = SSEHandler(ids=SequenceIds())
    await handler.on_error(ConnectionError("postgres://admin:secret@db"))
    print(handler.get_messages()[0].data)


async def part_8_serializer() -> None:
    """Send another form of each event: a dict becomes JSON, text is sent as it is."""
    handler = SSEHandler(custom_serializer=lambda event: f"{event.event_type} at {event.timestamp:%H:%M:%S}")
    await feed(handler, a_run()[:2])
    print([message.data for message in handler.get_messages()[:2]])


async def part_9_headers() -> None:
    """Answer the request with the headers that an event stream needs."""
    for name, value in create_sse_response_headers().items():
        print(f"{name}: {value}")


async def part_10_parsing() -> None:
    """Read the stream back, in whatever pieces the network brings it."""
    handler = SSEHandler()
    await feed(handler, a_run())
    wire = handler.format_all().encode()
    parser = SSEParser()
    messages = [message for start in range(0, len(wire), 7) for message in parser.feed(wire[start : start + 7])]
    print(messages == handler.get_messages(), "last event id:", parser.last_event_id)


async def part_11_reconnecting() -> None:
    """Come back after the connection broke, and get only what was missed."""
    handler = SSEHandler()
    await feed(handler, a_run())
    messages = handler.get_messages()
    before_the_cut = "".join(message.format() for message in messages)[:700]
    client = SSEParser()
    client.feed(before_the_cut.encode())
    print("Last-Event-ID:", client.last_event_id)
    missed = [message for message in messages if int(message.id or 0) > int(client.last_event_id)]
    again = SSEParser(last_event_id=client.last_event_id)
    print([(message.id, message.event) for m in missed for message in again.feed(m.encode())])


async def main() -> None:
    """Walk through all parts."""
    logging.getLogger("playhead.handlers.sse").addHandler(logging.NullHandler())
    parts = [
        part_1_basic,
        part_2_ids,
        part_3_filtering,
        part_4_composite,
        part_5_streaming,
        part_6_heartbeats,
        part_7_errors,
        part_8_serializer,
        part_9_headers,
        part_10_parsing,
        part_11_reconnecting,
    ]
    for number, part in enumerate(parts, 1):
        summary, _, _ = (part.__doc__ or "").partition("\n")
        print(f"\n{number}. {summary}\n")
        await part()


if __name__ == "__main__":
    run(main, clock=CLOCK)

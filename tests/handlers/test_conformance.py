"""The guarantees of handlers, checked on every handler that is shipped, and each check on a handler that breaks it."""

import io
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import IO, Any

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playhead.handlers.async_sse import AsyncSSEHandler
from playhead.handlers.base import StreamHandler
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.console import ConsoleHandler
from playhead.handlers.filtering import FilteringHandler
from playhead.handlers.logs import LoggingHandler
from playhead.handlers.minimal import MinimalConsoleHandler
from playhead.handlers.sse import SSEHandler
from playhead.ids import SequenceIds
from playhead.sse.message import SSEMessage
from tests.handlers import conformance
from tests.handlers.conformance import Compose, Streaming, Subject, number_of


class _Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def visible(handler: StreamHandler, numbers: Callable[[], list[int]], state: Callable[[], object]) -> Subject:
    async def get_numbers() -> list[int]:
        return numbers()

    async def get_state() -> object:
        return state()

    return Subject(handler, get_numbers, get_state)


def printing(make: Callable[[IO[str]], StreamHandler]) -> Subject:
    output = io.StringIO()
    return visible(
        make(output), lambda: [int(n) for n in re.findall(r"tool-(\d+)", output.getvalue())], output.getvalue
    )


def buffering() -> Subject:
    handler = BufferingHandler()

    def state() -> object:
        return handler.get_events(), handler.get_errors(), handler.is_complete, handler.dropped

    return visible(handler, lambda: [number_of(event) for event in handler.get_events()], state)


def numbers_in(messages: list[SSEMessage]) -> list[int]:
    names = [json.loads(message.data)["tool_name"] for message in messages if message.event == "tool_start"]
    return [int(name.removeprefix("tool-")) for name in names]


def sse() -> Subject:
    handler = SSEHandler(ids=SequenceIds())

    def state() -> object:
        return handler.format_all(), handler.is_complete, handler.has_error

    return visible(handler, lambda: numbers_in(handler.get_messages()), state)


def async_sse() -> Subject:
    handler = AsyncSSEHandler(ids=SequenceIds())
    read: list[SSEMessage] = []

    async def numbers() -> list[int]:
        # Time out where it would wait: a reader that is cancelled loses no message.
        with anyio.move_on_after(0):
            async for message in handler.stream_messages():
                read.append(message)  # noqa: PERF401
        return numbers_in(read)

    async def state() -> object:
        await numbers()
        return list(read), handler.is_complete, handler.has_error

    return Subject(handler, numbers, state)


def logs() -> Subject:
    records = _Records()
    logger = logging.Logger("conformance", logging.INFO)
    logger.addHandler(records)

    def numbers() -> list[int]:
        texts = [record.__dict__.get("event_json") for record in records.records]
        return [int(json.loads(text)["tool_name"].removeprefix("tool-")) for text in texts if text]

    return visible(LoggingHandler(logger), numbers, lambda: [record.getMessage() for record in records.records])


def inside(wrap: Callable[[StreamHandler], StreamHandler], make: Callable[[], Subject]) -> Callable[[], Subject]:
    def made() -> Subject:
        inner = make()
        return Subject(wrap(inner.handler), inner.numbers, inner.state)

    return made


def nested(handler: StreamHandler) -> StreamHandler:
    return CompositeHandler([FilteringHandler(CompositeHandler([BufferingHandler(1), handler]), {"tool_start"})])


LEAVES: dict[str, Callable[[], Subject]] = {
    "console": lambda: printing(ConsoleHandler),
    "minimal": lambda: printing(MinimalConsoleHandler),
    "buffering": buffering,
    "sse": sse,
    "async_sse": async_sse,
    "logs": logs,
}
WRAPPERS: dict[str, Callable[[StreamHandler], StreamHandler]] = {
    "bare": lambda handler: handler,
    "composite": lambda handler: CompositeHandler([handler]),
    "filtering": FilteringHandler,
    "nested": nested,
}
SUBJECTS = {
    f"{wrapper}-{leaf}": inside(wrap, make) for wrapper, wrap in WRAPPERS.items() for leaf, make in LEAVES.items()
}
COMPOSITIONS: dict[str, Compose] = {
    "flat": CompositeHandler,
    "filtered": lambda children: CompositeHandler([FilteringHandler(child) for child in children]),
    "nested": lambda children: CompositeHandler([CompositeHandler(children[:2]), *children[2:]]),
    "deep": lambda children: FilteringHandler(CompositeHandler([nested(child) for child in children])),
}


def async_streaming(**options: Any) -> Callable[[], Streaming]:
    def make() -> Streaming:
        handler = AsyncSSEHandler(max_buffer=8, ids=SequenceIds(), **options)
        return Streaming(handler, handler.stream, max_held=8, dropped=lambda: handler.dropped)

    return make


def collected(**options: Any) -> Callable[[], Streaming]:
    def make() -> Streaming:
        handler = SSEHandler(ids=SequenceIds(), **options)
        return Streaming(handler, handler.messages, options.get("max_messages"), lambda: handler.dropped)

    return make


STREAMINGS: dict[str, Callable[[], Streaming]] = {
    "async_sse": async_streaming(),
    "async_sse-drop_oldest": async_streaming(on_full="drop_oldest"),
    "async_sse-heartbeat": async_streaming(heartbeat_s=60),
    "sse": collected(),
    "sse-bounded": collected(max_messages=8),
}


@pytest.mark.anyio
@pytest.mark.parametrize("make", SUBJECTS.values(), ids=SUBJECTS)
async def test_nothing_follows_the_end(make: Callable[[], Subject]) -> None:
    """Every shipped handler, alone and composed, keeps order, ends once, counts what is late, and can be cleared."""
    await conformance.check_nothing_follows_the_end(make)


@pytest.mark.anyio
@pytest.mark.parametrize("compose", COMPOSITIONS.values(), ids=COMPOSITIONS)
@pytest.mark.parametrize(
    "check",
    [
        conformance.check_siblings_are_not_starved,
        conformance.check_cancellation_passes,
        conformance.check_an_end_reaches_those_after_a_cancelled_child,
    ],
)
async def test_compositions(compose: Compose, check: Callable[[Compose], Awaitable[None]]) -> None:
    """Every composition calls all children, raises their errors together and lets cancellation pass."""
    await check(compose)


CALLS = st.integers(0, 9) | st.sampled_from(["complete", "error"])


@pytest.mark.parametrize("compose", COMPOSITIONS.values(), ids=COMPOSITIONS)
@settings(max_examples=25)
@given(script=st.lists(CALLS, max_size=8))
@example(script=[1, "complete", 2, "error", "complete"])
def test_children_are_called_in_order(compose: Compose, script: list[int | str]) -> None:
    """Whatever is called, each leaf of a composition gets the events in order, then one end, then nothing."""
    anyio.run(conformance.check_children_are_called_in_order, compose, script)


@pytest.mark.anyio
@pytest.mark.parametrize("make", STREAMINGS.values(), ids=STREAMINGS)
@pytest.mark.parametrize(
    "check",
    [
        conformance.check_streams_end,
        conformance.check_a_reader_may_leave,
        conformance.check_a_waiting_reader_can_be_closed,
        conformance.check_memory_is_bounded,
    ],
)
async def test_streams(
    make: Callable[[], Streaming], check: Callable[[Callable[[], Streaming]], Awaitable[None]]
) -> None:
    """Every handler that streams ends its streams, lets readers go and keeps its bound."""
    await check(make)

"""Handlers take the events of other people's frameworks as they are."""

import io
import json
from typing import Any

import pytest

from playhead.events.codec import decode_event
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.console import ConsoleHandler
from playhead.handlers.filtering import FilteringHandler
from playhead.handlers.minimal import MinimalConsoleHandler
from playhead.handlers.sse import SSEHandler

pytestmark = pytest.mark.anyio


async def shown(*events: Any) -> tuple[str, str, SSEHandler, BufferingHandler]:
    """Feed events to all kinds of handlers, and return what came out."""
    console, minimal, sse, kept = io.StringIO(), io.StringIO(), SSEHandler(), BufferingHandler()
    handler = CompositeHandler(
        [ConsoleHandler(console), MinimalConsoleHandler(minimal), sse, FilteringHandler(kept, exclude_types={"think"})]
    )
    for event in events:
        await handler.on_event(event)
    await handler.on_complete()
    return console.getvalue(), minimal.getvalue(), sse, kept


async def test_real_locus_events() -> None:
    """Events of locus itself are shown, sent with the fields that locus writes, and kept as they are."""
    events = pytest.importorskip("locus.core.events", reason="locus-sdk is not installed")
    start = events.ToolStartEvent(tool_name="search", tool_call_id="1", arguments={"q": "Paris"})
    think = events.ThinkEvent(iteration=1, reasoning="Hm.")
    console, minimal, sse, kept = await shown(think, start)
    assert console == "\n💭 Iteration 1\n  Hm.\n🔧 search\n\n🏁 Execution complete (1 tool calls)\n"
    assert minimal == "• search\n"
    assert json.loads(sse.get_messages()[1].data) == json.loads(start.model_dump_json())
    assert kept.get_events()[0] is start


async def test_locus_own_handlers_fit_into_ours() -> None:
    """A composite of ours feeds handlers that were written for locus."""
    streaming = pytest.importorskip("locus.streaming", reason="locus-sdk is not installed")
    events = pytest.importorskip("locus.core.events", reason="locus-sdk is not installed")
    theirs = streaming.BufferingHandler()
    handler = CompositeHandler([theirs])
    await handler.on_event(events.ThinkEvent(iteration=1))
    await handler.on_complete()
    assert (len(theirs.get_events()), theirs.is_complete) == (1, True)


async def test_messages_are_those_of_locus() -> None:
    """Types, ids and data of our messages are those of locus' own handler, but for the spelling of JSON and times."""
    streaming = pytest.importorskip("locus.streaming", reason="locus-sdk is not installed")
    events = pytest.importorskip("locus.core.events", reason="locus-sdk is not installed")
    theirs, ours = streaming.SSEHandler(id_prefix="x"), SSEHandler(id_prefix="x")
    for handler in (theirs, ours):
        await handler.on_event(events.ToolStartEvent(tool_name="t", tool_call_id="1", arguments={"é": [1.5, None]}))
        await handler.on_complete()
    for expected, got in zip(theirs.get_messages(), ours.get_messages(), strict=True):
        assert (got.event, got.id, got.retry) == (expected.event, expected.id, expected.retry)
        assert _without_time(got.data) == _without_time(expected.data)


def _without_time(data: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(data)
    value.pop("timestamp", None)
    return value


async def test_events_of_shipit() -> None:
    """Events of shipit's dialect pass, with their type as the message's name."""
    event = decode_event({"type": "tool_called", "message": "search", "payload": {"arguments": {}}}, "shipit")
    console, _, sse, _ = await shown(event)
    assert console.startswith("i Event: tool_called\n")
    assert sse.get_messages()[0].event == "tool_called"


async def test_real_shipit_events() -> None:
    """Events of shipit itself need an adapter only because their type is not called `event_type`."""
    models = pytest.importorskip("shipit_agent.models", reason="shipit-agent is not installed")
    event = models.AgentEvent(type="tool_called", message="search", payload={"n": 1})

    class Adapted:
        event_type = event.type

        def to_dict(self) -> dict[str, Any]:
            return {**event.to_dict()}

    _, _, sse, _ = await shown(Adapted())
    assert json.loads(sse.get_messages()[0].data)["payload"] == {"n": 1}

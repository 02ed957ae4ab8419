"""The agent runs on recorded answers; its handlers run on recorded events."""

from collections.abc import AsyncIterator
from typing import Any

import agent
import model
import pytest

from playhead import SSEHandler

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def taped(tape: Any, prompt: str) -> AsyncIterator[agent.Event]:
    """Return a run whose model and tools are recorded, or replayed."""
    (weather,) = tape.tools([agent.weather])
    return tape.events(agent.run(prompt, ask=tape.model(model.ask), tools={"weather": weather}))


async def test_it_looks_at_the_weather(tape: Any) -> None:
    events = [event async for event in taped(tape, "What do I need in Rome and Oslo?")]
    assert [event["arguments"]["city"] for event in events if event["event_type"] == "tool_start"] == ["Oslo", "Rome"]
    assert events[-1]["final_message"] == "Take an umbrella."


@pytest.mark.parametrize("city", ["Rome", "Oslo"])
async def test_one_city(tape: Any, city: str) -> None:
    events = [event async for event in taped(tape, f"What do I need in {city}?")]
    assert events[-1]["final_message"] == {"Rome": "Take a hat.", "Oslo": "Take an umbrella."}[city]


@pytest.mark.playhead(name="test_agent/test_it_looks_at_the_weather")
async def test_the_stream_for_the_browser(tape: Any) -> None:
    handler = SSEHandler()
    assert await tape.replay(handler) == 7
    assert "Take an umbrella." in handler.get_messages()[-2].data

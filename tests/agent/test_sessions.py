"""A session is a thread, turn by turn, with callbacks that cannot harm it."""

import asyncio
import logging
from typing import Any

import pytest

from playhead.agent.agent import Agent
from playhead.events.locus import AgentEvent
from playhead.models.scripted import ScriptedModel
from playhead.scripts import RateLimit, call, fail, hang, turn
from tests.agent.agents import end_of, kinds, read, weather
from tests.agent.savers import Saver
from tests.agent.test_interrupts import ask


@pytest.mark.anyio
async def test_each_turn_goes_on_from_the_last() -> None:
    """Two sessions of one agent know nothing of each other."""
    model = ScriptedModel(["One.", "Two.", "Three."])
    agent = Agent(model)
    first, second = agent.chat_session("a"), agent.chat_session("b")
    for session, prompt in ((first, "1"), (first, "2"), (second, "3")):
        await read(session.run(prompt))
    said = [[message["content"] for message in each.messages] for each in model.calls]
    assert said == [["1"], ["1", "One.", "2"], ["3"]]


@pytest.mark.anyio
async def test_a_turn_that_failed_or_was_left_is_kept_and_marked() -> None:
    """The next one goes on from what was whole before it."""
    saver = Saver()
    model = ScriptedModel([turn(call("weather", city="x")), fail(RateLimit()), turn("Half", hang()), "Done."])
    session = Agent(model, [weather], checkpointer=saver).chat_session("s")
    assert end_of(await read(session.run("1"))).reason == "rate_limit"
    events = session.run("2")
    assert (await anext(events)).event_type == "model_chunk"
    await events.aclose()
    assert [state["reason"] for _, state in saver.saved] == [None, "rate_limit", "closed"]
    assert end_of(await read(session.run("3"))).reason == "complete"
    roles = [(message["role"], message["content"]) for message in model.calls[-1].messages]
    assert roles == [
        ("user", "1"), ("assistant", ""), ("tool", "rain in x"), ("user", "2"), ("user", "3"),
    ]  # fmt: skip


@pytest.mark.anyio
async def test_callbacks_are_told_of_every_event(caplog: pytest.LogCaptureFixture) -> None:
    """Before the reader, as events and as packets; one that raises is logged, and the stream goes on."""
    told: list[AgentEvent] = []
    packets: list[dict[str, Any]] = []

    def bad(event: AgentEvent) -> None:
        raise ZeroDivisionError("callback broke")

    session = Agent(ScriptedModel([call("ask", question="?"), "Done."]), [ask]).chat_session("s")
    session.add_event_callback(bad)
    session.add_event_callback(told.append)
    session.add_packet_callback(packets.append)
    seen: list[AgentEvent] = []
    with caplog.at_level(logging.ERROR):
        async for event in session.run("1"):
            assert told[-1] is event
            seen.append(event)
        seen += await read(session.resume("yes"))
    assert all(one is other for one, other in zip(told, seen, strict=True))
    assert kinds(seen)[-1] == "terminate"
    assert [packet["packet_type"] for packet in packets] == ["agent_event"] * len(seen)
    assert packets[-1]["event"]["reason"] == "complete"
    assert len(caplog.records) == len(seen)


def test_a_turn_without_a_loop() -> None:
    """`stream` is that of the agent, in the thread of the session."""
    model = ScriptedModel(["One.", "Two."])
    session = Agent(model).chat_session("s")
    assert kinds(list(session.stream("1")))[-1] == "terminate"
    assert kinds(asyncio.run(read(session.run("2"))))[-1] == "terminate"
    assert len(model.calls[1].messages) == 3

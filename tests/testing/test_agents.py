"""The suite for agents: the small loop keeps its promises, and each promise is broken by an agent made for it."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from playhead.agent.agent import Agent
from playhead.errors import ModelFailure, UsageError
from playhead.events.locus import TerminateEvent, ThinkEvent
from playhead.scripts import call, fail, hang, pause, say, turn
from playhead.scripts.failures import RateLimit
from playhead.testing import State, assert_agent, check_agent
from playhead.testing.agents import AGENT_PROMISES
from playhead.testing.spelling import spelled_turns

END = TerminateEvent(
    reason="complete", iterations_used=1, final_confidence=1.0, total_tool_calls=0, final_message="Done."
)


def weather(city: str) -> str:
    """Say what the weather is like."""
    return f"rain in {city}"


async def look(city: str) -> str:
    """Say what the weather is like, on the event loop."""
    return f"rain in {city}"


def loop(model: Any) -> Agent:
    """The reference agent, patient beyond all measure."""
    return Agent(model, [weather], model_timeout_s=math.inf, answer_timeout_s=math.inf)


class Patient:
    """The reference agent, with a way to stop it."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.stopped = False

    async def run(self, prompt: str) -> AsyncIterator[Any]:
        """Yield the events, and an end where there is none."""
        events = loop(self.model).run(prompt)
        while not self.stopped:
            with anyio.move_on_after(120) as limit:
                event = await anext(events, None)
            if limit.cancel_called or event is None:
                break
            yield event
            if event.event_type == "terminate":
                return
        await events.aclose()
        yield END.model_copy(update={"reason": "cancelled"})

    def cancel(self) -> None:
        """Stop the run at the next event."""
        self.stopped = True


async def _answer(model: Any) -> str:
    return "".join([piece.content or "" async for piece in model.stream([{"role": "user", "content": "?"}])])


async def endless(model: Any) -> AsyncIterator[Any]:
    text = await _answer(model)
    for number in range(10_000 if text == "Hello." else 1):
        yield ThinkEvent(iteration=number)
    yield END.model_copy(update={"final_message": text})


async def fragile(model: Any) -> AsyncIterator[Any]:
    text = await _answer(model)
    yield END.model_copy(update={"final_message": text})
    assert text, "no answer"


async def disorderly(model: Any) -> AsyncIterator[Any]:
    text = await _answer(model)
    yield END.model_copy(update={"final_message": text})
    yield END


async def deluded(model: Any) -> AsyncIterator[Any]:
    try:
        text = await _answer(model)
    except ModelFailure:
        text = "Done."
    yield END.model_copy(update={"final_message": text})


async def silent(model: Any) -> AsyncIterator[Any]:
    text = await _answer(model)
    yield END.model_copy(update={"final_message": "Done." if text == "Done." else "Something."})


async def clinging(model: Any) -> AsyncIterator[Any]:
    is_over = False
    try:
        yield ThinkEvent(iteration=1)
        yield END.model_copy(update={"final_message": await _answer(model)})
        is_over = True
    finally:
        if not is_over:
            with anyio.CancelScope(shield=True):
                await anyio.sleep_forever()


TASKS: set[Any] = set()


async def littering(model: Any) -> AsyncIterator[Any]:
    TASKS.add(asyncio.ensure_future(anyio.sleep_forever()))
    yield END.model_copy(update={"final_message": await _answer(model)})


class Mute(Patient):
    """Stop without a word."""

    async def run(self, prompt: str) -> AsyncIterator[Any]:
        async for event in super().run(prompt):
            if not self.stopped:
                yield event


FAULTS: dict[str, Callable[[Any], Any]] = {
    "ends": endless,
    "survives-its-model": fragile,
    "keeps-the-rules": disorderly,
    "tells-failures": deluded,
    "carries-the-answer": silent,
    "can-be-left": clinging,
    "leaves-nothing": littering,
    "tells-cancellation": Mute,
    "gives-up-on-silence": loop,
}


def test_an_agent_can_keep_every_promise() -> None:
    """With an end for whoever stops it, the reference agent does."""
    report = check_agent(Patient)
    report.raise_if_broken()
    assert not report.skipped


def test_the_reference_agent_keeps_all_promises() -> None:
    """With tools on the event loop or in threads, one after the other too. Of being stopped it promises nothing."""
    orderly: dict[str, Any] = {"tool_execution": "sequential", "tool_event_order": "sequential", "name": "trip"}
    makers: list[Callable[[Any], Agent]] = [
        lambda model: Agent(model, [look]),
        lambda model: Agent(model, [look], **orderly),
    ]
    for make in makers:
        report = check_agent(make)
        report.raise_if_broken()
        assert [each.promise.name for each in report.skipped] == ["tells-cancellation"]


def test_a_promise_can_be_left_out() -> None:
    """Without a deadline for its model the agent breaks one, and keeps the others."""
    assert [each.promise.name for each in check_agent(loop).broken] == ["gives-up-on-silence"]
    check_agent(loop, ignore=["gives-up-on-silence"]).raise_if_broken()


def test_each_promise_has_a_fault() -> None:
    """No promise is without an agent that breaks it."""
    assert list(FAULTS) == [promise.name for promise in AGENT_PROMISES]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_breaks_its_promise(name: str) -> None:
    """The report names the promise, says why, and shows the script."""
    result = check_agent(FAULTS[name])[name]
    assert result.state is State.BROKEN, str(result)
    assert result.why
    assert result.example


def plain(model: Any) -> Iterator[Any]:
    """An agent whose stream is a plain iterator."""
    yield ThinkEvent(iteration=1)
    yield END


def test_a_plain_iterator_is_run_in_a_thread() -> None:
    """What cannot be known there is skipped."""
    report = check_agent(plain)
    report.raise_if_broken()
    assert {each.promise.name for each in report.skipped} >= {"leaves-nothing", "gives-up-on-silence"}


def test_what_does_not_run_is_refused() -> None:
    """The message says what came of the simplest script."""

    async def broken(model: Any) -> AsyncIterator[Any]:
        if model:
            raise ValueError("no key")
        yield END

    with pytest.raises(UsageError, match=r"with a model that says 'Done.', it raised ValueError: no key"):
        check_agent(broken)
    with pytest.raises(UsageError, match=r"returned object, which is no agent: it has no run\(prompt\)"):
        check_agent(lambda model: object())


def test_one_script_passes_or_fails() -> None:
    """The assertion is about the promise that it names."""
    turns = [turn("Take", hang())]
    assert_agent(Patient, turns)
    assert_agent(loop, turns, keeps="ends")
    with pytest.raises(AssertionError, match=r"^gives-up-on-silence: its model fell silent, and the next event never"):
        assert_agent(loop, turns)
    with pytest.raises(UsageError, match="did you mean 'ends'"):
        assert_agent(loop, [], keeps="end")


def test_turns_are_spelled_as_source() -> None:
    """What is spelled can be read again, and is the same."""
    turns = [
        turn("a", say("bc", chunks=2), call("weather", city="Zürich").with_id("x"), fail(RateLimit(), at=1)),
        *[turn(pause(2.5))] * 5,
    ]
    spelled = spelled_turns(turns)
    assert spelled[1] == "*[turn(pause(2.5))] * 5"
    names = {"turn": turn, "say": say, "call": call, "fail": fail, "pause": pause, "RateLimit": RateLimit}
    assert eval(f"[{', '.join(spelled)}]", names) == turns

"""Conditions say when a run is over, compose, and print as what they are."""

from dataclasses import replace
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.agent.agent import Agent
from playhead.agent.state import AgentState, ToolExecution
from playhead.agent.termination import (
    ConfidenceMet,
    CustomCondition,
    MaxIterations,
    NoToolCalls,
    TerminationCondition,
    TextMention,
    TimeLimit,
    TokenLimit,
    ToolCalled,
)
from playhead.clocks import run as run_on
from playhead.clocks.virtual import VirtualClock
from playhead.events.locus import ToolCall
from playhead.models.scripted import FunctionModel, Scripted, ScriptedModel
from playhead.scripts import call, pause, say, turn, usage
from tests.agent.agents import end_of, kinds, read, run, weather

START = AgentState()


def ran(name: str, error: str | None = None) -> AgentState:
    """Return a state in which a tool has run."""
    return AgentState(executions=(ToolExecution(name, "c", {}, error=error),))


CASES: list[tuple[TerminationCondition, AgentState, AgentState, str]] = [
    (MaxIterations(2), AgentState(iteration=1), AgentState(iteration=2), "max_iterations"),
    (TokenLimit(9), AgentState(usage={"total_tokens": 8}), AgentState(usage={"total_tokens": 9}), "token_budget"),
    (TimeLimit(2), AgentState(elapsed_s=1.9), AgentState(elapsed_s=2.0), "time_budget"),
    (NoToolCalls(), AgentState(calls=(ToolCall(id="c", name="a"),)), START, "no_tools"),
    (ToolCalled("a"), ran("b"), ran("a", "no"), "tool_called:a"),
    (ToolCalled("a", require_success=True), ran("a", "no"), ran("a"), "tool_called:a"),
    (ConfidenceMet(), AgentState(confidence=0.89), AgentState(confidence=0.9), "confidence_met"),
    (TextMention("DONE"), AgentState(answer="not yet"), AgentState(answer="I am done."), "text_mention:DONE"),
    (
        TextMention("DONE", case_sensitive=True),
        AgentState(answer="done"),
        AgentState(answer="DONE"),
        "text_mention:DONE",
    ),
    (CustomCondition(lambda state: state.answer == "x" and "it is x"), START, AgentState(answer="x"), "it is x"),
]


@pytest.mark.parametrize(("condition", "before", "after", "reason"), CASES, ids=lambda value: repr(value)[:40])
def test_each_condition(condition: TerminationCondition, before: AgentState, after: AgentState, reason: str) -> None:
    """It holds from its limit on, and has the reason that locus gives."""
    assert condition.check(before) is None
    assert condition.check(after) == reason


def is_late(state: AgentState) -> bool:
    """Stand for a function of one's own that says yes or no."""
    return state.iteration > 3


def test_conditions_print_as_what_they_are() -> None:
    """As the expression that made them."""
    told = (MaxIterations(5) | ToolCalled("submit", require_success=True)) & (TimeLimit(60) | CustomCondition(is_late))
    assert repr(told) == "(MaxIterations(5) | ToolCalled('submit', True)) & (TimeLimit(60) | CustomCondition(is_late))"
    assert (
        repr(TextMention("x") | ConfidenceMet() & NoToolCalls()) == "TextMention('x') | ConfidenceMet() & NoToolCalls()"
    )
    assert CustomCondition(is_late).check(AgentState(iteration=4)) == "is_late"


leaves = st.sampled_from("abc ").map(lambda name: CustomCondition(lambda state: name.strip() or None))
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda one, two: one & two, inner, inner), st.builds(lambda one, two: one | two, inner, inner)
    ),
)


@given(trees, trees, trees)
def test_the_laws_of_the_algebra(one: TerminationCondition, two: Any, three: Any) -> None:
    """And and or are associative, absorb, and hold exactly when they should."""
    holds = [each.check(START) is not None for each in (one, two)]
    assert ((one & two).check(START) is not None) == all(holds)
    assert ((one | two).check(START) is not None) == any(holds)
    assert ((one & two) & three).check(START) == (one & (two & three)).check(START)
    assert ((one | two) | three).check(START) == (one | (two | three)).check(START)
    assert ((one | (one & two)).check(START) is not None) == holds[0]


def test_all_reasons_of_an_and_are_told() -> None:
    """Joined as locus joins them."""
    state = replace(START, iteration=9, confidence=1.0)
    assert (MaxIterations(3) & ConfidenceMet()).check(state) == "max_iterations AND confidence_met"
    assert (MaxIterations(3) | ConfidenceMet()).check(state) == "max_iterations"


def test_when_the_time_is_up_for_certain() -> None:
    """An or ends with its first part, an and with its last."""
    assert (TimeLimit(5) | MaxIterations(3)).limit_s() == 5
    assert (TimeLimit(5) & TimeLimit(9)).limit_s() == 9
    assert (TimeLimit(5) & MaxIterations(3)).limit_s() == float("inf")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("condition", "reason", "iterations"),
    [
        (ToolCalled("weather"), "tool_called:weather", 1),
        (TokenLimit(25), "token_budget", 3),
        (TextMention("look"), "text_mention:look", 1),
        (MaxIterations(2), "max_iterations", 2),
        (ToolCalled("weather") & MaxIterations(2), "tool_called:weather AND max_iterations", 2),
        (NoToolCalls(), "no_tools", 4),
    ],
)
async def test_a_run_ends_when_its_condition_holds(condition: Any, reason: str, iterations: int) -> None:
    """After the tools of that iteration have run."""
    looks = [turn("I look.", call("weather", city="x"), usage(10, 0))] * 3
    events = await run([*looks, "Rain."], termination=condition)
    assert (end_of(events).reason, end_of(events).iterations_used) == (reason, iterations)
    assert kinds(events).count("tool_complete") == min(iterations, 3)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("streams", [True, False])
def test_the_time_limit_cuts_an_answer_and_a_tool(streams: bool, backend: str) -> None:
    """The run does not wait for either longer than it may."""

    async def slow() -> str:
        await clock.sleep(1e6)
        return "late"

    async def main() -> None:
        scripts: list[list[Scripted]] = [[turn(say("a"), pause(1e6))], [call("slow"), "done"]]
        for script in scripts:
            start_ns = clock.monotonic_ns()
            agent = Agent(
                ScriptedModel(script, clock=clock), [slow], termination=TimeLimit(7), clock=clock, model_timeout_s=1e9
            )
            events = await read(agent.run("?", stream_tokens=streams))
            assert end_of(events).reason == "time_budget"
            assert 7 <= (clock.monotonic_ns() - start_ns) / 1e9 < 8

    clock = VirtualClock()
    run_on(main, clock=clock, backend=backend)


@pytest.mark.anyio
async def test_a_condition_that_raises_ends_the_run() -> None:
    """It is nobody's fault but its author's: the error is told and raised."""

    def bad(state: AgentState) -> bool:
        raise ZeroDivisionError("of course")

    events: list[Any] = []
    with pytest.raises(ZeroDivisionError):
        events += [event async for event in Agent(ScriptedModel(["Done."]), termination=CustomCondition(bad)).run("?")]
    with anyio.CancelScope():
        agent = Agent(FunctionModel(lambda request: "Done."), [weather], termination=CustomCondition(bad))
        stream = agent.run("?")
        seen = [await anext(stream) for _ in range(4)]
    assert end_of(seen).error == "ZeroDivisionError: of course"
    with pytest.raises(ZeroDivisionError):
        await anext(stream)

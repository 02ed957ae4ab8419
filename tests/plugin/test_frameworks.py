"""Models and tools of real frameworks behind the tape of a test, found by where they come from."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import agents
import locus
import pydantic_ai
import pytest
import shipit_agent  # type: ignore[import-untyped]
from pydantic_ai.models.test import TestModel

from playhead.adapters import locus as locus_adapter
from playhead.adapters import openai_agents
from playhead.adapters import pydantic_ai as pydantic_adapter
from playhead.adapters import shipit as shipit_adapter
from playhead.errors import ModelFailure, ReplayMismatch, UsageError
from playhead.models.scripted import ScriptedModel
from playhead.plugin.frameworks import FRAMEWORKS, framework_of, framework_of_model, framework_of_tools, named
from playhead.plugin.taping import TapeFixture
from playhead.scripts import Overloaded, call, fail
from tests.plugin.tapes import TRIP, search, tape

pytestmark = pytest.mark.anyio


async def with_locus(taped: TapeFixture) -> str:
    """Run an agent of locus, and tape its events."""
    real = locus_adapter.scripted(ScriptedModel(TRIP))
    agent = locus.Agent(  # type: ignore[operator]
        model=taped.model(real if taped.recording else None, framework="locus"), tools=taped.tools([search])
    )
    events = [event async for event in taped.events(agent.run("Paris?"))]
    return str(events[-1].final_message)


async def with_shipit(taped: TapeFixture) -> str:
    """Run an agent of shipit, and tape its events."""
    real = shipit_adapter.scripted(ScriptedModel(TRIP))
    llm = taped.model(real if taped.recording else None, framework="shipit")
    agent = shipit_agent.Agent(llm=llm, tools=taped.tools([search]))
    return str(list(taped.events(agent.stream("Paris?")))[-1].type)


async def with_pydantic_ai(taped: TapeFixture) -> str:
    """Run an agent of pydantic-ai."""
    real = pydantic_adapter.scripted(ScriptedModel(TRIP))
    model = taped.model(real if taped.recording else None, framework="pydantic_ai", name="scripted")
    agent = pydantic_ai.Agent(model, tools=taped.tools([search]))
    return str((await agent.run("Paris?")).output)


async def with_openai_agents(taped: TapeFixture) -> str:
    """Run an agent of the OpenAI Agents SDK."""
    real = openai_agents.scripted(ScriptedModel(TRIP), name="scripted")
    model = taped.model(real if taped.recording else None, framework="openai_agents", name="scripted")
    tools = [agents.function_tool(tool) for tool in taped.tools([search])]
    agent = agents.Agent(name="guide", model=model, tools=list(tools))
    config = agents.RunConfig(tracing_disabled=True)
    return str((await agents.Runner.run(agent, "Paris?", run_config=config)).final_output)


RUNS = {
    "locus": with_locus,
    "shipit": with_shipit,
    "pydantic_ai": with_pydantic_ai,
    "openai_agents": with_openai_agents,
}


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("name", RUNS)
async def test_an_agent_of_a_framework_is_recorded_and_replayed(name: str, tmp_path: Path) -> None:
    """With no model at all in the replay: its answers and its tools' results come from the cassette."""
    answers = []
    for mode, outcome in (("once", "recorded"), ("none", "replayed")):
        # shipit names its session by a UUID.
        taped = tape(tmp_path / "trip.jsonl", mode, ignore=["uuids"])
        answers.append(await RUNS[name](taped))
        taped.judge()
        assert taped.end(passed=True) == outcome
    assert answers[0] == answers[1] != ""


def test_a_framework_is_found_by_where_a_class_comes_from() -> None:
    """Also that of a class which derives from one of its; a plain object is nobody's."""

    class Mine(TestModel):
        pass

    assert framework_of(Mine()) is FRAMEWORKS["pydantic_ai"]
    assert framework_of(ScriptedModel([])) is FRAMEWORKS["playhead"]
    assert framework_of(object()) is None
    assert framework_of_model(search, None) is FRAMEWORKS["playhead"]
    assert framework_of_model(object(), "locus") is FRAMEWORKS["locus"]
    assert framework_of_tools([search], None, None) is None
    assert framework_of_tools([search, locus.tool(search)], None, None) is FRAMEWORKS["locus"]
    assert framework_of_tools([search], None, FRAMEWORKS["shipit"]) is FRAMEWORKS["shipit"]
    for model, message in ((None, "tape.model.None. does not"), (object(), "builtins.object. does not say whose")):
        with pytest.raises(UsageError, match=message):
            framework_of_model(model, None)
    with pytest.raises(UsageError, match="there is no framework 'langchain': there are locus, shipit"):
        named("langchain")


async def ask(messages: list[str], *, polite: bool = True) -> str:
    """Answer as a coroutine function."""
    return f"{messages[-1]} {polite}"


def ask_now(messages: list[str], *, polite: bool = True) -> str:
    """Answer as a function."""
    return f"{messages[-1]} {polite}"


async def stream(messages: list[str], *, polite: bool = True) -> AsyncIterator[str]:
    """Answer in pieces."""
    yield messages[-1]
    yield f" {polite}"


def stream_now(messages: list[str], *, polite: bool = True) -> Iterator[str]:
    """Answer in pieces, without an event loop."""
    yield messages[-1]
    yield f" {polite}"


class Client:
    """Answer as an object that is called."""

    async def __call__(self, messages: list[str], *, polite: bool = True) -> str:
        """Answer."""
        return f"{messages[-1]} {polite}"


async def answer(asked: Any) -> str:
    """Return the whole of an answer, however it comes."""
    if isinstance(asked, str):
        return asked
    if hasattr(asked, "__aiter__"):
        return "".join([piece async for piece in asked])
    return "".join(asked) if hasattr(asked, "__iter__") else str(await asked)


@pytest.mark.parametrize("function", [ask, ask_now, stream, stream_now, Client()], ids=lambda each: str(type(each)))
async def test_a_function_is_a_model(function: Callable[..., Any], tmp_path: Path) -> None:
    """Of any kind; it is called as before, and not at all in a replay. Arguments are asked by their names."""
    path = tmp_path / "trip.jsonl"
    taped = tape(path, "once")
    assert await answer(taped.model(function)(["Hello"], polite=False)) == "Hello False"
    taped.judge()
    assert taped.end(passed=True) == "recorded"

    taped = tape(path)
    assert await answer(taped.model(function)(messages=["Hello"], polite=False)) == "Hello False"
    taped.judge()
    with pytest.raises(ReplayMismatch, match=r'"Hello" -> "Bye"'):
        await answer(taped.model(function)(["Bye"], polite=False))
    assert taped.end(passed=True) == "replayed"


async def test_a_failure_of_a_model_is_replayed(tmp_path: Path) -> None:
    """A model of Playhead's that failed fails again, with its status; and it answers as a whole, too."""
    for mode in ("once", "none"):
        taped = tape(tmp_path / "trip.jsonl", mode)
        real = ScriptedModel([fail(Overloaded()), call("search", city="Rome")]) if taped.recording else None
        model = taped.model(real, framework="playhead")
        with pytest.raises(ModelFailure) as failure:
            [piece async for piece in model.stream([{"role": "user", "content": "Hi"}])]
        assert (failure.value.kind, failure.value.status) == ("overloaded", 529)
        answered = await model.complete([{"role": "user", "content": "Hi"}], {"search": search})
        assert answered.tool_calls[0].arguments == {"city": "Rome"}
        taped.judge()
        taped.end(passed=True)

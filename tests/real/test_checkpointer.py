"""A real locus agent keeps its threads with our checkpointer: turns, pauses, forks, history, another process."""

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import pytest

pytest.importorskip("locus.core.events", reason="locus-sdk is not installed")

from locus.agent import Agent
from locus.core.events import TerminateEvent
from locus.core.messages import Message
from locus.core.state import AgentState
from locus.models.base import ModelResponse
from locus.testing import text, tool_call

import playhead
from playhead.cassettes.places import list_places
from playhead.recording.checkpoints import Checkpointer
from playhead.testing import check_checkpointer
from tests.real import locus_agents as agents

pytestmark = pytest.mark.anyio

PLACES = ("threads.db", "threads/", "all.jsonl", ":memory:")
TURNS = (tool_call("weather", city="Paris"), text("Go."), text("Bring a hat."), text("Or a coat."))

RESUMES = """
import asyncio, sys
from locus.core.state import AgentState
from locus.testing import tool_call
from playhead.recording.checkpoints import Checkpointer
from tests.real import locus_agents as agents

async def main(place):
    async with Checkpointer(place, state_type=AgentState) as saver:
        turns = [tool_call("task_complete", summary="Red it is.")]
        agent = agents.agent(turns, completion_mode="explicit", checkpointer=saver)
        async for event in agent.resume("red", thread_id="t"):
            print(event.event_type, getattr(event, "reason", ""))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio alone: locus is written for it."""
    return "asyncio"


def where(place: str, folder: Path) -> str:
    """Return a place in a folder."""
    return place if place == ":memory:" else f"{folder}/{place}"


def an_agent(saver: Checkpointer, turns: Sequence[ModelResponse] = TURNS) -> Agent:
    """Return an agent that looks at the weather and answers, then answers twice more."""
    return agents.agent(turns, checkpointer=saver)


async def said(agent: Agent, prompt: str, **options: Any) -> str:
    """Run a turn and return the answer."""
    events = [event async for event in agent.run(prompt, **options)]
    last = events[-1]
    assert isinstance(last, TerminateEvent)
    return str(last.final_message)


def asked(state: AgentState) -> list[str]:
    """Return what the person said in a conversation."""
    return [str(message.content) for message in state.messages if message.role.value == "user"]


@cache
def locus_state(content: str) -> AgentState:
    """Return a state of locus that holds a text: the same one each time, for it has a time and an id in it."""
    return AgentState(agent_id="a", messages=(Message.user(content),))


@pytest.mark.parametrize("place", PLACES)
def test_every_promise_is_kept_with_the_states_of_locus(place: str, tmp_path: Path) -> None:
    """The conformance suite finds nothing where states are locus' own."""
    folders = iter(range(100))
    check_checkpointer(
        lambda: Checkpointer(where(place, tmp_path / str(next(folders)))), state=locus_state
    ).raise_if_broken()


@pytest.mark.parametrize("place", PLACES)
async def test_a_conversation_has_many_turns(place: str, tmp_path: Path) -> None:
    """Each turn goes on from what was saved by the last one, and leaves one checkpoint; other threads are others."""
    saver = Checkpointer(where(place, tmp_path))
    agent = an_agent(saver)
    assert await said(agent, "Trip?", thread_id="t") == "Go."
    assert await said(agent, "Sun?", thread_id="t") == "Bring a hat."
    assert await said(agent, "Alone?", thread_id="u") == "Or a coat."
    history = await agent.get_state_history("t")
    assert [asked(state) for _, state in history] == [["Trip?", "Sun?"], ["Trip?"]]
    assert [identity for identity, _ in history] == await saver.list_checkpoints("t")
    assert asked(await agent.get_state("u")) == ["Alone?"]
    assert sorted(await saver.list_threads()) == ["t", "u"]
    await saver.close()


@pytest.mark.parametrize("place", ["threads.db", "all.jsonl"])
async def test_an_answer_is_given_in_another_process(place: str, tmp_path: Path) -> None:
    """A run that waits for a person is resumed by a process that has nothing but the disk, and goes on from there."""
    saver = Checkpointer(where(place, tmp_path), state_type=AgentState)
    asking = agents.agent(
        [tool_call("ask_user", question="Which colour?", options="red,green")],
        completion_mode="explicit",
        checkpointer=saver,
    )
    events = [event async for event in asking.run("Paint it.", thread_id="t")]
    assert events[-1].event_type == "interrupt"
    await saver.close()
    command = [sys.executable, "-c", RESUMES, where(place, tmp_path)]
    done = await anyio.run_process(command, cwd=Path(__file__).parents[2], check=False)
    assert done.stdout.decode().splitlines()[-1:] == ["terminate terminal_tool"], done.stderr.decode()
    state = await saver.load("t")
    assert asked(state) == ["Paint it."]
    assert any("red" in str(message.content) for message in state.messages if message.role.value == "tool")


@pytest.mark.parametrize("place", PLACES)
async def test_threads_are_forked_and_edited(place: str, tmp_path: Path) -> None:
    """Locus forks from an old checkpoint and edits states, and so does `copy_thread`; the parent stays as it was."""
    saver = Checkpointer(where(place, tmp_path))
    agent = an_agent(saver)
    await said(agent, "Trip?", thread_id="t")
    first = (await saver.list_checkpoints("t"))[0]
    await said(agent, "Sun?", thread_id="t")
    fork = await agent.fork("t", first, new_thread_id="fork")
    assert await saver.copy_thread("t", "copy", checkpoint_id=first)
    assert asked(await agent.get_state(fork)) == asked(await agent.get_state("copy")) == ["Trip?"]
    edited = await agent.update_state("copy", messages=[Message.user("Rain?")])
    assert asked(await agent.get_state("copy", edited)) == ["Trip?", "Rain?"]
    await said(agent, "Snow?", thread_id="fork")
    assert asked(await agent.get_state("fork")) == ["Trip?", "Snow?"]
    assert asked(await agent.get_state("t")) == ["Trip?", "Sun?"]
    await saver.close()


@pytest.mark.parametrize("place", PLACES)
def test_it_is_closed_and_used_again(place: str, tmp_path: Path) -> None:
    """`run_sync` closes the checkpointer behind each turn, on a loop of its own; the next turn has all the same."""
    agent = an_agent(Checkpointer(where(place, tmp_path)))
    assert agent.run_sync("Trip?", thread_id="t").message == "Go."
    assert agent.run_sync("Sun?", thread_id="t").message == "Bring a hat."
    for found in list_places(tmp_path):
        with found.read() as cassette:
            cassette.verify()


async def test_checkpoints_lie_between_the_events_of_the_run(tmp_path: Path) -> None:
    """With the recorder as its place, one cassette holds the run and its checkpoints, and a later agent goes on."""
    place = str(tmp_path / "trip.jsonl")
    with playhead.record(place) as recorder:
        saver = Checkpointer(recorder)
        async for _ in recorder.events(an_agent(saver).run("Trip?", thread_id="t")):
            pass
        (checkpoint,) = await saver.list_checkpoints("t")
    with playhead.open(place) as tape:
        assert not list(playhead.check(tape))
        assert [entry.kind for entry in tape.entries()].count("checkpoint") == 3
        assert [event.event_type for event in tape.events(after=checkpoint)][-1:] in ([], ["terminate"])
    async with Checkpointer(place, state_type=AgentState) as later:
        assert await said(an_agent(later, TURNS[2:]), "Sun?", thread_id="t") == "Bring a hat."
        assert asked(await later.load("t")) == ["Trip?", "Sun?"]

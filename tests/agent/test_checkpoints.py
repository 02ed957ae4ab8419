"""Our agent and our checkpointer: threads go on in other processes, from any checkpoint, and after a kill."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

import playhead
from playhead.agent.agent import Agent
from playhead.agent.tools import interrupt
from playhead.errors import UsageError
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.recording.checkpoints import Checkpointer
from playhead.scripts import call
from tests.agent.agents import end_of, kinds, read, weather
from tests.recording.samples import made_up_key

PLACES = ("threads.db", "threads/", "all.jsonl", ":memory:")

BEGINS = """
import sys, anyio
from playhead.agent.agent import Agent
from playhead.models.scripted import ScriptedModel
from playhead.recording.checkpoints import Checkpointer
from playhead.scripts import call
from tests.agent.test_checkpoints import ask

def first() -> str:
    "Say that it ran."
    print("first", flush=True)
    return "first ran"

def second() -> str:
    "Never come back."
    print("second", flush=True)
    return sys.stdin.readline()

async def main(place, how):
    turns = [call("first"), call("second")] if how == "hangs" else [call("ask", question="Colour?")]
    agent = Agent(ScriptedModel(turns), [first, second, ask], checkpointer=Checkpointer(place))
    async for event in agent.run("Paint.", thread_id="t"):
        pass
    print(event.event_type, flush=True)

anyio.run(main, *sys.argv[1:])
"""


def ask(question: str) -> str:
    """Ask a person."""
    return f"they said {interrupt(question, ['red', 'green'])}"


def where(place: str, folder: Path) -> str:
    """Return a place in a folder."""
    return place if place == ":memory:" else f"{folder}/{place}"


def made(saver: Checkpointer, *turns: Scripted) -> tuple[Agent, ScriptedModel]:
    """Return an agent that keeps its threads, as another process would make it, and its model."""
    model = ScriptedModel(turns)
    return Agent(model, [weather, ask], checkpointer=saver), model


def opened(place: str, folder: Path) -> Checkpointer:
    """Return a checkpointer, which learns from the agent what its states are."""
    return Checkpointer(where(place, folder))


def told(model: ScriptedModel) -> list[Any]:
    """Return what the model was shown at last."""
    return [message["content"] or "" for message in model.calls[-1].messages]


@pytest.mark.anyio
@pytest.mark.parametrize("place", PLACES)
async def test_a_thread_goes_on_from_any_checkpoint(place: str, tmp_path: Path) -> None:
    """A prompt continues from the newest checkpoint or from the one that is named, and a fork from that of its own."""
    saver = opened(place, tmp_path)
    agent, _ = made(saver, call("weather", city="Paris"), "Wet.", "Dry.")
    await read(agent.run("Paris?", thread_id="t"))
    first = (await saver.list_checkpoints("t"))[0]
    await read(agent.run("Rome?", thread_id="t"))
    if place != ":memory:":
        await saver.close()
        saver = opened(place, tmp_path)
    later, model = made(saver, *"12345")
    await read(later.run("Oslo?", thread_id="t"))
    assert told(model)[-3:] == ["Rome?", "Dry.", "Oslo?"]
    await read(later.run("Oslo?", thread_id="t", checkpoint_id=first))
    assert told(model) == ["Paris?", "", "rain in Paris", "Wet.", "Oslo?"]
    assert await saver.copy_thread("t", "fork", checkpoint_id=first)
    await read(later.run("Bonn?", thread_id="fork"))
    assert told(model)[-3:] == ["rain in Paris", "Wet.", "Bonn?"]
    with pytest.raises(UsageError, match="thread 't' has no checkpoint 'never'"):
        await anext(later.run("?", thread_id="t", checkpoint_id="never"))
    await saver.close()


@pytest.mark.anyio
@pytest.mark.parametrize("place", PLACES)
async def test_every_checkpoint_of_a_run_can_be_gone_back_to(place: str, tmp_path: Path) -> None:
    """Between any two iterations of a run there is a checkpoint from which the rest can be run again, to the end."""
    saver = opened(place, tmp_path)
    agent, _ = made(saver, call("weather", city="Paris"), call("weather", city="Rome"), "Wet.")
    await read(agent.run("Where?", thread_id="t"))
    checkpoints = (await saver.list_checkpoints("t"))[::-1]
    states = [await saver.load("t", each) for each in checkpoints]
    assert [state.iteration for state in states][:2] == [1, 2]
    again, model = made(saver, "Dry.")
    events = await read(again.resume(thread_id="t", checkpoint_id=checkpoints[0]))
    assert end_of(events).final_message == "Dry."
    assert end_of(events).iterations_used == 2
    assert told(model) == ["Where?", "", "rain in Paris"]
    await saver.close()


@pytest.mark.anyio
@pytest.mark.parametrize("place", PLACES)
async def test_a_question_is_answered_both_ways(place: str, tmp_path: Path) -> None:
    """The checkpoint of a pause takes one answer and later, from the same moment, another one."""
    saver = opened(place, tmp_path)
    agent, _ = made(saver, call("ask", question="Colour?"))
    assert kinds(await read(agent.run("Paint.", thread_id="t"), end="paused"))[-1] == "interrupt"
    (pause, *_) = await saver.list_checkpoints("t")
    for colour in ("red", "green"):
        later, model = made(saver, "Done.")
        await read(later.resume(colour, thread_id="t", checkpoint_id=pause))
        assert told(model)[-1] == f"they said {colour}"
    await saver.close()


def begun(place: str, how: str) -> subprocess.Popen[str]:
    """Begin a run in another process."""
    command, pipe = [sys.executable, "-c", BEGINS, place, how], subprocess.PIPE
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=root)


@pytest.mark.parametrize("place", ["threads.db", "threads/"])
def test_an_answer_is_given_in_another_process(place: str, tmp_path: Path) -> None:
    """A run that was paused by a process that is gone is resumed with what is on the disk."""
    out, errors = begun(where(place, tmp_path), "asks").communicate()
    assert out.split() == ["interrupt"], errors

    async def resume() -> None:
        async with opened(place, tmp_path) as saver:
            agent, model = made(saver, "Red it is.")
            events = await read(agent.resume("red", thread_id="t"))
            assert (end_of(events).final_message, told(model)[-1]) == ("Red it is.", "they said red")

    anyio.run(resume)


@pytest.mark.parametrize("place", ["threads.db", "all.jsonl"])
def test_a_killed_run_is_taken_up(place: str, tmp_path: Path) -> None:
    """Killed in the middle of its second iteration, a run goes on behind the first one, which is not run again."""
    child = begun(where(place, tmp_path), "hangs")
    assert child.stdout is not None
    assert [child.stdout.readline().strip() for _ in range(2)] == ["first", "second"]
    child.send_signal(signal.SIGKILL)
    child.communicate()

    async def resume() -> None:
        async with opened(place, tmp_path) as saver:
            agent, model = made(saver, "So be it.")
            events = await read(agent.resume(thread_id="t"))
            assert end_of(events).final_message == "So be it."
            assert end_of(events).iterations_used == 2
            assert told(model) == ["Paint.", "", "first ran"]

    anyio.run(resume)


@pytest.mark.anyio
async def test_one_cassette_holds_a_run_and_its_checkpoints(tmp_path: Path) -> None:
    """Events and checkpoints are on one tape: a replay begins behind any of them, and a later agent goes on."""
    place = str(tmp_path / "trip.jsonl")
    with playhead.record(place) as recorder:
        saver = Checkpointer(recorder)
        agent, _ = made(saver, call("weather", city="Paris"), "Wet.")
        events = [event async for event in recorder.events(agent.run("Paris?", thread_id="t"))]
        checkpoints = (await saver.list_checkpoints("t"))[::-1]
    with playhead.open(place) as tape:
        assert not list(playhead.check(tape))
        lengths = [len(list(tape.events(after=each))) for each in checkpoints]
        assert lengths == sorted(lengths, reverse=True)
        assert 0 < lengths[0] < len(events)
    async with Checkpointer(place) as later:
        again, model = made(later, "Dry.")
        await read(again.run("Rome?", thread_id="t", checkpoint_id=checkpoints[-1]))
        assert told(model) == ["Paris?", "", "rain in Paris", "Wet.", "Rome?"]


@pytest.mark.anyio
async def test_a_redacted_thread_goes_on_with_placeholders(tmp_path: Path) -> None:
    """What was secret is not on the disk, so a later process shows the model a placeholder for it."""
    async with opened("threads.db", tmp_path) as saver:
        agent, model = made(saver, "Thanks.", "Which key?")
        await read(agent.run(f"My key is {made_up_key()}.", thread_id="t"))
        assert made_up_key() in told(model)[-1]
        await read(agent.run("Use it.", thread_id="t"))
        assert told(model)[0] == "My key is <openai-key-1>."


def test_the_program_of_the_page_prints_what_it_should(root: Path, tmp_path: Path) -> None:
    """What the page of the checkpointer shows, works: turns in one thread, a fork, and a way back."""
    found = re.search(
        r"^```python\n(# threads.py\n.*?)^```", (root / "docs/checkpoints.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    ran = subprocess.run([sys.executable, "-W", "error", "-c", found[1]], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("You said: Paris?\nYou said: Rome?\n4 2\nYou said: Oslo?\n", "")

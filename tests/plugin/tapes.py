"""Tapes of tests, without pytest: a small agent, and what each mode makes of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playhead.agent.agent import Agent
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.plugin.modes import MODES
from playhead.plugin.options import Options
from playhead.plugin.taping import Subject, TapeFixture
from playhead.replaying.tape import open_tape
from playhead.scripts import call

TRIP: tuple[Scripted, ...] = (call("search", city="Paris"), "Take an umbrella.")


def tape(path: Path, mode: str = "none", *, test: str = "test_trip.py::test_paris", **options: Any) -> TapeFixture:
    """Return the tape of a test."""
    subject = Subject(test, path.name, path, MODES[mode], "the default", Options(**options))
    return TapeFixture(subject)


def search(city: str) -> str:
    """Say what is to be seen in a city."""
    return f"rain in {city}"


async def trip(taped: TapeFixture, prompt: str = "Paris?", turns: Iterable[Scripted] = TRIP) -> list[Any]:
    """Let an agent run once, and return its events."""
    real = ScriptedModel(turns) if taped.recording else ScriptedModel([])
    agent = Agent(taped.model(real), taped.tools([search]))
    return [event async for event in taped.events(agent.run(prompt))]


async def recorded(path: Path, *prompts: str, mode: str = "once", **options: Any) -> str:
    """Let the agent run with each prompt, in one test that passes, and return what became of the cassette."""
    taped = tape(path, mode, **options)
    for prompt in prompts or ("Paris?",):
        await trip(taped, prompt)
    taped.judge()
    return taped.end(passed=True)


def asked(path: Path) -> list[str]:
    """Return the prompts of the runs on a cassette: what the first question of each begins with."""
    with open_tape(path) as opened:
        requests = [entry.value() for entry in opened.entries() if entry.kind == "request"]
    return [request["messages"][0]["content"] for request in requests if "repeats" not in request]

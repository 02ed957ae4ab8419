"""The project's own recordings are what the real frameworks do today, but for what differs from run to run.

To record them anew: `PLAYHEAD_RECORD=1 pytest tests/real -k own_cassettes`. Those that are still right stay untouched.
"""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("locus.core.events", reason="locus-sdk is not installed")
pytest.importorskip("shipit_agent.models", reason="shipit-agent is not installed")

from playhead.adapters import locus, shipit
from playhead.comparing.streams import compare
from playhead.contracts.check import check
from playhead.recording.recorder import Recorder, record
from playhead.replaying.tape import open_tape
from tests.real import locus_agents, shipit_agents

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio alone: the frameworks are written for it."""
    return "asyncio"


async def locus_tool_once(tape: Recorder) -> None:
    """Tape a run that calls a tool."""
    [event async for event in tape.events(locus_agents.tool_once())]


async def locus_tokens(tape: Recorder) -> None:
    """Tape a run whose model streams its answer."""
    [event async for event in tape.events(locus_agents.tokens())]


async def locus_interrupt_resume(tape: Recorder) -> None:
    """Tape a run that asks a person, and the one that goes on with the answer."""
    agent = locus_agents.asking()
    [event async for event in tape.events(agent.run("Paint it."))]
    [event async for event in tape.events(agent.resume("red"))]


async def locus_subagent(tape: Recorder) -> None:
    """Tape a run with another one inside."""
    [event async for event in tape.events(locus_agents.subagent())]


async def locus_model_error(tape: Recorder) -> None:
    """Tape a run whose model fails."""
    with suppress(RuntimeError):
        [event async for event in tape.events(locus_agents.model_error())]


async def shipit_tool_once(tape: Recorder) -> None:
    """Tape a run of shipit that calls a tool."""
    list(tape.events(shipit_agents.tool_once().stream("1+2?")))


async def shipit_chat(tape: Recorder) -> None:
    """Tape the two turns of a chat."""
    chat = shipit_agents.chat()
    for prompt in ("1+1?", "2+2?"):
        list(tape.events(chat.stream(prompt)))


Taping = Callable[[Recorder], Awaitable[None]]
CASSETTES: list[Taping] = [
    locus_tool_once,
    locus_tokens,
    locus_interrupt_resume,
    locus_subagent,
    locus_model_error,
    shipit_tool_once,
    shipit_chat,
]


@pytest.mark.parametrize("taping", CASSETTES, ids=lambda taping: taping.__name__)
async def test_own_cassettes_are_up_to_date(
    taping: Taping, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded again, each run has the same events and ends as the one that is committed, and breaks no rule."""
    name = taping.__name__
    dialect, _, _ = name.partition("_")
    made = {"locus": locus.MADE, "shipit": shipit.MADE}[dialect]
    own = root / "cassettes" / f"{name}.jsonl"
    fresh = own if os.environ.get("PLAYHEAD_RECORD") else tmp_path / f"{name}.jsonl"
    # shipit may leave files.
    monkeypatch.chdir(tmp_path)
    with record(fresh, name=name, dialect=dialect, made=made) as tape:
        await taping(tape)
    with open_tape(own) as old, open_tape(fresh) as new:
        assert old.runs == new.runs
        assert not list(check(old))
        for run in old.runs:
            assert not compare(old.events(run=run), new.events(run=run), dialect=dialect)

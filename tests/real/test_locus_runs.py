"""Runs of real locus agents, taped into each store and played back."""

import asyncio
from collections.abc import AsyncIterator

import pytest

pytest.importorskip("locus.core.events", reason="locus-sdk is not installed")

from playhead.adapters.locus import MADE, decode
from playhead.contracts.check import check
from playhead.events.locus import InterruptEvent, SubagentEvent, TerminateEvent
from playhead.handlers.buffering import BufferingHandler
from playhead.recording.recorder import record
from playhead.replaying.replay import replay
from playhead.replaying.tape import open_tape
from tests.real import locus_agents as agents
from tests.real.watching import Watched, check_objects, check_tape

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio alone: locus is written for it."""
    return "asyncio"


@pytest.mark.parametrize("scenario", agents.SCENARIOS)
async def test_a_run_comes_back_as_it_was(place: str, scenario: str) -> None:
    """A whole run keeps its classes, order, JSON, times and end."""
    watched = Watched()
    with record(place, dialect="locus", made=MADE) as tape:
        await watched.consume(tape, agents.SCENARIOS[scenario]())
    with check_tape(place, watched, decode=decode) as played:
        assert (played.end(), played.runs) == ("complete", {"r1": "complete"})
        assert played.header.made["locus-sdk"] == MADE["locus-sdk"]
        assert not list(check(played))
        kept = BufferingHandler()
        assert await replay(played, kept) == len(watched.yielded)
        assert kept.is_complete


async def test_interrupt_and_resume_are_two_runs(place: str) -> None:
    """A run that waits for a person ends paused; what follows the answer is a run of its own, on the same tape."""
    watched, agent = Watched(), agents.asking()
    with record(place) as tape:
        await watched.consume(tape, agent.run("Paint it."))
        await watched.consume(tape, agent.resume("red"))
    with check_tape(place, watched, decode=decode) as played:
        assert played.runs == {"r1": "paused", "r2": "complete"}
        assert played.end() == "complete"
        assert isinstance(list(played.events(run="r1"))[-1], InterruptEvent)
        assert isinstance(list(played.events(run="r2"))[-1], TerminateEvent)


async def test_a_run_that_only_waits_is_paused(place: str) -> None:
    """A tape that stops at the question is paused, and its replay completes the handler."""
    watched = Watched()
    with record(place) as tape:
        await watched.consume(tape, agents.asking().run("Paint it."))
    with check_tape(place, watched, decode=decode) as played:
        kept = BufferingHandler()
        await replay(played, kept)
        assert (played.end(), kept.is_complete, kept.get_errors()) == ("paused", True, [])


async def test_a_sub_agents_events_keep_their_classes(place: str) -> None:
    """What a sub-agent did comes back inside its tool's events, each of its own class."""
    with record(place) as tape:
        events = [event async for event in tape.events(agents.subagent())]
    inner = [type(event.event).__name__ for event in events if type(event).__name__ == "SubagentEvent"]
    with open_tape(place) as played:
        typed = [type(event.event).__name__ for event in played.events() if isinstance(event, SubagentEvent)]
        own = [type(event.event).__name__ for event in played.events(decode=decode) if hasattr(event, "task_id")]
    assert "ToolStartEvent" in inner
    assert inner == typed == own


async def test_an_error_passes_and_is_sealed_by_name(place: str) -> None:
    """The exception reaches the consumer as it was raised; the seal has its class as a name, and its message."""
    watched = Watched()
    with pytest.raises(RuntimeError, match="the provider exploded") as raised, record(place) as tape:
        await watched.consume(tape, agents.model_error())
    assert type(raised.value) is RuntimeError
    with check_tape(place, watched, decode=decode) as played:
        assert played.end() == "error"
        assert played.seal is not None
        assert played.seal.errors["r1"].model_dump() == {"type": "RuntimeError", "message": "the provider exploded"}
        kept = BufferingHandler()
        await replay(played, kept)
        error = kept.get_errors()[0]
        assert (str(error), getattr(error, "type_name", "")) == ("the provider exploded", "RuntimeError")


async def test_a_consumer_that_closes_ends_the_run_closed(place: str) -> None:
    """A consumer that leaves in the middle closes the agent's generator; the tape says so."""
    watched = Watched()
    with record(place) as tape:
        await watched.consume(tape, agents.tool_once(), stop_after="tool_start")
    with check_tape(place, watched, decode=decode) as played:
        assert (played.end(), len(watched.got)) == ("closed", 2)


async def test_a_consumer_that_just_breaks_ends_the_run_closed(place: str) -> None:
    """A consumer that breaks out of its loop and closes nothing is noticed when the tape is sealed."""
    source = agents.tool_once()
    with record(place) as tape:
        async for event in tape.events(source):
            if type(event).__name__ == "ToolStartEvent":
                break
    await source.aclose()  # type: ignore[attr-defined]
    with open_tape(place) as played:
        assert (played.end(), len(list(played.events()))) == ("closed", 2)


async def test_a_cancelled_task_ends_the_run_cancelled(place: str) -> None:
    """A task that is cancelled while the agent waits gets its cancellation, and the tape says so."""
    watched = Watched()
    waits = asyncio.Event()

    async def hang() -> AsyncIterator[object]:
        async for event in agents.tool_once():
            yield event
            if type(event).__name__ == "ToolStartEvent":
                waits.set()
                await asyncio.Event().wait()

    async def consume() -> None:
        with record(place) as tape:
            await watched.consume(tape, hang())

    task = asyncio.create_task(consume())
    await waits.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    check_objects(watched)
    with open_tape(place) as played:
        assert (played.end(), played.runs, len(list(played.events()))) == ("cancelled", {"r1": "cancelled"}, 2)

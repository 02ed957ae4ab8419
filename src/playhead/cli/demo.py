"""The main job, shown: a run is recorded, replayed through handlers, checked and summed up."""

from pathlib import Path
from typing import Annotated

import typer

from playhead.agent.loop import run as run_agent
from playhead.cassettes.places import convert, locate
from playhead.cli.output import FOUND, OK, say
from playhead.clocks.running import run as run_on
from playhead.clocks.virtual import VirtualClock
from playhead.contracts.check import check
from playhead.contracts.rules import RULES
from playhead.events.locus import ToolCall
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.console import ConsoleHandler
from playhead.handlers.filtering import FilteringHandler
from playhead.handlers.sse import SSEHandler
from playhead.models.scripted import Answer, ScriptedModel
from playhead.recording.recorder import record
from playhead.replaying.replay import replay
from playhead.replaying.tape import Tape, open_tape

PROMPT = "Plan two days in Paris. Is the Louvre open?"
"""What the demo asks."""
SCRIPT = (
    Answer(
        ("Let me look ", "up the museum ", "and the weather."),
        [
            ToolCall(id="call_1", name="opening_hours", arguments={"place": "Louvre"}),
            ToolCall(id="call_2", name="weather", arguments={"city": "Paris", "days": 2}),
        ],
        pause_s=0.4,
    ),
    Answer(
        ("The Louvre is open from 9 to 18. ", "I could not get the forecast, ", "so take an umbrella."), pause_s=0.4
    ),
)
"""What the demo's model answers."""


def opening_hours(place: str) -> str:
    """Return when a place is open."""
    return f"{place}: 9 to 18, closed on Tuesdays"


def weather(city: str, days: int) -> str:
    """Fail, as services do."""
    raise ConnectionError(f"no forecast for {city}, {days} days")


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")] = Path("playhead-out"),
) -> int:
    """Record a small agent, replay the tape through handlers, check it, and say what was written.

    The agent is scripted and its clock is virtual, so this needs no model, no key, no network and no patience.
    """
    clock = VirtualClock()
    return run_on(_demo, out, clock, clock=clock)


async def _demo(out: Path, clock: VirtualClock) -> int:
    tape_file, store, page = out / "trip.jsonl", out / "runs.db", out / "trip.sse"
    say("1  Record", "bold cyan")
    agent = run_agent(
        ScriptedModel(SCRIPT, clock=clock),
        PROMPT,
        tools={"opening_hours": opening_hours, "weather": weather},
        clock=clock,
    )
    with record(tape_file, name="trip", clock=clock) as recorder:
        count = len([event async for event in recorder.events(agent)])
    place = locate(f"{store}::trip")
    convert(locate(tape_file), place, replace=True)
    say(f"   {count} events in {clock.monotonic_ns() / 1e9:.1f} recorded seconds, which took no time\n")
    with open_tape(tape_file) as tape:
        say("2  Replay, through the console and three more handlers", "bold cyan")
        messages, kept, tools = await _replay(tape)
        page.write_text(messages.format_all(), encoding="utf-8", newline="")
        say("3  Check", "bold cyan")
        broken = list(check(tape))
        for violation in broken:
            say(f"   {violation}", "red")
        say(f"   {len(RULES)} rules, {len(broken)} broken\n")
    say("4  What there is now", "bold cyan")
    say(f"   {tape_file}   the cassette: {count} events, one a line")
    say(f"   {store}::trip   the same in SQLite")
    say(f"   {page}   {len(messages.get_messages())} server-sent events, the same bytes every time")
    say(f"   Buffered {len(kept.get_events())} events, {len(tools.get_events())} of them about tools.\n")
    say(f"   Go on with: playhead show {tape_file}")
    return FOUND if broken else OK


async def _replay(tape: Tape) -> tuple[SSEHandler, BufferingHandler, BufferingHandler]:
    messages, kept, tools = SSEHandler(), BufferingHandler(), BufferingHandler()
    only_tools = FilteringHandler(tools, event_types={"tool_start", "tool_complete"})
    await replay(tape, CompositeHandler([ConsoleHandler(show_tool_args=True), messages, kept, only_tools]))
    return messages, kept, tools

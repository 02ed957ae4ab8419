"""`playhead demo`: the main job, from end to end, in a fraction of a second.

A scripted agent is recorded, replayed through four handlers, and checked. Time is virtual, so the result is the same
every time.
"""

import io
import sys
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path
from shlex import quote
from shutil import which
from typing import Any

from playhead.cassettes.places import convert, locate
from playhead.cassettes.sqlite import SqliteStore
from playhead.cli.screen import line, number, print_json, said, screen, seconds, wants_color
from playhead.cli.trip import PROMPT, plan_a_trip
from playhead.clocks.running import run
from playhead.clocks.virtual import VirtualClock
from playhead.contracts.check import check
from playhead.contracts.rules import selected
from playhead.contracts.violation import Violation
from playhead.events.codec import event_json
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.console import ConsoleHandler
from playhead.handlers.filtering import FilteringHandler
from playhead.handlers.sse import SSEHandler
from playhead.ids import SequenceIds
from playhead.recording.recorder import record
from playhead.replaying.replay import replay
from playhead.replaying.tape import Tape, open_tape

_TOOL_EVENTS = {"tool_start", "tool_complete"}
_RULES = selected(["ORD", "TRM"])


@dataclass(frozen=True, slots=True)
class Demo:
    """Say what the demo did: where it wrote, and what each handler was given."""

    jsonl: Path
    database: str
    sse: Path
    recorded: int
    took_us: int
    messages: int
    is_same: bool
    tool_events: int
    violations: tuple[Violation, ...]


def demo(folder: Path, *, as_json: bool) -> int:
    """Run the demo into a folder, print what it did, and return the exit code: 0, unless something is wrong."""
    console = screen()
    if not as_json:
        console.print(line(("Playhead", "bold magenta"), ": a scripted agent, taped and played back."))
        console.print(line(("No model, no network, and no waiting: its clock is virtual.\n", "dim")))
        console.print(line(("> ", "dim"), (PROMPT, "bold")))
        sys.stdout.flush()
    done = run_demo(folder, io.StringIO() if as_json else None)
    if as_json:
        print_json(_as_json(done))
    else:
        _print(done)
    return 0 if done.is_same and not done.violations else 1


def run_demo(folder: Path, output: io.StringIO | None) -> Demo:
    """Record the trip, replay it, check it, and write the files. The console handler writes to `output`, or stdout."""
    clock = VirtualClock()
    jsonl = folder / "trip.jsonl"
    live = BufferingHandler()
    with record(jsonl, name="trip", clock=clock) as recorder:

        async def tape_it() -> None:
            async for event in recorder.events(plan_a_trip(clock)):
                await live.on_event(event)

        run(tape_it, clock=clock)
    database = locate(f"{folder / 'runs.db'}::trip")
    convert(locate(jsonl), database, replace=True)
    SqliteStore(folder / "runs.db").finish()

    sse, buffer, tools = SSEHandler(ids=SequenceIds()), BufferingHandler(), BufferingHandler()
    console = ConsoleHandler(output, show_reasoning=False, show_tool_args=True, use_color=wants_color())
    handlers = CompositeHandler([console, sse, buffer, FilteringHandler(tools, event_types=_TOOL_EVENTS)])
    with open_tape(database.where) as tape:
        run(_play, tape, handlers, clock)
        violations = tuple(check(tape))
        took_us = sum(entry.dt_us for entry in tape.entries())
    wire = folder / "trip.sse"
    wire.write_bytes(sse.format_all().encode())
    return Demo(
        jsonl=jsonl,
        database=database.where,
        sse=wire,
        recorded=len(live.get_events()),
        took_us=took_us,
        messages=len(sse.get_messages()),
        is_same=_json(live) == _json(buffer),
        tool_events=len(tools.get_events()),
        violations=violations,
    )


async def _play(tape: Tape, handlers: CompositeHandler, clock: VirtualClock) -> None:
    await replay(tape, handlers, pace="recorded", clock=clock)


def _json(handler: BufferingHandler) -> list[bytes]:
    return [event_json(event) for event in handler.get_events()]


def _as_json(done: Demo) -> dict[str, Any]:
    return {
        "recorded": {"events": done.recorded, "took_us": done.took_us},
        "wrote": [str(done.jsonl), done.database, str(done.sse)],
        "replayed": {"sse_messages": done.messages, "same_events": done.is_same, "tool_events": done.tool_events},
        "checked": {"rules": sorted(_RULES), "violations": list(map(str, done.violations))},
    }


def _print(done: Demo) -> None:
    console = screen()
    same = "the very events that were recorded" if done.is_same else "NOT the events that were recorded"
    found = number(len(done.violations), "violation") if done.violations else "nothing found"
    steps = (
        ("recorded", True, f"{number(done.recorded, 'event')} in {seconds(done.took_us)} of virtual time"),
        ("replayed", True, "through the console handler, as above"),
        ("", True, f"through the SSE handler: {number(done.messages, 'message')}"),
        ("", done.is_same, f"through a buffering handler: {same}"),
        ("", True, f"through a filter for tools: {number(done.tool_events, 'event')}"),
        ("checked", not done.violations, f"by {len(_RULES)} rules of order and termination: {found}"),
    )
    console.print()
    for what, is_right, told in steps:
        console.print(line(("✓ ", "green") if is_right else ("✗ ", "red"), (f"{what:<10}", "bold"), told))
    for violation in done.violations:
        console.print(line("  ", said(violation, "red")))
    _print_files(done)


def _print_files(done: Demo) -> None:
    console = screen()
    wrote = (
        (done.jsonl, "the cassette, one entry a line"),
        (done.database, "the same bytes in a SQLite store"),
        (done.sse, "what a client of the SSE handler gets"),
    )
    tries = (f"show {done.jsonl}", f"play {done.jsonl} --speed 2", f"stats {done.database}")
    longest = max(len(str(place)) for place, _ in wrote)
    console.print(line(("\nWrote", "bold")))
    for place, what in wrote:
        console.print(line("  ", said(f"{place!s:<{longest}}", "cyan"), (f"  {what}", "dim")))
    console.print(line(("\nNow try", "bold")))
    for command in tries:
        console.print(line("  ", said(_program(), "dim"), " ", said(command)))


def _program() -> str:
    """Return how this program is called from here: `./play` runs it in an environment that the shell does not know."""
    return "playhead" if which("playhead") else f"{quote(relpath(sys.executable))} -m playhead"

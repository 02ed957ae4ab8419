"""The commands that show what is there: ls, show, play, stats."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import anyio
import typer

from playhead.cassettes.format import Entry
from playhead.cassettes.places import Place, list_places
from playhead.cli.options import AsJson, Cassette, Places, Run
from playhead.cli.output import OK, UNREADABLE, print_json, print_table, say
from playhead.errors import PlayheadError, UsageError
from playhead.events.spans import Dialect, Span, Verb
from playhead.events.tagged import loads
from playhead.handlers.console import ConsoleHandler
from playhead.replaying.pace import Pace, scaled
from playhead.replaying.replay import replay
from playhead.replaying.tape import Tape, open_tape
from playhead.text import clip, safe

_TEXT_COLUMNS = 60


def ls(paths: Places, json: AsJson = False) -> int:
    """List cassettes. Exit code 2 if one cannot be read: the list says why."""
    rows = [_row(place) for path in paths for place in list_places(path)]
    if json:
        print_json(rows)
    elif rows:
        keys = ("cassette", "dialect", "entries", "runs", "end", "bytes", "state")
        print_table(keys, ([row[key] for key in keys] for row in rows), right=("entries", "runs", "bytes"))
        for row in rows:
            if row["error"]:
                say(f"{row['state']}: {row['error']}", "red")
    else:
        say("No cassettes there.")
    return UNREADABLE if any(row["error"] for row in rows) else OK


def _row(place: Place) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(("dialect", "entries", "runs", "end", "bytes"), "")
    try:
        with open_tape(place.where) as tape:
            seal = tape.seal
            assert seal is not None
            runs = {"entries": seal.entries, "runs": len(seal.runs), "end": seal.end, "bytes": tape.size}
            return (
                row
                | {"cassette": place.where, "dialect": tape.dialect.name}
                | runs
                | {"state": "sealed", "error": None}
            )
    except PlayheadError as error:
        state = type(error).__name__.removesuffix("Cassette").lower()
        return row | {"cassette": place.where, "state": state, "error": str(error)}


def show(
    cassette: Cassette,
    run: Run = None,
    events: Annotated[bool, typer.Option("--events", help="Print the recorded events themselves, one a line.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Print the lines of the cassette themselves.")] = False,
    torn: Annotated[bool, typer.Option("--torn", help="Read what a crashed recording left.")] = False,
    json: AsJson = False,
) -> None:
    """Show a cassette as a timeline: when, what, inside which span.

    With --events the recorded JSON comes out unchanged, one event a line; what strict JSON cannot carry is tagged.
    """
    with open_tape(cassette, torn=torn) as tape:
        if raw:
            for line in tape.lines():
                say(line.decode("utf-8", "backslashreplace").rstrip("\n"))
        elif events:
            for data in tape.events(run=run, decode=bytes):
                typer.echo(data)
        elif json:
            for moment in _moments(tape, run):
                print_json(moment.as_json())
        else:
            _show(tape, run)


def _show(tape: Tape, run: str | None) -> None:
    header, seal = tape.header, tape.seal
    say(f"{tape.where}  {header.name}" if header.name != tape.where else tape.where, "bold")
    for moment in _moments(tape, run):
        text = f"  {moment.text}" if moment.text else ""
        label = "  " * moment.depth + moment.kind
        say(clip(safe(f"{moment.at_us / 1e6:9.3f} s  {moment.run:<4} {label:<26}{text}", keep=""), 118))
    ends = ", ".join(f"{name} {end}" for name, end in tape.runs.items())
    say(f"{seal.entries} entries; {ends or 'no runs'}" if seal else "torn: it breaks off here", "bold")


@dataclass(frozen=True, slots=True)
class _Moment:
    at_us: int
    run: str
    kind: str
    depth: int
    text: str
    value: Any

    def as_json(self) -> dict[str, Any]:
        return {"at_us": self.at_us, "run": self.run, "type": self.kind, "data": self.value}


def _moments(tape: Tape, run: str | None) -> Iterator[_Moment]:
    """Yield the entries of a tape as moments, indented by the tools and agents that are open around them."""
    open_spans: Counter[str] = Counter()
    at_us = 0
    for entry in tape.entries():
        at_us += entry.dt_us
        if run is None or entry.owner == run:
            value = loads(entry.data)
            depth = open_spans[entry.owner]
            open_spans[entry.owner] += _opened(value, tape.dialect) if entry.kind == "event" else 0
            depth = min(depth, open_spans[entry.owner])
            yield _Moment(
                at_us, entry.owner, _kind(entry, value, tape.dialect), depth, _text(value, tape.dialect), value
            )


_NESTING = frozenset({Span.TOOL, Span.SUBAGENT})


def _opened(value: Any, dialect: Dialect) -> int:
    steps = {Verb.OPEN: 1, Verb.CLOSE: -1, Verb.FEED: 0}
    return sum(steps[touch.verb] for touch in dialect.touches(value) if touch.span in _NESTING)


def _kind(entry: Entry, value: Any, dialect: Dialect) -> str:
    return (dialect.type_of(value) or "?") if entry.kind == "event" else entry.kind


_TELLING = (
    "reasoning",
    "content",
    "text",
    "result",
    "error",
    "question",
    "final_message",
    "reason",
    "message",
    "output",
)


def _text(value: Any, dialect: Dialect) -> str:
    """Return what an entry says in a few words: the name of its span, and its first text."""
    if not isinstance(value, dict):
        return clip(repr(value), _TEXT_COLUMNS)
    names = [str(touch.name) for touch in dialect.touches(value) if touch.name]
    payload = value.get("payload")
    flat = value | payload if isinstance(payload, dict) else value
    words = next((str(flat[key]) for key in _TELLING if isinstance(flat.get(key), str) and flat[key].strip()), "")
    return clip(" ".join((*names[:1], *words.split())), _TEXT_COLUMNS)


def play(
    cassette: Cassette,
    run: Run = None,
    speed: Annotated[float, typer.Option(help="Times the recorded speed.")] = 1.0,
    instant: Annotated[bool, typer.Option("--instant", help="Do not wait at all.")] = False,
) -> None:
    """Play a cassette on the terminal, at the speed at which it was recorded."""
    pace: Pace = "instant" if instant else scaled(speed)
    with open_tape(cassette) as tape:

        async def feed() -> None:
            await replay(tape, ConsoleHandler(show_tool_args=True), run=run, pace=pace)

        anyio.run(feed)


def stats(paths: Places, json: AsJson = False) -> None:
    """Count what is on cassettes: events by type, tool calls, and how long everything took."""
    found = [_stats(place.where) for path in paths for place in list_places(path)]
    if json:
        print_json(found)
        return
    if not found:
        raise UsageError(f"there is no cassette in {', '.join(paths)}")
    for one in found:
        say(one["cassette"], "bold")
        print_table(("event", "count"), one["events"].items(), right=("count",))
        tools = ", ".join(f"{name} x {count}" for name, count in one["tools"].items()) or "none"
        say(f"{one['seconds']:.3f} s, tools: {tools}, ends: {', '.join(one['runs'].values()) or 'none'}\n")


def _stats(where: str) -> dict[str, Any]:
    with open_tape(where) as tape:
        kinds: Counter[str] = Counter()
        tools: Counter[str] = Counter()
        moments = list_of_touches(tape, kinds)
        for name in moments:
            tools[name] += 1
        seconds = sum(entry.dt_us for entry in tape.entries()) / 1e6
        return {
            "cassette": where,
            "events": dict(kinds.most_common()),
            "tools": dict(tools.most_common()),
            "seconds": seconds,
            "runs": tape.runs,
        }


def list_of_touches(tape: Tape, kinds: Counter[str]) -> Iterator[str]:
    """Yield the name of each tool that is opened, and count every event's type in `kinds`."""
    for entry in tape.entries():
        value = loads(entry.data)
        kinds[_kind(entry, value, tape.dialect)] += 1
        if entry.kind == "event":
            for touch in tape.dialect.touches(value):
                if touch.verb is Verb.OPEN and touch.span is Span.TOOL:
                    yield str(touch.name)

"""Running commands as a user does, and small tapes to run them on."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

from playhead.cassettes.format import Failure, Header, entry_prefix
from playhead.cassettes.places import locate
from playhead.cassettes.writing import CassetteWriter
from playhead.cli.main import app
from playhead.events.tagged import dumps

Event = Mapping[str, Any]

SEARCH: Sequence[tuple[int, Event]] = (
    (0, {"event_type": "think", "iteration": 1, "reasoning": "Look.", "tool_calls": []}),
    (1_000, {"event_type": "tool_start", "tool_name": "search", "tool_call_id": "a", "arguments": {"city": "Paris"}}),
    (2_000, {"event_type": "tool_start", "tool_name": "read", "tool_call_id": "b", "arguments": {}}),
    (250_000, {"event_type": "tool_complete", "tool_name": "search", "tool_call_id": "a", "result": "sun"}),
    (1_500_000, {"event_type": "tool_complete", "tool_name": "read", "tool_call_id": "b", "error": "gone"}),
    (20_000, {"event_type": "model_chunk", "content": "It is ", "done": False}),
    (20_000, {"event_type": "model_chunk", "content": "sunny.", "done": False}),
    (0, {"event_type": "think", "iteration": 2, "reasoning": "It is sunny.", "tool_calls": []}),
    (7, {"event_type": "terminate", "reason": "complete", "iterations_used": 2, "final_confidence": 1.0,
         "total_tool_calls": 2, "final_message": "It is sunny."}),
)  # fmt: skip
"""A run with two tools that overlap, one of which fails, and an answer in two pieces."""


class Outcome(NamedTuple):
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    def lines(self) -> list[Any]:
        """Return what was printed as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def playhead(*args: str | Path, columns: int = 100, stdin: bytes = b"") -> Outcome:
    """Run a command in this process. What it raises beyond an exit is raised here."""
    environment = {"COLUMNS": str(columns), "LINES": "24", "NO_COLOR": None, "FORCE_COLOR": None, "TERM": "xterm"}
    done = CliRunner().invoke(app, [str(arg) for arg in args], input=stdin, env=environment, prog_name="playhead")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Outcome(done.exit_code, done.stdout, done.stderr)


def process(*args: str | Path, shell: str = "", **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a process of its own; with `shell`, as a part of that shell command, where it is `"$@"`."""
    command = [sys.executable, "-m", "playhead", *map(str, args)]
    if shell:
        command = ["sh", "-c", shell, "sh", *command]
    environment = os.environ | {"COLUMNS": "100", "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    return subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False, **options)


def write_tape(
    path: str | Path,
    events: Sequence[tuple[int, Event]] = SEARCH,
    *,
    end: str = "complete",
    dialect: str = "locus",
    errors: Mapping[str, Failure] | None = None,
) -> Path:
    """Write a cassette of one run, which is the same every time, and return its path."""
    prefix = entry_prefix("event", "r1", "event")
    return write_rows(path, [(dt_us, prefix, dumps(event)) for dt_us, event in events], end, dialect, errors)


def write_rows(
    path: str | Path,
    rows: Sequence[tuple[int, bytes, bytes]],
    end: str = "complete",
    dialect: str = "locus",
    errors: Mapping[str, Failure] | None = None,
    runs: Mapping[str, str] | None = None,
) -> Path:
    """Write a cassette of entries: time, prefix, data."""
    writer = CassetteWriter(locate(path).create(), Header(name="trip", dialects={"event": dialect}))
    for dt_us, prefix, data in rows:
        writer.append(writer.at_us + dt_us, prefix, data)
    writer.seal(end, runs=runs or {"r1": end}, errors=errors)
    return Path(path)


def say(text: str) -> list[tuple[int, Event]]:
    """Return the events of a run that says one text wherever an event can have one."""
    return [
        (0, {"event_type": "think", "iteration": 1, "reasoning": text, text: text}),
        (0, {"event_type": "tool_start", "tool_name": text, "tool_call_id": text, "arguments": {text: [text]}}),
        (0, {"event_type": "tool_complete", "tool_name": text, "tool_call_id": text, "error": text}),
        (0, {"event_type": text or "x", "n": text}),
        (0, {"event_type": "terminate", "reason": text, "iterations_used": 1, "final_confidence": 1.0,
             "total_tool_calls": 1, "final_message": text}),
    ]  # fmt: skip

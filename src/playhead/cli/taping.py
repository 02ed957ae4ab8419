"""`playhead record`, `replay` and `serve-model`: a program's calls of models, over HTTP.

What is said of a program that ran goes to standard error: the rest is its own. Does not know HTTP, processes, or how
anything is matched.
"""

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any, Final, cast

from playhead.cli.child import Child
from playhead.cli.errors import FOUND, tell
from playhead.cli.finding import find, nearest_path, target
from playhead.cli.pacing import chosen_pace
from playhead.cli.screen import line, number, print_json, said, screen
from playhead.cli.upstreams import (
    base_urls,
    dummy_keys,
    led_to,
    made_of,
    mounts_of,
    origins_of,
    recorded_mounts,
    upstreams_of,
)
from playhead.errors import ReplayMismatch, UsageError
from playhead.matching.exchange import ASKING, exchanges
from playhead.models.base import Model
from playhead.models.http import is_http
from playhead.models.scripted import ScriptedModel
from playhead.recording.recorder import record
from playhead.replaying.rechunking import checked, rechunked_in_time
from playhead.replaying.scripts import script_of
from playhead.replaying.tape import Tape, open_tape
from playhead.replaying.taps import ReplayingTap

try:
    from playhead.provider.app import model_app
    from playhead.provider.proxy import Rechunk, recording_app, replaying_app
    from playhead.provider.serving import serve
except ModuleNotFoundError as _error:
    raise UsageError(f"this needs {_error.name}, which is not installed: pip install 'playhead[server]'") from _error

_MOST_TOLD: Final = 3


@dataclass(frozen=True, slots=True)
class Playing:
    """Say how a tape answers: what may vary in a question, when and in which pieces the answer comes."""

    ignore: Sequence[str] = ()
    pace: str | None = None
    speed: float | None = None
    rechunk: str | None = None
    seed: int = 0
    max_age_days: float | None = None
    partly: bool = False

    def tap(self, tape: Tape) -> ReplayingTap:
        """Return what answers from a tape. Raises `UsageError` for options that there are not."""
        return ReplayingTap(
            tape,
            ignore=self.ignore,
            pace=chosen_pace(self.pace, self.speed, default="instant"),
            max_age_days=self.max_age_days,
            partly=self.partly,
            # They run in the command, out of reach.
            tools="live",
        )

    def cut(self) -> Rechunk | None:
        """Return what cuts answers anew, if anything does."""
        if self.rechunk is None:
            return None
        return partial(rechunked_in_time, how=checked(self.rechunk), seed=self.seed)  # type: ignore[arg-type]


def record_command(
    spec: str,
    command: Sequence[str],
    *,
    upstream: Sequence[str],
    name: str | None,
    redact: Sequence[str] | None,
    force: bool,
    as_json: bool,
) -> int:
    """Run a command, tape what it asks of models, and return its exit code."""
    place = target(spec, source_name=command[0], force=force)
    upstreams = upstreams_of(upstream, os.environ)
    mounts = mounts_of(upstreams)
    with Child(command) as child:
        with (
            record(place.where, name=name, redact=redact, made=made_of(mounts)) as recorder,
            serve(recording_app(recorder, origins_of(upstreams))) as served,
        ):
            code = child.run(led_to(served.url, mounts, os.environ))
        with open_tape(place.where) as tape:
            count = sum(kind in ASKING for _, _, kind, _ in tape.calls())
            redacted = dict(tape.seal.redacted) if tape.seal else {}
        _tell_recorded(count, place.where, redacted, code=code, as_json=as_json)
    return code


def _tell_recorded(count: int, where: str, redacted: dict[str, int], *, code: int, as_json: bool) -> None:
    if as_json:
        _tell_json({"place": where, "calls": count, "exit_code": code, "redacted": redacted})
        return
    console = screen(errors=True)
    hits = ", ".join(f"{times} × {kind}" for kind, times in redacted.items())
    console.print(
        line("playhead: ", said(f"{number(count, 'call')} taped in {where}" + f", redacted: {hits}" * bool(hits)))
    )
    if not count:
        told = "the command asked no model through OPENAI_BASE_URL, ANTHROPIC_BASE_URL and their like (see --upstream)"
        console.print(line(("warning: ", "bold yellow"), told))


def replay_command(spec: str, command: Sequence[str], playing: Playing, *, as_json: bool) -> int:
    """Run a command again, answer it from a tape, and return its exit code, or 1 where it asked something else."""
    mismatches: list[ReplayMismatch] = []
    with Child(command) as child, Tape(find(spec).read()) as tape:
        tap = playing.tap(tape)
        mounts = recorded_mounts(tape.header.made)
        app = replaying_app(tap, rechunk=playing.cut(), on_mismatch=mismatches.append)
        with serve(app) as served:
            code = child.run(led_to(served.url, mounts, {**dummy_keys(os.environ), **os.environ}))
        try:
            tap.assert_complete()
        except ReplayMismatch as mismatch:
            if mismatch not in mismatches:
                mismatches.append(mismatch)
    if as_json:
        _tell_json({"place": tape.where, "exit_code": code, "mismatches": [str(each) for each in mismatches]})
    else:
        _tell_mismatches(mismatches, spec, command)
    return FOUND if mismatches else code


def _tell_mismatches(mismatches: Sequence[ReplayMismatch], spec: str, command: Sequence[str]) -> None:
    if not mismatches:
        return
    for mismatch in mismatches[:_MOST_TOLD]:
        tell(mismatch)
    console = screen(errors=True)
    if len(mismatches) > _MOST_TOLD:
        console.print(line(f"and {len(mismatches) - _MOST_TOLD} more"))
    again = subprocess.list2cmdline(["playhead", "record", "--force", spec, "--", *command])
    console.print(line("If the change is right, record again: ", said(again)))


def serve_model(spec: str, command: Sequence[str], playing: Playing, *, port: int, as_json: bool) -> int:
    """Serve a script, or what is on a cassette, while a command runs, or until Ctrl-C.

    Returns the command's exit code, 0 without one, and 1 if a question was not on the cassette.
    """
    if spec.endswith(".py"):
        app = _spoken(scripted(spec), spec, playing)
        return _serve(app, recorded_mounts({}), command, port=port, as_json=as_json)
    mismatches: list[ReplayMismatch] = []

    def note(mismatch: ReplayMismatch) -> None:
        mismatches.append(mismatch)
        tell(mismatch)

    with Tape(find(spec).read()) as tape:
        if any(is_http(exchange.request) for exchange in exchanges(tape.calls())):
            app = replaying_app(playing.tap(tape), rechunk=playing.cut(), on_mismatch=note)
        else:
            app = _spoken(ScriptedModel(script_of(tape)), tape.where, playing)
        code = _serve(app, recorded_mounts(tape.header.made), command, port=port, as_json=as_json)
    return FOUND if mismatches else code


def _spoken(model: Model, where: str, playing: Playing) -> Any:
    """Return an app that answers with a model, in whatever format it is asked."""
    if playing != Playing(partly=True):
        raise UsageError(
            f"{where} is no recording of calls over HTTP, so --ignore, --pace, --speed and --rechunk mean nothing there"
        )
    return model_app(model)


def scripted(path: str) -> Model:
    """Return the model that a Python file makes: its `model`, or one that plays its `turns`.

    Raises `UsageError` for a file that makes neither, and one that fails.
    """
    if not os.path.exists(path):
        hint = nearest_path(path)
        raise UsageError(f"there is no script {path!r}" + (f"; did you mean {hint!r}?" if hint else ""))
    try:
        made = runpy.run_path(path)
    except Exception as error:
        raise UsageError(f"{path} failed: {type(error).__name__}: {error}") from error
    match made:
        case {"model": model}:
            return cast(Model, model)
        case {"turns": turns}:
            return ScriptedModel(turns)
    raise UsageError(f"{path} has no `turns` and no `model`: see playhead.scripts for what turns are made of")


def _serve(app: Any, mounts: Mapping[str, str], command: Sequence[str], *, port: int, as_json: bool) -> int:
    if command:
        with Child(command) as child, serve(app, port=port) as served:
            return child.run(led_to(served.url, mounts, {**dummy_keys(os.environ), **os.environ}))
    with serve(app, port=port) as served:
        variables = base_urls(served.url, mounts)
        if as_json:
            print_json({"url": served.url, "variables": variables})
        else:
            for name, value in variables.items():
                screen().print(line(f"{name}={value}"))
            screen(errors=True).print(line("serving until Ctrl-C"))
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            Event().wait()
    return 0


def _tell_json(value: Any) -> None:
    """Print JSON where what is said here goes: standard output is the command's."""
    sys.stderr.write(json.dumps(value, separators=(",", ":")) + "\n")

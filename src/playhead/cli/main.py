"""The entry point: every command with its arguments.

Commands do nothing here but call the module that does them, which is imported only then: `--help` needs none of them.
"""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from playhead.cli.errors import Commands

app: typer.Typer = typer.Typer(
    name="playhead",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
"""The command line, for typer."""

_MAKE, _RUN, _LOOK = "Make a cassette", "Run a program that asks models", "Look at cassettes"
_JUDGE, _COPY = "Compare and check", "Copy and mend"

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one document a line, and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the cassette that has the name.")]
Cassette = Annotated[
    str, typer.Argument(metavar="CASSETTE", help="A file, STORE.db::NAME, or a folder or store with just one.")
]
Paths = Annotated[list[str], typer.Argument(metavar="PATH", help="Cassettes, folders, or stores.")]
Run = Annotated[str | None, typer.Option("--run", metavar="NAME", help="Only this run: r1, r2, and so on.")]
Start = Annotated[int, typer.Option("--start", min=0, metavar="N", help="Begin with this event, counted from 0.")]
Stop = Annotated[int | None, typer.Option("--stop", min=0, metavar="N", help="Stop before this event.")]
After = Annotated[str | None, typer.Option("--after", metavar="ID", help="Begin behind this checkpoint.")]
Torn = Annotated[bool, typer.Option("--torn", help="Read what a crashed recording left, up to where it breaks off.")]
Redact = Annotated[
    list[str] | None,
    typer.Option("--redact", metavar="RULE", help="Redact by this rule, instead of the usual ones. Repeatable."),
]
NoRedact = Annotated[bool, typer.Option("--no-redact", help="Keep secrets: nothing is redacted.")]
Command = Annotated[list[str], typer.Argument(metavar="COMMAND", help="Behind --: a program and its arguments.")]
IgnoreFields = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore", metavar="WHAT", help="What may vary in a question: call_ids, times, uuids, $.body.user. Repeatable."
    ),
]
PaceName = Annotated[
    str | None, typer.Option("--pace", metavar="PACE", help="When chunks come: instant (the default) or recorded.")
]
Speed = Annotated[float | None, typer.Option("--speed", metavar="X", help="Chunks come so many times as fast.")]
Rechunk = Annotated[
    str | None,
    typer.Option("--rechunk", metavar="HOW", help="Cut answers anew: bytes, points, lines, whole, random."),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="What chooses the cuts of --rechunk random.")]
ToldJson = Annotated[
    bool, typer.Option("--json", help="Tell the outcome as JSON, on standard error: the rest is the command's.")
]
Out = Annotated[
    str | None, typer.Option("--out", "-o", metavar="CASSETTE", help="Where it goes. Otherwise beside the source.")
]
"""Arguments and options that commands share."""


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"playhead {version('playhead')}")
        raise typer.Exit


@app.callback()
def playhead(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Tape what an LLM agent does, play it back exactly and offline, and check it.

    A cassette is a file (trip.jsonl) or one of many in a SQLite store (runs.db::trip).

    Exit codes: 0 fine, 1 differs or found something, 2 unreadable, absent or wrong usage.
    """


@app.command(rich_help_panel=_MAKE)
def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")] = Path("playhead-out"),
    json: Json = False,
) -> None:
    """Tape a scripted agent, replay it, and check it."""
    from playhead.cli import demo as work

    raise typer.Exit(work.demo(out, as_json=json))


@app.command("import", rich_help_panel=_MAKE)
def import_(
    log: Annotated[str, typer.Argument(metavar="LOG", help="JSON Lines, one event a line; - is standard input.")],
    dialect: Annotated[
        str, typer.Option("--dialect", "-d", metavar="NAME", help="Whose events they are: locus, shipit, turns.")
    ],
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="CASSETTE", help="Where it goes. Otherwise LOG.cassette.jsonl."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="The cassette's own name.")] = None,
    end: Annotated[
        str,
        typer.Option(
            "--end", metavar="END", help="How the run ended: complete, error, cancelled, paused, closed, unknown."
        ),
    ] = "unknown",
    redact: Redact = None,
    no_redact: NoRedact = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Make a cassette of a plain log of events."""
    from playhead.cli import copying

    rules = copying.rules(redact, no_redact=no_redact)
    copying.import_plain(log, out, dialect=dialect, name=name, end=end, redact=rules, force=force, as_json=json)


@app.command("record", rich_help_panel=_RUN)
def record_(
    cassette: Annotated[str, typer.Argument(metavar="CASSETTE", help="Where it goes: a file or STORE.db::NAME.")],
    command: Command,
    upstream: Annotated[
        list[str] | None,
        typer.Option(
            "--upstream", metavar="[NAME=]URL", help="Where questions go: all of them, or NAME's. Repeatable."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="The cassette's own name.")] = None,
    redact: Redact = None,
    no_redact: NoRedact = False,
    force: Force = False,
    json: ToldJson = False,
) -> None:
    """Run a command, and tape what it asks of models over HTTP. Exits as the command does.

    playhead record trip.jsonl -- python agent.py

    The command finds a loopback proxy in OPENAI_BASE_URL, ANTHROPIC_BASE_URL, GOOGLE_GEMINI_BASE_URL and their like;
    what it asks there goes on to where these led before, or to the provider. --upstream NAME=URL leads elsewhere, and
    sets NAME_BASE_URL for any other name.
    """
    from playhead.cli import copying, taping

    rules = copying.rules(redact, no_redact=no_redact)
    code = taping.record_command(
        cassette, command, upstream=upstream or (), name=name, redact=rules, force=force, as_json=json
    )
    raise typer.Exit(code)


@app.command("replay", rich_help_panel=_RUN)
def replay_(
    cassette: Cassette,
    command: Command,
    ignore: IgnoreFields = None,
    pace: PaceName = None,
    speed: Speed = None,
    rechunk: Rechunk = None,
    seed: Seed = 0,
    max_age_days: Annotated[
        float | None, typer.Option("--max-age-days", metavar="N", help="Refuse a cassette that is older.")
    ] = None,
    partly: Annotated[bool, typer.Option("--partly", help="Not all recorded calls need be made.")] = False,
    json: ToldJson = False,
) -> None:
    """Run a command again, offline: a cassette answers for the models.

    playhead replay trip.jsonl -- python agent.py

    Exits with 1 if it asked what is not on the cassette, or did not ask what is; otherwise as the command does.
    """
    from playhead.cli import taping

    playing = taping.Playing(ignore or (), pace, speed, rechunk, seed, max_age_days, partly)
    raise typer.Exit(taping.replay_command(cassette, command, playing, as_json=json))


@app.command("serve-model", rich_help_panel=_RUN)
def serve_model(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A Python file with `turns` or `model`, or a cassette.")
    ],
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="Behind --: serve only while this runs.")
    ] = None,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="On this port; 0 is any that is free.")
    ] = 0,
    ignore: IgnoreFields = None,
    pace: PaceName = None,
    speed: Speed = None,
    rechunk: Rechunk = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Serve a scripted or recorded model, to a command or until Ctrl-C.

    playhead serve-model weather.py -- python agent.py

    It answers on loopback as OpenAI, Anthropic and Gemini do. A command finds it in the variables that clients read;
    without one these are printed. Calls that were recorded over HTTP answer the same questions, byte for byte; of any
    other cassette a script is made, whose turns answer in order, whatever is asked.
    """
    from playhead.cli import taping

    playing = taping.Playing(ignore or (), pace, speed, rechunk, seed, partly=True)
    raise typer.Exit(taping.serve_model(source, command or (), playing, port=port, as_json=json))


@app.command(rich_help_panel=_LOOK)
def ls(
    path: Annotated[list[str] | None, typer.Argument(metavar="PATH", help="Folders, stores, cassettes.")] = None,
    json: Json = False,
) -> None:
    """List cassettes, and what is wrong with those that are damaged."""
    from playhead.cli import listing

    raise typer.Exit(listing.ls(path or ["."], as_json=json))


@app.command(rich_help_panel=_LOOK)
def show(
    cassette: Cassette,
    run: Run = None,
    start: Start = 0,
    stop: Stop = None,
    after: After = None,
    every: Annotated[bool, typer.Option("--all", help="One line for each piece of streamed text.")] = False,
    events: Annotated[
        bool, typer.Option("--events", help="The events as they were recorded, one a line: what `import` reads.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --events: NaN and the like stay tagged, so that it is strict JSON.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="The lines as they are stored.")] = False,
    torn: Torn = False,
    json: Json = False,
) -> None:
    """Show what is on a cassette, as a timeline."""
    from playhead.cli import showing
    from playhead.cli.finding import Choice

    form = showing.Form(json=json, events=events, strict=strict, raw=raw, every=every)
    showing.show(cassette, Choice(run, start, stop, after), form, torn=torn)


@app.command(rich_help_panel=_LOOK)
def play(
    cassette: Cassette,
    speed: Annotated[float, typer.Option("--speed", metavar="X", help="So many times as fast.")] = 1.0,
    instant: Annotated[bool, typer.Option("--instant", help="Do not wait at all.")] = False,
    run: Run = None,
    start: Start = 0,
    stop: Stop = None,
    after: After = None,
    details: Annotated[bool, typer.Option("--details", help="Show times, and the arguments of tools.")] = False,
    torn: Torn = False,
    json: Json = False,
) -> None:
    """Play a cassette on the terminal, as fast as it was recorded."""
    from playhead.cli import playing
    from playhead.cli.finding import Choice

    choice = Choice(run, start, stop, after)
    playing.play(cassette, choice, speed=speed, instant=instant, torn=torn, details=details, as_json=json)


@app.command(rich_help_panel=_LOOK)
def stats(path: Paths, json: Json = False) -> None:
    """Count events, spans, tools and times."""
    from playhead.cli import counting

    raise typer.Exit(counting.stats(path, as_json=json))


@app.command(rich_help_panel=_JUDGE)
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A cassette.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Another one.")],
    run: Run = None,
    in_order: Annotated[
        bool, typer.Option("--in-order", help="Tools that run at the same time must end in the same order.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare two cassettes, but for what differs from run to run. Exits with 1 where they differ."""
    from playhead.cli import judging

    raise typer.Exit(judging.diff(old, new, run=run, any_order=not in_order, as_json=json))


@app.command(rich_help_panel=_JUDGE)
def check(
    path: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Cassettes, folders, stores, .sse files, URLs, or -.")
    ],
    select: Annotated[list[str] | None, typer.Option("--select", metavar="CODES", help="Only these rules.")] = None,
    ignore: Annotated[list[str] | None, typer.Option("--ignore", metavar="CODES", help="Not these rules.")] = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="LEVEL", help="Exit with 1 on: error, warning, never.")
    ] = "error",
    format: Annotated[
        str, typer.Option("--format", metavar="FORM", help="How to tell: text, json, github, junit.")
    ] = "text",
    dialect: Annotated[
        str | None,
        typer.Option("--dialect", "-d", metavar="NAME", help="Whose events bytes carry; else found out."),
    ] = None,
    max_silence: Annotated[
        float | None, typer.Option("--max-silence", metavar="SECONDS", help="How long a stream may be silent.")
    ] = None,
    heartbeat: Annotated[
        float | None,
        typer.Option("--heartbeat", metavar="SECONDS", help="How long not even a byte may come: of URLs and tapes."),
    ] = None,
    max_steps: Annotated[
        int | None, typer.Option("--max-steps", metavar="N", help="How many steps a run may have.")
    ] = None,
    max_events: Annotated[
        int | None, typer.Option("--max-events", metavar="N", help="How many events a run may have.")
    ] = None,
    time_limit: Annotated[
        float, typer.Option("--time-limit", metavar="SECONDS", help="How long a URL is read.")
    ] = 30.0,
    json: Json = False,
) -> None:
    """Check streams against the rules. Exits with 1 where one is broken.

    CODES are rules or the beginnings of rules, with commas between them: ORD,TRM001. See `playhead rule`.
    """
    from playhead.cli import checking
    from playhead.contracts.limits import Limits

    limits = Limits(silence_s=max_silence, heartbeat_s=heartbeat, steps=max_steps, events=max_events)
    options = checking.Options(select or (), ignore or (), limits, dialect, time_limit)
    raise typer.Exit(checking.check_all(path, options, form="json" if json else format, fail_on=fail_on))


@app.command(rich_help_panel=_JUDGE)
def rule(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="A rule. Without it, all are listed.")] = None,
    json: Json = False,
) -> None:
    """Explain a rule, with a stream that breaks it and one that does not."""
    from playhead.cli import checking

    raise typer.Exit(checking.rule(code, as_json=json))


@app.command(rich_help_panel=_JUDGE)
def verify(path: Paths, json: Json = False) -> None:
    """Check every byte of cassettes. Exits with 2 where one is damaged."""
    from playhead.cli import judging

    raise typer.Exit(judging.verify_all(path, as_json=json))


@app.command(rich_help_panel=_COPY)
def convert(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A cassette.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A file, STORE.db::NAME, a store, or a folder.")],
    force: Force = False,
    json: Json = False,
) -> None:
    """Copy a cassette into another file or store, byte for byte."""
    from playhead.cli import copying

    copying.convert_one(source, target, force=force, as_json=json)


@app.command(rich_help_panel=_COPY)
def repair(source: Cassette, out: Out = None, force: Force = False, json: Json = False) -> None:
    """Copy what is intact of a damaged cassette, and say what was lost."""
    from playhead.cli import copying

    copying.repair(source, out, force=force, as_json=json)


@app.command(rich_help_panel=_COPY)
def scrub(source: Cassette, out: Out = None, redact: Redact = None, force: Force = False, json: Json = False) -> None:
    """Copy a cassette without its secrets, and count them."""
    from playhead.cli import copying

    copying.scrub_one(source, out, redact=redact or None, force=force, as_json=json)


def run() -> None:
    """Run the command line. Standard output takes any text, whatever the terminal's encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app()

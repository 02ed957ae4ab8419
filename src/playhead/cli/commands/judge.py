"""Compare and check: the commands under that heading, and what they call."""

from typing import Annotated

import typer

from playhead.cli.options import (
    Json,
    Paths,
    Redact,
    Run,
)


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


def rule(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="A rule. Without it, all are listed.")] = None,
    json: Json = False,
) -> None:
    """Explain a rule, with a stream that breaks it and one that does not."""
    from playhead.cli import checking

    raise typer.Exit(checking.rule(code, as_json=json))


def verify(path: Paths, json: Json = False) -> None:
    """Check every byte of cassettes. Exits with 2 where one is damaged."""
    from playhead.cli import judging

    raise typer.Exit(judging.verify_all(path, as_json=json))


def scan(
    path: Annotated[list[str], typer.Argument(metavar="PATH", help="Cassettes, folders, stores, or files of text.")],
    redact: Redact = None,
    select: Annotated[list[str] | None, typer.Option("--select", metavar="CODES", help="Only these codes.")] = None,
    ignore: Annotated[list[str] | None, typer.Option("--ignore", metavar="CODES", help="Not these codes.")] = None,
    format: Annotated[str, typer.Option("--format", metavar="FORM", help="How to tell: text, json, github.")] = "text",
    json: Json = False,
) -> None:
    """Look for secrets in what is recorded already. Exits with 1 where one is found.

    Codes are SEC001 to SEC010; CODES are codes or their beginnings, with commas between them. No finding shows the
    secret itself. To take them out of a cassette, use `playhead scrub`.
    """
    from playhead.cli import scanning

    options = scanning.Options(redact or None, select or (), ignore or ())
    raise typer.Exit(scanning.scan_all(path, options, form="json" if json else format))

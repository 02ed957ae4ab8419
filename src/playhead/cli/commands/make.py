"""Make cassettes: the commands under that heading, and what they call."""

from pathlib import Path
from typing import Annotated

import typer

from playhead.cli.options import (
    Force,
    Json,
    NoRedact,
    Redact,
)


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")] = Path("playhead-out"),
    json: Json = False,
) -> None:
    """Tape a scripted agent, replay it, and check it."""
    from playhead.cli import demo as work

    raise typer.Exit(work.demo(out, as_json=json))


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

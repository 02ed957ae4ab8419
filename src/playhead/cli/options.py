"""The arguments and options that several commands have, each with what `--help` says of it."""

from typing import Annotated

import typer

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
"""The arguments and options that commands share."""

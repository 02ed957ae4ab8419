"""Drive code until it breaks: the commands of `playhead fuzz`, and what they call."""

from pathlib import Path
from typing import Annotated

import typer

from playhead.cli.errors import Commands
from playhead.cli.options import Json

app: typer.Typer = typer.Typer(
    cls=Commands, help="Drive a handler or an agent until it breaks.", no_args_is_help=True, rich_markup_mode=None
)
"""The commands that drive code until it breaks."""

FuzzSeconds = Annotated[float, typer.Option("--seconds", metavar="S", min=0, help="Stop after so many seconds.")]
FuzzRuns = Annotated[int | None, typer.Option("--runs", metavar="N", min=1, help="Stop after so many trials.")]
FuzzSeed = Annotated[int, typer.Option("--seed", metavar="N", help="What chooses the random trials.")]
FuzzOut = Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Write cassettes and tests here.")]
FuzzIgnore = Annotated[
    list[str] | None, typer.Option("--ignore", metavar="PROMISE", help="Do not ask for this promise. Repeatable.")
]
Dialect = Annotated[str | None, typer.Option("--dialect", "-d", metavar="NAME", help="Whose events they are.")]
"""The options of both."""


@app.command()
def handler(
    factory: Annotated[str, typer.Argument(metavar="MODULE:FACTORY", help="What makes a new handler.")],
    seconds: FuzzSeconds = 10.0,
    runs: FuzzRuns = None,
    seed: FuzzSeed = 0,
    dialect: Dialect = None,
    ignore: FuzzIgnore = None,
    out: FuzzOut = None,
    json: Json = False,
) -> None:
    """Drive a stream handler: each event closed, cancelled and failed, and random runs.

    Prints a test for each promise that is broken. Exits with 1 if there is one.
    """
    from playhead.cli import fuzzing

    budget = fuzzing.Budget(seconds, runs, seed)
    options = fuzzing.Options(budget, dialect, ignore or (), out, as_json=json)
    raise typer.Exit(fuzzing.fuzz_handler(factory, options))


@app.command()
def agent(
    factory: Annotated[str, typer.Argument(metavar="MODULE:FACTORY", help="What makes a new agent of a model.")],
    seconds: FuzzSeconds = 10.0,
    runs: FuzzRuns = None,
    seed: FuzzSeed = 0,
    dialect: Dialect = None,
    ignore: FuzzIgnore = None,
    out: FuzzOut = None,
    json: Json = False,
) -> None:
    """Drive an agent with scripted answers of its model, full of faults.

    Prints a test for each promise that is broken. Exits with 1 if there is one.
    """
    from playhead.cli import fuzzing

    budget = fuzzing.Budget(seconds, runs, seed)
    options = fuzzing.Options(budget, dialect, ignore or (), out, as_json=json)
    raise typer.Exit(fuzzing.fuzz_agent(factory, options))

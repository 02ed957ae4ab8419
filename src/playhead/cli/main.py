"""The entry point: which commands there are, under which headings.

Commands do nothing but call the module that does them, which is imported only then: `--help` needs none of them.
"""

import contextlib
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import typer

from playhead.cli.commands import copy, fuzz, judge, look, make, programs
from playhead.cli.errors import Commands

HEADINGS: Final[Mapping[str, tuple[Callable[..., Any], ...]]] = {
    "Make a cassette": (make.demo, make.import_),
    "Run a program that asks models": (programs.record, programs.replay, programs.serve_model, programs.serve),
    "Look at cassettes": (look.ls, look.show, look.play, look.stats),
    "Compare and check": (judge.diff, judge.check, judge.rule, judge.verify, judge.scan),
    "Copy and mend": (copy.convert, copy.repair, copy.reseal, copy.upgrade, copy.scrub),
}
"""The commands by the headings of the help. A command has the name of its function."""

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

for _heading, _functions in HEADINGS.items():
    for _function in _functions:
        _name = _function.__name__.rstrip("_").replace("_", "-")
        app.command(_name, rich_help_panel=_heading)(_function)
app.add_typer(fuzz.app, name="fuzz", rich_help_panel="Compare and check")


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


def run() -> None:
    """Run the command line. Standard output takes any text, whatever the terminal's encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app()

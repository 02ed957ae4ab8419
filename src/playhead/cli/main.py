"""The command `playhead`: its commands, and how it ends.

Exit codes: 0 fine; 1 it differs, or something was found; 2 unreadable, absent or misused; 130 interrupted.
"""

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

import typer
from rich.text import Text

from playhead.cli.changing import convert, import_, repair, scrub
from playhead.cli.demo import demo
from playhead.cli.finding import check, diff, verify
from playhead.cli.output import INTERRUPTED, OK, UNREADABLE, err
from playhead.cli.showing import ls, play, show, stats
from playhead.errors import PlayheadError
from playhead.text import safe

app = typer.Typer(
    help="Tape what an LLM agent does, play it back exactly and offline, and check that every stream ends in order.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
"""The whole command line."""

_COMMANDS: dict[str, Callable[..., int | None]] = {
    "demo": demo,
    "import": import_,
    "ls": ls,
    "show": show,
    "play": play,
    "stats": stats,
    "diff": diff,
    "check": check,
    "verify": verify,
    "convert": convert,
    "repair": repair,
    "scrub": scrub,
}


def _exits(command: Callable[..., int | None]) -> Callable[..., None]:
    """Return a command that ends with the exit code that it returned before."""

    @functools.wraps(command)
    def exiting(*args: Any, **options: Any) -> None:
        code = command(*args, **options)
        if code:
            raise typer.Exit(code)

    return exiting


for _name, _command in _COMMANDS.items():
    app.command(_name)(_exits(_command))


def run() -> None:
    """Run the command line and exit."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: list[str]) -> int:
    """Run the command line with these arguments, and return the exit code. Nothing that Playhead raises gets out."""
    try:
        app(arguments, prog_name="playhead")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OK
    except PlayheadError as error:
        err().print(Text(safe(_whole(error)), style="red"))
        return UNREADABLE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. What Python still wants to flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _whole(error: PlayheadError) -> str:
    return "\n".join((f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())))

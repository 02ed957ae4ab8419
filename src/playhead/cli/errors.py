"""How a command ends: with an exit code, and with one clear message where it failed.

    0    fine
    1    what was compared or checked is not the same, or not right
    2    something cannot be read, is not there, or was asked for in a wrong way
    130  interrupted from the keyboard
    141  nobody reads the output any more

Does not know commands.
"""

import contextlib
import os
import sys
from typing import Any, Final

import typer
from typer.core import TyperGroup

from playhead.errors import PlayheadError

FOUND: Final = 1
"""The exit code of a command that found a difference or a violation."""
UNREADABLE: Final = 2
"""The exit code of a command that could not do what it was asked to."""
INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as shells have it."""
NO_READER: Final = 141
"""The exit code where the output was closed, as of a program that `SIGPIPE` ends."""


class Commands(TyperGroup):
    """Run a command, and turn what it raises into a message on standard error and an exit code.

    Help lists the commands in groups, each under its `rich_help_panel`, but as plain text: what rich needs to draw
    panels takes twice as long to import as everything else that help needs.
    """

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, group by group, in the order in which they were declared."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            groups.setdefault(getattr(command, "rich_help_panel", None) or "Commands", []).append(
                (name, command.get_short_help_str(formatter.width))
            )
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows, col_max=12)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except (PlayheadError, ExceptionGroup) as error:
            tell(error)
            raise typer.Exit(UNREADABLE) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _forget_output()
            raise typer.Exit(NO_READER) from None
        except OSError as error:
            tell(error)
            raise typer.Exit(UNREADABLE) from None
        return result


def tell(error: BaseException) -> None:
    """Write an error, and the notes on it, to standard error."""
    # Not at the top: help needs none of it.
    from playhead.cli.screen import line, screen
    from playhead.text import safe

    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            tell(inner)
        return
    first, *rest = [safe(text) for text in (str(error), *getattr(error, "__notes__", ()))]
    console = screen(errors=True)
    console.print(line(("error: ", "bold red"), first))
    for note in rest:
        console.print(line(note))


def _forget_output() -> None:
    """Let what is still in the buffer go nowhere, so that Python does not complain of it at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

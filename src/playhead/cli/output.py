"""What the commands print, and where.

Knows that all recorded text is made safe on its way out, that results go to standard output and everything else to
standard error, and that with `--json` nothing but JSON is printed.
"""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from playhead.text import safe

OK, FOUND, UNREADABLE, INTERRUPTED = 0, 1, 2, 130
"""The exit codes: fine; it differs, or something was found; it is unreadable, absent or misused; Ctrl-C."""


def out() -> Console:
    """Return the console of standard output. Recorded text is never taken for markup."""
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True)


def err() -> Console:
    """Return the console of standard error."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)


def say(text: str, style: str = "") -> None:
    """Print a line, made safe."""
    out().print(Text(safe(text), style=style))


def warn(text: str) -> None:
    """Print a line on standard error, made safe."""
    err().print(Text(safe(text), style="yellow"))


def print_json(value: Any) -> None:
    """Print a JSON document on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")


def print_table(columns: Iterable[str], rows: Iterable[Iterable[object]], *, right: Iterable[str] = ()) -> None:
    """Print a table without lines; the columns in `right` are aligned to the right."""
    numbers = set(right)
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(safe(str(cell), keep="")) for cell in row))
    Console(markup=False, highlight=False, emoji=False).print(table)


def progress(items: Iterable[Any], what: str, *, total: int | None, size: Callable[[Any], int]) -> Iterable[Any]:
    """Return `items` with a progress bar on standard error, if that is a terminal. `size` says what one is worth."""
    if not sys.stderr.isatty():
        return items
    return _with_bar(items, what, total, size)


def _with_bar(items: Iterable[Any], what: str, total: int | None, size: Callable[[Any], int]) -> Iterable[Any]:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task(safe(what), total=total)
        for item in items:
            yield item
            bar.advance(task, size(item))

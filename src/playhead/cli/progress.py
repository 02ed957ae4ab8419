"""A bar for work that takes long, on a terminal only."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from playhead.cli.screen import screen

MIN_BYTES: Final = 8 * 1024 * 1024
"""Less than this is done before a bar could be read."""

_BLOCK_BYTES: Final = 256 * 1024


@contextmanager
def progress(what: str, total_bytes: int) -> Generator[Callable[[int], None]]:
    """Show a bar on standard error inside the `with` block; yields what to call with the bytes that were done.

    Shows nothing where standard error is no terminal, and for little work. `total_bytes` 0 is work of unknown size.
    """
    if not sys.stderr.isatty() or 0 < total_bytes < MIN_BYTES:
        yield lambda size: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(True), TimeRemainingColumn())
    with Progress(*columns, console=screen(errors=True), transient=True) as bar:
        task = bar.add_task(what, total=total_bytes or None)
        yield _by_blocks(lambda size: bar.advance(task, size))


def _by_blocks(advance: Callable[[int], None]) -> Callable[[int], None]:
    """Return what passes sums of sizes on: to move the bar takes longer than to do a line."""
    waiting = 0

    def add(size: int) -> None:
        nonlocal waiting
        waiting += size
        if waiting >= _BLOCK_BYTES:
            advance(waiting)
            waiting = 0

    return add

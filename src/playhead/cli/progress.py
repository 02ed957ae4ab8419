"""What is shown while work takes long, on a terminal only: a bar, or a word where nobody knows how far it is."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from playhead.cassettes.places import Place
from playhead.cli.screen import said, screen

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


@contextmanager
def waiting(what: str, place: Place) -> Generator[None]:
    """Show that something is under way inside the `with` block, which reads the cassette at `place` as a whole.

    Shows nothing where standard error is no terminal, and for a small cassette.
    """
    with place.open() as source:
        is_long = source.size() >= MIN_BYTES
    if not is_long or not sys.stderr.isatty():
        yield
        return
    with screen(errors=True).status(said(what)):
        yield


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

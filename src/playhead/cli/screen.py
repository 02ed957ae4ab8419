"""What commands print, and how: lines for people, JSON for programs.

Everything recorded passes `said` or `raw_line` on its way out, so that no cassette can steer a terminal. Does not know
commands.
"""

import json
import os
import shutil
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NoReturn

from rich.console import Console
from rich.text import Text

from playhead.text import clip, columns, safe, safe_json

_PIPE_COLUMNS: Final = 100
"""How wide lines are where there is no terminal that could say so. `COLUMNS` overrides it."""


class _Screen(Console):
    # Rich would exit with 1, which here means that something differs.
    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError


def screen(*, errors: bool = False) -> Console:
    """Return the console that is standard output, or standard error, at this moment.

    It wraps nothing, marks nothing up and colours nothing by itself. Pipes, `NO_COLOR` and `TERM=dumb` get plain text.
    """
    return _Screen(
        stderr=errors,
        width=width(),
        color_system="auto" if wants_color() else None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def wants_color() -> bool:
    """Say whether the environment lets us use colours. Whether there is a terminal is another matter."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Return how many columns a line may take."""
    return max(40, shutil.get_terminal_size((_PIPE_COLUMNS, 24)).columns)


def said(text: object, style: str = "", *, max_columns: int | None = None) -> Text:
    """Return recorded text, made safe and put on one line, cut to `max_columns`."""
    shown = safe(str(text), keep="")
    return Text(shown if max_columns is None else clip(shown, max(1, max_columns)), style)


def line(*parts: Text | str | tuple[str, str]) -> Text:
    """Return one line of parts: text that is safe already, or such text and its style. No wrapping."""
    made = Text(no_wrap=True, overflow="ignore")
    for part in parts:
        made.append_text(part if isinstance(part, Text) else Text(part) if isinstance(part, str) else Text(*part))
    return made


def print_table(headings: Sequence[str], rows: Iterable[Sequence[Text | str]], *, right: Collection[str] = ()) -> None:
    """Print a table without lines. The columns named in `right` are numbers; the last one is never padded or cut.

    No cell of another column is wider than the screen.
    """
    limits = [width()] * (len(headings) - 1) + [None]
    cells = [
        [
            said(cell, max_columns=limit) if isinstance(cell, str) else cell
            for cell, limit in zip(row, limits, strict=True)
        ]
        for row in rows
    ]
    cells.insert(0, [said(heading, "dim") for heading in headings])
    widths = [max(columns(row[index].plain) for row in cells) for index in range(len(headings))]
    console = screen()
    for row in cells:
        made = line()
        for heading, cell, wide in zip(headings, row, widths, strict=True):
            pad = " " * (wide - columns(cell.plain))
            made.append_text(line(pad, cell) if heading in right else line(cell, pad))
            made.append("  ")
        made.rstrip()
        console.print(made)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON, in ASCII: it can be read by every program and steers no terminal."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


def raw_line(data: bytes) -> None:
    r"""Print recorded JSON, without its newline, as it is; on a terminal, what could steer it is spelled `\u....`.

    Outside of its strings strict JSON is ASCII, so it stays equal JSON.
    """
    sys.stdout.flush()
    shown = safe_json(data.decode()).encode() if sys.stdout.isatty() else data
    sys.stdout.buffer.write(shown + b"\n")


def seconds(microseconds: float) -> str:
    """Return a time for people: `0.42 s`, `3 min 05 s`."""
    total_s = microseconds / 1e6
    # What would be rounded up to the next unit is given in that one.
    if total_s < 0.9995:
        return f"{total_s * 1000:.3g} ms" if total_s else "0 s"
    if total_s < 59.995:
        return f"{total_s:.2f} s"
    minutes, rest_s = divmod(round(total_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest_s:02} s"


_UNITS: Final = ("B", "KiB", "MiB", "GiB")


def size(byte_count: float) -> str:
    """Return a size for people: `812 B`, `1.4 MiB`."""
    unit = 0
    while byte_count >= 1024 and unit < len(_UNITS) - 1:
        byte_count /= 1024
        unit += 1
    return f"{byte_count:.0f} B" if unit == 0 else f"{byte_count:.1f} {_UNITS[unit]}"


def number(amount: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 entry`, `1,204 entries`."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"

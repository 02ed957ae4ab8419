"""A handler that shows a run to the person at the terminal.

Knows colours and how lines are set; what they say is in `rendering`. Everything recorded passes `safe` on its way out,
here and nowhere else, so no event can steer the terminal; and every event is one write.
"""

import sys
from collections.abc import Iterable
from datetime import datetime
from typing import IO, Any

from playhead.handlers.base import OnceHandler
from playhead.handlers.failures import describe
from playhead.handlers.rendering import Line, Piece, Raw, Show, head, render, text_lines
from playhead.text import safe

_COLORS = {
    "dim": "\x1b[2m",
    "red": "\x1b[31m",
    "green": "\x1b[32m",
    "yellow": "\x1b[33m",
    "magenta": "\x1b[35m",
    "cyan": "\x1b[36m",
}
_RESET = "\x1b[0m"


class ConsoleHandler(OnceHandler):
    """Write a run to `output` as lines for a person, or to `sys.stdout` as it is at the time of writing.

    Colours are used only on a terminal, and only if `use_color`; the attribute says whether they are in use. Results
    are cut to `max_result_length` columns and 5 lines. Escape sequences and control characters in an event are shown,
    never passed on. What the output's encoding lacks is written as an escape.
    """

    def __init__(
        self,
        output: IO[str] | None = None,
        show_reasoning: bool = True,
        show_tool_args: bool = False,
        show_tool_results: bool = True,
        show_timestamps: bool = False,
        show_progress: bool = True,
        use_color: bool = True,
        use_emoji: bool = True,
        max_result_length: int = 500,
        indent: str = "  ",
    ) -> None:
        super().__init__()
        self._output = output
        self._wants_color = use_color
        self.show_reasoning = show_reasoning
        self.show_tool_args = show_tool_args
        self.show_tool_results = show_tool_results
        self.show_timestamps = show_timestamps
        self.show_progress = show_progress
        self.use_emoji = use_emoji
        self.max_result_length = max_result_length
        self.indent = indent
        self._tool_calls = 0
        self._mid_line = False

    @property
    def output(self) -> IO[str]:
        """Return where the lines go."""
        return sys.stdout if self._output is None else self._output

    @property
    def use_color(self) -> bool:
        """Say whether colours are in use: they are wanted, and the output is a terminal."""
        isatty = getattr(self.output, "isatty", None)
        return bool(self._wants_color and isatty and isatty())

    async def on_event(self, event: Any) -> None:
        """Show the event."""
        if self._is_late():
            return
        self._tool_calls += event.event_type == "tool_start"
        show = Show(
            reasoning=self.show_reasoning,
            tool_args=self.show_tool_args,
            tool_results=self.show_tool_results,
            progress=self.show_progress,
            max_result_length=self.max_result_length,
        )
        self._write(render(event, show), _time(event) if self.show_timestamps else "")

    async def on_complete(self) -> None:
        """Show that the run is complete, and how many tools it called."""
        if self._ends_now():
            calls = f" ({self._tool_calls} tool calls)"
            self._write([head("🏁", ("Execution complete", "green"), calls, spaced=True)])

    async def on_error(self, error: Exception) -> None:
        """Show the error."""
        if self._ends_now():
            first, *rest = text_lines(describe(error)[1])
            self._write([head("❌", ("Error:", "red"), f" {first}"), *(Line((line,)) for line in rest)])

    def clear(self) -> None:
        """Count tool calls from 0 again, and be ready for another stream."""
        super().clear()
        self._tool_calls = 0
        self._mid_line = False

    def _write(self, rendered: Iterable[Line | Raw], time: str = "") -> None:
        colored = self.use_color
        text = "".join(
            self._raw(part) if isinstance(part, Raw) else self._line(part, time, colored) for part in rendered
        )
        write_text(self.output, text)

    def _raw(self, raw: Raw) -> str:
        text = safe(raw.text.replace("\r\n", "\n"))
        if text:
            self._mid_line = not text.endswith("\n")
        return text

    def _line(self, line: Line, time: str, colored: bool) -> str:
        # Running text may have left its line open.
        start = ("\n" if self._mid_line else "") + ("\n" if line.spaced else "")
        self._mid_line = False
        margin = time if line.headline else self.indent
        symbol = f"{line.symbol} " if line.symbol and self.use_emoji else ""
        return start + margin + symbol + "".join(_set(piece, colored) for piece in line.pieces) + "\n"


def write_text(output: IO[str], text: str) -> None:
    """Write text that is safe already, and flush. What the output's encoding lacks is written as an escape."""
    if not text:
        return
    try:
        output.write(text)
    except UnicodeEncodeError:
        encoding = getattr(output, "encoding", None) or "ascii"
        output.write(text.encode(encoding, "backslashreplace").decode(encoding))
    output.flush()


def _set(piece: Piece, colored: bool) -> str:
    text, color = (piece, None) if isinstance(piece, str) else piece
    text = safe(text, keep="\t")
    return f"{_COLORS[color]}{text}{_RESET}" if colored and color and text else text


def _time(event: Any) -> str:
    moment = getattr(event, "timestamp", None)
    return f"[{moment:%H:%M:%S}.{moment.microsecond // 1000:03}] " if isinstance(moment, datetime) else ""

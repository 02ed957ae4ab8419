"""A handler that shows only what a run did and what came of it.

Knows four kinds of line. Everything recorded passes `safe` on its way out.
"""

import sys
from typing import IO, Any

from playhead.handlers.base import OnceHandler
from playhead.handlers.console import write_text
from playhead.handlers.failures import describe
from playhead.handlers.rendering import text_lines
from playhead.text import safe


class MinimalConsoleHandler(OnceHandler):
    """Write tool calls, failures and the final answer to `output`, or to `sys.stdout` as it is when writing."""

    def __init__(self, output: IO[str] | None = None) -> None:
        super().__init__()
        self._output = output

    @property
    def output(self) -> IO[str]:
        """Return where the lines go."""
        return sys.stdout if self._output is None else self._output

    async def on_event(self, event: Any) -> None:
        """Show the event, if it is a tool call, a tool's failure or the end."""
        if not self._is_late():
            write_text(self.output, _lines(event))

    async def on_error(self, error: Exception) -> None:
        """Show the error."""
        if self._ends_now():
            write_text(self.output, f"Error: {_line(describe(error)[1])}\n")

    async def on_complete(self) -> None:
        """Show nothing: the final answer came with the event `terminate`."""
        self._ends_now()


def _lines(event: Any) -> str:
    match event.event_type:
        case "tool_start":
            return f"• {_line(getattr(event, 'tool_name', ''))}\n"
        case "tool_complete" if getattr(event, "error", None) is not None:
            return f"  Error: {_line(event.error)}\n"
        case "terminate":
            answer = getattr(event, "final_message", None)
            shown = "".join(f"{_line(line)}\n" for line in text_lines(str(answer))) if answer else ""
            return f"\nCompleted in {_line(getattr(event, 'iterations_used', '?'))} iterations\n{shown}"
    return ""


def _line(value: object) -> str:
    return safe(str(value), keep="\t")

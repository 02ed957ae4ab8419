"""A handler of one's own: what a status line shows while an agent runs."""

from typing import Any


class ProgressHandler:
    """Count the tools that are running, and remember how the run ended."""

    def __init__(self) -> None:
        self.running: dict[str, str] = {}
        self.finished = 0
        self.ended = ""

    async def on_event(self, event: Any) -> None:
        """Follow tools and the end."""
        match event.event_type:
            case "tool_start":
                self.running[event.tool_call_id] = event.tool_name
            case "tool_complete":
                del self.running[event.tool_call_id]
                self.finished += 1
            case "terminate":
                self.ended = event.reason

    async def on_complete(self) -> None:
        """Show nothing any more."""
        self.running.clear()

    async def on_error(self, error: Exception) -> None:
        """Show nothing any more."""
        self.running.clear()

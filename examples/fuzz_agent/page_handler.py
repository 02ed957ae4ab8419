"""A handler that sends events to a page, as text of an event stream."""

import json
from typing import Any

from playhead.events import encode_event


class PageHandler:
    """Hold the text that the page is sent. `getvalue()` returns it: that is where Playhead looks."""

    def __init__(self) -> None:
        self.text = ""
        self.is_over = False

    async def on_event(self, event: Any) -> None:
        """Send an event under its type."""
        if not self.is_over:
            self._send("event", encode_event(event))

    async def on_complete(self) -> None:
        """Say that the run is over."""
        self._end("done")

    async def on_error(self, error: Exception) -> None:
        """Say that the run failed, and no more: the page is not the place for details."""
        self._end("failed")

    def getvalue(self) -> str:
        """Return what was sent so far."""
        return self.text

    def _end(self, name: str) -> None:
        if not self.is_over:
            self._send(name, {})
        self.is_over = True

    def _send(self, name: str, data: Any) -> None:
        self.text += f"event: {name}\ndata: {json.dumps(data)}\n\n"

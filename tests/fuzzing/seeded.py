"""A sample handler with ten bugs to switch on, one at a time, as people make them.

It sends events as bytes of an event stream to any number of readers, and is right when no bug is switched on.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Final

from playhead.events import encode_event

BUGS: Final = (
    "split_code_point",
    "dropped_tail",
    "two_terminals",
    "event_after_the_end",
    "lost_tool_delta",
    "leak_on_close",
    "reordered_parallel_tools",
    "swallowed_error",
    "hang_after_error",
    "mutated_event",
)
"""The bugs, by name."""

_BLOCK: Final = 64


class Seeded:
    """Send events to readers, with one bug, or none."""

    def __init__(self, bug: str = "") -> None:
        self.bug = bug
        self.frames: list[bytes] = []
        self.ended = False
        self.changed = asyncio.Event()
        self.readers: list[list[int]] = []
        self.open_tools: list[str] = []
        self.kept: list[Any] = []

    async def on_event(self, event: Any) -> None:
        """Send one event."""
        if self.ended and self.bug != "event_after_the_end":
            return
        kind = event.event_type
        if self.bug == "mutated_event" and kind == "tool_start":
            object.__setattr__(event, "tool_name", event.tool_name.upper())
        if self.bug == "lost_tool_delta" and kind == "tool_progress" and len(self.open_tools) > 1:
            return
        if kind == "tool_start":
            self.open_tools.append(event.tool_call_id)
        if kind == "tool_complete":
            self.open_tools = [each for each in self.open_tools if each != event.tool_call_id]
            if self.bug == "reordered_parallel_tools" and self.open_tools:
                self.kept.append(event)
                return
        self._send(kind, encode_event(event))
        for kept in self.kept if not self.open_tools else ():
            self._send(kept.event_type, encode_event(kept))
        if not self.open_tools:
            self.kept.clear()
        if self.bug == "two_terminals" and kind == "terminate":
            self._send("done", {"status": "complete"})

    async def on_complete(self) -> None:
        """Send the end."""
        if self.ended:
            return
        self.ended = True
        if self.bug == "dropped_tail" and len(self.frames) > 4:
            self.frames.pop()
        self._send("done", {"status": "complete"})

    async def on_error(self, error: Exception) -> None:
        """Send the end of a run that failed."""
        if self.ended:
            return
        self.ended = self.bug != "hang_after_error"
        if self.bug == "swallowed_error":
            self._send("done", {"status": "complete"})
        else:
            self._send("error", {"error": "internal error"})

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the stream from its beginning."""
        place = [0]
        self.readers.append(place)
        try:
            while True:
                while place[0] < len(self.frames):
                    place[0] += 1
                    yield self.frames[place[0] - 1]
                if self.ended:
                    return
                self.changed.clear()
                await self.changed.wait()
        finally:
            if self.bug != "leak_on_close":
                self.readers.remove(place)

    def get_messages(self) -> list[bytes]:
        """Return what was sent so far."""
        return list(self.frames)

    def _send(self, name: str, data: object) -> None:
        text = json.dumps(data, ensure_ascii=False)
        if self.bug == "split_code_point":
            raw = text.encode("utf-8", "surrogatepass")
            blocks = [raw[at : at + _BLOCK] for at in range(0, len(raw), _BLOCK)]
            text = "".join(block.decode("utf-8", "replace") for block in blocks)
        name = name.encode("unicode_escape").decode()
        self.frames.append(f"event: {name}\ndata: {text}\n\n".encode("utf-8", "surrogatepass"))
        self.changed.set()


def right() -> Seeded:
    """Make the handler without a bug."""
    return Seeded()


FACTORIES: Final[dict[str, Callable[[], Seeded]]] = {bug: partial(Seeded, bug) for bug in BUGS}
"""What makes the handler with each bug."""

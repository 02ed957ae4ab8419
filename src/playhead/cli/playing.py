"""`playhead play`: a tape through the console handler, in time."""

import sys
from typing import Any

import anyio

from playhead.cli.finding import Choice, open_one
from playhead.cli.screen import raw_line, wants_color
from playhead.events.codec import event_json
from playhead.handlers.base import BaseStreamHandler, StreamHandler
from playhead.handlers.console import ConsoleHandler
from playhead.replaying.pace import Pace, scaled
from playhead.replaying.replay import replay


class JsonHandler(BaseStreamHandler):
    """Print each event's recorded JSON when it is due."""

    async def on_event(self, event: Any) -> None:
        """Print the event."""
        raw_line(event_json(event))
        sys.stdout.flush()


def play(spec: str, choice: Choice, *, speed: float, instant: bool, torn: bool, details: bool, as_json: bool) -> None:
    """Play a cassette at its recorded speed, at a multiple of it, or at once."""
    pace: Pace = "instant" if instant else scaled(speed)
    handler: StreamHandler = (
        JsonHandler()
        if as_json
        else ConsoleHandler(show_tool_args=details, show_timestamps=details, use_color=wants_color())
    )
    with open_one(spec, torn=torn) as tape:

        async def main() -> None:
            await replay(
                tape, handler, run=choice.run, start=choice.start, stop=choice.stop, after=choice.after, pace=pace
            )

        anyio.run(main)

"""Virtual time: a clock on which an hour takes no time, and the event loops that run on it.

`run` runs an async function on such a loop, asyncio or trio. `backend_options` gives the same loop to anyio and to its
pytest plugin. trio is imported only when it is asked for.
"""

from playhead.clocks.running import backend_options, run
from playhead.clocks.virtual import VirtualClock

__all__ = ["VirtualClock", "backend_options", "run"]

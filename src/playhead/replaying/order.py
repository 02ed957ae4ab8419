"""The order in which results are handed out: the recorded one, however the tasks are scheduled.

Tools that ran at once ended in some order, and what the agent did next may depend on it. Knows recorded calls. Works
for tasks and for threads, and for both at once.
"""

import threading
from collections.abc import Iterator, Sequence

from anyio import Event, from_thread, move_on_after
from anyio.lowlevel import EventLoopToken, current_token

from playhead.errors import ReplayMismatch
from playhead.matching.exchange import Exchange

PATIENCE_S = 5.0
"""How long a result waits for those before it. They come at once in a replay, unless the code drifted."""


class Order:
    """Let calls end in recorded order. A call waits for those that ended while it ran, and for no others."""

    def __init__(self, recorded: Sequence[Exchange], *, patience_s: float) -> None:
        self._recorded = [exchange for exchange in recorded if exchange.kind == "tool_call"]
        self._patience_s = patience_s
        self._gates = {exchange.call: _Gate() for exchange in self._recorded}

    async def wait(self, exchange: Exchange) -> None:
        """Return when it is the turn of this call to end. Raises `ReplayMismatch` if that does not come."""
        for earlier in self._before(exchange):
            if not await self._gates[earlier.call].wait(self._patience_s):
                raise self._stuck(exchange, earlier)

    def wait_now(self, exchange: Exchange) -> None:
        """Do as `wait` does, in a thread."""
        for earlier in self._before(exchange):
            if not self._gates[earlier.call].opened.wait(self._patience_s):
                raise self._stuck(exchange, earlier)

    def end(self, exchange: Exchange) -> None:
        """Note that a call has ended, or never will."""
        if exchange.call in self._gates:
            self._gates[exchange.call].open()

    def _before(self, exchange: Exchange) -> Iterator[Exchange]:
        if exchange.kind != "tool_call":
            return
        for other in self._recorded:
            if exchange.begun < other.ended < exchange.ended:
                yield other

    def _stuck(self, exchange: Exchange, earlier: Exchange) -> ReplayMismatch:
        names = [repr(each.request.get("name")) for each in (exchange, earlier)]
        return ReplayMismatch(
            f"tool {names[0]} ({exchange.call}) ended after {names[1]} ({earlier.call}) in the recording, and that one "
            f"has not ended in {self._patience_s:g} s: the tools do not run at once as they did"
        )


class _Gate:
    """What is waited for, by tasks of any event loop and by threads."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, EventLoopToken, Event]] = []

    async def wait(self, patience_s: float) -> bool:
        """Return whether it was opened in time."""
        event = Event()
        with self._lock:
            if self.opened.is_set():
                return True
            self._waiting.append((threading.get_ident(), current_token(), event))
        with move_on_after(patience_s):
            await event.wait()
        return self.opened.is_set()

    def open(self) -> None:
        """Let everybody through."""
        with self._lock:
            self.opened.set()
            waiting, self._waiting = self._waiting, []
        for thread, token, event in waiting:
            if thread == threading.get_ident():
                event.set()
            else:
                from_thread.run_sync(event.set, token=token)

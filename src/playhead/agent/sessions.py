"""A session: one conversation with an agent, turn by turn, with callbacks for whoever watches all of its turns.

Knows turns, and that each is kept, also one that failed or was left. Does not know where.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from typing import Any

from playhead.agent.blocking import iterate
from playhead.events.locus import AgentEvent
from playhead.handlers.packets import event_packet

_LOG = logging.getLogger(__name__)

EventCallback = Callable[[AgentEvent], object]
"""Is told of each event."""

PacketCallback = Callable[[dict[str, Any]], object]
"""Is told of each event as a packet for a transport."""


Turn = Callable[..., AsyncGenerator[AgentEvent, None]]
"""An agent's `run` or `resume`."""


class Session:
    """Talk to an agent in one thread. Made by `Agent.chat_session`.

    Every turn is kept in the thread, with its end: one that failed, was cancelled or closed has that as the `reason` of
    its state, and the next turn goes on from what was whole before. One turn at a time.
    """

    def __init__(self, session_id: str, run: Turn, resume: Turn) -> None:
        self.session_id = session_id
        self._run = run
        self._resume = resume
        self._callbacks: list[EventCallback] = []

    def add_event_callback(self, callback: EventCallback) -> None:
        """Tell a function of each event, before the reader of the stream. What it raises is logged, and no more."""
        self._callbacks.append(callback)

    def add_packet_callback(self, callback: PacketCallback) -> None:
        """Tell a function of each event as a packet (`playhead.handlers.packets`). What it raises is logged."""
        self._callbacks.append(lambda event: callback(event_packet(event)))

    async def run(self, prompt: str, **options: Any) -> AsyncGenerator[AgentEvent, None]:
        """Yield the events of the next turn. The options are those of `Agent.run`."""
        async with aclosing(self._run(prompt, thread_id=self.session_id, **options)) as events:
            async for event in events:
                self._tell(event)
                yield event

    async def resume(self, answer: Any = None, **options: Any) -> AsyncGenerator[AgentEvent, None]:
        """Go on with the answer to an interrupt. The options are those of `Agent.resume`."""
        async with aclosing(self._resume(answer, thread_id=self.session_id, **options)) as events:
            async for event in events:
                self._tell(event)
                yield event

    def stream(self, prompt: str, **options: Any) -> Generator[AgentEvent, None, None]:
        """Yield the events of the next turn, without an event loop: as `Agent.stream` does."""
        return iterate(lambda: self.run(prompt, **options), name="stream")

    def _tell(self, event: AgentEvent) -> None:
        for callback in self._callbacks:
            try:
                callback(event)
            except Exception:
                _LOG.exception("a callback of session %r raised", self.session_id)

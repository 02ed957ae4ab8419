"""Several jobs side by side or one after the other, with their events as they come.

Knows tasks, and that none of them outlives the stream that they feed. Does not know what a job is.
"""

from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any, Final

from anyio import move_on_after

from playhead.agent.steps import Events
from playhead.clock import Clock
from playhead.events.locus import AgentEvent
from playhead.handlers.bell import Bell
from playhead.handlers.tasks import start_task

Put = Callable[[AgentEvent], None]
"""Takes an event of a job, for the stream."""

Job = Callable[[Put], Coroutine[Any, Any, None]]
"""A coroutine function that sends events while it works. It raises nothing but its own cancellation."""

GRACE_S: Final = 5.0
"""How many seconds a cancelled job has to clean up. One that does not stop then is left to itself."""


async def run_jobs(
    jobs: Sequence[Job], *, at_once: bool, go_on: Callable[[], bool], order: "InCallOrder | None" = None
) -> Events:
    """Run jobs and yield their events as they come, or in that order.

    A job begins when the one before has sent its first event; unless `at_once`, when that has ended and `go_on()` says
    so. When the stream is closed, or its reader cancelled, the jobs are cancelled, and have ended when that returns.
    """
    work = _Work(jobs, at_once, go_on, order)
    work.begin()
    try:
        while work.line or work.running:
            while work.line:
                yield work.line.popleft()
            if work.running and not work.line:
                await work.news.wait()
    finally:
        if work.running:
            await work.stop()


class InCallOrder:
    """Hold every completion back until those of the calls before it have come. It has the time at which it is told."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[int, AgentEvent] = {}
        self._turn = 0

    def put(self, position: int, event: AgentEvent) -> Iterator[AgentEvent]:
        """Yield what is to be told now that the job there has sent this."""
        if event.event_type != "tool_complete":
            yield event
            return
        self._held[position] = event
        while self._turn in self._held:
            yield self._told(self._turn)
            self._turn += 1

    def close(self) -> Iterator[AgentEvent]:
        """Yield what is held when all jobs have ended: one that paused has no completion."""
        for position in sorted(self._held):
            yield self._told(position)

    def _told(self, position: int) -> AgentEvent:
        return self._held.pop(position).model_copy(update={"timestamp": self._clock.now()})


class _Work:
    """Start jobs in their order, each from the same context, and gather their events."""

    def __init__(
        self, jobs: Sequence[Job], at_once: bool, go_on: Callable[[], bool], order: InCallOrder | None
    ) -> None:
        self.line: deque[AgentEvent] = deque()
        self.running: dict[int, Callable[[], object]] = {}
        self.news = Bell()
        self._waiting = deque(enumerate(jobs))
        self._at_once = at_once
        self._go_on = go_on
        self._order = order
        self._newest = -1
        self._context = copy_context()

    def begin(self) -> None:
        """Start the next job, if there is one."""
        if self._waiting:
            self._newest, job = self._waiting.popleft()
            run = partial(job, partial(self._put, self._newest))
            end = partial(self._end, self._newest)
            self.running[self._newest] = start_task(run, on_end=end, context=self._context.copy())

    async def stop(self) -> None:
        """Cancel what runs, and wait until it has ended."""
        self._waiting.clear()
        for cancel in tuple(self.running.values()):
            cancel()
        with move_on_after(GRACE_S, shield=True):
            while self.running:
                await self.news.wait()

    def _put(self, position: int, event: AgentEvent) -> None:
        if self._order is None:
            self.line.append(event)
        else:
            self.line.extend(self._order.put(position, event))
        if self._at_once and self._waiting and position == self._newest:
            self.begin()
        self.news.ring()

    def _end(self, position: int) -> None:
        del self.running[position]
        if position == self._newest and (self._at_once or self._go_on()):
            self.begin()
        if self._order is not None and not self.running:
            self.line.extend(self._order.close())
        self.news.ring()

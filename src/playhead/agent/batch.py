"""Several jobs side by side or one after the other, with their events as they come.

Knows tasks, and that none of them outlives the stream that they feed. Does not know what a job is.
"""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any, Final

from anyio import move_on_after

from playhead.clock import Clock
from playhead.events.locus import AgentEvent
from playhead.handlers.bell import Bell
from playhead.handlers.tasks import start_task

Put = Callable[[AgentEvent], None]
"""Takes an event of a job, for the stream."""

Events = AsyncGenerator[AgentEvent, None]
"""Events as they come."""

Job = Callable[[Put], Coroutine[Any, Any, None]]
"""A coroutine function that sends events while it works. It raises nothing but its own cancellation."""

GRACE_S: Final = 5.0
"""How many seconds a cancelled job has to clean up. One that does not stop then is left to itself."""


async def run_jobs(
    jobs: Sequence[Job], *, at_once: bool, go_on: Callable[[], bool]
) -> AsyncGenerator[tuple[int, AgentEvent], None]:
    """Run jobs and yield their events, each with the position of its job, as they come.

    A job begins when the one before has sent its first event; unless `at_once`, when that has ended and `go_on()` says
    so. When the stream is closed, or its reader cancelled, the jobs are cancelled, and have ended when that returns.
    """
    work = _Work(jobs, at_once, go_on)
    work.begin()
    try:
        while work.line or work.running:
            while work.line:
                yield work.line.popleft()
            if work.running and not work.line:
                await work.news.wait()
    finally:
        work.waiting.clear()
        for cancel in tuple(work.running.values()):
            cancel()
        with move_on_after(GRACE_S, shield=True):
            while work.running:
                await work.news.wait()


class _Work:
    """Start jobs in their order, each from the same context, and gather their events."""

    def __init__(self, jobs: Sequence[Job], at_once: bool, go_on: Callable[[], bool]) -> None:
        self.line: deque[tuple[int, AgentEvent]] = deque()
        self.running: dict[int, Callable[[], object]] = {}
        self.waiting = deque(enumerate(jobs))
        self.news = Bell()
        self._at_once = at_once
        self._go_on = go_on
        self._newest = -1
        self._context = copy_context()

    def begin(self) -> None:
        """Start the next job, if there is one."""
        if self.waiting:
            self._newest, job = self.waiting.popleft()
            run = partial(job, partial(self._put, self._newest))
            start = partial(start_task, run, on_end=partial(self._end, self._newest))
            self.running[self._newest] = self._context.copy().run(start)

    def _put(self, position: int, event: AgentEvent) -> None:
        self.line.append((position, event))
        if self._at_once and position == self._newest:
            self.begin()
        self.news.ring()

    def _end(self, position: int) -> None:
        del self.running[position]
        if position == self._newest and (self._at_once or self._go_on()):
            self.begin()
        self.news.ring()


async def in_call_order(
    events: AsyncGenerator[tuple[int, AgentEvent], None], *, clock: Clock
) -> AsyncGenerator[tuple[int, AgentEvent], None]:
    """Hold every completion back until those of the calls before it have come. It has the time at which it is told."""
    held: dict[int, AgentEvent] = {}
    turn = 0
    async for position, event in events:
        if event.event_type != "tool_complete":
            yield position, event
            continue
        held[position] = event
        while turn in held:
            yield turn, _told_now(held.pop(turn), clock)
            turn += 1
    # One that paused has no completion, and those behind it are told now.
    for position in sorted(held):
        yield position, _told_now(held[position], clock)


def _told_now(event: AgentEvent, clock: Clock) -> AgentEvent:
    return event.model_copy(update={"timestamp": clock.now()})

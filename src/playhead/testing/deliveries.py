"""Delivering a run to a handler in one particular way, and writing down all that can be seen of it.

Knows calls, readers, time and what is left behind. Judges nothing: `playhead.testing.handler_promises` does.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from copy import deepcopy
from dataclasses import dataclass, field
from enum import StrEnum
from inspect import isawaitable
from itertools import pairwise
from typing import Any, Final

import anyio

from playhead.testing.outputs import Opened, Output, open_subject, read
from playhead.testing.running import PATIENCE_S, Spinning, run_virtually
from playhead.testing.traces import change_of, print_of, reached_from, resources

PLANTED: Final = "the run failed (planted)"
"""The text of the error that a failing run is ended with."""

_SETTLE_S: Final = 0.001
# In a long run, others get their turn only now and then.
_MAX_SETTLED: Final = 32
_LATER_S: Final = 600.0
_CROWD: Final = 2_000
_READERS: Final = 6


class How(StrEnum):
    """Name the ways to deliver a run. `at` of a delivery says where what is not the end happens."""

    COMPLETE = "complete"
    ERROR = "error"
    LEAVE = "leave"
    CANCEL = "cancel"
    STALL = "stall"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Say which events a handler is given, and how that ends.

    `complete` and `error` are the two ends. With `leave` the reader closes its stream after `at` pieces, with `cancel`
    it, or without a reader the call number `at`, is cancelled; the run goes on and is complete. With `stall` the reader
    takes one piece and no more, and with `refuse` the sink fails at piece `at`.
    """

    events: tuple[Any, ...]
    how: How = How.COMPLETE
    at: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """Say what became of one call: what it raised, or that it never returned."""

    name: str
    raised: Exception | None = None
    hung: bool = False

    def __str__(self) -> str:
        if self.hung:
            return f"{self.name} never returned"
        return f"{self.name} raised {type(self.raised).__name__}: {self.raised}" if self.raised else self.name


@dataclass(slots=True)
class Seen:
    """Hold what was seen of a delivery.

    `at_end` is what had come out when the run had ended, `before_end` just before; `late` after late calls, `later`
    after ten minutes more. What does not apply is None.
    """

    delivery: Delivery
    calls: list[Call] = field(default_factory=list)
    changed: str = ""
    before_end: Output = field(default_factory=Output)
    at_end: Output = field(default_factory=Output)
    late: Output | None = None
    late_calls: list[Call] = field(default_factory=list)
    later: Output | None = None
    expected: list[Any] = field(default_factory=list)
    streams: bool = False
    collects: bool = False
    streamed: Output | None = None
    reader: Call | None = None
    second: Call | None = None
    left: list[str] = field(default_factory=list)
    held: int | None = None
    released: bool | None = None
    refused: bool = False
    again: Output | None = None
    spun: str = ""

    @property
    def is_whole(self) -> bool:
        """Say whether all calls returned well, so that what came out can be judged."""
        return not self.spun and not any(call.hung or call.raised for call in self.calls)


def deliver(factory: Callable[..., Any], delivery: Delivery, *, backend: str = "asyncio") -> Seen:
    """Deliver a run to a new handler in virtual time. Raises `UsageError` where the factory makes no handler."""
    seen = Seen(delivery)
    try:
        run_virtually(lambda: _Delivering(factory, seen).run(), backend=backend)
    except Spinning as error:
        seen.spun = str(error)
    return seen


class _Delivering:
    """Make one delivery."""

    def __init__(self, factory: Callable[..., Any], seen: Seen) -> None:
        self.factory = factory
        self.seen = seen
        self.delivery = seen.delivery
        # Handlers get copies: what one changes must not be what the next one is given.
        self.events = [deepcopy(event) for event in seen.delivery.events]
        self.has_reader = False
        self.reading = anyio.CancelScope()
        self.reader = Call("the reader")

    async def run(self) -> None:
        before = resources()
        refuses = self.delivery.how is How.REFUSE
        opened = await open_subject(self.factory, fail_at=self.delivery.at if refuses else None)
        self.seen.streams = opened.stream is not None
        self.seen.collects = opened.output is not None or opened.sink is not None
        self.seen.expected = [event for event in self.delivery.events if opened.passes(event)]
        if self.delivery.how is How.STALL:
            await self._stall(opened)
        else:
            await self._deliver(opened)
        await _close(opened.handler)
        await anyio.sleep(_SETTLE_S)
        del opened
        self.seen.left += sorted(resources() - before)

    async def _deliver(self, opened: Opened) -> None:
        prints = [print_of(event) for event in self.events]
        if self.delivery.how in (How.COMPLETE, How.ERROR):
            await self._use_another()
        async with anyio.create_task_group() as group:
            if opened.stream is not None:
                self.has_reader = True
                group.start_soon(self._read, opened)
                await anyio.sleep(_SETTLE_S)
            if await self._feed(opened):
                await self._end(opened)
                await anyio.sleep(_SETTLE_S)
                await self._wait_for_reader(opened)
                if opened.stream is not None and self.seen.is_whole:
                    self.seen.second = await self._read_again(opened)
                if self.seen.is_whole and self.delivery.how in (How.COMPLETE, How.ERROR):
                    await self._come_late(opened)
            group.cancel_scope.cancel()
        if self.seen.reader is not None and self.seen.collects:
            self.seen.streamed = read(opened.collected)
        self._note_changes(prints)
        if opened.stream is not None and self.seen.is_whole and self.delivery.how is How.LEAVE:
            await self._look_for_growth(opened)
        if self.seen.is_whole and self.delivery.how is How.COMPLETE:
            await self._use_again(opened)

    async def _use_another(self) -> None:
        """Use another handler of the factory first: handlers must not share anything."""
        other = await open_subject(self.factory)
        for event in deepcopy(self.events[:2]):
            await _call("", other.handler.on_event, event)
        await _call("", other.handler.on_complete)
        await _close(other.handler)

    async def _feed(self, opened: Opened) -> bool:
        for number, event in enumerate(self.events):
            cancels = self.delivery.how is How.CANCEL and number == self.delivery.at
            if cancels and self.has_reader:
                self.reading.cancel()
            name = f"on_event({number})"
            if cancels and not self.has_reader:
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    await opened.handler.on_event(event)
                continue
            call = await _call(name, opened.handler.on_event, event)
            self.seen.calls.append(call)
            if call.hung:
                return False
            if number < _MAX_SETTLED or number % _MAX_SETTLED == 0:
                await anyio.sleep(_SETTLE_S)
        if self.delivery.how is How.CANCEL and self.delivery.at >= len(self.delivery.events):
            self.reading.cancel()
        return True

    async def _end(self, opened: Opened) -> None:
        seen, handler = self.seen, opened.handler
        seen.before_end = read(opened.pieces())
        fails = self.delivery.how is How.ERROR
        end = await (
            _call("on_error", handler.on_error, RuntimeError(PLANTED))
            if fails
            else _call("on_complete", handler.on_complete)
        )
        seen.calls.append(end)
        await anyio.sleep(_SETTLE_S)
        seen.at_end = read(opened.pieces())
        seen.refused = opened.sink is not None and opened.sink.has_failed

    async def _come_late(self, opened: Opened) -> None:
        """Call what must not be called any more, and let time pass."""
        seen, handler = self.seen, opened.handler
        seen.late_calls = [
            *([await _call("on_event", handler.on_event, event) for event in self.events[:1]]),
            await _call("on_complete", handler.on_complete),
            await _call("on_error", handler.on_error, RuntimeError(PLANTED)),
        ]
        await anyio.sleep(_SETTLE_S)
        seen.late = read(opened.pieces())
        await anyio.sleep(_LATER_S)
        seen.later = read(opened.pieces())

    async def _read(self, opened: Opened) -> None:
        """Read the subject's stream as the delivery says, and note how that ended."""
        raised: Exception | None = None
        with self.reading:
            try:
                async with aclosing(await _begin(opened)) as stream:  # type: ignore[type-var]
                    async for piece in stream:
                        opened.collected.append(piece)
                        if self.delivery.how is How.LEAVE and len(opened.collected) > self.delivery.at:
                            break
            except Exception as error:
                raised = error
            self.reader = Call("the reader", raised)
            self.has_reader = False

    async def _wait_for_reader(self, opened: Opened) -> None:
        if self.has_reader and not self.reading.cancel_called and self.seen.is_whole:
            await anyio.sleep(PATIENCE_S)
        if opened.stream is not None and not self.reading.cancel_called:
            self.seen.reader = Call("the reader", hung=True) if self.has_reader else self.reader

    async def _read_again(self, opened: Opened) -> Call:
        """Read the stream once more after its end: that must end, or say that it cannot be done."""

        async def drain() -> None:
            async with aclosing(await _begin(opened)) as stream:  # type: ignore[type-var]
                async for _ in stream:
                    pass

        return await _call("a second reader", drain)

    async def _look_for_growth(self, opened: Opened) -> None:
        """Let readers come and go, and see whether the handler keeps something of each."""
        sizes = []
        for _ in range(_READERS):
            await self._read_again(opened)
            sizes.append(reached_from(opened.handler))
        growth = [after - before for before, after in pairwise(sizes[1:])]
        if growth and min(growth) > 0:
            self.seen.left.append(f"{min(growth)} objects for each reader that has left")

    async def _use_again(self, opened: Opened) -> None:
        """Clear the handler, where it can be, and give it the run once more."""
        clear = getattr(opened.handler, "clear", None)
        if not callable(clear) or opened.output is None:
            return
        await _call("clear", clear)
        for event in self.events:
            await _call("on_event", opened.handler.on_event, event)
        await _call("on_complete", opened.handler.on_complete)
        await anyio.sleep(_SETTLE_S)
        self.seen.again = read(opened.pieces())

    async def _stall(self, opened: Opened) -> None:
        """Give events to a handler whose reader takes one piece and then no more, and at last leaves."""
        if opened.stream is None or not self.delivery.events:
            return
        accepted, is_full = 0, False

        async def produce() -> None:
            nonlocal accepted, is_full
            for number in range(_CROWD):
                try:
                    await opened.handler.on_event(self.events[number % len(self.events)])
                except Exception:
                    is_full = True
                    return
                accepted += 1

        stream = await _begin(opened)
        async with anyio.create_task_group() as group:
            group.start_soon(produce)
            with anyio.move_on_after(PATIENCE_S):
                await anext(stream)
            await anyio.sleep(_SETTLE_S)
            self.seen.held = await _count_held(stream) if accepted == _CROWD else 0
            with anyio.move_on_after(PATIENCE_S):
                await stream.aclose()  # type: ignore[attr-defined]
            await anyio.sleep(PATIENCE_S)
            self.seen.released = is_full or accepted == _CROWD
            group.cancel_scope.cancel()

    def _note_changes(self, prints: list[str]) -> None:
        for number, (event, before) in enumerate(zip(self.events, prints, strict=True)):
            if print_of(event) != before:
                self.seen.changed = f"event {number} is changed: {change_of(before, print_of(event))}"
                return


async def _count_held(stream: AsyncIterator[Any]) -> int:
    """Return how many pieces come at once."""
    for count in range(_CROWD):
        with anyio.move_on_after(_SETTLE_S) as patience:
            if await anext(stream, None) is None:
                return count
        if patience.cancelled_caught:
            return count
    return _CROWD


async def _begin(opened: Opened) -> AsyncIterator[Any]:
    assert opened.stream is not None
    stream: Any = opened.stream()
    if isawaitable(stream):
        stream = await stream
    return aiter(stream)


async def _call(name: str, method: Callable[..., Any], *args: Any) -> Call:
    """Make a call, and say what became of it."""
    raised: Exception | None = None
    with anyio.move_on_after(PATIENCE_S) as patience:
        try:
            result = method(*args)
            if isawaitable(result):
                await result
        except Exception as error:
            raised = error
    return Call(name, None if patience.cancel_called else raised, hung=patience.cancel_called)


async def _close(handler: Any) -> None:
    for name in ("aclose", "close"):
        method = getattr(handler, name, None)
        if callable(method):
            await _call(name, method)
            return

"""For each check of the conformance suite a handler that breaks it, which the check must catch.

They run on a virtual clock: a fault that shows as waiting for ever shows at once.
"""

import re
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from playhead.clocks.running import run
from playhead.handlers.base import BaseStreamHandler, ClosableStream, OnceHandler, StreamHandler
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.composite import CompositeHandler
from tests.handlers import conformance
from tests.handlers.conformance import HandlerFault, Streaming, Subject, number_of


class Naive(BaseStreamHandler):
    """Call the children one after the other, as anybody would write it first."""

    def __init__(self, children: Sequence[StreamHandler]) -> None:
        self.children = list(children)

    async def on_event(self, event: Any) -> None:
        for child in self.children:
            await child.on_event(event)

    async def on_complete(self) -> None:
        for child in self.children:
            await child.on_complete()

    async def on_error(self, error: Exception) -> None:
        for child in self.children:
            await child.on_error(error)


class RaisesTheFirst(CompositeHandler):
    """Call all children, and raise only the first error."""

    async def on_event(self, event: Any) -> None:
        try:
            await super().on_event(event)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None


class LosesErrors(CompositeHandler):
    """Call all children, and raise only some of the errors."""

    async def on_event(self, event: Any) -> None:
        try:
            await super().on_event(event)
        except ExceptionGroup as group:
            raise ExceptionGroup("some", group.exceptions[:1]) from None


class Reverses(CompositeHandler):
    """Keep each event until the next call."""

    def __init__(self, children: Sequence[StreamHandler]) -> None:
        super().__init__(children)
        self.kept: list[Any] = []

    async def on_event(self, event: Any) -> None:
        self.kept.append(event)
        if len(self.kept) == 2:
            for kept in reversed(self.kept):
                await super().on_event(kept)


class Swallows(CompositeHandler):
    """Take cancellation for one more failure."""

    async def on_event(self, event: Any) -> None:
        for handler in self.handlers:
            try:
                await handler.on_event(event)
            except BaseException:
                continue


class Groups(CompositeHandler):
    """Raise what children raised before it lets cancellation pass."""

    async def on_event(self, event: Any) -> None:
        errors: list[Exception] = []
        for handler in self.handlers:
            try:
                await handler.on_event(event)
            except Exception as error:
                errors.append(error)
            except BaseException:
                break
        raise ExceptionGroup("failed", errors)


COMPOSITIONS: list[tuple[Callable[..., Awaitable[None]], Callable[[Sequence[StreamHandler]], StreamHandler], str]] = [
    (conformance.check_siblings_are_not_starved, Naive, "HDL001 two children failed"),
    (conformance.check_siblings_are_not_starved, RaisesTheFirst, "HDL001 two children failed"),
    (conformance.check_siblings_are_not_starved, LosesErrors, "HDL001 .* does not hold"),
    (partial(conformance.check_children_are_called_in_order, script=[1, "complete", 2]), Naive, "HDL002"),
    (partial(conformance.check_children_are_called_in_order, script=["complete", "complete"]), Naive, "HDL002"),
    (partial(conformance.check_children_are_called_in_order, script=[1, 2, "error"]), Reverses, "HDL002"),
    (conformance.check_cancellation_passes, Swallows, "HDL005 .* returned"),
    (conformance.check_cancellation_passes, Groups, "HDL005 .* raised"),
    (conformance.check_an_end_reaches_those_after_a_cancelled_child, Naive, "HDL005 a child after"),
]


class Late(BufferingHandler):
    """Keep what comes after the end, although it is counted."""

    async def on_event(self, event: Any) -> None:
        await super().on_event(event)
        if self._ended:
            self._events.append(event)


class Uncounted(BufferingHandler):
    """Drop what is late without a trace."""

    async def on_event(self, event: Any) -> None:
        if not self._ended:
            await super().on_event(event)


class EndsTwice(BufferingHandler):
    """Keep every error."""

    async def on_error(self, error: Exception) -> None:
        self._ends_now()
        self._errors.append(error)


class StaysEnded(BufferingHandler):
    """Forget what it holds, but not that it has ended."""

    def clear(self) -> None:
        super().clear()
        self._ended = True


class Remembers(BufferingHandler):
    """Keep counting."""

    def clear(self) -> None:
        late = self.late
        super().clear()
        self.late = late


class Stacks(BufferingHandler):
    """Keep the newest event first."""

    async def on_event(self, event: Any) -> None:
        if not self._is_late():
            self._events.appendleft(event)


SUBJECTS = [
    (Late, "HDL002 a call after the end"),
    (Uncounted, "HDL002 two late calls"),
    (EndsTwice, "HDL002 a call after the end"),
    (StaysEnded, "HDL002 after clear"),
    (Remembers, "HDL002 clear"),
    (Stacks, "HDL002 events 1, 2, 3"),
]


class Queue(OnceHandler):
    """Stream events through a queue; faults are planted in its subclasses."""

    max_items: float = 4

    def __init__(self) -> None:
        super().__init__()
        self.items: deque[Any] = deque()
        self.read = False

    async def on_event(self, event: Any) -> None:
        while self.read and len(self.items) >= self.max_items:  # noqa: ASYNC110
            await anyio.sleep(0.01)
        self.items.append(event)

    async def on_complete(self) -> None:
        self._ends_now()

    async def on_error(self, error: Exception) -> None:
        self._ends_now()

    def open(self) -> ClosableStream[Any]:
        return Reader(self)


class Reader(ClosableStream[Any]):
    """Read a queue; leaving is not noticed."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        queue.read = True
        self.closed = False

    async def __anext__(self) -> Any:
        while not self.queue.items:
            if self.queue._ended or self.closed:
                raise StopAsyncIteration
            await anyio.sleep(0.01)
        return self.queue.items.popleft()

    async def aclose(self) -> None:
        self.closed = True


class EndlessOnError(Queue):
    """Forget that an error ends the stream too."""

    async def on_error(self, error: Exception) -> None:
        """Do nothing."""


class Unbounded(Queue):
    """Hold everything."""

    max_items = float("inf")


class Unclosable(Queue):
    """Let a reader wait on, whoever closes it."""

    def open(self) -> ClosableStream[Any]:
        reader = Reader(self)
        reader.aclose = anyio.lowlevel.checkpoint  # type: ignore[method-assign]
        return reader


STREAMINGS: list[tuple[Callable[..., Awaitable[None]], type[Queue], str]] = [
    (conformance.check_streams_end, EndlessOnError, "HDL003 a stream that was read"),
    (conformance.check_a_reader_may_leave, Queue, "HDL003 a producer whose"),
    (conformance.check_a_waiting_reader_can_be_closed, Unclosable, "HDL003 .* another task closed"),
    (conformance.check_memory_is_bounded, Unbounded, "HDL004"),
]


def _caught(check: Callable[..., Awaitable[None]], make: object, backend: str) -> HandlerFault:
    async def checked() -> HandlerFault | None:
        try:
            await check(make)
        except HandlerFault as fault:
            return fault
        except BaseExceptionGroup as group:
            faults, _ = group.split(HandlerFault)
            return None if faults is None else conformance.leaves(faults)[0]  # type: ignore[return-value]
        return None

    fault = run(checked, backend=backend)
    assert fault is not None, "the check found nothing"
    return fault


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(("check", "make", "message"), COMPOSITIONS)
def test_faulty_compositions_are_caught(
    check: Callable[..., Awaitable[None]],
    make: Callable[[Sequence[StreamHandler]], StreamHandler],
    message: str,
    backend: str,
) -> None:
    """Each check of compositions finds the fault that is planted for it."""
    assert re.search(message, str(_caught(check, make, backend)))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(("kind", "message"), SUBJECTS)
def test_faulty_handlers_are_caught(kind: type[BufferingHandler], message: str, backend: str) -> None:
    """The check of a handler's life finds each fault that is planted for it."""

    def make() -> Subject:
        handler = kind()

        async def numbers() -> list[int]:
            return [number_of(event) for event in handler.get_events()]

        async def state() -> object:
            return handler.get_events(), handler.get_errors(), handler.is_complete

        return Subject(handler, numbers, state)

    assert re.search(message, str(_caught(conformance.check_nothing_follows_the_end, make, backend)))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(("check", "kind", "message"), STREAMINGS)
def test_faulty_streams_are_caught(
    check: Callable[..., Awaitable[None]], kind: type[Queue], message: str, backend: str
) -> None:
    """Each check of streams finds the fault that is planted for it."""

    def make() -> Streaming:
        queue = kind()
        return Streaming(queue, queue.open, max_held=4)

    assert re.search(message, str(_caught(check, make, backend)))

"""The five guarantees of handlers (`HDL`), as checks that any handler can be put to.

Each check is an async function. It takes a function that makes what is checked, uses it on the running event loop, and
raises `HandlerFault` with the code of the guarantee that does not hold. It knows handlers by their protocol alone:

- a `Subject` is a handler with a view of what has come out of it;
- a `Compose` puts handlers together into one;
- a `Streaming` is a handler with a way to begin reading what it streams.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel

from playhead.events.locus import ToolStartEvent
from playhead.handlers.base import BaseStreamHandler, ClosableStream, StreamHandler

TIMEOUT_S = 5
"""How long a check waits for what must come at once."""


class HandlerFault(AssertionError):
    """Say which guarantee does not hold, and how that was seen."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code


@dataclass(frozen=True)
class Subject:
    """Hold a handler and how to see what has come out of it.

    `numbers` returns the numbers of the events that have come out, in order; `state` returns everything that can be
    seen, as a value to compare. Neither may disturb the other.
    """

    handler: StreamHandler
    numbers: Callable[[], Awaitable[list[int]]]
    state: Callable[[], Awaitable[object]]


Compose = Callable[[Sequence[StreamHandler]], StreamHandler]


@dataclass(frozen=True)
class Streaming:
    """Hold a handler that streams, how to begin reading, and the most that it may hold; None if it collects.

    `dropped` returns how many events it has given up.
    """

    handler: StreamHandler
    open: Callable[[], ClosableStream[Any]]
    max_held: int | None = None
    dropped: Callable[[], int] = field(default=lambda: 0)


class Probe(BaseStreamHandler):
    """Write down each call, as a number for an event or a name for an end, and then fail if told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[int | str] = []
        self.error = error

    async def on_event(self, event: Any) -> None:
        """Write down the event's number."""
        await self._write_down(number_of(event))

    async def on_complete(self) -> None:
        """Write down the completion."""
        await self._write_down("complete")

    async def on_error(self, error: Exception) -> None:
        """Write down the error."""
        await self._write_down("error")

    async def _write_down(self, call: int | str) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error


class Waiting(BaseStreamHandler):
    """Wait for ever in each call."""

    async def on_event(self, event: Any) -> None:
        """Wait."""
        await anyio.sleep_forever()

    async def on_complete(self) -> None:
        """Wait."""
        await anyio.sleep_forever()

    async def on_error(self, error: Exception) -> None:
        """Wait."""
        await anyio.sleep_forever()


def event(number: int) -> ToolStartEvent:
    """Make the event with that number: every handler that shows anything shows the name of a tool."""
    return ToolStartEvent(tool_name=f"tool-{number}", tool_call_id=f"call-{number}")


def number_of(event: Any) -> int:
    """Return the number of an event that `event` made."""
    return int(event.tool_name.removeprefix("tool-"))


def _expect(holds: object, code: str, message: str) -> None:
    if not holds:
        raise HandlerFault(code, message)


async def _must_end(stream: AsyncIterator[Any], what: str) -> None:
    with anyio.move_on_after(TIMEOUT_S):
        async for _ in stream:
            pass
        return
    raise HandlerFault("HDL003", f"{what} did not end within {TIMEOUT_S} s")


Call = Callable[[StreamHandler], Awaitable[None]]
END_CALLS: dict[str, Call] = {
    "complete": lambda handler: handler.on_complete(),
    "error": lambda handler: handler.on_error(ValueError("planted")),
}


async def check_siblings_are_not_starved(compose: Compose) -> None:
    """HDL001: every child gets every call, whoever fails; then all errors are raised together."""
    for end in END_CALLS.values():
        errors = [ValueError("first"), KeyError("third")]
        probes = [Probe(errors[0]), Probe(), Probe(errors[1]), Probe()]
        handler = compose(probes)
        for call in (_event_call(1), _event_call(2), end):
            raised = await _raised(call, handler)
            _expect(isinstance(raised, ExceptionGroup), "HDL001", f"two children failed, and {raised!r} was raised")
            _expect(set(leaves(raised)) == set(errors), "HDL001", f"{raised!r} does not hold the children's errors")
        got = [probe.calls for probe in probes]
        _expect(all(len(calls) == 3 for calls in got), "HDL001", f"three calls were made, the children got {got}")


def _event_call(number: int) -> Call:
    return lambda handler: handler.on_event(event(number))


async def _raised(call: Call, handler: StreamHandler) -> BaseException | None:
    try:
        await call(handler)
    except Exception as error:
        return error
    return None


def leaves(error: BaseException | None) -> list[BaseException]:
    """Return the errors inside an exception group, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [] if error is None else [error]


async def check_children_are_called_in_order(compose: Compose, script: Sequence[int | str]) -> None:
    """HDL002: whatever is called, each child gets the events in order, then one end, then nothing.

    `script` holds the calls: numbers for events, "complete" and "error" for ends.
    """
    probes = [Probe(), Probe()]
    handler = compose(probes)
    for call in script:
        await (END_CALLS[call](handler) if isinstance(call, str) else handler.on_event(event(call)))
    first_end = next((index for index, call in enumerate(script) if isinstance(call, str)), len(script))
    expected = list(script[: first_end + 1])
    for probe in probes:
        _expect(probe.calls == expected, "HDL002", f"of the calls {list(script)} a child got {probe.calls}")


async def check_nothing_follows_the_end(make: Callable[[], Subject]) -> None:
    """HDL002: events come out in order, late calls change nothing and are counted, `clear()` makes ready again."""
    for end in END_CALLS.values():
        for late_end in END_CALLS.values():
            subject = make()
            await _feed(subject.handler, 1, 2, 3)
            came = await subject.numbers()
            _expect(came == [1, 2, 3], "HDL002", f"events 1, 2, 3 came out as {came}")
            await end(subject.handler)
            before = await subject.state()
            await _feed(subject.handler, 4)
            await late_end(subject.handler)
            after = await subject.state()
            _expect(after == before, "HDL002", f"a call after the end changed {before!r} to {after!r}")
            _expect(getattr(subject.handler, "late", None) == 2, "HDL002", "two late calls were not counted as late")
            await _check_clear(subject)


async def _check_clear(subject: Subject) -> None:
    clear: Callable[[], None] | None = getattr(subject.handler, "clear", None)
    if clear is None:
        return
    clear()
    _expect(getattr(subject.handler, "late", None) == 0, "HDL002", "clear() did not forget the late calls")
    await _feed(subject.handler, 5)
    _expect((await subject.numbers())[-1:] == [5], "HDL002", "after clear() an event did not come out")


async def _feed(handler: StreamHandler, *numbers: int) -> None:
    for number in numbers:
        await handler.on_event(event(number))


async def check_streams_end(make: Callable[[], Streaming]) -> None:
    """HDL003: a stream ends after completion and error, for a reader from the start, a late one and a second one."""
    for end in END_CALLS.values():
        streaming = make()
        async with anyio.create_task_group() as group:
            group.start_soon(_must_end, streaming.open(), "a stream that was read all along")
            await anyio.wait_all_tasks_blocked()
            await _feed(streaming.handler, 1, 2)
            await end(streaming.handler)
        await _must_end(streaming.open(), "a second stream, begun after the end,")
        late = make()
        await _feed(late.handler, 1)
        await end(late.handler)
        await _must_end(late.open(), "a stream that was begun after the end")


async def _drain(stream: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in stream]


async def check_a_reader_may_leave(make: Callable[[], Streaming], *, events: int = 1_000) -> None:
    """HDL003: a reader that is closed, cancelled or dropped does not hold up the producer, nor the next reader."""
    for leave in (_close, _cancel, _drop):
        streaming = make()
        await leave(streaming)
        with anyio.move_on_after(TIMEOUT_S) as limit:
            await _feed(streaming.handler, *range(events))
        _expect(not limit.cancelled_caught, "HDL003", f"a producer whose reader left waits after {TIMEOUT_S} s")
        await streaming.handler.on_complete()
        await _must_end(streaming.open(), "a stream begun after another reader left")


async def _close(streaming: Streaming) -> None:
    stream = streaming.open()
    await _feed(streaming.handler, 1)
    await anext(stream)
    await stream.aclose()


async def _cancel(streaming: Streaming) -> None:
    stream = streaming.open()
    async with anyio.create_task_group() as group:
        group.start_soon(_drain, stream)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()


async def _drop(streaming: Streaming) -> None:
    await _feed(streaming.handler, 1)
    async for _ in streaming.open():
        break


async def check_a_waiting_reader_can_be_closed(make: Callable[[], Streaming]) -> None:
    """HDL003: `aclose()` ends a stream also for a task that waits in it."""
    streaming = make()
    stream = streaming.open()
    async with anyio.create_task_group() as group:
        group.start_soon(_must_end, stream, "a stream that another task closed")
        await anyio.wait_all_tasks_blocked()
        await stream.aclose()


async def check_memory_is_bounded(make: Callable[[], Streaming], *, events: int = 2_000) -> None:
    """HDL004: with a reader that takes one message and then no more, the handler holds no more than it may."""
    streaming = make()
    accepted = 0

    async def produce() -> None:
        nonlocal accepted
        for number in range(events):
            await streaming.handler.on_event(event(number))
            accepted += 1

    stream = streaming.open()
    async with anyio.create_task_group() as group:
        group.start_soon(produce)
        await anext(stream)
        await anyio.wait_all_tasks_blocked()
        held = accepted - 1 - streaming.dropped()
        group.cancel_scope.cancel()
    _expect(
        streaming.max_held is None or held <= streaming.max_held,
        "HDL004",
        f"{accepted} events were taken, 1 was read and {streaming.dropped()} dropped: {held} are held, "
        f"where {streaming.max_held} may be",
    )


async def check_cancellation_passes(compose: Compose) -> None:
    """HDL005: cancelling a call that waits in a child ends the call at once, whatever other children raised."""
    for name, call in {"event": _event_call(1), **END_CALLS}.items():
        handler = compose([Probe(ValueError("planted")), Waiting(), Probe()])
        with anyio.move_on_after(TIMEOUT_S):
            async with anyio.create_task_group() as group:
                group.start_soon(_cancelled, call, handler, name)
                await anyio.wait_all_tasks_blocked()
                group.cancel_scope.cancel()
            continue
        raise HandlerFault("HDL005", f"a cancelled {name} call did not end within {TIMEOUT_S} s")


async def _cancelled(call: Call, handler: StreamHandler, name: str) -> None:
    try:
        await call(handler)
    except anyio.get_cancelled_exc_class():
        raise
    except BaseException as error:
        raise HandlerFault("HDL005", f"a cancelled {name} call raised {error!r} instead") from error
    raise HandlerFault("HDL005", f"a cancelled {name} call returned as if nothing had been")


async def check_an_end_reaches_those_after_a_cancelled_child(compose: Compose) -> None:
    """HDL005: an end that is cancelled in one child is still told to the children after it."""
    for name, call in END_CALLS.items():
        probe = Probe()
        handler = compose([Waiting(), probe])
        async with anyio.create_task_group() as group:
            group.start_soon(_cancelled, call, handler, name)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        _expect(probe.calls == [name], "HDL005", f"a child after a cancelled one got {probe.calls} instead of {name!r}")

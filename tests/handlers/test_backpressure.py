"""How far a producer runs ahead, and that it never outlives its consumer."""

import gc
import math
from collections.abc import AsyncIterator
from contextvars import ContextVar

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.clocks.running import run
from playhead.errors import UsageError
from playhead.handlers.backpressure import consume_with_buffer

pytestmark = pytest.mark.anyio

SIZES = [0, 1, 3, math.inf]


class Source:
    """Produce numbers, and tell how far it has come and whether it has cleaned up."""

    def __init__(self, count: int, *, error: Exception | None = None, pause_s: float = 0) -> None:
        self.count = count
        self.error = error
        self.pause_s = pause_s
        self.produced = 0
        self.clean = False

    async def __aiter__(self) -> AsyncIterator[int]:
        try:
            for number in range(self.count):
                await anyio.sleep(self.pause_s)
                self.produced += 1
                yield number
            if self.error is not None:
                raise self.error
        finally:
            # Cleaning up takes a turn of the event loop, as closing a connection would.
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
            self.clean = True


@pytest.mark.parametrize("size", SIZES)
async def test_everything_arrives_in_order(size: float) -> None:
    """Every form gives all items in order, and then ends, more than once."""
    source = Source(10)
    stream = consume_with_buffer(source, size)
    assert [item async for item in stream] == list(range(10))
    assert [item async for item in stream] == []
    assert source.clean


@pytest.mark.parametrize(("size", "ahead"), [(0, 0), (1, 1), (3, 3), (math.inf, 99)])
async def test_the_producer_runs_ahead_by_so_many(size: float, ahead: int) -> None:
    """When the consumer has taken one item and stops, just so many more have been produced."""
    source = Source(100)
    async with consume_with_buffer(source, size) as stream:
        await anext(stream)
        await anyio.wait_all_tasks_blocked()
        assert source.produced == 1 + ahead
        await anext(stream)
        await anyio.wait_all_tasks_blocked()
        assert source.produced == min(100, 2 + ahead)


async def test_nothing_is_produced_before_it_is_asked_for() -> None:
    """The producer starts with the first item that is asked for; a stream that is never read can be closed."""
    source = Source(3)
    stream = consume_with_buffer(source, 2)
    await anyio.wait_all_tasks_blocked()
    assert source.produced == 0
    await stream.aclose()
    assert [item async for item in stream] == []


@pytest.mark.parametrize("size", SIZES)
async def test_the_error_of_the_producer_reaches_the_consumer(size: float) -> None:
    """The very error is raised after all items before it, once."""
    error = ValueError("planted")
    source = Source(3, error=error)
    stream = consume_with_buffer(source, size)
    got: list[int] = []
    with pytest.raises(ValueError, match="planted") as caught:  # noqa: PT012
        async for item in stream:
            got.append(item)  # noqa: PERF401
    assert (got, caught.value, source.clean) == ([0, 1, 2], error, True)
    assert [item async for item in stream] == []


@pytest.mark.parametrize("size", SIZES)
async def test_cleaning_up_is_over_when_aclose_returns(size: float) -> None:
    """Leaving early stops the producer, whether it waits for room or for its own source."""
    for pause_s in (0, 3600):
        source = Source(100, pause_s=0)
        async with consume_with_buffer(source, size) as stream:
            await anext(stream)
            source.pause_s = pause_s
            await anyio.wait_all_tasks_blocked() if pause_s else None
        assert source.clean


@pytest.mark.parametrize("size", SIZES)
async def test_cancelling_the_consumer_stops_the_producer(size: float) -> None:
    """Cancellation passes, and the producer has cleaned up before it does."""
    source = Source(100, pause_s=3600)
    with anyio.move_on_after(0.01) as scope:
        async for _ in consume_with_buffer(source, size):
            pytest.fail("an item came out of nothing")
    assert scope.cancelled_caught
    assert source.clean


async def test_a_stream_that_is_dropped_is_cancelled() -> None:
    """A consumer that breaks out of its loop and forgets the stream leaves no task behind."""
    source = Source(100)
    async for _ in consume_with_buffer(source, 3):
        break
    gc.collect()
    await anyio.wait_all_tasks_blocked()
    assert source.clean


async def test_an_error_that_nobody_stayed_for_is_dropped() -> None:
    """A consumer that leaves before an error of the producer came by never hears of it."""
    source = Source(2, error=ValueError("planted"))
    async with consume_with_buffer(source, math.inf) as stream:
        await anext(stream)
        await anyio.wait_all_tasks_blocked()
    assert source.clean
    assert [item async for item in stream] == []


async def failing_cleanup() -> AsyncIterator[int]:
    """Fail when closed."""
    try:
        while True:
            yield 1
    finally:
        raise ValueError("planted")


@pytest.mark.parametrize("size", SIZES[:3])
async def test_what_cleaning_up_raises_is_raised(size: float) -> None:
    """A producer that fails while it is closed is not silently lost."""
    stream = consume_with_buffer(failing_cleanup(), size)
    await anext(stream)
    await anyio.wait_all_tasks_blocked()
    with pytest.raises(ValueError, match="planted"):
        await stream.aclose()
    await stream.aclose()


async def test_another_task_may_close_the_stream() -> None:
    """A consumer that waits gets the end when somebody else closes its stream."""
    stream = consume_with_buffer(Source(1, pause_s=3600), 2)
    got: list[int] = []

    async def consume() -> None:
        async for item in stream:
            got.append(item)  # noqa: PERF401

    async with anyio.create_task_group() as group:
        group.start_soon(consume)
        await anyio.wait_all_tasks_blocked()
        await stream.aclose()
    assert got == []


NAME: ContextVar[str] = ContextVar("NAME")


async def test_the_producer_sees_the_context_of_its_consumer() -> None:
    """Context variables are those of the task that reads, as they would be without a buffer."""

    async def names() -> AsyncIterator[str]:
        yield NAME.get()

    NAME.set("mine")
    assert [name async for name in consume_with_buffer(names(), 2)] == ["mine"]


async def test_plain_iterators_can_be_buffered() -> None:
    """A stream needs no `aclose`."""

    class Plain:
        def __init__(self) -> None:
            self.left = 3

        def __aiter__(self) -> "Plain":
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    assert [item async for item in consume_with_buffer(Plain(), 2)] == [2, 1, 0]


@pytest.mark.parametrize("size", [-1, 1.5, True, math.nan, -math.inf])
async def test_odd_sizes_are_refused(size: float) -> None:
    """Only 0, a whole number and infinity make sense."""
    with pytest.raises(UsageError, match="buffer_size="):
        consume_with_buffer(Source(1), size)


@given(
    size=st.sampled_from(SIZES),
    count=st.integers(0, 8),
    pauses=st.lists(st.integers(0, 3), min_size=9, max_size=9),
    fails=st.booleans(),
)
def test_timing_changes_nothing(size: float, count: int, pauses: list[int], fails: bool) -> None:
    """However producer and consumer are timed, the consumer gets the items and then the end or the error."""

    async def consume() -> list[object]:
        got: list[object] = []
        source = Source(count, error=ValueError("planted") if fails else None, pause_s=1)
        try:
            async for item in consume_with_buffer(source, size):
                got.append(item)
                await anyio.sleep(pauses[item])
        except ValueError:
            got.append("error")
        assert source.clean
        return got

    assert run(consume) == [*range(count), *(["error"] if fails else [])]

"""Tests of playhead.clocks.asyncio_loop: asyncio's own timers, threads, streams and processes on virtual time."""

import asyncio
import concurrent.futures
import selectors
import socket
import sys
import threading

import anyio.from_thread
import anyio.to_thread
import pytest

from playhead.clocks.asyncio_loop import JumpingSelector, VirtualEventLoop, backend_options, run
from playhead.clocks.virtual import VirtualClock
from playhead.errors import UsageError

HOUR_S = 3600
SECOND_NS = 1_000_000_000
REAL_NS = 600 * SECOND_NS


@pytest.fixture
def clock() -> VirtualClock:
    """Give the clock that the test's loop runs on."""
    return VirtualClock(patience_s=0.05)


def test_asyncio_timeout_fires(clock: VirtualClock) -> None:
    """`asyncio.timeout` keeps virtual time."""

    async def main() -> None:
        async with asyncio.timeout(HOUR_S):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run(main, clock=clock)
    assert clock.monotonic_ns() == HOUR_S * SECOND_NS


def test_wait_for_fires_and_does_not(clock: VirtualClock) -> None:
    """`asyncio.wait_for` tells the slow from the fast."""

    async def main() -> str:
        fast = await asyncio.wait_for(asyncio.sleep(59, "fast"), 60)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(61), 60)
        return fast

    assert run(main, clock=clock) == "fast"
    assert clock.monotonic_ns() == 119 * SECOND_NS


def test_call_later_calls_in_order(clock: VirtualClock) -> None:
    """Timers of the loop itself fire at their times, and cancelled ones not at all."""

    async def main() -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        calls: list[tuple[str, float]] = []

        def note(name: str) -> None:
            calls.append((name, loop.time()))

        for name, delay_s in (("last", 7200.0), ("first", 0.001), ("middle", 60.0)):
            loop.call_later(delay_s, note, name)
        loop.call_at(30.0, note, "cancelled").cancel()
        await asyncio.sleep(7200.5)
        return calls

    assert run(main, clock=clock) == [("first", 0.001), ("middle", 60.0), ("last", 7200.0)]


def test_a_timer_beyond_asyncios_longest_wait(clock: VirtualClock) -> None:
    """asyncio waits a day at most at a time, and so arrives after more than that."""
    run(asyncio.sleep, 3 * 24 * HOUR_S, clock=clock)
    assert clock.monotonic_ns() == 3 * 24 * HOUR_S * SECOND_NS


@pytest.mark.parametrize("is_default", [True, False])
def test_an_executor_is_not_jumped_over(clock: VirtualClock, *, is_default: bool) -> None:
    """Work in the loop's executor or in one's own ends before a timeout of an hour."""

    async def main() -> bool:
        answered = threading.Event()
        timer = threading.Timer(0.05, answered.set)
        timer.start()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            async with asyncio.timeout(HOUR_S):
                if is_default:
                    return await asyncio.to_thread(answered.wait)
                return await asyncio.get_running_loop().run_in_executor(pool, answered.wait)

    assert run(main, clock=clock) is True
    assert 0 < clock.monotonic_ns() < REAL_NS


def test_an_executor_that_nobody_waits_for_any_more(clock: VirtualClock) -> None:
    """When the wait for a thread has timed out, at real speed, time jumps again."""

    async def main() -> int:
        release = threading.Event()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(release.wait), 0.02)
        before_ns = clock.monotonic_ns()
        await asyncio.sleep(HOUR_S)
        release.set()
        return clock.monotonic_ns() - before_ns

    assert run(main, clock=clock) >= HOUR_S * SECOND_NS


def test_closing_waits_for_the_executor_in_real_time(clock: VirtualClock) -> None:
    """A thread that outlives its task is joined, though it takes longer than the clock has patience."""
    release = threading.Event()

    async def main() -> None:
        call = asyncio.get_running_loop().run_in_executor(None, release.wait)
        await asyncio.sleep(0)
        call.cancel()

    timer = threading.Timer(4 * clock.patience_s, release.set)
    with asyncio.Runner(loop_factory=backend_options(clock)["loop_factory"]) as runner:
        runner.run(main())
        timer.start()
    timer.join()
    assert clock.monotonic_ns() < REAL_NS


def test_asyncio_streams_are_not_jumped_over(clock: VirtualClock) -> None:
    """Both ends of a connection in one loop: an exchange beats a timeout of an hour."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()
        await writer.wait_closed()

    async def main() -> bytes:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with asyncio.timeout(HOUR_S), server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"ping\n")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer

    assert run(main, clock=clock) == b"ping\n"
    assert clock.monotonic_ns() < REAL_NS


def test_a_child_process_is_not_jumped_over(clock: VirtualClock) -> None:
    """A process that says nothing and ends in its own time ends before a timeout of an hour."""

    async def main() -> int:
        process = await asyncio.create_subprocess_exec(sys.executable, "-S", "-E", "-c", "raise SystemExit(3)")
        async with asyncio.timeout(HOUR_S):
            return await process.wait()

    assert run(main, clock=clock) == 3
    assert clock.monotonic_ns() < REAL_NS


def test_an_asyncio_runner_takes_the_loop(clock: VirtualClock) -> None:
    """The loop needs no anyio, may run several times, and closes without a warning."""
    with asyncio.Runner(loop_factory=backend_options(clock)["loop_factory"], debug=True) as runner:
        for hours in (1, 2):
            runner.run(asyncio.sleep(HOUR_S))
            assert clock.monotonic_ns() == hours * HOUR_S * SECOND_NS
        runner.run(asyncio.to_thread(int))


def test_a_signal_handler_may_be_set(clock: VirtualClock) -> None:
    """A thread-safe call from the loop's own thread is seen at once."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        event = asyncio.Event()
        loop.call_soon_threadsafe(event.set)
        await event.wait()

    run(main, clock=clock)
    assert clock.monotonic_ns() == 0


def test_the_error_names_asyncio_tasks(clock: VirtualClock) -> None:
    """A deadlock says which task waits in which of the user's functions."""

    async def stuck() -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        await asyncio.gather(*(asyncio.create_task(stuck(), name=f"stuck-{number}") for number in range(9)))

    with pytest.raises(UsageError, match=r"(?s)waiting: stuck-0 > stuck \(test_asyncio_loop.*\n  and 5 more\n"):
        run(main, clock=clock)


def test_a_loop_that_is_closed_has_closed_its_selector(clock: VirtualClock) -> None:
    """Nothing stays open."""
    loop = VirtualEventLoop(clock)
    loop.run_until_complete(asyncio.sleep(1))
    loop.close()
    assert loop.is_closed()
    clock.check_free()


def test_anyio_still_keeps_its_work_where_the_loop_looks(clock: VirtualClock) -> None:
    """The loop reads undocumented attributes of anyio's workers: notice when they move."""

    async def main() -> tuple[bool, bool]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualEventLoop)
        is_seen = await anyio.to_thread.run_sync(anyio.from_thread.run_sync, loop._is_thread_pending)
        return is_seen, loop._is_thread_pending()

    assert run(main, clock=clock) == (True, False)


class TestJumpingSelector:
    """The selector by itself, with one file of the loop's and one of somebody else's."""

    def test_it_jumps_when_nothing_is_pending(self, clock: VirtualClock) -> None:
        """Only its own files are watched: the time given passes at once."""
        with selector(clock) as watching:
            assert watching.select(HOUR_S) == []
        assert clock.monotonic_ns() == HOUR_S * SECOND_NS

    @pytest.mark.parametrize("timeout", [0, -1])
    def test_a_poll_takes_no_time(self, clock: VirtualClock, timeout: float) -> None:
        """Nothing passes where nothing is waited for."""
        with selector(clock) as watching:
            assert watching.select(timeout) == []
        assert clock.monotonic_ns() == 0

    @pytest.mark.parametrize("timeout", [HOUR_S, 0, None])
    def test_a_file_that_is_ready_comes_first(self, clock: VirtualClock, timeout: float | None) -> None:
        """What is there is returned, and no time passes for it."""
        ours, theirs = socket.socketpair()
        with ours, theirs, selector(clock) as watching:
            watching.register(ours, selectors.EVENT_READ, "data")
            theirs.send(b"x")
            assert [key.data for key, _ in watching.select(timeout)] == ["data"]
        assert clock.monotonic_ns() < REAL_NS

    def test_it_waits_for_a_file_in_real_time(self, clock: VirtualClock) -> None:
        """A file that stays silent uses up exactly the time given; once it is gone, time jumps."""
        ours, theirs = socket.socketpair()
        with ours, theirs, selector(clock) as watching:
            watching.register(ours, selectors.EVENT_READ)
            watching.modify(ours, selectors.EVENT_READ, "changed")
            assert watching.get_key(ours).data == "changed"
            assert watching.select(0.02) == []
            assert clock.monotonic_ns() == SECOND_NS // 50
            watching.unregister(ours)
            watching.select(HOUR_S)
        assert clock.monotonic_ns() == HOUR_S * SECOND_NS + SECOND_NS // 50

    def test_it_gives_up_without_a_timer(self, clock: VirtualClock) -> None:
        """Nothing to wait for and no time to pass is a deadlock."""
        with selector(clock) as watching, pytest.raises(UsageError, match="waiting: nobody"):
            watching.select(None)


def selector(clock: VirtualClock) -> JumpingSelector:
    """Make a selector that no thread will wake."""
    return JumpingSelector(clock, is_thread_pending=lambda: False, waiting=lambda: ["nobody"])

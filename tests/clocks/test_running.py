"""Tests of playhead.clocks.running: what must hold on a virtual clock, on asyncio and on trio alike."""

import itertools
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import cast

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.clocks.running import backend_options, run
from playhead.clocks.virtual import START, VirtualClock
from playhead.errors import UsageError

HOUR_NS = 3_600_000_000_000
SECOND_NS = 1_000_000_000
# Far more than a short real wait takes, far less than the virtual hour that would show a jump.
REAL_NS = 600 * SECOND_NS


@pytest.fixture
def clock() -> VirtualClock:
    """Give the clock that the test's loop runs on."""
    return VirtualClock(patience_s=0.05)


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    """Run the test on both backends."""
    return str(request.param)


@pytest.fixture
def on_clock(backend: str, clock: VirtualClock) -> Callable[..., object]:
    """Give `run` on the backend and the clock of the test."""
    return partial(run, backend=backend, clock=clock)


def answer_soon(answer: Callable[[], object], *, delay_s: float = 0.05) -> threading.Thread:
    """Call `answer` from a thread of its own after a short real time."""
    timer = threading.Timer(delay_s, answer)
    timer.start()
    return timer


def test_an_hour_takes_no_time(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """Sleeping moves the clock to the nanosecond, and returns what the function returns."""

    async def sleep(hours: int) -> str:
        await clock.sleep(hours * 3600)
        await anyio.sleep(0.25)
        return "awake"

    assert on_clock(sleep, 2) == "awake"
    assert clock.monotonic_ns() == 2 * HOUR_NS + SECOND_NS // 4
    assert (clock.now() - START).total_seconds() == 7200.25


def test_time_goes_on_from_run_to_run(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """A clock may be moved by hand between two runs, and neither loses time."""
    on_clock(anyio.sleep, 10)
    clock.advance(10)
    on_clock(anyio.sleep, 10)
    assert clock.monotonic_ns() == 30 * SECOND_NS


def test_advancing_inside_a_run_fires_what_is_due(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """A hand on the clock moves the loop's time too."""

    async def main() -> list[float]:
        woken: list[float] = []

        async def sleeper() -> None:
            await anyio.sleep(30)
            woken.append(anyio.current_time())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sleeper)
            await anyio.wait_all_tasks_blocked()
            clock.advance(40)
        return woken

    assert on_clock(main) == [40.0]


def test_sleepers_wake_in_order_at_their_times(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """Each of several sleepers wakes at exactly its time, whoever was started first."""
    pauses_s = [7200, 0.001, 1.5, 60, 0.000_001, 3600]

    async def main() -> list[tuple[float, int]]:
        woken: list[tuple[float, int]] = []

        async def sleeper(pause_s: float) -> None:
            await clock.sleep(pause_s)
            woken.append((pause_s, clock.monotonic_ns()))

        async with anyio.create_task_group() as tasks:
            for pause_s in pauses_s:
                tasks.start_soon(sleeper, pause_s)
        return woken

    assert on_clock(main) == [(pause_s, round(pause_s * SECOND_NS)) for pause_s in sorted(pauses_s)]


@pytest.mark.parametrize("backend_name", ["asyncio", "trio"])
@given(pauses_us=st.lists(st.integers(0, 10**10), max_size=8))
def test_microseconds_are_exact(backend_name: str, pauses_us: list[int]) -> None:
    """Recorded pauses, which are whole microseconds, add up without drift."""
    clock = VirtualClock()

    async def main() -> None:
        for pause_us in pauses_us:
            await clock.sleep(pause_us / 1e6)

    run(main, backend=backend_name, clock=clock)
    assert round(clock.monotonic_ns() / 1000) == sum(pauses_us)
    assert abs(clock.monotonic_ns() - sum(pauses_us) * 1000) <= len(pauses_us)


def test_heartbeats_of_an_hour(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """A beat every 15 s beats 240 times an hour, each on time, beside the hour itself."""

    async def main() -> list[int]:
        beats: list[int] = []

        async def heart() -> None:
            while True:
                await anyio.sleep(15)
                beats.append(clock.monotonic_ns())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(heart)
            await clock.sleep(3600.5)
            tasks.cancel_scope.cancel()
        return beats

    assert on_clock(main) == [number * 15 * SECOND_NS for number in range(1, 241)]


def test_move_on_after_moves_on(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """An idle timeout fires at its time, and not before what comes earlier."""

    async def main() -> tuple[bool, bool]:
        with anyio.move_on_after(60) as early:
            await anyio.sleep_forever()
        with anyio.move_on_after(60) as unused:
            await anyio.sleep(59)
        return early.cancelled_caught, unused.cancelled_caught

    assert on_clock(main) == (True, False)
    assert clock.monotonic_ns() == 119 * SECOND_NS


def test_fail_after_fails(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """A deadline in virtual time is a real TimeoutError."""

    async def main() -> None:
        with anyio.fail_after(30):
            await anyio.Event().wait()

    with pytest.raises(TimeoutError):
        on_clock(main)
    assert clock.monotonic_ns() == 30 * SECOND_NS


def test_ready_tasks_run_before_time_passes(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """As long as anybody has something to do, the clock stands still."""

    async def main() -> int:
        send, receive = anyio.create_memory_object_stream[int]()

        async def produce() -> None:
            async with send:
                for number in range(100):
                    await send.send(number)

        async with anyio.create_task_group() as tasks, receive:
            tasks.start_soon(produce)
            with anyio.fail_after(0.001):
                return sum([number async for number in receive])
        raise AssertionError("unreachable")

    assert on_clock(main) == 4950
    assert clock.monotonic_ns() == 0


@pytest.mark.parametrize("limit", [None, 1])
def test_a_worker_thread_is_not_jumped_over(
    on_clock: Callable[..., object], clock: VirtualClock, limit: int | None
) -> None:
    """While a thread works, with whatever limiter, a timeout of an hour does not fire; afterwards it does."""

    async def main() -> bool:
        answered = threading.Event()
        thread = answer_soon(answered.set)
        limiter = None if limit is None else anyio.CapacityLimiter(limit)
        with anyio.fail_after(3600):
            was_set = await anyio.to_thread.run_sync(answered.wait, limiter=limiter)
        thread.join()
        assert 0 < clock.monotonic_ns() < REAL_NS
        with anyio.move_on_after(3600):
            await anyio.sleep_forever()
        return was_set

    assert on_clock(main) is True
    assert clock.monotonic_ns() >= HOUR_NS


def test_a_thread_may_call_back_and_sleep(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """A worker thread that calls back into the loop finds it, and its short sleep passes at real speed."""

    def work() -> str:
        anyio.from_thread.run(anyio.sleep, 0.01)
        return "worked"

    assert on_clock(anyio.to_thread.run_sync, work) == "worked"
    assert SECOND_NS // 100 <= clock.monotonic_ns() < REAL_NS


def test_a_loopback_stream_is_not_jumped_over(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """A server that answers in a moment answers before a timeout of an hour."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"pong")

    async def main() -> bytes:
        host, port = server.getsockname()
        async with await anyio.connect_tcp(host, port) as stream:
            with anyio.fail_after(3600):
                return await stream.receive()

    with server:
        thread = answer_soon(answer)
        assert on_clock(main) == b"pong"
        thread.join()
    assert 0 < clock.monotonic_ns() < REAL_NS


def test_a_silent_socket_lets_timeouts_fire_at_real_speed(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """A peer that says nothing cannot hold up a timeout forever."""
    server = socket.create_server(("127.0.0.1", 0))

    async def main() -> bool:
        host, port = server.getsockname()
        async with await anyio.connect_tcp(host, port) as stream:
            with anyio.move_on_after(0.02) as scope:
                await stream.receive()
        return scope.cancelled_caught

    with server:
        assert on_clock(main) is True
    assert SECOND_NS // 50 <= clock.monotonic_ns() < REAL_NS


def test_a_held_clock_waits_for_a_thread_of_ones_own(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """Inside `held`, a timeout of an hour waits for a thread that no loop knows."""

    async def main() -> None:
        event = anyio.Event()
        async with anyio.from_thread.BlockingPortal() as portal:
            with clock.held(), anyio.fail_after(3600):
                thread = answer_soon(partial(portal.call, event.set))
                await event.wait()
                await anyio.to_thread.run_sync(thread.join)

    on_clock(main)
    assert 0 < clock.monotonic_ns() < REAL_NS


def test_an_unknown_thread_is_jumped_over(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """The documented limit: without `held`, the timeout fires first."""

    async def main() -> bool:
        release = threading.Event()
        thread = threading.Thread(target=release.wait)
        thread.start()
        with anyio.move_on_after(3600) as scope:
            await anyio.sleep_forever()
        release.set()
        thread.join()
        return scope.cancelled_caught

    assert on_clock(main) is True
    assert clock.monotonic_ns() == HOUR_NS


def test_an_idle_worker_thread_holds_up_nothing(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """Threads that are kept for later work do not make time real."""

    async def main() -> int:
        await anyio.to_thread.run_sync(int)
        before_ns = clock.monotonic_ns()
        await anyio.sleep(3600)
        return clock.monotonic_ns() - before_ns

    assert abs(cast(int, on_clock(main)) - HOUR_NS) <= 1


def test_a_deadlock_is_an_error(on_clock: Callable[..., object]) -> None:
    """Where nobody is left to wake anybody, the run ends and names who waits where."""

    async def wait_for_godot() -> None:
        await anyio.Event().wait()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait_for_godot)
            tasks.start_soon(wait_for_godot)

    with pytest.raises(UsageError, match=r"(?s)deadlock.*wait_for_godot \(test_running.py:\d+\)"):
        on_clock(main)


def test_tasks_clean_up_after_a_deadlock(on_clock: Callable[..., object]) -> None:
    """The stuck tasks are cancelled, so that their `finally` blocks run."""
    cleaned: list[str] = []

    async def main() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.append("up")

    with pytest.raises(UsageError, match="deadlock"):
        on_clock(main)
    assert cleaned == ["up"]


def test_ticking_without_end_is_an_error(backend: str) -> None:
    """A heartbeat beside a task that waits forever does not beat forever."""

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            for _ in itertools.count():
                await anyio.sleep(15)

    with pytest.raises(UsageError, match=r"(?s)horizon of 3,600 s.*waiting: .*main"):
        run(main, backend=backend, clock=VirtualClock(horizon_s=3600))


def test_a_foreign_thread_has_patience_to_wake_the_loop(backend: str) -> None:
    """A thread that no loop knows may still answer where no timer is set."""
    clock = VirtualClock(patience_s=30)

    async def main() -> str:
        event = anyio.Event()
        async with anyio.from_thread.BlockingPortal() as portal:
            thread = answer_soon(partial(portal.call, event.set))
            await event.wait()
        thread.join()
        return "woken"

    assert run(main, backend=backend, clock=clock) == "woken"
    assert clock.monotonic_ns() == 0


def test_waiting_until_all_are_blocked_is_no_deadlock(on_clock: Callable[..., object]) -> None:
    """The helper of many test suites still works, without a timer and beside one."""

    async def main() -> str:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep, 3600)
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        await anyio.wait_all_tasks_blocked()
        return "blocked"

    assert on_clock(main) == "blocked"


def test_exceptions_come_out_as_they_are(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """The caller sees the function's own exception, and the clock is free again."""
    boom = ZeroDivisionError("boom")

    async def main() -> None:
        await anyio.sleep(5)
        raise boom

    with pytest.raises(ZeroDivisionError) as caught:
        on_clock(main)
    assert caught.value is boom
    clock.check_free()
    assert clock.monotonic_ns() == 5 * SECOND_NS


def test_cancelling_works_as_ever(on_clock: Callable[..., object], clock: VirtualClock) -> None:
    """A cancelled sleeper stops at the time of the cancellation and can clean up in virtual time."""

    async def main() -> list[str]:
        log: list[str] = []

        async def sleeper() -> None:
            try:
                await anyio.sleep(3600)
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(2)
                log.append("cleaned")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sleeper)
            await anyio.sleep(10)
            tasks.cancel_scope.cancel()
        return log

    assert on_clock(main) == ["cleaned"]
    assert clock.monotonic_ns() == 12 * SECOND_NS


def test_a_clock_runs_one_loop_at_a_time(on_clock: Callable[..., object], backend: str, clock: VirtualClock) -> None:
    """A run inside of a run, in a thread, needs a clock of its own."""

    async def main() -> None:
        await anyio.to_thread.run_sync(partial(run, anyio.sleep, 1, backend=backend, clock=clock))

    with pytest.raises(UsageError, match="clock of its own"):
        on_clock(main)


def test_a_run_without_a_clock_gets_its_own() -> None:
    """Who does not look at the clock need not make one."""
    run(anyio.sleep, 3600)


@pytest.mark.parametrize("call", [partial(run, anyio.sleep, 1), partial(backend_options, clock=VirtualClock())])
def test_an_unknown_backend_is_named(call: Callable[..., object]) -> None:
    """The error offers the nearest backend."""
    with pytest.raises(UsageError, match=r"backend='asincio'.*did you mean 'asyncio'"):
        call(backend="asincio")
    with pytest.raises(UsageError, match=r"'asyncio' and on 'trio'$"):
        call(backend="twisted")


def test_options_are_for_anyio(clock: VirtualClock) -> None:
    """anyio itself runs on the clock when it is given the options."""
    anyio.run(anyio.sleep, 3600, backend_options=backend_options("asyncio", clock))
    assert clock.monotonic_ns() == HOUR_NS

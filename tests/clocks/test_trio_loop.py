"""Tests of playhead.clocks.trio_loop: trio's own timers, threads and ways to fail on virtual time."""

import threading

import pytest
import trio
import trio.testing

from playhead.clocks.trio_loop import backend_options, run
from playhead.clocks.virtual import VirtualClock
from playhead.errors import UsageError

HOUR_S = 3600
SECOND_NS = 1_000_000_000
REAL_NS = 600 * SECOND_NS


@pytest.fixture
def clock() -> VirtualClock:
    """Give the clock that the test's run is on."""
    return VirtualClock(patience_s=0.05)


def test_trio_move_on_after_fires(clock: VirtualClock) -> None:
    """trio's own timeouts keep virtual time, and its clock agrees with ours."""

    async def main() -> float:
        with trio.move_on_after(HOUR_S):
            await trio.sleep_forever()
        return trio.current_time()

    assert run(main, clock=clock) == HOUR_S
    assert clock.monotonic_ns() == HOUR_S * SECOND_NS


def test_trio_run_takes_the_options(clock: VirtualClock) -> None:
    """A run needs no anyio, and starts at the time of the clock."""
    clock.advance(10)
    trio.run(trio.sleep, HOUR_S, **backend_options(clock))
    assert clock.monotonic_ns() == (HOUR_S + 10) * SECOND_NS


def test_options_may_be_used_twice(clock: VirtualClock) -> None:
    """Time goes on, and moves by hand in between."""
    options = backend_options(clock)
    trio.run(trio.sleep, 1, **options)
    clock.advance(1)
    trio.run(trio.sleep, 1, **options)
    assert clock.monotonic_ns() == 3 * SECOND_NS


def test_a_trio_thread_is_not_jumped_over(clock: VirtualClock) -> None:
    """trio's mock clock alone would jump over a thread at work; ours does not, and jumps again after it."""

    async def main() -> bool:
        answered = threading.Event()
        threading.Timer(0.05, answered.set).start()
        with trio.fail_after(HOUR_S):
            was_set = await trio.to_thread.run_sync(answered.wait)
        assert 0 < clock.monotonic_ns() < REAL_NS
        await trio.sleep(HOUR_S)
        return was_set

    assert run(main, clock=clock) is True


def test_the_mock_clock_alone_jumps_over_threads() -> None:
    """The fault that the pilot is there for, planted: without it the timeout fires first."""

    async def main() -> bool:
        answered = threading.Event()
        with trio.move_on_after(HOUR_S) as scope:
            await trio.to_thread.run_sync(answered.wait, abandon_on_cancel=True)
        answered.set()
        return scope.cancelled_caught

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) is True


def test_an_abandoned_thread_holds_up_nothing(clock: VirtualClock) -> None:
    """When nobody waits for a thread any more, time jumps again."""

    async def main() -> int:
        release = threading.Event()
        with trio.move_on_after(0.02):
            await trio.to_thread.run_sync(release.wait, abandon_on_cancel=True)
        before_ns = clock.monotonic_ns()
        await trio.sleep(HOUR_S)
        release.set()
        return clock.monotonic_ns() - before_ns

    assert run(main, clock=clock) >= HOUR_S * SECOND_NS


def test_waiting_for_all_tasks_comes_before_jumping(clock: VirtualClock) -> None:
    """`wait_all_tasks_blocked` returns before any time passes, as with trio's own clock."""

    async def main() -> float:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, HOUR_S)
            await trio.testing.wait_all_tasks_blocked()
            seen = trio.current_time()
            nursery.cancel_scope.cancel()
        return seen

    assert run(main, clock=clock) == 0


def test_a_cushion_is_no_deadlock(clock: VirtualClock) -> None:
    """Waiting a real moment for the others to settle is waiting for something."""
    run(trio.testing.wait_all_tasks_blocked, 0.02, clock=clock)


def test_a_deadlock_names_trio_tasks(clock: VirtualClock) -> None:
    """The error says which task waits in which of the user's functions, and no task of trio's own."""

    async def stuck() -> None:
        await trio.Event().wait()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stuck)

    with pytest.raises(UsageError, match=r"(?s)waiting: .*stuck \(test_trio_loop.py:\d+\)") as caught:
        run(main, clock=clock)
    assert "TrioToken" not in str(caught.value)


def test_with_options_alone_trio_wraps_the_error(clock: VirtualClock) -> None:
    """trio ends a run that is stuck with its internal error, and ours is its cause."""
    with pytest.raises(trio.TrioInternalError) as caught:
        trio.run(trio.sleep_forever, **backend_options(clock))
    cause = caught.value.__cause__
    assert isinstance(cause, BaseExceptionGroup)
    assert cause.subgroup(UsageError) is not None


def test_another_internal_error_stays_itself(clock: VirtualClock) -> None:
    """What is not ours is not renamed."""

    def explode() -> None:
        raise ZeroDivisionError

    async def main() -> None:
        trio.lowlevel.current_trio_token().run_sync_soon(explode)
        await trio.sleep(1)

    with pytest.raises(trio.TrioInternalError):
        run(main, clock=clock)

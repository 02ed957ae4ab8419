"""Running what is under test, so that whatever it does, the test goes on.

Time is virtual, so waiting for ever takes no time and is found out. What turns in circles without waiting is stopped by
an alarm of the system, where there is one: in the main thread, and not on Windows. Knows no promise.
"""

import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, TypeVar

from playhead.clocks.running import run
from playhead.clocks.virtual import VirtualClock
from playhead.errors import UsageError

_Result = TypeVar("_Result")

PATIENCE_S: Final = 3600.0
"""How long a call may take, in virtual seconds, before it is said to hang."""

REAL_LIMIT_S: Final = 10.0
"""How long one delivery may take in real seconds: what takes longer turns in circles."""

_AGAIN_S: Final = 0.2
_HORIZON_S: Final = 1e9


class Spinning(BaseException):
    """Stop code that turns in circles, or waits for what can never come. No `Exception`: such code may catch those."""


def run_virtually(job: Callable[[], Awaitable[_Result]], *, backend: str = "asyncio") -> _Result:
    """Run an async function in virtual time and return its result. Raises `Spinning` where it never comes to an end."""
    clock = VirtualClock(patience_s=REAL_LIMIT_S, horizon_s=_HORIZON_S)
    with _alarm() as rung:
        try:
            return run(job, backend=backend, clock=clock)
        except Exception as error:
            # A loop that was struck by the alarm may end as a stuck one, or with its scopes in disorder.
            if rung:
                raise Spinning(rung[0]) from error
            is_late = clock.monotonic_ns() > _HORIZON_S * 1e9 or "deadlock on the virtual clock" in str(error)
            if is_late and isinstance(error, UsageError):
                raise Spinning(str(error).partition("\n")[0]) from error
            raise


@contextmanager
def _alarm() -> Iterator[list[str]]:
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield []
        return

    rung: list[str] = []

    def stop(number: int, frame: FrameType | None) -> None:
        rung.append(f"it was still running after {REAL_LIMIT_S:.0f} s of real time")
        raise Spinning(rung[0])

    before = signal.signal(signal.SIGALRM, stop)
    # Code that swallows the first alarm gets another one.
    timer = signal.setitimer(signal.ITIMER_REAL, REAL_LIMIT_S, _AGAIN_S)
    try:
        yield rung
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        # Whoever else set an alarm, as a test's time limit does, has it back, a little later than meant.
        signal.setitimer(signal.ITIMER_REAL, *timer)

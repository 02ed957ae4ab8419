"""Feeding a tape through a handler."""

from collections.abc import Callable
from typing import Any

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import RecordedError
from playhead.handlers.base import StreamHandler
from playhead.replaying.pace import Pace
from playhead.replaying.tape import Tape, check_counts

_ENDS_WELL = frozenset({"complete", "paused"})


async def replay(
    tape: Tape,
    handler: StreamHandler,
    *,
    run: str | None = None,
    start: int = 0,
    stop: int | None = None,
    after: str | None = None,
    pace: Pace = "instant",
    clock: Clock = SYSTEM_CLOCK,
    decode: Callable[[bytes], Any] | None = None,
) -> int:
    """Feed a tape, or one run, or a part of it, through a handler. Returns how many events it was given.

    The arguments after the handler are those of `Tape.events`. At the end `on_complete` is called where the recording
    ended `complete` or `paused`, else `on_error` with a `RecordedError`, which has the original exception's class as a
    name. A replay that `stop` cut short ends `closed`. What the handler raises passes through.
    """
    count, end = 0, tape.end(run)
    check_counts(start, stop)
    async for event in tape.events(run=run, start=start, after=after, pace=pace, clock=clock, decode=decode):
        if stop is not None and start + count >= stop:
            end = "closed"
            break
        await handler.on_event(event)
        count += 1
    if end in _ENDS_WELL:
        await handler.on_complete()
    else:
        await handler.on_error(recorded_error(tape, end, run=run))
    return count


def recorded_error(tape: Tape, end: str, *, run: str | None = None) -> RecordedError:
    """Return the error that stands for how a tape, or one run of it, ended."""
    errors = tape.seal.errors if tape.seal else {}
    failure = errors.get(run or next(reversed(tape.runs), "")) if end == "error" else None
    if failure is not None:
        return RecordedError(failure.message, type_name=failure.type, end=end)
    return RecordedError(f"the recorded run ended {end!r}", end=end)

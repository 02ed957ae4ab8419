"""The errors of a loop that would run or wait forever on a virtual clock.

Knows how to say where tasks wait. Does not know how a loop finds out that it is stuck.
"""

import os
from collections.abc import Iterable, Sequence
from types import FrameType

from playhead.clocks.virtual import VirtualClock
from playhead.errors import UsageError
from playhead.text import safe

_MAX_TASKS = 5
_MAX_FRAMES = 4
_LIBRARIES = frozenset({"anyio", "asyncio", "trio"})


def waiting_task(name: str, frames: Iterable[tuple[FrameType, int]]) -> str:
    """Describe a task by its name and its innermost frames that are not an event loop's own.

    `frames` are the frames and their current lines, outermost first.
    """
    places = [
        f"{frame.f_code.co_name} ({os.path.basename(frame.f_code.co_filename)}:{line})"
        for frame, line in frames
        if frame.f_globals.get("__name__", "").partition(".")[0] not in _LIBRARIES
    ]
    return safe(" > ".join([name, *places[-_MAX_FRAMES:]]), keep="")


def deadlock(tasks: Sequence[str]) -> UsageError:
    """Make the error for a loop on which nobody can wake anybody any more. `tasks` are those that wait."""
    return UsageError(
        "deadlock on the virtual clock: every task waits, no timer is set, and no socket or worker thread is pending."
        f"{_listed(tasks)}"
        "\nIf a thread that the loop does not know is to wake one of them, wait inside `with clock.held():`."
    )


def beyond_horizon(clock: VirtualClock, tasks: Sequence[str]) -> UsageError:
    """Make the error for a clock that has passed its horizon."""
    return UsageError(
        f"the virtual clock passed its horizon of {clock.horizon_s:,.0f} s: timers keep ticking, and nothing ends."
        f"{_listed(tasks)}"
        "\nIf so much time is meant to pass, say so: VirtualClock(horizon_s=...)."
    )


def _listed(tasks: Sequence[str]) -> str:
    lines = [f"\n  waiting: {task}" for task in tasks[:_MAX_TASKS]]
    if len(tasks) > _MAX_TASKS:
        lines.append(f"\n  and {len(tasks) - _MAX_TASKS} more")
    return "".join(lines)

"""Tests of playhead.clocks.stuck: what a run that cannot end says."""

import sys

from playhead.clocks.stuck import beyond_horizon, deadlock, waiting_task
from playhead.clocks.virtual import VirtualClock


def test_a_deadlock_lists_some_tasks_and_counts_the_rest() -> None:
    """The whole text: what, where, and what to do."""
    assert str(deadlock([f"task-{number} > wait (trip.py:{number})" for number in range(7)])) == (
        "deadlock on the virtual clock: every task waits, no timer is set, and no socket or worker thread is pending.\n"
        "  waiting: task-0 > wait (trip.py:0)\n"
        "  waiting: task-1 > wait (trip.py:1)\n"
        "  waiting: task-2 > wait (trip.py:2)\n"
        "  waiting: task-3 > wait (trip.py:3)\n"
        "  waiting: task-4 > wait (trip.py:4)\n"
        "  and 2 more\n"
        "If a thread that the loop does not know is to wake one of them, wait inside `with clock.held():`."
    )


def test_a_passed_horizon_names_the_setting() -> None:
    """The whole text, with the horizon in force."""
    assert str(beyond_horizon(VirtualClock(horizon_s=86_400), ["main"])) == (
        "the virtual clock passed its horizon of 86,400 s: timers keep ticking, and nothing ends.\n"
        "  waiting: main\n"
        "If so much time is meant to pass, say so: VirtualClock(horizon_s=...)."
    )


def test_a_task_shows_its_users_frames_only() -> None:
    """Frames of the event loops' own packages tell nobody where to look, and names are made safe."""
    ours = sys._getframe()
    code = compile("import sys; frame = sys._getframe()", "anyio/_core.py", "exec")
    theirs = {"__name__": "anyio._core"}
    exec(code, theirs)
    frames = [(ours, 1), (theirs["frame"], 2), (ours, 3), (ours, 4), (ours, 5), (ours, 6)]
    name = "test_a_task_shows_its_users_frames_only (test_stuck.py"
    assert waiting_task("\x1b[2J", frames) == rf"\x1b[2J > {name}:3) > {name}:4) > {name}:5) > {name}:6)"  # type: ignore[arg-type]


def test_a_task_without_frames_is_its_name() -> None:
    """A task that tells nothing is still counted."""
    assert waiting_task("Task-1", []) == "Task-1"

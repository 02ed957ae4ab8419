"""What a person is told, and the command that helps. Knows words and paths; does not know pytest."""

import shlex
from types import TracebackType
from typing import Any

from playhead.errors import MissingCassette
from playhead.plugin.settings import BY_DEFAULT
from playhead.text import safe


def command(node: str, mode: str) -> str:
    """Return the command that runs one test in a mode."""
    return f"pytest {shlex.quote(safe(node, keep=''))} --playhead-mode={mode}"


def missing(where: str, node: str, *, mode: str, said_by: str) -> MissingCassette:
    """Return the error of a test that has no cassette."""
    why = f"the mode is {mode!r}, which only replays: {said_by}" if said_by != BY_DEFAULT else "tests only replay"
    return MissingCassette(f"{safe(where)}: there is no such cassette ({why})\nRecord it: {command(node, 'once')}")


def nothing_to_record(where: str) -> MissingCassette:
    """Return the error of a test that only plays what is recorded, where it might record."""
    return MissingCassette(
        f"{safe(where)}: there is no such cassette, and what this test asks for cannot be recorded, only replayed\n"
        "Give tape.events() the events of a live run, or copy a cassette to that place"
    )


def without_own_frames(error: BaseException) -> BaseException:
    """Return an error whose traceback ends where Playhead was called: what is inside is not the test's business."""
    kept: list[TracebackType] = []
    at = error.__traceback__
    while at is not None:
        if not _is_own(at):
            kept.append(at)
        at = at.tb_next
    if not kept:
        return error
    shown: TracebackType | None = None
    for frame in reversed(kept):
        shown = TracebackType(shown, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return error.with_traceback(shown)


def _is_own(frame: Any) -> bool:
    name = str(frame.tb_frame.f_globals.get("__name__", ""))
    return name == "playhead_pytest" or name.startswith("playhead.")

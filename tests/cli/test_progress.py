"""A bar for long work, on a terminal only."""

import io
import sys

import pytest

from playhead.cli.progress import MIN_BYTES, progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "total_bytes", "is_shown"),
    [
        (_Terminal, 10 * MIN_BYTES, True),
        (_Terminal, 0, True),
        (_Terminal, MIN_BYTES - 1, False),
        (io.StringIO, 10 * MIN_BYTES, False),
    ],
)
def test_only_long_work_on_a_terminal_has_a_bar(
    stream: type[io.StringIO], total_bytes: int, is_shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short work and pipes get nothing at all; work of unknown size counts as long."""
    errors = stream()
    monkeypatch.setattr(sys, "stderr", errors)
    monkeypatch.setenv("TERM", "xterm")
    with progress("import run.log", total_bytes) as advance:
        for _ in range(10):
            advance(MIN_BYTES // 10)
    assert ("import run.log" in errors.getvalue()) is is_shown
    if not is_shown:
        assert errors.getvalue() == ""

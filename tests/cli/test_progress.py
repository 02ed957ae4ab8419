"""A bar for long work, on a terminal only."""

import io
import sys
from pathlib import Path

import pytest

from playhead.cassettes.places import locate
from playhead.cli.progress import MIN_BYTES, progress, waiting
from tests.cli.running import write_tape


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


@pytest.mark.parametrize(("text_size", "is_shown"), [(MIN_BYTES, True), (10, False)])
def test_only_a_large_cassette_is_waited_for(
    text_size: int, is_shown: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes long says what it is, and is gone when it is done."""
    path = write_tape(tmp_path / "trip.jsonl", [(0, {"event_type": "custom", "name": "x" * text_size})])
    errors = _Terminal()
    monkeypatch.setattr(sys, "stderr", errors)
    monkeypatch.setenv("TERM", "xterm")
    with waiting("convert trip", locate(path)):
        pass
    assert ("convert trip" in errors.getvalue()) is is_shown

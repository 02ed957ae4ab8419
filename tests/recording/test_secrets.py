"""What is secret on this machine."""

from pathlib import Path

import pytest

from playhead.events.locus import ThinkEvent
from playhead.recording.recorder import record
from playhead.recording.secrets import local_redactor


def test_the_home_folder_is_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path below the home folder of whoever records does not say where that is."""
    monkeypatch.setenv("HOME", "/srv/people/ann")
    with record(tmp_path / "a.jsonl") as recorder:
        list(recorder.events([ThinkEvent(iteration=1, reasoning="see /srv/people/ann/trip.txt")]))
    written = (tmp_path / "a.jsonl").read_text()
    assert "see <home-1>/trip.txt" in written
    assert "/srv/people/ann" not in written


def test_a_home_that_is_the_root_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else every path would be one."""
    monkeypatch.setenv("HOME", "/")
    assert local_redactor(None).text("see /etc/hosts") == "see /etc/hosts"


def test_no_rules_take_nothing_out() -> None:
    """`()` switches all of it off."""
    assert local_redactor(()).text(str(Path.home() / "x")) == str(Path.home() / "x")

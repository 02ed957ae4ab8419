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


def test_what_the_header_says_is_clean(tmp_path: Path) -> None:
    """A test's name may have its parameters, and who made the tape may say what with."""
    key = "sk-proj-" + "A1b2C3d4E5f6G7h8I9j0K1l2"
    with record(tmp_path / "a.jsonl", name=f"test_trip[{key}]", made={"by": key}) as recorder:
        list(recorder.events([ThinkEvent(iteration=1)]))
    written = (tmp_path / "a.jsonl").read_text()
    assert key not in written
    assert '"name":"test_trip[<openai-key-1>]"' in written

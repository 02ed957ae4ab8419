"""A cassette that is recorded again changes only where the run did."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.places import locate
from playhead.events.locus import LocusEvent, ToolCompleteEvent, ToolStartEvent
from playhead.recording.recorder import Recorder, record
from playhead.recording.renewal import MAX_ENTRIES
from playhead.replaying.tape import open_tape
from tests.recording.samples import START, failing, run_of_a_tool, terminate, think


def run(*, call: str = "c1", city: str = "Paris", seconds: float = 0, duration_ms: float = 1) -> list[Any]:
    """Return a run of a tool, at some time."""
    events: list[LocusEvent] = [
        think(),
        ToolStartEvent(tool_name="search", tool_call_id=call, arguments={"city": city}),
        ToolCompleteEvent(tool_name="search", tool_call_id=call, result="sun", duration_ms=duration_ms),
        terminate(),
    ]
    return [event.model_copy(update={"timestamp": START + timedelta(seconds=seconds)}) for event in events]


def tape_of(path: Path, fill: Callable[[Recorder], object], **options: Any) -> Recorder:
    """Record a cassette."""
    with record(path, **options) as tape:
        fill(tape)
    return tape


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a cassette of a run, and make sure that writing it again would show."""
    found = tmp_path / "run.jsonl"
    tape_of(found, lambda tape: list(tape.events(run())))
    return found


def test_volatile_fields_leave_the_file_untouched(path: Path) -> None:
    """Other times, durations and generated ids are no reason to write: the very file stays, and its seal is given."""
    before, old = path.stat(), path.read_bytes()
    tape = tape_of(path, lambda tape: list(tape.events(run(call="c9", seconds=60, duration_ms=7))), made={"x": "2"})
    assert (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns) == (old, before.st_ino, before.st_mtime_ns)
    assert [each.name for each in path.parent.iterdir()] == ["run.jsonl"]
    with open_tape(path) as played:
        assert tape.seal == played.seal


def more(tape: Recorder) -> None:
    """Tape the run, and a checkpoint."""
    list(tape.events(run()))
    tape.checkpoint({}, checkpoint_id="c")


def shorter(tape: Recorder) -> None:
    """Tape the run without its last event, and an event of the wire: as many entries."""
    list(tape.events(run()[:3]))
    list(tape.chunks([b"x"]))


def cut_off(tape: Recorder) -> None:
    """Tape the run as one that failed at its end."""
    with pytest.raises(ValueError):
        list(tape.events(failing(run(), ValueError("no"))))


@pytest.mark.parametrize(
    ("fill", "options"),
    [
        (lambda tape: list(tape.events(run(city="Rome"))), {}),
        (lambda tape: list(tape.events(run()[:3])), {}),
        (lambda tape: list(tape.events([*run(), *run()])), {}),
        (lambda tape: [list(tape.events(run())), list(tape.events(run()))], {}),
        (more, {}),
        (shorter, {}),
        (cut_off, {}),
        (lambda tape: list(tape.events(run())), {"name": "another"}),
        (lambda tape: list(tape.events(run())), {"redact": ["keys"]}),
        (lambda tape: list(tape.events(run())), {"dialect": "turns"}),
    ],
)
def test_anything_else_is_written(path: Path, fill: Callable[[Recorder], object], options: dict[str, Any]) -> None:
    """A run that did something else, or ended otherwise, and another header replace the file."""
    old = path.read_bytes()
    tape = tape_of(path, fill, **options)
    assert path.read_bytes() != old
    with open_tape(path) as played:
        assert played.seal == tape.seal


def test_bytes_of_the_wire_are_compared_exactly(tmp_path: Path) -> None:
    """The same chunks leave the file, the same bytes cut elsewhere do not."""
    path = tmp_path / "wire.jsonl"
    tape_of(path, lambda tape: list(tape.chunks([b"ab", b"c"])))
    old = path.read_bytes()
    tape_of(path, lambda tape: list(tape.chunks([b"ab", b"c"])))
    assert path.read_bytes() == old
    tape_of(path, lambda tape: list(tape.chunks([b"a", b"bc"])))
    assert path.read_bytes() != old


def test_a_damaged_cassette_is_replaced(path: Path) -> None:
    """A cassette that cannot be read is not the same as anything."""
    path.write_bytes(path.read_bytes().replace(b"Paris", b"Perth"))
    tape_of(path, lambda tape: list(tape.events(run(city="Perth"))))
    with open_tape(path) as played:
        assert len(list(played.events())) == 4


def test_only_files_are_compared(tmp_path: Path) -> None:
    """A recording into a database replaces the one that was there."""
    place = f"{tmp_path / 'runs.db'}::run"
    first = tape_of(Path(place), lambda tape: list(tape.events(run()))).close()
    second = tape_of(Path(place), lambda tape: list(tape.events(run(seconds=60)))).close()
    assert first.sha256 != second.sha256
    assert not isinstance(locate(place).store, JsonlStore)


def test_long_recordings_are_not_compared(tmp_path: Path) -> None:
    """What is too long to be compared is written."""
    path = tmp_path / "long.jsonl"
    events = [{"event_type": "custom"}] * (MAX_ENTRIES + 1)
    tape_of(path, lambda tape: list(tape.events(events)))
    before = path.stat().st_ino
    tape_of(path, lambda tape: list(tape.events(events)))
    assert path.stat().st_ino != before


def test_the_sample_run_is_a_run() -> None:
    """What is compared here is the run that the other tests tape, but for one step."""
    assert [event.event_type for event in run()] == [event.event_type for event in run_of_a_tool() if event != think(2)]

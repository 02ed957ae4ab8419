"""A replay feeds handlers as the run did, and always with the same result."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playhead.cassettes.format import ENDS
from playhead.cassettes.places import Place, locate
from playhead.cassettes.reading import Cassette
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import RecordedError, UsageError
from playhead.events.locus import ThinkEvent
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.sse import SSEHandler
from playhead.ids import SequenceIds
from playhead.recording.recorder import record
from playhead.replaying.replay import recorded_error, replay
from playhead.replaying.tape import open_tape
from tests.recording.samples import failing, run_of_a_tool, think

pytestmark = pytest.mark.anyio


def ended(place: str, end: str) -> Place:
    """Make a cassette of one event whose run ended as is said, and return where it is."""
    with record(place) as tape:
        list(tape.events([think()]))
    found = locate(place)
    with found.read() as cassette:
        _write_again(cassette, found, end)
    return found


def _write_again(cassette: Cassette, place: Place, end: str) -> None:
    lines = list(cassette.lines())
    writer = CassetteWriter.from_line(place.create(), lines[0], cassette.header)
    writer.append_line(lines[1])
    writer.seal(end, runs={"r1": end})


@pytest.mark.parametrize("end", ENDS)
async def test_each_end_reaches_the_handler(end: str) -> None:
    """`complete` and `paused` complete the handler; the others are an error that names the end."""
    place = ended(f":memory:::{end}", end)
    with open_tape(place.where) as tape:
        kept = BufferingHandler()
        assert await replay(tape, kept) == 1
    assert kept.get_events() == [think()]
    errors = kept.get_errors()
    if end in {"complete", "paused"}:
        assert (kept.is_complete, errors) == (True, [])
    else:
        assert [(type(error), str(error)) for error in errors] == [(RecordedError, f"the recorded run ended {end!r}")]
        assert [(error.end, error.type_name) for error in errors if isinstance(error, RecordedError)] == [(end, None)]


async def test_an_error_comes_back_by_name_alone(tmp_path: Path) -> None:
    """The original's class is a name and its message is kept; the class itself is not loaded."""
    path = tmp_path / "run.jsonl"
    with record(path) as tape, pytest.raises(OSError):
        list(tape.events(failing([think()], OSError("no such model"))))
    kept = BufferingHandler()
    with open_tape(path) as played:
        await replay(played, kept, run="r1")
        assert recorded_error(played, "error").type_name == "OSError"
    error = kept.get_errors()[0]
    assert isinstance(error, RecordedError)
    assert not isinstance(error, OSError)
    assert (str(error), error.type_name, error.end) == ("no such model", "OSError", "error")


async def test_a_part_of_a_run_is_closed(tmp_path: Path) -> None:
    """A replay that is cut short by `stop` ends closed; one that `stop` does not reach ends as the run did."""
    path = tmp_path / "run.jsonl"
    with record(path) as tape:
        list(tape.events(run_of_a_tool()))
    size = len(run_of_a_tool())
    with open_tape(path) as played:
        for start, stop, count in ((0, 2, 2), (1, 3, 2), (0, 0, 0)):
            kept = BufferingHandler()
            assert await replay(played, kept, start=start, stop=stop) == count
            assert kept.get_events() == run_of_a_tool()[start:stop]
            assert [str(error) for error in kept.get_errors()] == ["the recorded run ended 'closed'"]
        for stop in (size, size + 1):
            kept = BufferingHandler()
            assert await replay(played, kept, stop=stop) == size
            assert kept.get_errors() == []


async def test_what_a_handler_raises_passes(tmp_path: Path) -> None:
    """A handler that fails stops the replay with its own error."""
    path = tmp_path / "run.jsonl"
    with record(path) as tape:
        list(tape.events(run_of_a_tool()))

    class Failing(BufferingHandler):
        async def on_event(self, event: Any) -> None:
            raise ValueError("mine")

    with open_tape(path) as played, pytest.raises(ValueError, match="mine"):
        await replay(played, Failing())


def cassettes(root: Path) -> list[Path]:
    """Return the project's own recordings of real runs."""
    return sorted(path for name in ("locus", "shipit") for path in (root / "cassettes").glob(f"{name}_*.jsonl"))


async def test_the_bytes_of_a_replay_are_golden(root: Path) -> None:
    """The stream that SSEHandler makes of each of our recordings is the file in fixtures/, every time, to the byte.

    To write the files anew: `PLAYHEAD_WRITE_GOLDEN=1 pytest tests/replaying -k golden`, then look at the difference.
    """
    assert len(cassettes(root)) >= 4
    for path in cassettes(root):
        golden = root / "fixtures" / f"{path.stem}.sse"
        with open_tape(path) as tape:
            streams = [await _stream(tape) for _ in range(2)]
        if os.environ.get("PLAYHEAD_WRITE_GOLDEN"):
            golden.write_bytes(streams[0])
        assert streams == [golden.read_bytes()] * 2


async def _stream(tape: Any) -> bytes:
    handler = SSEHandler(ids=SequenceIds())
    await replay(tape, CompositeHandler([BufferingHandler(), handler]))
    return handler.format_all().encode()


@pytest.mark.anyio
async def test_a_replayed_failure_gives_the_same_bytes_every_time(tmp_path: Path) -> None:
    """The correlation id is derived from the error, so golden files of failed runs are possible."""

    def failing() -> Iterator[ThinkEvent]:
        yield ThinkEvent(iteration=1)
        raise KeyError("boo")

    with contextlib.suppress(KeyError), record(tmp_path / "e.jsonl") as recorder:
        list(recorder.events(failing()))
    pages = []
    with open_tape(tmp_path / "e.jsonl") as tape:
        for _ in range(2):
            handler = SSEHandler()
            await replay(tape, handler)
            pages.append(handler.format_all())
    assert pages[0] == pages[1]
    assert '"correlation_id"' in pages[0]


@pytest.mark.anyio
@pytest.mark.parametrize("part", [{"start": -1}, {"stop": -1}, {"start": 1.5}])
async def test_events_are_counted_from_nought(part: dict[str, Any], tmp_path: Path) -> None:
    """A negative or broken count is refused, not read as something else."""
    with record(tmp_path / "x.jsonl") as recorder:
        list(recorder.events([ThinkEvent(iteration=1)]))
    with open_tape(tmp_path / "x.jsonl") as tape:
        with pytest.raises(UsageError, match="events are counted from 0"):
            tape.events(**part)
        with pytest.raises(UsageError, match="events are counted from 0"):
            await replay(tape, SSEHandler(), **part)

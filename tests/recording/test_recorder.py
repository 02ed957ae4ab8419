"""The recorder: what is on the tape afterwards, and what is left where something went wrong."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.cassettes.format import Header
from playhead.cassettes.redact import Redactor
from playhead.cassettes.writing import CassetteWriter
from playhead.clocks.virtual import VirtualClock
from playhead.errors import CassetteError, MissingCassette, UsageError
from playhead.events.codec import event_json
from playhead.events.locus import LOCUS, InterruptEvent
from playhead.handlers.base import StreamHandler
from playhead.recording.making import LIBRARIES
from playhead.recording.recorder import Recorder, record
from playhead.replaying.tape import open_tape
from tests.recording.samples import chunk, failing, later, later_failing, run_of_a_tool, terminate, think

pytestmark = pytest.mark.anyio


def events_of(path: Path, **which: Any) -> list[Any]:
    """Return the events on a tape."""
    with open_tape(path) as tape:
        return list(tape.events(**which))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the test's cassette will be."""
    return tmp_path / "run.jsonl"


async def test_both_kinds_of_iterator(path: Path) -> None:
    """A plain and an asynchronous source are taped alike, each as a run."""
    with record(path) as tape:
        for _ in tape.events(run_of_a_tool()):
            pass
        async for _ in tape.events(later(run_of_a_tool())):
            pass
    assert events_of(path, run="r1") == events_of(path, run="r2") == run_of_a_tool()
    assert tape.seal is not None
    assert (tape.seal.end, tape.seal.runs) == ("complete", {"r1": "complete", "r2": "complete"})


async def test_a_recorder_is_a_handler(path: Path) -> None:
    """Fed as a handler, it tapes the same; the first event after an end begins another run."""
    with record(path) as tape:
        assert isinstance(tape, StreamHandler)
        for event in run_of_a_tool():
            await tape.on_event(event)
        await tape.on_complete()
        await tape.on_event(think())
        await tape.on_error(ValueError("no"))
    assert events_of(path, run="r1") == run_of_a_tool()
    assert tape.seal is not None
    assert tape.seal.runs == {"r1": "complete", "r2": "error"}
    assert tape.seal.errors["r2"].model_dump() == {"type": "ValueError", "message": "no"}


def test_times_are_those_of_the_clock(path: Path) -> None:
    """Each entry says how many microseconds have passed since the one before, the first since the start."""
    clock = VirtualClock()

    def slow() -> Iterator[Any]:
        for pause_s in (0.5, 3600, 0):
            clock.advance(pause_s)
            yield think()

    with record(path, clock=clock) as tape:
        clock.advance(1)
        list(tape.events(slow()))
    with open_tape(path) as played:
        assert [entry.dt_us for entry in played.entries()] == [1_500_000, 3_600_000_000, 0]


def test_interleaved_runs_keep_their_order(path: Path) -> None:
    """Runs are named in the order in which they began, and their entries stand in the order in which they came."""
    with record(path) as tape:
        first, second = tape.events([think(1), think(2)]), tape.events([think(3), terminate("cancelled")])
        next(second), next(first), next(second)
        list(first), list(second)
    with open_tape(path) as played:
        assert [entry.owner for entry in played.entries()] == ["r1", "r2", "r1", "r2"]
        assert played.runs == {"r1": "cancelled", "r2": "complete"}
    assert [event.event_type for event in events_of(path, run="r1")] == ["think", "terminate"]


def test_a_run_without_events_is_a_run(path: Path) -> None:
    """A source that yields nothing is complete; one that was never asked is no run."""
    with record(path) as tape:
        tape.events([think()])
        assert list(tape.events([])) == []
    assert tape.seal is not None
    assert (tape.seal.runs, tape.seal.entries) == ({"r1": "complete"}, 0)


@pytest.mark.parametrize(
    ("dialect", "events", "end"),
    [
        ("locus", [think(), terminate()], "complete"),
        ("locus", [think(), terminate("cancelled")], "cancelled"),
        ("locus", [think(), InterruptEvent(question="?", interrupt_id="i")], "paused"),
        ("locus", [think(), InterruptEvent(question="?", interrupt_id="i"), think()], "complete"),
        ("shipit", [{"type": "run_started"}, {"type": "run_completed"}, {"type": "rag_sources"}], "complete"),
        ("shipit", [{"type": "run_started"}, {"type": "tool_called"}], "cancelled"),
        ("shipit", [{"type": "run_started"}, {"type": "approval_required"}], "paused"),
    ],
)
def test_how_a_stream_ended_is_read_off_its_events(path: Path, dialect: str, events: list[Any], end: str) -> None:
    """A source that runs dry ended as its last telling event says."""
    with record(path, dialect=dialect) as tape:
        list(tape.events(events))
    assert tape.close().end == end


async def test_the_sources_error_passes_and_seals_error(path: Path) -> None:
    """What the source raises reaches whoever is outside, unchanged, and the cassette is sealed."""
    error = ValueError("the model is gone")
    with pytest.raises(ValueError) as raised, record(path) as tape:
        async for _ in tape.events(later_failing([think()], error)):
            pass
    assert raised.value is error
    assert not hasattr(error, "__notes__")
    with open_tape(path) as played:
        assert (played.end(), len(list(played.events()))) == ("error", 1)


@contextmanager
def grouped() -> Iterator[None]:
    """Wrap what is raised inside as two task groups do, one in the other."""
    try:
        yield
    except ValueError as error:
        raise ExceptionGroup("tasks", [ExceptionGroup("inner", [error])]) from None


def test_the_sources_error_in_a_group_seals_error(path: Path) -> None:
    """A task group wraps what the source raises; it is the source's all the same."""
    error = ValueError("the model is gone")
    with pytest.raises(ExceptionGroup), record(path) as tape, grouped():
        list(tape.events(failing([think()], error)))
    with open_tape(path) as played:
        assert played.end() == "error"


@pytest.mark.parametrize("raised", [ValueError("mine"), ExceptionGroup("both", [KeyError("k"), ValueError("mine")])])
def test_the_bodys_own_error_rejects_the_recording(path: Path, raised: Exception) -> None:
    """A failing test never replaces its cassette: the old one stays, and the recording is left beside it."""
    with record(path) as tape:
        list(tape.events([think()]))
    old = path.read_bytes()
    with pytest.raises(type(raised)) as caught, record(path) as tape:
        list(failing(tape.events(run_of_a_tool()), raised))
    assert caught.value is raised
    assert path.read_bytes() == old
    left = path.with_name("run.jsonl.rejected")
    assert any(str(left) in note for note in caught.value.__notes__)
    assert left.read_bytes().count(b"\n") == 1 + len(run_of_a_tool())
    assert not path.with_name("run.jsonl.partial").exists()


@contextmanager
def translated() -> Iterator[None]:
    """Raise something else because of what is raised inside."""
    try:
        yield
    except ValueError as error:
        raise RuntimeError("the test failed") from error


def test_an_error_made_of_the_sources_error_is_the_bodys_own(path: Path) -> None:
    """What the code around a run raises because of its failure is that code's failure."""
    with pytest.raises(RuntimeError), record(path) as tape, translated():
        list(tape.events(failing([think()], ValueError("no"))))
    assert path.with_name("run.jsonl.rejected").exists()
    with pytest.raises(MissingCassette):
        open_tape(path)


def test_a_swallowed_error_is_still_the_runs_end(path: Path) -> None:
    """A consumer that copes with the failure leaves a cassette that ended in error."""
    with record(path) as tape:
        with pytest.raises(ValueError):
            list(tape.events(failing([think()], ValueError("no"))))
        list(tape.events(run_of_a_tool()))
    assert tape.seal is not None
    assert (tape.seal.end, tape.seal.runs) == ("complete", {"r1": "error", "r2": "complete"})


async def test_cancellation_seals_cancelled(path: Path) -> None:
    """A scope that is cancelled around the whole recording leaves a cassette, and passes on."""

    async def hanging() -> AsyncIterator[Any]:
        yield think()
        await anyio.sleep_forever()

    with anyio.move_on_after(0) as scope:
        with record(path) as tape:
            async for _ in tape.events(hanging()):
                pass
    assert scope.cancelled_caught
    assert tape.seal is not None
    assert (tape.seal.end, tape.seal.runs) == ("cancelled", {"r1": "cancelled"})


async def test_cancellation_of_the_consumer_seals_cancelled(path: Path) -> None:
    """So does one that hits the consumer between two events."""
    source = later(run_of_a_tool())
    with anyio.move_on_after(0) as scope, record(path) as tape:
        async for _ in tape.events(source):
            await anyio.sleep_forever()
    await source.aclose()
    assert scope.cancelled_caught
    assert tape.seal is not None
    assert tape.seal.end == "cancelled"


async def test_a_timeout_is_no_end_where_the_source_goes_on(path: Path) -> None:
    """An iterator that survives a cancelled step, as a queue does, is taped to its real end."""
    send, receive = anyio.create_memory_object_stream[Any](10)
    with record(path) as tape, receive:
        events = tape.events(receive)
        with anyio.move_on_after(0):
            await anext(events)
        with send:
            await send.send(think())
            await send.send(terminate())
        assert [event.event_type async for event in events] == ["think", "terminate"]
    assert tape.seal is not None
    assert (tape.seal.entries, tape.seal.runs) == (2, {"r1": "complete"})


def test_a_generator_that_is_closed_around_the_recording_seals_closed(path: Path) -> None:
    """An endpoint that records what it streams is closed when its client leaves: that is no failure."""

    def endpoint() -> Iterator[Any]:
        with record(path) as tape:
            yield from tape.events(run_of_a_tool())

    streaming = endpoint()
    next(streaming)
    streaming.close()  # type: ignore[attr-defined]
    with open_tape(path) as played:
        assert (played.end(), len(list(played.events()))) == ("closed", 1)


def test_a_consumer_that_leaves_is_noticed(path: Path) -> None:
    """A consumer that breaks and closes nothing leaves a run that is closed."""
    with record(path) as tape:
        for _ in tape.events(iter(run_of_a_tool())):
            break
    assert tape.close().runs == {"r1": "closed"}


class Evil:
    """Be an event whose JSON cannot be had."""

    event_type = "evil"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def to_dict(self) -> dict[str, Any]:
        raise self.error


@pytest.mark.parametrize("bad", [object(), Evil(KeyError("k")), Evil(ValueError("v")), [1, 2]])
def test_an_event_that_cannot_be_taped_stops_the_recording_alone(path: Path, bad: Any) -> None:
    """The consumer gets all events; the recording stops, says so on leaving, and leaves what it had."""
    got: list[Any] = []
    with pytest.raises(UsageError) as raised, record(path) as tape:
        got += tape.events([think(), bad, terminate()])
    assert got == [think(), bad, terminate()]
    assert raised.value is tape.failure
    left = path.with_name("run.jsonl.rejected")
    assert any(str(left) in note for note in raised.value.__notes__)
    assert left.read_bytes().count(b"\n") == 2
    assert not path.exists()


async def test_a_handler_that_cannot_go_on_says_so_at_once(path: Path) -> None:
    """Fed as a handler it raises what stopped it, with each call, and checkpoints are refused too."""
    tape = record(path)
    with pytest.raises(UsageError, match="object has no JSON form"):
        await tape.on_event(object())
    with pytest.raises(UsageError, match="object has no JSON form"):
        await tape.on_event(think())
    with pytest.raises(UsageError, match="object has no JSON form"):
        await tape.on_complete()
    with pytest.raises(UsageError, match="object has no JSON form"):
        tape.checkpoint({}, checkpoint_id="c")
    with pytest.raises(UsageError):
        tape.close()


def test_the_bodys_own_error_comes_before_that_of_the_recording(path: Path) -> None:
    """A test that fails after its recording stopped raises its own error, which tells of both."""
    raised = ValueError("mine")
    with pytest.raises(ValueError) as caught, record(path) as tape:
        list(failing(tape.events([think(), object()]), raised))
    assert caught.value is raised
    notes = "\n".join(raised.__notes__)
    assert "run.jsonl.rejected" in notes
    assert "The recording had stopped before: builtins.object has no JSON form" in notes


class FullDisk:
    """Be a sink on a disk that takes so many lines and no more."""

    where = "full.jsonl"

    def __init__(self, lines: int) -> None:
        self.left = lines
        self.kept: list[bytes] = []
        self.kept_as: str | None = None

    def append(self, line: bytes) -> None:
        if not self.left:
            raise CassetteError("full.jsonl cannot be written: the disk is full")
        self.left -= 1
        self.kept.append(line)

    def commit(self, seal: bytes, *, replace: bool = True) -> None:
        self.append(seal)

    def discard(self, *, keep_as: str | None = None) -> str | None:
        self.kept_as = keep_as
        return self.where + (keep_as or "")


@given(room=st.integers(1, 8))
def test_a_full_disk_leaves_the_consumer_alone(room: int) -> None:
    """Wherever the disk fills up, the consumer sees its events; nothing is written behind the gap."""
    sink = FullDisk(room)
    header = Header(name="full", dialects={"event": "locus"})
    tape = Recorder(CassetteWriter(sink, header), LOCUS, redactor=Redactor(()), clock=VirtualClock())
    got: list[Any] = []

    def main() -> None:
        with tape:
            got.extend(tape.events(run_of_a_tool()))

    entries = len(run_of_a_tool())
    if room >= entries + 2:
        main()
        assert tape.seal is not None
    else:
        with pytest.raises(CassetteError, match="the disk is full"):
            main()
        assert tape.seal is None
        assert len(sink.kept) == room
    assert got == run_of_a_tool()


CHUNKS = [b"", b"data: \xe2\x82", b"\xac\n\n", b"\xff\x00", b"x" * 1_000_000, b"", "é".encode()]


async def test_chunks_come_back_as_they_were_cut(path: Path) -> None:
    """Chunks keep their boundaries: inside a code point, empty ones, long ones, and bytes that are no text."""
    with record(path) as tape:
        assert list(tape.chunks(CHUNKS)) == CHUNKS
        assert [each async for each in tape.chunks(later(CHUNKS))] == CHUNKS
    with open_tape(path) as played:
        assert list(played.chunks(run="r1")) == CHUNKS
        assert [each async for each in played.chunks(run="r2")] == CHUNKS
        assert list(played.events()) == []


@given(chunks=st.lists(st.binary(max_size=40), max_size=8), redact=st.sampled_from([None, ()]))
def test_any_chunks_come_back(chunks: list[bytes], redact: Any) -> None:
    """Whatever the bytes, and whether secrets are looked for or not, the same chunks are played."""
    place = ":memory:::chunks"
    with record(place, redact=redact) as tape:
        list(tape.chunks(chunks))
    with open_tape(place) as played:
        assert list(played.chunks()) == chunks


def test_checkpoints_stand_where_they_were_made(path: Path) -> None:
    """A checkpoint is an entry of the run that began last; before the first event there is none to put it in."""
    with record(path) as tape:
        with pytest.raises(UsageError, match="'early' comes before the first event"):
            tape.checkpoint({}, checkpoint_id="early")
        events = tape.events(run_of_a_tool())
        next(events)
        tape.checkpoint({"step": 1}, checkpoint_id="after think")
        loop: list[Any] = []
        loop.append(loop)
        with pytest.raises(UsageError, match="has a state with no JSON form"):
            tape.checkpoint(loop, checkpoint_id="endless")
        list(events)
    with open_tape(path) as played:
        entries = list(played.entries())
        assert [entry.kind for entry in entries][:3] == ["event", "checkpoint", "event"]
        assert entries[1].value() == {"id": "after think", "state": {"step": 1}}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ValueError("x" * 2_000_000), "x" * 3999 + "…"),
        (lambda: ValueError("half a \ud83d"), "half a \\ud83d"),
        (lambda: Mute(), "its message cannot be read: RuntimeError"),
    ],
)
def test_any_exception_can_be_sealed(path: Path, make: Callable[[], Exception], message: str) -> None:
    """An exception with an odd message passes unchanged, and the seal has what can be had of it."""
    error = make()
    with pytest.raises(type(error)) as raised, record(path) as tape:
        list(tape.events(failing([think()], error)))
    assert raised.value is error
    assert tape.seal is not None
    assert tape.seal.errors["r1"].message == message


class Mute(Exception):
    """Be an exception that cannot say what is wrong."""

    def __str__(self) -> str:
        raise RuntimeError("mute")


def test_wrong_calls_are_refused(path: Path, tmp_path: Path) -> None:
    """What cannot be done is said at once, and nothing is left behind."""
    with pytest.raises(UsageError, match="did you mean 'locus'"):
        record(path, dialect="locos")
    with pytest.raises(UsageError, match="no redaction rule"):
        record(path, redact=["nonsense"])
    with pytest.raises(UsageError, match="is a whole store"):
        record(tmp_path / "runs.db")
    with record(path) as tape, pytest.raises(UsageError, match="nothing to iterate over in int"):
        tape.events(5)  # type: ignore[call-overload]
    with record(path), pytest.raises(CassetteError, match="process"):
        record(path)


def test_the_header_says_where_it_comes_from(path: Path) -> None:
    """The header has the name, the dialect, versions and the rules of redaction."""
    with record(path, name="a test", dialect="turns", made={"agent": "1.0"}, redact=["keys"]) as tape:
        list(tape.events([{"type": "Complete", "turn_id": "t", "final_text": ""}]))
    header = json.loads(path.read_bytes().splitlines()[0])
    assert (header["name"], header["dialects"], header["redact"]) == ("a test", {"event": "turns"}, ["keys"])
    # The libraries that other tests have imported are there too.
    assert set(header["made"]) - set(LIBRARIES.values()) == {"playhead", "python", "recorded", "agent"}


def test_closing_twice_gives_the_same_seal(path: Path) -> None:
    """`close` seals once; leaving after that does nothing."""
    with record(path) as tape:
        list(tape.events([think(), chunk("a"), terminate()]))
        seal = tape.close()
        assert tape.close() is seal
    assert [event_json(event) for event in events_of(path)][1] == event_json(chunk("a"))

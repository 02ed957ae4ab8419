"""What is replayed into a recorder is recorded as it was, however it ended."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.errors import PlayheadError
from playhead.events.locus import InterruptEvent, TerminateEvent, ThinkEvent
from playhead.recording.recorder import record
from playhead.replaying.replay import replay
from playhead.replaying.tape import open_tape

THINK = ThinkEvent(iteration=1, reasoning="x")
DONE = TerminateEvent(reason="complete", iterations_used=1, final_confidence=1.0, total_tool_calls=0)
ASK = InterruptEvent(question="Which?", interrupt_id="q1")


def run(end: str) -> Iterator[object]:
    """Yield a run that ends so."""
    yield THINK
    match end:
        case "complete":
            yield DONE
        case "paused":
            yield ASK
        case "error":
            raise ValueError("no luck")
        case "cancelled":
            raise asyncio.CancelledError
        case "closed":
            yield ASK
            yield DONE


def first(place: Path, end: str) -> None:
    """Record a run that ends so."""
    with record(place) as recorder:
        tee = recorder.events(run(end))
        try:
            next(tee)
            for _ in () if end == "closed" else tee:
                pass
        except (ValueError, asyncio.CancelledError):
            pass


@pytest.mark.anyio
@pytest.mark.parametrize("end", ["complete", "paused", "error", "cancelled", "closed"])
async def test_record_then_replay_then_record_is_identity(end: str, tmp_path: Path) -> None:
    """Events, end, and the error's type and message are the same again."""
    first(tmp_path / "one.jsonl", end)
    with open_tape(tmp_path / "one.jsonl") as one, record(tmp_path / "two.jsonl") as recorder:
        await replay(one, recorder)
        with pytest.raises(PlayheadError):
            one.end("r9")
    with open_tape(tmp_path / "one.jsonl") as one, open_tape(tmp_path / "two.jsonl") as two:
        assert one.end() == end
        assert (two.end(), two.runs) == (one.end(), one.runs)
        assert one.seal is not None
        assert two.seal is not None
        assert [error.type for error in two.seal.errors.values()][:1] == [
            error.type for error in one.seal.errors.values()
        ][:1]
        assert [entry.data for entry in two.entries()] == [entry.data for entry in one.entries()]


def test_an_interrupt_from_the_keyboard_keeps_the_old_cassette(tmp_path: Path) -> None:
    """Whoever stops a recording does not want half a run in the place of a whole one."""
    place = tmp_path / "run.jsonl"
    first(place, "complete")
    before = place.read_bytes()
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012, SIM117 - it is raised inside the recording
        with record(place) as recorder:
            next(recorder.events(run("complete")))
            raise KeyboardInterrupt
    assert place.read_bytes() == before
    assert (tmp_path / "run.jsonl.rejected").exists()

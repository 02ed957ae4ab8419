"""A tape plays what was recorded: all of it, a run, a slice, from a checkpoint on, at any pace."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.clocks.running import run as run_virtually
from playhead.clocks.virtual import VirtualClock
from playhead.errors import CassetteError, MissingCassette, TornCassette, UsageError
from playhead.events.base import OpaqueEvent
from playhead.events.dialects import get_dialect
from playhead.recording.recorder import record
from playhead.replaying.pace import Pace, scaled
from playhead.replaying.tape import Tape, open_tape
from tests.recording.samples import run_of_a_tool, terminate, think

pytestmark = pytest.mark.anyio

HOUR_S = 3600


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a tape of two runs, with a checkpoint in the second."""
    found = tmp_path / "two.jsonl"
    with record(found) as tape:
        list(tape.events(run_of_a_tool()))
        second = tape.events([think(7), think(8), think(9)])
        next(second)
        tape.checkpoint({"at": 7}, checkpoint_id="seven")
        list(second)
    return found


def numbers(tape: Tape, **which: Any) -> list[int]:
    """Return the iterations of the steps that are played."""
    return [event.iteration for event in tape.events(**which) if event.event_type == "think"]


def test_runs_slices_and_checkpoints(path: Path) -> None:
    """What is played can be narrowed down, and the narrowings combine."""
    with open_tape(path) as tape:
        assert numbers(tape) == [1, 2, 7, 8, 9]
        assert numbers(tape, run="r2") == [7, 8, 9]
        assert numbers(tape, run="r2", start=1, stop=2) == [8]
        assert numbers(tape, start=3, stop=6) == [2, 7]
        assert numbers(tape, after="seven") == [8, 9]
        assert numbers(tape, after="seven", run="r2", start=1) == [9]
        assert numbers(tape, after="seven", run="r1") == []
        assert numbers(tape, start=99) == []


@given(start=st.integers(0, 10), stop=st.none() | st.integers(0, 10))
def test_a_slice_is_a_slice(start: int, stop: int | None) -> None:
    """`start` and `stop` are those of a list."""
    place, events = ":memory:::sliced", run_of_a_tool()
    with record(place) as tape:
        list(tape.events(events))
    with open_tape(place) as played:
        assert list(played.events(start=start, stop=stop)) == events[start:stop]


async def test_a_tape_can_be_played_again_and_in_both_ways(path: Path) -> None:
    """A playback is no iterator but iterable: it begins anew each time, with `for` and with `async for`."""
    with open_tape(path) as tape:
        playback = tape.events()
        first = list(playback)
        assert list(playback) == list(tape) == [event async for event in playback] == first
        halfway = iter(playback)
        next(halfway)
        assert list(playback) == first


def test_what_is_not_there_is_named(path: Path) -> None:
    """Runs and checkpoints that are not on the tape are refused, with what is."""
    with open_tape(path) as tape:
        with pytest.raises(UsageError, match=r"no run 'r3' in .*two\.jsonl: .*it has r1, r2"):
            tape.events(run="r3")
        with pytest.raises(UsageError, match="no run 'x'"):
            tape.end("x")
        with pytest.raises(UsageError, match="no checkpoint 'eight'"):
            list(tape.events(after="eight"))
    with pytest.raises(MissingCassette):
        open_tape(path.with_name("three.jsonl"))


def test_what_a_tape_says_of_itself(path: Path) -> None:
    """Header, seal, place and ends are there to be read."""
    with open_tape(path) as tape:
        assert (tape.where, tape.header.name) == (str(path), "two.jsonl")
        assert (tape.end(), tape.end("r1"), tape.runs) == ("complete", "complete", {"r1": "complete", "r2": "complete"})
        assert repr(tape) == f"Tape({str(path)!r}, end='complete')"


def test_a_torn_tape_plays_on_request(path: Path) -> None:
    """A crashed recording is refused, and read to where it breaks off when that is asked for. Its end is unknown."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]) + lines[3][:10])
    with pytest.raises(TornCassette):
        open_tape(path)
    with open_tape(path, torn=True) as tape:
        assert (tape.end(), tape.runs, tape.seal) == ("unknown", {}, None)
        assert list(tape.events()) == run_of_a_tool()[:2]
        assert list(tape.events(run="r1")) == run_of_a_tool()[:2]


def test_dialects(tmp_path: Path) -> None:
    """Events are typed by the dialect that the cassette names, by another on request, or not at all."""
    path = tmp_path / "other.jsonl"
    with record(path, dialect="turns") as tape:
        list(tape.events([{"type": "RequestStart", "turn_id": "t"}]))
    with open_tape(path) as played:
        assert [type(event).__name__ for event in played.events()] == ["RequestStart"]
    with open_tape(path, dialect=get_dialect("shipit")) as played:
        assert [type(event) for event in played.events()] == [OpaqueEvent]
    foreign = tmp_path / "foreign.jsonl"
    with record(foreign, dialect=_named("martian")) as tape:
        list(tape.events([{"event_type": "zap", "n": 1}]))
    with open_tape(foreign) as played:
        events = list(played.events())
        assert [(type(event), event.event_type, event.n) for event in events] == [(OpaqueEvent, "zap", 1)]


def _named(name: str) -> Any:
    found = get_dialect("locus")
    return type(found)(name, found.tag, found.decode, ops={})


def test_an_event_that_cannot_be_decoded_is_named(path: Path) -> None:
    """A decoder that refuses an event stops the replay, which says where."""

    def decode(raw: bytes) -> Any:
        raise UsageError("not mine")

    with open_tape(path) as tape, pytest.raises(CassetteError, match=r"two\.jsonl: event 0: not mine"):
        list(tape.events(decode=decode))


async def test_an_event_that_cannot_be_decoded_is_named_in_time_too(path: Path) -> None:
    """So does one that is played with `async for`."""

    def decode(raw: bytes) -> Any:
        raise UsageError("not mine")

    with open_tape(path) as tape, pytest.raises(CassetteError, match=r"two\.jsonl: event 0: not mine"):
        [event async for event in tape.events(decode=decode)]


def slow(clock: VirtualClock) -> Iterator[Any]:
    """Yield three events, an hour and then a tenth of a second apart."""
    yield think(1)
    clock.advance(HOUR_S)
    yield think(2)
    clock.advance(0.1)
    yield terminate()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(("pace", "speed"), [("recorded", 1), (scaled(4), 4), (scaled(0.5), 0.5)])
def test_an_hour_passes_on_a_virtual_clock(backend: str, pace: Pace, speed: float) -> None:
    """Events come when they came, or so many times faster; on a virtual clock the pauses take no time."""
    place, clock = ":memory:::slow", VirtualClock()
    with record(place, clock=clock) as tape:
        list(tape.events(slow(clock)))

    async def main() -> list[float]:
        start_ns = clock.monotonic_ns()
        with open_tape(place) as played:
            return [(clock.monotonic_ns() - start_ns) / 1e9 async for _ in played.events(pace=pace, clock=clock)]

    assert run_virtually(main, backend=backend, clock=clock) == pytest.approx(
        [0, HOUR_S / speed, (HOUR_S + 0.1) / speed], abs=1e-6
    )


def test_a_replay_times_out_as_the_run_did() -> None:
    """A timeout of anyio's around a replay fires in recorded time."""
    place, clock = ":memory:::timeout", VirtualClock()
    with record(place, clock=clock) as tape:
        list(tape.events(slow(clock)))

    async def main() -> list[str]:
        got: list[str] = []
        with open_tape(place) as played, anyio.move_on_after(HOUR_S / 2):
            async for event in played.events(pace="recorded", clock=clock):
                got.append(event.event_type)  # noqa: PERF401
        return got

    assert run_virtually(main, clock=clock) == ["think"]


def test_a_plain_loop_cannot_wait(path: Path) -> None:
    """Only `async for` can wait; a plain `for` is told so."""
    with open_tape(path) as tape, pytest.raises(UsageError, match="a plain `for` cannot wait"):
        list(tape.events(pace="recorded"))


async def test_an_instant_replay_lets_others_run() -> None:
    """A long instant replay can be cancelled."""
    place = ":memory:::long"
    with record(place) as tape:
        list(tape.events(think(number) for number in range(600)))
    count = 0
    with open_tape(place) as played, anyio.CancelScope() as scope:
        async for _ in played.events():
            count += 1
            if count == 10:
                scope.cancel()
    assert scope.cancelled_caught
    assert count < 600

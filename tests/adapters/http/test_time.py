"""Tests of the HTTP transports: recorded pauses, timeouts and cancellation, on a virtual clock."""

import json
import math
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import anyio
import pytest

from playhead.cassettes.places import locate
from playhead.clocks.running import run
from playhead.clocks.virtual import VirtualClock
from playhead.errors import ReplayMismatch
from playhead.models.http import head_of, request_of
from playhead.recording.recorder import record
from playhead.replaying.order import PATIENCE_S
from playhead.replaying.pace import Pace, scaled
from playhead.replaying.taps import rerun
from tests.adapters.http.raw_server import STREAMING, Asked, Peer, RawServer, streaming
from tests.adapters.http.readers import LIBRARIES, QUESTION, Outcome, Reader

OFFLINE = "http://offline.invalid"
HOUR_S = 3600.0

READERS = [
    pytest.param(Reader(library, adapter, backend), id=f"{name}-{backend}")
    for (name, (library, adapter)), backend in product(LIBRARIES.items(), ("asyncio", "trio"))
]

pytestmark = pytest.mark.parametrize("reader", READERS)


@dataclass
class Timed:
    """What a reader saw, and how many seconds it took by the virtual clock."""

    seen: Outcome
    took_s: float
    at_s: list[float]


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """Return where a test records."""
    return tmp_path / "tape.jsonl"


@pytest.fixture
def paused(cassette: Path) -> Path:
    """Return a recording of three chunks, with an hour between the first two and the last."""
    return by_hand(cassette, [(1.0, b"one"), (2.0, b"two"), (HOUR_S + 2, b"three")])


def by_hand(
    cassette: Path, chunks: list[tuple[float, bytes]], *, fails: tuple[float, BaseException] | None = None
) -> Path:
    """Record chunks at these times, and what it failed with if it did."""
    clock = VirtualClock()

    def until(at_s: float) -> None:
        clock.advance(at_s - clock.monotonic_ns() / 1e9)

    with record(cassette, clock=clock) as recorder:
        call = recorder.call(request_of("POST", f"{OFFLINE}/v1/ask", [], json.dumps(QUESTION).encode()))
        if chunks:
            call.reply(head_of(200, []))
        for at_s, data in chunks:
            until(at_s)
            call.take(data)
        if fails:
            until(fails[0])
        call.finish(fails and fails[1])
    return cassette


def replayed(
    reader: Reader,
    cassette: Path,
    *,
    pace: Pace = "recorded",
    timeout_s: float | None = None,
    cancel_at_s: float = math.inf,
) -> Timed:
    """Read a recorded answer in time, in a scope that is left after so many seconds."""
    clock = VirtualClock()
    timed = Timed(Outcome(), 0.0, [])

    def now_s() -> float:
        return clock.monotonic_ns() / 1e9

    async def read() -> None:
        with rerun(cassette, pace=pace, clock=clock) as tap, anyio.move_on_after(cancel_at_s):
            await reader.aread(
                tap, OFFLINE, timeout_s=timeout_s, seen=timed.seen, after_each=lambda: timed.at_s.append(now_s())
            )
        timed.took_s = now_s()

    run(read, backend=reader.backend or "asyncio", clock=clock)
    return timed


def test_an_hour_takes_no_time(reader: Reader, paused: Path) -> None:
    """Chunks come when they came, and an hour of silence costs nothing."""
    start = time.perf_counter()
    timed = replayed(reader, paused)
    assert time.perf_counter() - start < 1
    assert timed.seen.chunks == [b"one", b"two", b"three"]
    assert timed.at_s == pytest.approx([1, 2, HOUR_S + 2])


@pytest.mark.parametrize(("pace", "took_s"), [("instant", 0), (scaled(4.0), (HOUR_S + 2) / 4)])
def test_other_paces(reader: Reader, paused: Path, pace: Pace, took_s: float) -> None:
    """An answer comes at once, or faster, as the tap is told."""
    timed = replayed(reader, paused, pace=pace)
    assert timed.seen.chunks == [b"one", b"two", b"three"]
    assert timed.took_s == pytest.approx(took_s)


def test_read_timeout_fires(reader: Reader, paused: Path) -> None:
    """Silence beyond the client's read timeout is a read timeout, after so long and not before."""
    timed = replayed(reader, paused, timeout_s=30)
    assert timed.seen.chunks == [b"one", b"two"]
    assert isinstance(timed.seen.error, reader.library.ReadTimeout)
    assert "nothing is recorded for 3600 s here, and the read timeout is 30 s" in str(timed.seen.error)
    assert timed.took_s == pytest.approx(2 + 30)


def test_read_timeout_that_is_long_enough(reader: Reader, paused: Path) -> None:
    """A read timeout counts from each chunk, not from the beginning."""
    timed = replayed(reader, paused, timeout_s=HOUR_S + 1)
    assert (timed.seen.error, timed.seen.chunks[-1]) == (None, b"three")


def test_scope_is_left_in_time(reader: Reader, paused: Path) -> None:
    """A scope around the reader is left when it should be, with what had come by then."""
    timed = replayed(reader, paused, cancel_at_s=60)
    assert timed.seen.chunks == [b"one", b"two"]
    assert timed.took_s == pytest.approx(60)


@pytest.mark.parametrize(("timeout_s", "took_s"), [(None, 12), (12, 12), (20, 12), (5, 6)])
def test_recorded_read_timeout(reader: Reader, cassette: Path, timeout_s: float | None, took_s: float) -> None:
    """A recorded read timeout fires again with its words, earlier where the client is less patient now."""
    by_hand(cassette, [(1.0, b"one")], fails=(12.0, reader.library.ReadTimeout("waited in vain")))
    timed = replayed(reader, cassette, timeout_s=timeout_s)
    assert timed.seen.chunks == [b"one"]
    assert timed.seen.fault == (reader.library.ReadTimeout, "waited in vain")
    assert timed.took_s == pytest.approx(took_s)


@pytest.mark.parametrize("name", ["ConnectTimeout", "WriteError", "PoolTimeout"])
def test_failure_before_anything_is_read(reader: Reader, cassette: Path, name: str) -> None:
    """What failed before anything was read fails when it failed, whatever the read timeout."""
    by_hand(cassette, [], fails=(10.0, getattr(reader.library, name)("in vain")))
    timed = replayed(reader, cassette, timeout_s=1)
    assert timed.seen.fault == (getattr(reader.library, name), "in vain")
    assert timed.took_s == pytest.approx(10)


def test_slow_head(reader: Reader, cassette: Path) -> None:
    """A read timeout counts while the head of an answer is awaited, too."""
    by_hand(cassette, [], fails=(10.0, reader.library.RemoteProtocolError("gone")))
    timed = replayed(reader, cassette, timeout_s=1)
    assert isinstance(timed.seen.error, reader.library.ReadTimeout)
    assert timed.took_s == pytest.approx(1)


def stalling(asked: Asked, peer: Peer) -> None:
    """Answer with three chunks, each after a permit, and then with silence."""
    peer.send(STREAMING)
    for number in range(3):
        peer.wait()
        peer.send_chunk(b"data: %d\n\n" % number)
    peer.wait()


async def cancelled(reader: Reader, source: Any, server: RawServer) -> Outcome:
    """Read until the server is silent, and be cancelled then."""
    seen = Outcome()
    silent = anyio.Event()

    def after_each() -> None:
        if len(seen.chunks) == 3:
            silent.set()
        else:
            server.permit()

    server.permit()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reader.aread, source, server.url, QUESTION, None, after_each, None, None, seen)
        await silent.wait()
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    return seen


def record_cancelled(reader: Reader, cassette: Path) -> Outcome:
    """Record a reader that is cancelled in the middle of a read."""
    with RawServer(stalling) as server, record(cassette) as recorder:
        return anyio.run(cancelled, reader, recorder, server, backend=reader.backend or "asyncio")


def test_cancelled_reader(reader: Reader, cassette: Path) -> None:
    """A cancelled reader got what it would have got without a tape, and the tape says so."""
    with RawServer(stalling) as server:
        bare = anyio.run(cancelled, reader, None, server, backend=reader.backend or "asyncio")
    through = record_cancelled(reader, cassette)
    assert through.chunks == bare.chunks
    assert len(through.chunks) == 3
    with locate(str(cassette)).read() as tape:
        entries = [(entry.kind, entry.data) for entry in tape.entries()]
    assert entries[-1] == ("end", b'{"how":"cancelled"}')


@pytest.mark.parametrize("pace", ["instant", "recorded", scaled(60.0)])
def test_cancelled_reader_again(reader: Reader, cassette: Path, pace: Pace) -> None:
    """A reader that was cancelled after a minute of silence is given that minute, at any pace, and a little more."""
    cut = by_hand(cassette, [(1.0, b"one")], fails=(61.0, KeyboardInterrupt()))
    timed = replayed(reader, cut, pace=pace, cancel_at_s=61 + PATIENCE_S / 2)
    assert timed.seen.chunks == [b"one"]
    assert timed.took_s == pytest.approx(61 + PATIENCE_S / 2)


def test_cancelled_reader_is_less_patient(reader: Reader, cassette: Path) -> None:
    """A read timeout that is shorter than the silence fires."""
    cut = by_hand(cassette, [(1.0, b"one")], fails=(61.0, KeyboardInterrupt()))
    timed = replayed(reader, cut, timeout_s=10)
    assert isinstance(timed.seen.error, reader.library.ReadTimeout)
    assert timed.took_s == pytest.approx(11)


def test_cancelled_reader_that_reads_on(reader: Reader, cassette: Path) -> None:
    """A reader that is not cancelled again is a mismatch, in the end."""
    live = record_cancelled(reader, cassette)
    with pytest.raises(ReplayMismatch, match=r"c1 was left after 3 chunks in the recording \(cancelled\)"):
        replayed(reader, cassette)
    assert len(live.chunks) == 3


@pytest.mark.parametrize("how", [KeyboardInterrupt, GeneratorExit])
def test_left_before_an_answer(reader: Reader, cassette: Path, how: type[BaseException]) -> None:
    """Where nobody waited for the head of an answer, whoever waits for it is a mismatch."""
    by_hand(cassette, [], fails=(1.0, how()))
    with pytest.raises(ReplayMismatch, match="c1 was left before it was answered"):
        replayed(reader, cassette)


def test_plain_replay_does_not_wait(reader: Reader, paused: Path) -> None:
    """Without an event loop all comes at once, whatever the pace, and no timeout fires."""
    plain = Reader(reader.library, reader.adapter, None)
    start = time.perf_counter()
    with rerun(paused, pace="recorded") as tap:
        seen = plain.read(tap, OFFLINE, timeout_s=1)
    assert time.perf_counter() - start < 1
    assert seen.chunks == [b"one", b"two", b"three"]


def test_pace_of_other_chunks(reader: Reader, cassette: Path) -> None:
    """Chunks that are cut otherwise come when their last byte came."""
    by_hand(cassette, [(1.0, b"ab"), (5.0, b"cd")])
    clock = VirtualClock()
    at_s: list[float] = []

    async def read() -> Outcome:
        with rerun(cassette, pace="recorded", clock=clock) as tap:
            return await reader.aread(
                tap,
                OFFLINE,
                options={"rechunk": "bytes"},
                after_each=lambda: at_s.append(clock.monotonic_ns() / 1e9),
            )

    seen = run(read, backend=reader.backend or "asyncio", clock=clock)
    assert seen.chunks == [b"a", b"b", b"c", b"d"]
    assert at_s == pytest.approx([1, 1, 5, 5])


@pytest.mark.parametrize("size", [1, 1000])
def test_real_pace(reader: Reader, cassette: Path, size: int) -> None:
    """On the machine's own clock an answer takes at least as long as it took, and many chunks are all there."""
    with RawServer(streaming([b"x"] * size)) as server, record(cassette) as recorder:
        live = reader.read(recorder, server.url)
    with rerun(cassette, pace="recorded") as tap:
        again = reader.read(tap, OFFLINE)
    assert again.chunks == live.chunks

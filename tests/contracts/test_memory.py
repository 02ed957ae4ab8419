"""A long stream is checked in constant memory."""

import itertools
import tracemalloc
from collections.abc import Iterator

import pytest

from playhead.contracts.check import check
from tests.contracts.streams import CHUNK, END, Event, answer, call, step


def run(count: int) -> Iterator[Event]:
    """Yield a run of so many events, with steps and tools."""
    for number in range(1, count // 5 + 1):
        yield from (step(number), call(f"c{number}"), CHUNK, CHUNK, answer(f"c{number}"))
    yield END


def wire(count: int) -> Iterator[bytes]:
    """Yield so many numbered messages as chunks of bytes."""
    yield b'id: 1\nevent: think\ndata: {"event_type":"think","iteration":1}\n\n'
    for number in range(2, count):
        yield b'id: %d\nevent: model_chunk\ndata: {"event_type":"model_chunk","content":"x"}\n\n' % number
    yield b'id: %d\nevent: terminate\ndata: {"event_type":"terminate","reason":"complete"}\n\n' % count
    yield b'event: done\nid: %d\ndata: {"status":"complete","total_events":%d}\n\n' % (count + 1, count)


@pytest.mark.parametrize("stream", [run, wire])
def test_memory_does_not_grow_with_the_stream(stream: object) -> None:
    """Ten times as many events take no more memory than a tenth of them, but for some noise."""

    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            assert not list(itertools.islice(check(stream(count)), 3))  # type: ignore[operator]
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(3_000)
    assert peak(20_000) < 1.2 * peak(4_000) + 50_000


def test_a_million_events_are_checked() -> None:
    """In one go, without a finding."""
    assert not list(check(run(1_000_000)))

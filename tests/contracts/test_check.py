"""What can be checked, and how findings are placed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.clocks.virtual import VirtualClock
from playhead.contracts.check import check
from playhead.errors import UsageError
from playhead.events.codec import decode_event, event_json
from playhead.recording.recorder import record
from playhead.replaying.tape import open_tape
from tests.contracts.streams import CHUNK, DONE, END, HEALTHY, START, THINK, Event


def taped(place: Path, *runs: list[Event]) -> list[str]:
    """Record runs into one cassette, an event of each in turn, and return what the rules say of it."""
    with record(place, clock=VirtualClock()) as recorder:
        tees = [recorder.events([decode_event(event) for event in run]) for run in runs]
        while tees:
            tees = [tee for tee in tees if next(tee, None) is not None]
    with open_tape(place) as tape:
        return [str(violation) for violation in check(tape)]


def test_each_run_of_a_tape_is_checked_by_itself(tmp_path: Path) -> None:
    """Runs that lie in between each other, or that begin alike, do not disturb each other."""
    run = [CHUNK, *HEALTHY]
    assert taped(tmp_path / "two.jsonl", run, run) == []
    assert taped(tmp_path / "three.jsonl", run, run[:3], run) == [
        f"{tmp_path / 'three.jsonl'}:17: TRM001 the stream ended after 3 events without a terminal event"
    ]


def test_a_finding_has_the_line_of_its_entry(tmp_path: Path) -> None:
    """The header is line 1, so the third event is on line 4."""
    place = tmp_path / "broken.jsonl"
    told = taped(place, [THINK, START, {**DONE, "tool_name": "x"}, END])
    assert [each.split(" ")[0] for each in told] == [f"{place}:4:"]


def test_chunks_of_bytes_are_no_run_of_events(tmp_path: Path) -> None:
    """What went over the wire is not judged by the rules of events."""
    place = tmp_path / "wire.jsonl"
    with record(place, clock=VirtualClock()) as recorder:
        list(recorder.chunks([b"data: 1\n\n"]))
    with open_tape(place) as tape:
        assert list(check(tape)) == []


@pytest.mark.parametrize(
    "stream",
    [
        [decode_event(event) for event in HEALTHY],
        [event_json(decode_event(event)) for event in HEALTHY],
        iter(HEALTHY),
    ],
)
def test_any_iterable_of_events_will_do(stream: list[object]) -> None:
    """Typed events, JSON text, plain objects: all are the same stream."""
    assert list(check(stream)) == []


def test_what_is_no_stream_is_refused() -> None:
    """The message says which item, and what to do with bytes."""
    with pytest.raises(UsageError, match="item 1 of the stream is no event"):
        list(check([THINK, 5]))


def test_what_a_source_says_is_its_own() -> None:
    """An error that a source raises is passed on as it is, even one that says that something was used wrongly."""

    def source() -> Iterator[Event]:
        yield from HEALTHY
        raise UsageError("the source is closed")

    found = check(source())
    assert next(found).code == "TRM005"
    with pytest.raises(UsageError, match=r"^the source is closed$"):
        next(found)

"""Limits speak where they are given, and say by how much."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from playhead.contracts.check import check
from playhead.contracts.limits import Limits, seconds
from tests.contracts.streams import CHUNK, END, HEALTHY, THINK, by, codes, step


def at(second: float, event: dict[str, Any]) -> dict[str, Any]:
    """Return an event of that second."""
    return {**event, "timestamp": (datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).isoformat()}


def test_time_that_goes_back_is_told_once_for_each_event() -> None:
    """Equal times are fine, and agents have clocks of their own."""
    assert codes([at(5, THINK), at(5, CHUNK), at(4, CHUNK), at(6, END)]) == ["ORD008"]
    assert codes([at(5, by("a", THINK)), at(4, by("b", THINK)), at(6, by("a", END)), at(6, by("b", END))]) == []
    (found,) = check([at(5, THINK), at(3.5, END)])
    assert found.message.endswith("is 1.5 s older than the event before it")


def test_a_time_of_zero_is_a_time() -> None:
    """Seconds may be counted from the beginning of a run."""
    times = [{**event, "timestamp": told} for event, told in ((THINK, 5.0), (CHUNK, 0.0), (END, 0))]
    assert codes(times) == ["ORD008"]


@pytest.mark.parametrize("told", ["nonsense", None, True, [], "2030-13-01"])
def test_what_is_no_time_is_let_be(told: object) -> None:
    """An event without a time, or with one that cannot be read, is neither late nor early."""
    assert seconds(told) is None
    assert codes([at(5, THINK), {**CHUNK, "timestamp": told}, at(5, END)], limits=Limits(silence_s=1)) == []


def test_a_time_is_read_in_every_spelling() -> None:
    """ISO 8601 with any offset or none, a datetime, Unix seconds."""
    moment = datetime(2030, 1, 1, 12, tzinfo=UTC)
    spellings = ["2030-01-01T12:00:00Z", "2030-01-01T13:00:00+01:00", "2030-01-01T12:00:00", moment, moment.timestamp()]
    spellings.append(moment.astimezone(timezone(timedelta(hours=-5))))
    assert {seconds(told) for told in spellings} == {moment.timestamp()}


def test_silence_is_measured_between_events() -> None:
    """Exactly the limit is no violation."""
    stream = [at(0, THINK), at(30, CHUNK), at(60.5, END)]
    assert codes(stream, limits=Limits(silence_s=30)) == ["TRM006"]
    assert codes(stream, limits=Limits(silence_s=30.5)) == []
    (found,) = check(stream, limits=Limits(silence_s=30))
    assert found.message == "30.5 s of silence before terminate"


def test_steps_and_events_are_counted() -> None:
    """Each limit is told once, by the event that exceeds it."""
    stream = [THINK, step(2), step(3), step(4), END]
    assert codes(stream, limits=Limits(steps=4, events=5)) == []
    found = list(check(stream, limits=Limits(steps=2, events=3)))
    assert [(each.index, each.message) for each in found] == [
        (2, "think makes it more than 2 steps"),
        (3, "think makes it more than 3 events"),
    ]


def test_counters_are_compared_on_request() -> None:
    """What the terminal event counted is what the stream has; what it did not count is not compared."""
    counters = Limits(counters=True)
    assert codes(HEALTHY, limits=counters) == []
    assert codes([*HEALTHY[:-1], {"event_type": "terminate", "reason": "complete"}], limits=counters) == []
    (found,) = check([*HEALTHY[:-1], {**END, "total_tool_calls": 2}], select=["TRM008"])
    assert found.message == "terminate says total_tool_calls 2, and the stream has 1"

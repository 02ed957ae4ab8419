"""Assertions pass on what is right, and their failures can be read."""

from pathlib import Path

import pytest

from playhead.contracts.limits import Limits
from playhead.errors import MissingCassette, UsageError
from playhead.replaying.tape import open_tape
from playhead.testing import assert_contracts, assert_same_run
from tests.cli.running import SEARCH, write_tape
from tests.contracts.streams import DONE, END, HEALTHY, START, THINK, answer, call


def test_a_stream_that_keeps_its_contracts_passes(tmp_path: Path) -> None:
    """Events, a tape, and a cassette by its name or path."""
    place = write_tape(tmp_path / "a.jsonl")
    assert_contracts(HEALTHY)
    assert_contracts(str(place))
    assert_contracts(place)
    with open_tape(place) as tape:
        assert_contracts(tape)


def test_a_broken_stream_fails_with_place_and_meaning(tmp_path: Path) -> None:
    """Each finding is a line, and each rule is explained once."""
    with pytest.raises(AssertionError) as failed:
        assert_contracts([THINK, DONE, DONE])
    assert str(failed.value).splitlines()[:6] == [
        "the stream breaks ORD001 and TRM001",
        "  event 1: ORD001 tool_complete closes tool span 'c1' (search), which is not open",
        "  event 2: ORD001 tool_complete closes tool span 'c1' (search), which is not open",
        "  event 3: TRM001 the stream ended after 3 events without a terminal event",
        "",
        "  ORD001: a span is closed that is not open. A tool's completion has a start before it, of the same key and "
        "name, and each start is completed once. Who shows a spinner for each start never stops it, or stops another "
        "one.",
    ]
    assert str(failed.value).endswith("\n  more: playhead rule ORD001")
    place = write_tape(tmp_path / "b.jsonl", SEARCH[:1])
    with pytest.raises(AssertionError, match=r"b\.jsonl:3: TRM001"):
        assert_contracts(place)


def test_a_long_list_of_findings_is_cut() -> None:
    """The first twenty are enough to begin with."""
    with pytest.raises(AssertionError, match="and 11 more"):
        assert_contracts([THINK, *[answer(f"c{n}") for n in range(31)], END])


def test_rules_can_be_chosen() -> None:
    """As in `playhead.check`; a warning never fails."""
    assert_contracts([THINK, DONE, END], ignore=["ORD001"])
    assert_contracts([THINK, DONE, END], select=["TRM"])
    with pytest.raises(AssertionError, match="TRM007"):
        assert_contracts(HEALTHY, limits=Limits(events=2))
    late = [{**THINK, "timestamp": "2030-01-01T00:00:05Z"}, {**END, "timestamp": "2030-01-01T00:00:04Z"}]
    assert_contracts(late)
    with pytest.raises(UsageError, match="there is no rule"):
        assert_contracts(HEALTHY, select=["XYZ"])


def test_the_same_run_passes(tmp_path: Path) -> None:
    """Ids, times and the order of tools that run at the same time do not count."""
    one = [THINK, call("a"), call("b"), answer("a"), answer("b"), END]
    two = [THINK, call("x"), call("y"), answer("y"), answer("x"), END]
    assert_same_run(one, two)
    place = write_tape(tmp_path / "a.jsonl")
    assert_same_run(place, str(place))
    with pytest.raises(AssertionError):
        assert_same_run(one, two, any_order=False)


def test_another_run_fails_with_the_first_difference() -> None:
    """The failure has both sides, what stands before it, the kind and the path."""
    with pytest.raises(AssertionError) as failed:
        assert_same_run([THINK, START, DONE, END], [THINK, START, {**DONE, "result": "rain"}, END])
    assert str(failed.value).splitlines() == [
        "the runs differ: 1 difference between 4 events and 4 events (counted from 0)",
        "    0: think(iteration=1)",
        "    1: tool_start(tool_name='search', tool_call_id='c1')",
        "  changed: event 2 (new: 2) at $.result",
        "    old 2: tool_complete(tool_name='search', tool_call_id='c1', result='ok')",
        "    new 2: tool_complete(tool_name='search', tool_call_id='c1', result='rain')",
        "    $.result: 'ok' -> 'rain'",
    ]


def test_runs_that_ended_otherwise_are_not_the_same(tmp_path: Path) -> None:
    """The events are equal, the ends are not."""
    one, two = write_tape(tmp_path / "a.jsonl"), write_tape(tmp_path / "b.jsonl", end="closed")
    with pytest.raises(AssertionError, match=r"the runs ended \['complete'\] and \['closed'\]"):
        assert_same_run(one, two)


def test_a_cassette_that_is_not_there_is_no_failed_assertion() -> None:
    """It is an error of its own."""
    with pytest.raises(MissingCassette):
        assert_contracts("nowhere.jsonl")
    with pytest.raises(MissingCassette):
        assert_same_run("nowhere.jsonl", [])

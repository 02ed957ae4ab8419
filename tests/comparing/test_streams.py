"""The comparison of two streams."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.comparing import Comparison, Difference, Kind, compare
from playhead.errors import UsageError
from playhead.events.codec import decode_event, event_json
from playhead.events.shipit import SHIPIT
from playhead.events.spans import Dialect
from playhead.events.turns import TURNS
from playhead.text import safe
from tests.events.samples import TEXTS

Json = dict[str, Any]


def run(count: int = 2, *, prefix: str = "c") -> list[Json]:
    """Return a run of one step with tools that run at the same time."""
    ids = [f"{prefix}{number}" for number in range(count)]
    calls = [{"id": each, "name": "slow", "arguments": {"n": number}} for number, each in enumerate(ids)]
    starts = [
        {"event_type": "tool_start", "tool_name": "slow", "tool_call_id": each, "arguments": {"n": number}}
        for number, each in enumerate(ids)
    ]
    ends = [
        {"event_type": "tool_complete", "tool_name": "slow", "tool_call_id": each, "result": f"done {number}"}
        for number, each in enumerate(ids)
    ]
    think: Json = {"event_type": "think", "iteration": 1, "tool_calls": calls}
    last: Json = {"event_type": "terminate", "reason": "complete", "iterations_used": 1}
    events = [think, *starts, *ends, {"event_type": "think", "iteration": 2, "reasoning": "ok"}, last]
    return [{**event, "timestamp": f"2030-01-01T00:00:{at:02}Z"} for at, event in enumerate(events)]


def custom(name: str) -> Json:
    return {"event_type": "custom", "timestamp": "2030-01-01T00:00:00Z", "name": name, "data": {}}


STREAMS = st.lists(st.sampled_from("abcde"), min_size=1, max_size=12)


def stream(names: list[str]) -> list[Json]:
    return [custom(name) for name in names]


def summary(found: Comparison) -> list[tuple[Kind, int | None, int | None, str]]:
    return [(each.kind, each.old_index, each.new_index, each.path) for each in found]


@given(names=STREAMS)
def test_a_stream_equals_itself(names: list[str]) -> None:
    """There is no difference between a stream and itself, and the comparison is falsy then."""
    found = compare(stream(names), stream(names))
    assert not found
    assert list(found) == []
    assert str(found).startswith("no differences")


@given(names=STREAMS, data=st.data())
def test_one_inserted_event_is_one_difference(names: list[str], data: st.DataObject) -> None:
    """Whatever follows it, an event that only one stream has is one difference, at its place."""
    at = data.draw(st.integers(0, len(names)))
    longer = stream([*names[:at], "new", *names[at:]])
    assert summary(compare(stream(names), longer)) == [(Kind.EXTRA, None, at, "$")]
    assert summary(compare(longer, stream(names))) == [(Kind.MISSING, at, None, "$")]


@given(names=STREAMS, data=st.data())
def test_one_changed_event_is_one_difference(names: list[str], data: st.DataObject) -> None:
    """A changed field is one difference, at its path, with both sides."""
    at = data.draw(st.integers(0, len(names) - 1))
    changed = stream([*names[:at], "new", *names[at + 1 :]])
    assert list(compare(stream(names), changed)) == [Difference(Kind.CHANGED, at, at, "$.name", names[at], "new")]


@given(count=st.integers(2, 9), data=st.data())
def test_one_moved_event_is_one_difference(count: int, data: st.DataObject) -> None:
    """An event at another place is one difference."""
    old = stream([str(number) for number in range(count)])
    new = list(old)
    source, target = data.draw(st.permutations(range(count)))[:2]
    new.insert(target, new.pop(source))
    found = compare(old, new)
    assert [each.kind for each in found] == [Kind.MOVED]
    moved = found.differences[0]
    assert old[moved.old_index or 0] == new[moved.new_index or 0] == moved.old


@given(left=STREAMS, right=STREAMS)
def test_swapping_the_streams_mirrors_the_differences(left: list[str], right: list[str]) -> None:
    """The same differences are found from either side."""
    forth, back = compare(stream(left), stream(right)), compare(stream(right), stream(left))
    mirrored = [each.mirrored() for each in back]
    assert sorted(map(repr, forth)) == sorted(map(repr, mirrored))
    assert bool(forth) == (left != right)


def test_ids_may_be_renamed() -> None:
    """Ids that are made up anew are no difference, in tool calls, starts and ends."""
    assert not compare(run(prefix="c"), run(prefix="other-"))


def test_nested_ids_may_be_renamed() -> None:
    """The same holds for events in events."""
    shell: Json = {"event_type": "subagent", "tool_name": "t", "timestamp": "2030-01-01T00:00:00Z"}
    old = [{**shell, "tool_call_id": "p", "event": event} for event in run(prefix="c")]
    new = [{**shell, "tool_call_id": "q", "event": event} for event in run(prefix="d")]
    assert not compare(old, new)
    new[2]["event"]["tool_call_id"] = "wrong"
    assert summary(compare(old, new)) == [(Kind.CHANGED, 2, 2, "$.event.tool_call_id")]


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_an_inconsistent_id_is_one_difference(at: int) -> None:
    """One event with an id that is not the one of its tool is one difference, wherever it is."""
    new = run(prefix="x")
    new[at]["tool_call_id"] = "wrong"
    assert summary(compare(run(), new)) == [(Kind.CHANGED, at, at, "$.tool_call_id")]


def test_volatile_fields_do_not_count() -> None:
    """Times and durations are no differences, nor is the run of which a custom event speaks."""
    new = [{**event, "timestamp": "2031-12-24T00:00:00Z"} for event in run()]
    assert not compare(run(), new)
    assert compare(run(), [{**event, "agent_name": "other"} for event in run()])


def swapped(events: list[Json], left: int, right: int) -> list[Json]:
    found = list(events)
    found[left], found[right] = found[right], found[left]
    return found


def test_tools_may_complete_in_any_order() -> None:
    """The ends of tools that run at the same time may come in any order, unless order is asked for."""
    old = run(4)
    for left, right in ((5, 6), (5, 8), (6, 7)):
        assert not compare(old, swapped(old, left, right)), (left, right)
        found = compare(old, swapped(old, left, right), any_order=False)
        assert {each.kind for each in found} == {Kind.MOVED}


def test_tools_one_after_the_other_have_an_order() -> None:
    """An end that overtakes another tool's start, or a thought, has moved."""
    first, second = run(1, prefix="a")[1:3], run(1, prefix="b")[1:3]
    old = [*first, {**second[0], "arguments": {"n": 9}}, {**second[1], "result": "nine"}]
    assert [each.kind for each in compare(old, [old[0], old[2], old[1], old[3]])] == [Kind.MOVED]
    late = run(2)
    late.insert(5, late.pop(4))
    assert [each.kind for each in compare(run(2), late)] == [Kind.MOVED]


@pytest.mark.parametrize(
    "spell", [json.dumps, lambda event: json.dumps(event).encode(), decode_event, lambda event: event_json(event)]
)
def test_every_form_of_an_event_will_do(spell: Callable[[Json], object]) -> None:
    """Text, bytes, typed events and JSON objects may be mixed."""
    assert not compare(run(), [spell(event) for event in run()])
    assert compare(run(), [spell(event) for event in run()[1:]])


def test_replaced_events_pair_by_name_and_type() -> None:
    """Among events that were replaced those of one type belong together, and those of one tool first."""
    old = run(1)
    new = [{**event} for event in old]
    new[1] = {**old[1], "tool_name": "other"}
    new.insert(1, {**old[1], "arguments": {"n": 7}})
    assert summary(compare(old, new)) == [(Kind.CHANGED, 1, 1, "$.arguments.n"), (Kind.EXTRA, None, 2, "$")]
    assert {each.kind for each in compare([custom("x")], [run()[0]])} == {Kind.MISSING, Kind.EXTRA}


def test_what_is_no_event() -> None:
    """An item that is no event is an error that says which one."""
    with pytest.raises(UsageError, match="item 1 of the stream is no event"):
        compare([custom("a"), 5], [])
    with pytest.raises(UsageError, match="item 0 of the stream is no event"):
        compare(["[]"], [])
    with pytest.raises(UsageError, match="there is no dialect 'x'"):
        compare([], [], dialect="x")


REPORT = """\
3 differences between 7 events and 8 events (counted from 0)
    0: think(iteration=1, tool_calls=[{'id': 'c0', 'name': 'slow', 'arguments': {'n': 0}}, {'id': 'c1', 'name…
  changed: event 1 (new: 1) at $.arguments.n
    old 1: tool_start(tool_name='slow', tool_call_id='c0', arguments={'n': 0})
    new 1: tool_start(tool_name='slow', tool_call_id='c0', arguments={'n': 'Rome'})
    $.arguments.n: 0 -> 'Rome'
then
  extra: event 5 of the new stream: custom(name='new', data={})
  changed: event 5 (new: 6) at $.reasoning: 'ok' -> '\\x1b[31mno'"""


def test_the_report() -> None:
    """A person reads the first difference with both sides and what came before it, then the others."""
    new = run()
    new[1]["arguments"] = {"n": "Rome"}
    new[5]["reasoning"] = "\x1b[31mno"
    new.insert(5, custom("new"))
    assert str(compare(run(), new)) == REPORT


def test_a_long_report_is_cut() -> None:
    """Ten more differences are listed, and the rest is counted."""
    text = str(compare(stream(["a"]), stream(["a", *map(str, range(30))])))
    assert text.splitlines()[-1] == "  and 19 more"
    assert len(text.splitlines()) < 20


@given(text=TEXTS)
def test_no_report_steers_a_terminal(text: str) -> None:
    """Whatever was recorded, the report is printable text."""
    report = str(compare([custom(text)], [{**custom("x"), text or "y": text}]))
    assert safe(report) == report
    assert report.encode()


def test_real_recordings_equal_themselves(shared_data: Path) -> None:
    """Real runs have no differences from themselves, and a dropped event is one."""
    for file in sorted((shared_data / "runs").glob("*.jsonl")):
        found = (json.loads(line) for line in file.read_bytes().splitlines())
        events = [row["event"] for row in found if "event" in row]
        dialect = "shipit" if file.name.startswith("shipit") else "locus"
        assert not compare(events, events, dialect=dialect)
        dropped = compare(events, events[:1] + events[2:], dialect=dialect)
        assert [each.kind for each in dropped] == [Kind.MISSING]


def test_long_streams() -> None:
    """A few differences in 20,000 events are found, and nothing else."""
    draw = random.Random(3)
    old = stream([str(draw.randrange(50)) for _ in range(20_000)])
    new = list(old)
    new[15_000] = custom("changed")
    del new[10_000]
    new.insert(5_000, custom("new"))
    assert [each.kind for each in compare(old, new)] == [Kind.EXTRA, Kind.MISSING, Kind.CHANGED]


class Stream(list[Any]):
    """Stand for a tape: events that say their dialect."""

    def __init__(self, dialect: Dialect, *events: Any) -> None:
        super().__init__(events)
        self.dialect = dialect


def test_tapes_are_compared_in_their_own_dialect() -> None:
    """What is volatile is the dialect's to say; two dialects cannot be compared by accident."""
    one, two = ({"type": "run_started", "payload": {"run_id": run_id}} for run_id in ("a", "b"))
    assert not compare(Stream(SHIPIT, one), Stream(SHIPIT, two))
    assert compare([one], [two])
    with pytest.raises(UsageError, match="dialects 'shipit' and 'turns': give one"):
        compare(Stream(SHIPIT, one), Stream(TURNS, two))

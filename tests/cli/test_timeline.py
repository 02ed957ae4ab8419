"""The lanes of a timeline: every span is drawn from where it opens to where it closes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.cli.timeline import MAX_LANES, MAX_VALUE, Moment, Timeline
from playhead.events.dialects import DIALECTS


def drawn(*events: dict[str, Any], dialect: str = "locus") -> list[str]:
    """Return the lanes of events."""
    return [moment.lanes for moment in moments(*events, dialect=dialect)]


def moments(*events: dict[str, Any], dialect: str = "locus") -> list[Moment]:
    """Return the moments of events that come a millisecond apart."""
    timeline = Timeline(DIALECTS[dialect])
    return [
        timeline.feed(event, at_us=1000 * index, run=event.get("run", "r1"), index=index)
        for index, event in enumerate(events)
    ]


def start(key: str, **more: Any) -> dict[str, Any]:
    """Return an event that opens a tool."""
    return {"event_type": "tool_start", "tool_name": "t", "tool_call_id": key, "arguments": {}, **more}


def done(key: str, **more: Any) -> dict[str, Any]:
    """Return an event that closes a tool."""
    return {"event_type": "tool_complete", "tool_name": "t", "tool_call_id": key, **more}


THINK = {"event_type": "think", "iteration": 1}
END = {"event_type": "terminate", "reason": "complete"}


def test_parallel_tools_have_lanes_of_their_own() -> None:
    """A lane that was left is taken again, so that lines stay narrow."""
    events = (THINK, start("a"), start("b"), done("a"), start("c"), done("b"), done("c"), THINK, END)
    assert drawn(*events) == ["╭", "│╭", "││╭", "│╰│", "│╭│", "││╰", "│╰", "├", "╰"]


def test_lanes_are_bounded() -> None:
    """A tape on which everything opens and nothing closes costs no more than one with a few open spans."""
    shown = drawn(*(start(str(number)) for number in range(100)), done("99"), done("0"))
    assert max(map(len, shown)) == MAX_LANES + 1
    assert shown[-3:] == ["│" * MAX_LANES + "·"] * 2 + ["╰" + "│" * (MAX_LANES - 1)]


def test_what_is_not_open_closes_nothing() -> None:
    """A closing without an opening is a point, and harms no other lane."""
    assert drawn(start("a"), done("b"), done("a"), END) == ["╭", "│·", "╰", "·"]


def test_agents_of_one_stream_end_only_what_is_theirs() -> None:
    """One agent's step and end leave those of another one open."""
    one, two = {"agent_name": "one"}, {"agent_name": "two"}
    assert drawn(THINK | one, THINK | two, THINK | one, END | one, END | two) == ["╭", "│╭", "├│", "╰│", " ╰"]


def test_runs_do_not_share_lanes() -> None:
    """Each run of a tape is drawn by itself."""
    assert drawn(THINK, THINK | {"run": "r2"}, END) == ["╭", "╭", "╰"]


def test_other_dialects_are_drawn_by_their_tables() -> None:
    """Runs and steps that open have lanes too; a turn pairs its tools by name."""
    turns = ("RequestStart", "ToolDispatch", "ToolResult", "Complete")
    events = [{"type": kind, "turn_id": "t", "tool": "x"} for kind in turns]
    assert drawn(*events, dialect="turns") == ["╭", "│╭", "│╰", "╰"]


def test_a_tool_says_how_long_it_took_and_a_step_does_not() -> None:
    """Times are those of the tape."""
    shown = moments(THINK, start("a"), THINK, done("a"), END)
    assert [moment.took_us for moment in shown] == [None, None, None, 2000, None]


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        (start("a", arguments={"city": "Paris", "n": [1]}), 't city="Paris" n=[1]'),
        (done("a", result=None, error="no", duration_ms=3.5), 't error="no"'),
        ({"event_type": "model_chunk", "content": "a\nb", "done": False}, '"a\\nb"'),
        ({"event_type": "custom", "name": "x" * 300}, f'name="{"x" * MAX_VALUE}"…'),
        ({"event_type": "custom", "data": {"n": float("nan")}}, "n=NaN"),
        ({"event_type": "custom", "data": {"b": [b"\xff"]}}, 'b=[{"$playhead":["bytes","/w=="]}]'),
        ({"event_type": 3}, ""),
    ],
)
def test_an_event_is_told_in_a_line(event: dict[str, Any], detail: str) -> None:
    """Name, text and telling fields, without what is empty, volatile or said already; long values are cut."""
    assert moments(event)[0].detail == detail


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.data(), st.sampled_from(sorted(DIALECTS)))
def test_any_events_can_be_drawn(data: st.DataObject, name: str) -> None:
    """Whatever the fields hold, there is a moment for each event, and a lane of one character for each open span."""
    dialect = DIALECTS[name]
    keys = st.sampled_from(["tool_call_id", "iteration", "payload", "event", "tool_name", "content", "turn_id", "text"])
    events = data.draw(
        st.lists(
            st.builds(
                lambda kind, rest: {**rest, dialect.tag: kind},
                st.sampled_from(sorted(dialect.ops)),
                st.dictionaries(keys, json_values, max_size=4),
            ),
            max_size=12,
        )
    )
    shown = moments(*events, dialect=name)
    assert [moment.index for moment in shown] == list(range(len(events)))
    assert all(set(moment.lanes) <= set("╭╰├│· ") for moment in shown)

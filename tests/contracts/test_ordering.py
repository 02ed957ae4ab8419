"""Spans are paired as real streams pair them, and one fault is told once."""

import json

import pytest

from playhead.contracts.check import check
from playhead.events.spans import Dialect, Span, closes, opens
from tests.contracts.streams import ASK, DONE, END, NEWS, OVER, RUN, START, THINK, Event, answer, by, call, codes, step

STREAMS = [
    pytest.param([THINK, DONE, END], ["ORD001"], id="closed but never opened"),
    pytest.param([THINK, START, DONE, DONE, END], ["ORD001"], id="closed twice"),
    pytest.param([by("a", THINK), by("a", START), by("b", DONE), by("a", END)], ["ORD001"], id="closed by a stranger"),
    pytest.param([THINK, DONE, START, END], ["ORD001"], id="closed before it opens, told once"),
    pytest.param(
        [THINK, *(answer(f"c{number}") for number in range(65)), call("c0"), END],
        [*["ORD001"] * 65, "TRM004"],
        id="closed before it opens, too long ago",
    ),
    pytest.param([THINK, NEWS, DONE, END], ["ORD002"], id="never opened, fed and closed, told once"),
    pytest.param([THINK, NEWS, START, DONE, END], ["ORD002"], id="fed before it opens"),
    pytest.param([THINK, START, DONE, NEWS, END], ["ORD002"], id="fed after its end"),
    pytest.param([THINK, START, answer("c1", "find"), END], ["ORD004"], id="another name"),
    pytest.param([THINK, START, answer("c9"), END], ["ORD001"], id="another key, told once"),
    pytest.param([THINK, call("c9"), answer("c1"), END], ["ORD001"], id="opened under another key, told once"),
    pytest.param([THINK, START, {**DONE, "error": "boom"}, END], ["ORD007"], id="result and error"),
    pytest.param([THINK, START, {**DONE, "result": None}, END], ["ORD007"], id="neither"),
    pytest.param([THINK, START, step(2), END], ["TRM004"], id="left open"),
    pytest.param([THINK, START, START, DONE, END], ["TRM004"], id="opened twice, closed once"),
    pytest.param([THINK, START, ASK, step(2), END], [], id="cut by an interrupt"),
    pytest.param([THINK, START, {**END, "reason": "error"}], [], id="cut by an error"),
    pytest.param([THINK, START, {**END, "reason": "cancelled"}], [], id="cut by a cancel"),
    pytest.param([THINK, START, {**END, "reason": "my_own_condition"}], ["TRM004"], id="an end in free words"),
    pytest.param([THINK, call("a"), call("b"), answer("b"), answer("a"), END], [], id="completion order"),
    pytest.param([THINK, START, START, DONE, DONE, END], [], id="one key twice in a batch"),
    pytest.param([THINK, call("", "a"), call("", "b"), answer("", "b"), answer("", "a"), END], [], id="empty keys"),
]


@pytest.mark.parametrize(("events", "expected"), STREAMS)
def test_a_stream_breaks_exactly_its_rules(events: list[Event], expected: list[str]) -> None:
    """Planted faults are found, nothing follows from them, and what only looks wrong is let be."""
    assert codes(events) == expected


SHIPIT = [
    pytest.param(["tool_called", "tool_failed"], [], id="failed"),
    pytest.param(["tool_called", "tool_failed", "tool_completed"], [], id="1.0: failed and completed"),
    pytest.param(["tool_failed"], [], id="an unknown tool"),
    pytest.param(["tool_input_delta", "tool_called", "tool_completed"], [], id="input before the call"),
    pytest.param(["tool_called", "tool_called", "tool_completed"], ["ORD003"], id="called twice"),
    pytest.param(["tool_completed"], ["ORD001"], id="completed only"),
    pytest.param(["tool_called"], ["TRM004"], id="never completed"),
]


@pytest.mark.parametrize(("kinds", "expected"), SHIPIT)
def test_shipit_ends_a_call_in_its_own_ways(kinds: list[str], expected: list[str]) -> None:
    """A failure may stand alone, end a call, or be followed by a completion; keys do not repeat."""
    calls = [{"type": kind, "payload": {"call_id": "call_1_1", "tool": "sum"}} for kind in kinds]
    assert codes([RUN, *calls, OVER], dialect="shipit") == expected


def test_keys_of_any_kind_are_keys() -> None:
    """A key that is a number, a list or an object pairs as text does."""
    for key in (7, [1, 2], {"a": 1}, None):
        assert codes([THINK, {**START, "tool_call_id": key}, {**DONE, "tool_call_id": key}, END]) == []


def inner(event: Event) -> Event:
    """Return what a sub-agent in the tool `c1` says."""
    return by("explore", {"event_type": "subagent", "tool_call_id": "c1", "task_id": "t", "event": event})


def test_a_sub_agent_is_watched_inside_its_tool() -> None:
    """Its events are in order among themselves, come under a name of its own, and belong to an open tool."""

    inside = [inner(event) for event in (THINK, call("x"), answer("x"), END)]
    assert codes([THINK, START, *inside, DONE, END]) == []
    (found,) = check([THINK, START, inner(THINK), inner(answer("x")), DONE, END])
    assert (found.code, found.index) == ("ORD001", 3)
    assert found.message == "in a sub-agent: tool_complete closes tool span 'x' (search), which is not open"
    assert codes([THINK, inner(THINK), START, DONE, END]) == ["ORD002"]
    # Each call has a sub-agent of its own.
    assert codes([THINK, START, *inside, DONE, step(2), START, *inside, DONE, END]) == []


def test_a_sub_agent_belongs_to_the_agent_that_called_it() -> None:
    """Whoever else has ended already: the agent that was first in the stream, or one that came later."""
    first = [by("a", THINK), by("a", START), by("b", THINK), by("b", END)]
    assert codes([*first, inner(THINK), inner(END), by("a", DONE), by("a", END)]) == []
    other = [by("a", THINK), by("b", THINK), by("b", START), by("a", END)]
    assert codes([*other, inner(THINK), inner(END), by("b", DONE), by("b", END)]) == []


def test_an_interrupt_excuses_only_its_own_agent() -> None:
    """Another agent's tools must still be completed."""
    stream = [
        by("a", THINK),
        by("a", START),
        by("b", THINK),
        by("b", ASK),
        by("b", step(2)),
        by("b", END),
        by("a", END),
    ]
    assert codes(stream) == ["TRM004"]


def test_a_violation_says_where_and_what() -> None:
    """The text has the position, the code and the span."""
    (violation,) = check([THINK, DONE, END])
    assert str(violation) == "event 1: ORD001 tool_complete closes tool span 'c1' (search), which is not open"
    assert (violation.index, violation.event) == (1, "tool_complete")
    (violation,) = check([THINK, call("c1"), answer("c9"), END])
    assert str(violation).endswith("closes tool span 'c9' (search), which is not open; tool span 'c1' (search) is")


def test_a_part_may_lie_in_any_message_that_is_open() -> None:
    """Of two messages the first may end before the part does; with the last one the part must have ended."""
    table = Dialect(
        name="letters",
        tag="type",
        decode=json.loads,
        ops={
            "letter": (opens(Span.MESSAGE, key="id"),),
            "sent": (closes(Span.MESSAGE, key="id"),),
            "page": (opens(Span.PART, key="id"),),
            "written": (closes(Span.PART, key="id"),),
        },
        within={Span.PART: Span.MESSAGE},
    )
    head = [{"type": "letter", "id": "a"}, {"type": "letter", "id": "b"}, {"type": "page", "id": "1"}]
    ends: list[Event] = [{"type": "sent", "id": "a"}, {"type": "sent", "id": "b"}]
    written: Event = {"type": "written", "id": "1"}
    select = ["ORD005"]
    assert not list(check([*head, ends[0], written, ends[1]], dialect=table, select=select))
    assert [each.index for each in check([*head, *ends, written], dialect=table, select=select)] == [4]

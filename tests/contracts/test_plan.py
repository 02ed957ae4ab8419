"""Which rules hear of which events, and how an event's type, agent and time are found."""

from dataclasses import replace

import pytest

from playhead.contracts.check import check
from playhead.contracts.limits import Limits
from playhead.contracts.plan import plan_for
from playhead.contracts.rules import selected
from playhead.events.dialects import get_dialect
from playhead.events.paths import path
from tests.contracts.streams import END, THINK, Event, codes

LOCUS = get_dialect("locus")
ALL = selected(limits=Limits(counters=True, steps=1))


@pytest.mark.parametrize(
    ("kind", "inside", "also_outside"),
    [
        ("think", {"Termination", "Clocks", "Extents", "Counters"}, set()),
        ("tool_start", {"Ordering", "Clocks", "Extents", "Counters"}, {"Termination"}),
        ("tool_complete", {"Ordering", "Clocks", "Extents"}, {"Termination"}),
        ("model_chunk", {"Clocks", "Extents"}, {"Termination"}),
        ("interrupt", {"Termination", "Ordering", "Clocks", "Extents"}, set()),
        ("terminate", {"Termination", "Ordering", "Clocks", "Extents", "Counters"}, set()),
        ("never heard of", {"Clocks", "Extents"}, {"Termination"}),
    ],
)
def test_an_event_is_heard_by_whom_it_matters_to(kind: str, inside: set[str], also_outside: set[str]) -> None:
    """A rule costs nothing for a type of event that it does not look at."""
    plan = plan_for(LOCUS, ALL)
    names = [type(make()).__name__ for make in plan.makes]
    assert {names[number] for number in plan.rows[kind].inside} == inside
    assert {names[number] for number in plan.rows[kind].outside} == inside | also_outside


def test_only_the_rules_that_were_chosen_are_heard() -> None:
    """And none of those that look at what a dialect has not got."""
    assert [type(make()).__name__ for make in plan_for(LOCUS, selected(["ORD008"])).makes] == ["Clocks"]
    assert plan_for(LOCUS, selected(["WIR009"])).makes == ()


def test_a_plan_is_made_once() -> None:
    """All streams that are held to the same share it."""
    assert plan_for(LOCUS, ALL) is plan_for(LOCUS, ALL)
    assert plan_for(LOCUS, ALL) is not plan_for(LOCUS, selected())


def test_what_lies_in_a_field_of_a_field_is_found() -> None:
    """A dialect may keep an event's agent and time anywhere: its streams break the same rules."""
    deep = replace(LOCUS, group=path("head.agent"), time=path("head.time"))
    told = [("a", 1, THINK), ("b", 5, THINK), ("b", 4, END), ("a", 2, END), ("a", 3, END)]
    heads: list[Event] = [{"agent": agent, "time": f"2030-01-01T00:00:0{second}Z"} for agent, second, _ in told]
    events = [{**event, "head": head} for head, (_, _, event) in zip(heads, told, strict=True)]
    assert [each.code for each in check(events, dialect=deep)] == ["ORD008", "TRM003"]
    assert "ORD008" not in codes(events)

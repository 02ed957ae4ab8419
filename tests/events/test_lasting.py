"""Spans last from their opening to their end, and lie in what is open around them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from playhead.events.lasting import Lasted, Lasting
from playhead.events.locus import LOCUS
from playhead.events.shipit import SHIPIT
from playhead.events.spans import Dialect, Span
from tests.contracts.streams import CHUNK, END, THINK, answer, by, call, step


def lasted(events: list[dict[str, Any]], dialect: Dialect = LOCUS) -> list[Lasted]:
    """Return the spans of events that come a millisecond after each other, in the order in which they begin."""
    lasting = Lasting(dialect)
    changed = [each for number, event in enumerate(events) for each in lasting.feed(event, number * 1000)]
    found = {id(each): each for each in [*changed, *lasting.close()]}
    return sorted(found.values(), key=lambda each: each.since_us)


def test_a_step_ends_with_the_next_one() -> None:
    """And the last one with the run."""
    first, second = lasted([THINK, CHUNK, step(2), END])[0], lasted([THINK, step(2), END])[1]
    assert (first.span, first.since_us, first.until_us) == (Span.STEP, 0, 2000)
    assert (second.since_us, second.until_us) == (1000, 2000)


def test_tools_at_once_lie_in_their_step() -> None:
    """Each ends with its own completion, with the status that it says."""
    _, one, two = lasted([THINK, call("a"), call("b", "find"), answer("b", "find"), {**answer("a"), "error": "no"}])
    assert (one.key, one.name, one.until_us, one.status) == ("a", "search", 4000, "no")
    assert (two.key, two.name, two.until_us, two.status) == ("b", "find", 3000, None)
    assert one.within is not None
    assert (one.within, one.within.span) == (two.within, Span.STEP)


def test_what_nothing_opens_begins_with_its_first_piece() -> None:
    """A model's answer, with the moment at which its text came."""
    empty = {**CHUNK, "content": None}
    (model,) = lasted([empty, CHUNK, CHUNK, {**CHUNK, "done": True, "stop_reason": "end"}])
    assert (model.span, model.since_us, model.fed_us, model.until_us) == (Span.MODEL, 0, 1000, 3000)
    assert model.status == "end"


def test_a_sub_agent_lies_in_its_tool() -> None:
    """Its steps in the tool, its tools in its steps."""

    def inner(event: dict[str, Any]) -> dict[str, Any]:
        return by("child", {"event_type": "subagent", "tool_call_id": "c", "task_id": "t", "event": by("child", event)})

    _, tool, child_step, child_tool = lasted([THINK, call("c"), inner(THINK), inner(call("x")), inner(answer("x"))])
    assert child_step.within is tool
    assert child_tool.within is child_step
    assert (child_tool.until_us, tool.until_us) == (4000, None)


def test_what_is_closed_and_not_open_is_passed_over() -> None:
    """Judging is the business of rules."""
    assert lasted([answer("a"), {"event_type": "model_complete"}, END]) == []
    assert [each.span for each in lasted([{"type": "run_started"}, {"type": "run_completed"}], SHIPIT)] == [Span.RUN]


@given(st.lists(st.sampled_from([THINK, step(2), call("a"), call("b"), answer("a"), answer("b"), CHUNK, END])))
def test_nothing_lasts_less_than_no_time(events: list[dict[str, Any]]) -> None:
    """Whatever comes, spans end after they begin, and lie within what lies around them or outlive it."""
    for each in lasted(events):
        assert each.until_us is None or each.until_us >= each.since_us
        assert each.within is None or each.within.since_us <= each.since_us

"""Spans last from their opening to their end, and lie in what is open around them, as the table of a dialect says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.events.agui import AGUI
from playhead.events.anthropic import ANTHROPIC_MESSAGES
from playhead.events.gemini import GEMINI
from playhead.events.lasting import Lasted, Lasting
from playhead.events.locus import LOCUS
from playhead.events.openai import OPENAI_CHAT
from playhead.events.shipit import SHIPIT
from playhead.events.spans import Dialect, Span, Verb
from tests.contracts.streams import CHUNK, END, THINK, answer, by, call, step

Event = Mapping[str, Any]


def lasted(events: Sequence[Event], dialect: Dialect = LOCUS) -> list[Lasted]:
    """Return the spans of a run whose events come one each microsecond, in the order in which they began."""
    lasting = Lasting(dialect)
    began: list[Lasted] = []
    ended: list[Lasted] = []
    for at_us, event in enumerate(events):
        for verb, each in lasting.feed(event, at_us):
            (began if verb is Verb.OPEN else ended).append(each)
    ended += lasting.close()
    assert sorted(map(id, began)) == sorted(map(id, ended)), "each span begins once and ends once"
    return began


def told(spans: Sequence[Lasted]) -> list[str]:
    """Return spans as text: kind, name, times, and a question mark where one is unfinished."""
    shown = (f"{each.span} {each.name} {each.since_us}-{each.until_us}{'?' * (not each.finished)}" for each in spans)
    return [text.replace("  ", " ") for text in shown]


def test_a_step_ends_with_the_next_one() -> None:
    """And the last one with the run."""
    assert told(lasted([THINK, step(2), END])) == ["step 0-1", "step 1-2"]
    assert told(lasted([THINK, step(2)])) == ["step 0-1", "step 1-1?"]


def test_tools_at_once_lie_in_their_step() -> None:
    """Each ends with its own completion, with the status that it says."""
    events = [THINK, call("a"), call("b", "find"), answer("b", "find"), {**answer("a"), "error": "no"}, END]
    spans = lasted(events)
    assert told(spans) == ["step 0-5", "tool search 1-4", "tool find 2-3"]
    assert [each.failed for each in spans] == [False, True, False]
    assert [each.within for each in spans] == [None, spans[0], spans[0]]


def test_what_nothing_opens_begins_with_its_first_piece() -> None:
    """A model's answer, with the moments at which its text came."""
    empty = {**CHUNK, "content": None}
    (model,) = lasted([empty, CHUNK, CHUNK, {**CHUNK, "done": True, "stop_reason": "end"}])
    assert told([model]) == ["model 0-3"]
    assert (model.text_us, model.fed_us, model.status) == (1, 3, "end")


def test_what_nothing_closes_either_ends_with_its_last_piece() -> None:
    """A step, the end of the run, or of the stream, is only when that is known."""
    begun: Event = {"type": "run_started"}
    next_step: Event = {"type": "step_started", "payload": {"iteration": 1}}
    text: Event = {"type": "text_delta", "payload": {"chunk": "a"}}
    tick: Event = {"type": "usage_tick"}
    whole = [begun, next_step, text, text, next_step, text, tick, {"type": "run_completed"}]
    assert told(lasted(whole, SHIPIT)) == ["run 0-7", "step 1-4", "model 2-3", "step 4-7", "model 5-5"]
    assert told(lasted([begun, next_step, text, tick], SHIPIT)) == ["run 0-3?", "step 1-3?", "model 2-2"]


def test_a_second_run_begins_anew() -> None:
    """What the first one left open does not end with what the second one closes."""
    begun = {"type": "run_started"}
    start = {"type": "tool_called", "payload": {"call_id": "1", "tool": "add"}}
    done = {"type": "tool_completed", "payload": {"call_id": "1", "tool": "add"}}
    spans = lasted([begun, start, begun, start, done], SHIPIT)
    assert told(spans) == ["run 0-2?", "tool add 1-2?", "run 2-4?", "tool add 3-4"]


def test_empty_ids_are_told_apart_by_name() -> None:
    """And those of one name come first in, first out."""
    events = [call("", "a"), call("", "b"), call("", "b"), answer("", "b"), answer("", "a")]
    assert told(lasted(events)) == ["tool a 0-4", "tool b 1-3", "tool b 2-4?"]


def test_steps_that_are_closed_by_key_may_overlap() -> None:
    """Then the next one does not end the one before."""
    steps = [{"type": kind, "stepName": name} for kind in ("STEP_STARTED", "STEP_FINISHED") for name in "ab"]
    assert told(lasted(steps, AGUI)) == ["step a 0-2", "step b 1-3"]


def test_a_loose_opening_opens_once() -> None:
    """A part lies in its message; a tool ends with its part, in an event that does not tell them apart."""
    spans = lasted(
        [
            {"type": "message_start", "message": {"id": "m", "model": "model-x"}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "name": "look"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
            {"type": "message_stop"},
        ],
        ANTHROPIC_MESSAGES,
    )
    assert told(spans) == ["run model-x 0-4", "message 0-4", "model 0-3", "part tool_use 1-2", "tool look 1-2"]
    assert (spans[3].within, spans[2].status) == (spans[1], "tool_use")


def test_what_ends_tacitly_ends_with_the_run() -> None:
    """No chunk of a chat says that a tool's arguments are whole."""
    looked = {"index": 0, "id": "c", "function": {"name": "look", "arguments": "{}"}}
    chunks: list[Event] = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": [looked]}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        {"object": "[DONE]"},
    ]
    assert told(lasted(chunks, OPENAI_CHAT)) == ["message assistant 0-1", "tool look 0-2"]
    assert told(lasted(chunks[:1], OPENAI_CHAT)) == ["message assistant 0-0?", "tool look 0-0?"]


def test_a_span_may_begin_and_end_in_one_event() -> None:
    """Gemini sends a call whole."""
    parts = [{"functionCall": {"name": "look", "args": {}}}]
    assert "tool look 0-0" in told(lasted([{"candidates": [{"content": {"parts": parts}}]}], GEMINI))


@pytest.mark.parametrize(("status", "failed"), [(None, False), ("completed", False), ("incomplete", True)])
def test_a_tool_that_was_completed_has_not_failed(status: str | None, failed: bool) -> None:
    """Some dialects give a status to every tool."""
    tool = Lasted(Span.TOOL, "a", "look", 0)
    tool.end(1, status, finished=True)
    assert tool.failed is failed


def test_a_sub_agent_lies_in_its_tool() -> None:
    """Its steps in the tool, its tools in its steps; its tool is not the outer one, whatever its id."""

    def inner(event: dict[str, Any]) -> dict[str, Any]:
        return by("child", {"event_type": "subagent", "tool_call_id": "c", "task_id": "t", "event": by("child", event)})

    events = [THINK, call("c"), inner(THINK), inner(call("c", "x")), inner(answer("c", "x"))]
    spans = lasted(events)
    assert told(spans) == ["step 0-4?", "tool search 1-4?", "step 2-4?", "tool x 3-4"]
    assert [each.within for each in spans] == [None, *spans[:3]]


def test_what_is_closed_and_not_open_is_passed_over() -> None:
    """Judging is the business of rules."""
    assert lasted([answer("a"), {"event_type": "model_complete"}, END]) == []


def test_nothing_is_kept_of_what_ended() -> None:
    """However many tools there were, only what is open is held."""
    lasting = Lasting(LOCUS)
    for number in range(1000):
        lasting.feed(call(str(number)), number)
        lasting.feed(answer(str(number)), number)
    assert not lasting._open


@given(st.lists(st.sampled_from([THINK, step(2), call("a"), call("b"), answer("a"), answer("b"), CHUNK, END])))
def test_nothing_lasts_less_than_no_time(events: list[dict[str, Any]]) -> None:
    """Whatever comes, spans end once and after they begin, and begin within what lies around them."""
    for each in lasted(events):
        assert each.until_us is not None
        assert each.until_us >= each.since_us
        assert each.within is None or each.within.since_us <= each.since_us

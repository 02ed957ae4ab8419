"""The table of AG-UI, and the protocol's own package."""

from typing import Any

import pytest
from ag_ui.core import events as agui

from playhead.events.agui import AGUI, AguiEvent
from playhead.events.codec import decode_event
from playhead.events.spans import Span, Touch, Verb

DEPRECATED = {
    "THINKING_START",
    "THINKING_TEXT_MESSAGE_START",
    "THINKING_TEXT_MESSAGE_CONTENT",
    "THINKING_TEXT_MESSAGE_END",
    "THINKING_END",
    "META",
}


def test_the_table_has_the_types_of_the_package() -> None:
    """Every type of the protocol has a row; the others are those that it had before 1.0."""
    assert AGUI.ops.keys() - {kind.value for kind in agui.EventType} == DEPRECATED
    assert {kind.value for kind in agui.EventType} <= AGUI.ops.keys()


@pytest.mark.parametrize(
    ("event", "touches"),
    [
        (agui.RunStartedEvent(thread_id="t", run_id="r"), [Touch(Verb.OPEN, Span.RUN, "r")]),
        (
            agui.RunFinishedEvent(thread_id="t", run_id="r", outcome=agui.RunFinishedCancelledOutcome()),
            [Touch(Verb.CLOSE, Span.RUN, "r", status="cancelled")],
        ),
        (agui.RunErrorEvent(message="boom"), [Touch(Verb.CLOSE, Span.RUN, status="boom")]),
        (agui.RunErrorEvent(message="boom", code="E1"), [Touch(Verb.CLOSE, Span.RUN, status="E1")]),
        (agui.StepStartedEvent(step_name="plan"), [Touch(Verb.OPEN, Span.STEP, (None, "plan"), "plan")]),
        (
            agui.StepFinishedEvent(step_name="plan", subagent_run_id="s"),
            [Touch(Verb.CLOSE, Span.STEP, ("s", "plan"), "plan")],
        ),
        (agui.TextMessageContentEvent(message_id="m", delta="Hi"), [Touch(Verb.FEED, Span.MESSAGE, "m", text="Hi")]),
        (
            agui.TextMessageChunkEvent(message_id="m", delta="Hi"),
            [Touch(Verb.FEED, Span.MESSAGE, "m", text="Hi", loose=True)],
        ),
        (agui.ToolCallStartEvent(tool_call_id="c", tool_call_name="add"), [Touch(Verb.OPEN, Span.TOOL, "c", "add")]),
        (agui.ToolCallArgsEvent(tool_call_id="c", delta="{"), [Touch(Verb.FEED, Span.TOOL, "c", text="{")]),
        (agui.SubagentStartedEvent(subagent_run_id="s", name="scout"), [Touch(Verb.OPEN, Span.SUBAGENT, "s", "scout")]),
        (agui.StateSnapshotEvent(snapshot={}), []),
    ],
)
def test_touches(event: Any, touches: list[Touch]) -> None:
    """An event of the package is read from the wire as its row says."""
    data = event.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert list(AGUI.touches(data)) == touches
    assert type(decode_event(data, "agui")) is AguiEvent


@pytest.mark.parametrize(
    ("outcome", "end"),
    [({"type": "success"}, "complete"), ({"type": "interrupt"}, "paused"), ({"type": "cancelled"}, "cancelled")],
)
def test_the_outcome_says_how_a_run_ended(outcome: dict[str, str], end: str) -> None:
    """A run that waits, or was cancelled, finishes, too."""
    assert AGUI.end_of({"type": "RUN_FINISHED", "threadId": "t", "runId": "r", "outcome": outcome}) == end


def test_ids_and_times_are_nothing_to_compare() -> None:
    """What is made anew in each run is masked, or compared by where it comes again."""
    assert AGUI.steady({"type": "RAW", "timestamp": 5}) == AGUI.steady({"type": "RAW", "timestamp": 6})
    assert ("messageId",) in AGUI.ids

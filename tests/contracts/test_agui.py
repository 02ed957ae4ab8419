"""AG-UI: what its own client says of a stream, case by case, and what the rules say.

The events are objects of the protocol's package, written as they go over the wire. The client's verdict is that of
`verifyEvents` in its TypeScript client 1.0. Clients before it knew no end of a stream: they took one that was cut for a
success, which the last table has.
"""

from typing import Any

import pytest
from ag_ui.core import events as agui
from pydantic import BaseModel

from playhead.contracts.check import check

RUN = agui.RunStartedEvent(thread_id="t", run_id="r")
FINISHED = agui.RunFinishedEvent(thread_id="t", run_id="r")
FAILED = agui.RunErrorEvent(message="boom")
TEXT = agui.TextMessageStartEvent(message_id="m1", role="assistant")
MORE = agui.TextMessageContentEvent(message_id="m1", delta="Hi")
SAID = agui.TextMessageEndEvent(message_id="m1")
TEXT2 = agui.TextMessageStartEvent(message_id="m2", role="assistant")
MORE2 = agui.TextMessageContentEvent(message_id="m2", delta="Ho")
SAID2 = agui.TextMessageEndEvent(message_id="m2")
CALL = agui.ToolCallStartEvent(tool_call_id="c1", tool_call_name="add", parent_message_id="m1")
ARGS = agui.ToolCallArgsEvent(tool_call_id="c1", delta="{}")
CALLED = agui.ToolCallEndEvent(tool_call_id="c1")
CALL2 = agui.ToolCallStartEvent(tool_call_id="c2", tool_call_name="add")
CALLED2 = agui.ToolCallEndEvent(tool_call_id="c2")
RESULT = agui.ToolCallResultEvent(message_id="m3", tool_call_id="c1", content="5")
STEP = agui.StepStartedEvent(step_name="plan")
STEPPED = agui.StepFinishedEvent(step_name="plan")
THINK = agui.ReasoningStartEvent(message_id="r1")
THOUGHT = agui.ReasoningMessageStartEvent(message_id="r1")
PIECE = agui.ReasoningMessageContentEvent(message_id="r1", delta="so")
THOUGHT_END = agui.ReasoningMessageEndEvent(message_id="r1")
THINK_END = agui.ReasoningEndEvent(message_id="r1")
AGENT = agui.SubagentStartedEvent(subagent_run_id="s1", name="scout")
AGENT_END = agui.SubagentFinishedEvent(subagent_run_id="s1")
AGENT_FAILED = agui.SubagentErrorEvent(subagent_run_id="s1", message="lost")
STATE = agui.StateSnapshotEvent(snapshot={"n": 1})
CUSTOM = agui.CustomEvent(name="x", value=1)
RAW = agui.RawEvent(event={"type": "RUN_FINISHED"})
CHUNK = agui.TextMessageChunkEvent(message_id="m9", delta="Hi")
CALL_CHUNK = agui.ToolCallChunkEvent(tool_call_id="c9", tool_call_name="add", delta="{")
CANCELLED = agui.RunFinishedEvent(thread_id="t", run_id="r", outcome=agui.RunFinishedCancelledOutcome())
WAITING = agui.RunFinishedEvent(
    thread_id="t",
    run_id="r",
    outcome=agui.RunFinishedInterruptOutcome(interrupts=[agui.Interrupt(id="i1", reason="approval")]),
)

Stream = tuple[BaseModel, ...]

ACCEPTED: dict[str, Stream] = {
    "the least run": (RUN, FINISHED),
    "a message": (RUN, TEXT, MORE, SAID, FINISHED),
    "a message without content": (RUN, TEXT, SAID, FINISHED),
    "a tool inside a message": (RUN, TEXT, CALL, ARGS, CALLED, SAID, RESULT, FINISHED),
    "a tool that outlives its message": (RUN, TEXT, CALL, SAID, ARGS, CALLED, FINISHED),
    "messages at once": (RUN, TEXT, TEXT2, MORE2, MORE, SAID, MORE2, SAID2, FINISHED),
    "tools at once": (RUN, CALL, CALL2, ARGS, CALLED2, CALLED, FINISHED),
    "a message id again, after its end": (RUN, TEXT, SAID, TEXT, MORE, SAID, FINISHED),
    "a tool id again, after its end": (RUN, CALL, CALLED, CALL, CALLED, FINISHED),
    "one id for a message and a tool": (
        RUN,
        TEXT,
        agui.ToolCallStartEvent(tool_call_id="m1", tool_call_name="add"),
        agui.ToolCallEndEvent(tool_call_id="m1"),
        SAID,
        FINISHED,
    ),
    "a step": (RUN, STEP, TEXT, SAID, STEPPED, FINISHED),
    "a step again": (RUN, STEP, STEPPED, STEP, STEPPED, FINISHED),
    "steps at once": (
        RUN,
        STEP,
        agui.StepStartedEvent(step_name="act"),
        STEPPED,
        agui.StepFinishedEvent(step_name="act"),
        FINISHED,
    ),
    "a sub-agent's step of the same name": (
        RUN,
        STEP,
        AGENT,
        agui.StepStartedEvent(step_name="plan", subagent_run_id="s1"),
        agui.StepFinishedEvent(step_name="plan", subagent_run_id="s1"),
        AGENT_END,
        STEPPED,
        FINISHED,
    ),
    "reasoning, and its message of the same id": (RUN, THINK, THOUGHT, PIECE, THOUGHT_END, THINK_END, FINISHED),
    "a message of reasoning by itself": (RUN, THOUGHT, PIECE, THOUGHT_END, FINISHED),
    "a sub-agent": (RUN, AGENT, AGENT_END, FINISHED),
    "a sub-agent that fails": (RUN, AGENT, AGENT_FAILED, FINISHED),
    "state, custom and raw events": (RUN, STATE, CUSTOM, RAW, FINISHED),
    "a result without a call": (RUN, RESULT, FINISHED),
    "chunks": (RUN, CHUNK, CHUNK, CALL_CHUNK, CALL_CHUNK, FINISHED),
    "an error at once": (FAILED,),
    "an error after the beginning": (RUN, FAILED),
    "an error in a message": (RUN, TEXT, MORE, FAILED),
    "an error in everything": (RUN, STEP, AGENT, THINK, THOUGHT, TEXT, CALL, FAILED),
    "an error after the end": (RUN, FINISHED, FAILED),
    "a second run": (RUN, TEXT, SAID, FINISHED, RUN, TEXT, SAID, FINISHED),
    "a second run after an error": (RUN, TEXT, STEP, FAILED, RUN, TEXT, SAID, STEP, STEPPED, FINISHED),
    "a sub-agent again in a second run": (RUN, AGENT, AGENT_END, FINISHED, RUN, AGENT, AGENT_END, FINISHED),
    "a cancelled run": (RUN, TEXT, SAID, CANCELLED),
    "a run that waits": (RUN, TEXT, SAID, WAITING),
}

REFUSED: dict[str, tuple[Stream, list[str]]] = {
    "a message first": ((TEXT, SAID, FINISHED), ["ORD009"]),
    "a custom event first": ((CUSTOM, RUN, FINISHED), ["ORD009"]),
    "the end first": ((FINISHED,), ["ORD009"]),
    "a run in a run": ((RUN, RUN, FINISHED), ["ORD003"]),
    "a run in a run, later": ((RUN, TEXT, SAID, RUN, FINISHED), ["ORD003"]),
    "a message after the end": ((RUN, FINISHED, TEXT), ["TRM002"]),
    "a custom event after the end": ((RUN, FINISHED, CUSTOM), ["TRM002"]),
    "an end after the end": ((RUN, FINISHED, FINISHED), ["TRM003"]),
    "content after an error": ((RUN, TEXT, FAILED, MORE), ["TRM002"]),
    "the end of a message after an error": ((RUN, TEXT, FAILED, SAID), ["TRM002"]),
    "an end after an error": ((RUN, FAILED, FINISHED), ["TRM003"]),
    "an error after an error": ((RUN, FAILED, FAILED), ["TRM003"]),
    "a message twice": ((RUN, TEXT, TEXT, SAID, FINISHED), ["ORD003"]),
    "content of no message": ((RUN, MORE, FINISHED), ["ORD002"]),
    "content of another message": ((RUN, TEXT, MORE2, SAID, FINISHED), ["ORD002"]),
    "content of a message that has ended": ((RUN, TEXT, SAID, MORE, FINISHED), ["ORD002"]),
    "the end of no message": ((RUN, SAID, FINISHED), ["ORD001"]),
    "the end of another message": ((RUN, TEXT, SAID2, SAID, FINISHED), ["ORD001"]),
    "the end of a message, twice": ((RUN, TEXT, SAID, SAID, FINISHED), ["ORD001"]),
    "a tool twice": ((RUN, CALL, CALL, CALLED, FINISHED), ["ORD003"]),
    "arguments of no tool": ((RUN, ARGS, FINISHED), ["ORD002"]),
    "arguments of a tool that has ended": ((RUN, CALL, CALLED, ARGS, FINISHED), ["ORD002"]),
    "the end of no tool": ((RUN, CALLED, FINISHED), ["ORD001"]),
    "the end of a tool, twice": ((RUN, CALL, CALLED, CALLED, FINISHED), ["ORD001"]),
    "a step twice": ((RUN, STEP, STEP, STEPPED, FINISHED), ["ORD003"]),
    "the end of no step": ((RUN, STEPPED, FINISHED), ["ORD001"]),
    "the end of a sub-agent's step by its parent": (
        (
            RUN,
            AGENT,
            agui.StepStartedEvent(step_name="plan", subagent_run_id="s1"),
            STEPPED,
            AGENT_END,
            FINISHED,
        ),
        ["ORD001"],
    ),
    "reasoning twice": ((RUN, THINK, THINK, THINK_END, FINISHED), ["ORD003"]),
    "the end of no reasoning": ((RUN, THINK_END, FINISHED), ["ORD001"]),
    "a message of reasoning twice": ((RUN, THOUGHT, THOUGHT, THOUGHT_END, FINISHED), ["ORD003"]),
    "content of reasoning that is only begun": ((RUN, THINK, PIECE, THINK_END, FINISHED), ["ORD002"]),
    "the end of no message of reasoning": ((RUN, THOUGHT_END, FINISHED), ["ORD001"]),
    "a sub-agent twice": ((RUN, AGENT, AGENT, AGENT_END, FINISHED), ["ORD003"]),
    "a sub-agent again, after its end": ((RUN, AGENT, AGENT_END, AGENT, AGENT_END, FINISHED), ["ORD003"]),
    "the end of no sub-agent": ((RUN, AGENT_END, FINISHED), ["ORD001"]),
    "the failure of no sub-agent": ((RUN, AGENT_FAILED, FINISHED), ["ORD001"]),
    "the end with a message open": ((RUN, TEXT, MORE, FINISHED), ["TRM004"]),
    "the end with a tool open": ((RUN, CALL, ARGS, FINISHED), ["TRM004"]),
    "the end with a step open": ((RUN, STEP, FINISHED), ["TRM004"]),
    "the end with reasoning open": ((RUN, THINK, FINISHED), ["TRM004"]),
    "the end with a message of reasoning open": ((RUN, THOUGHT, PIECE, FINISHED), ["TRM004"]),
    "the end with a sub-agent open": ((RUN, AGENT, FINISHED), ["TRM004"]),
    "a cancelled run with a message open": ((RUN, TEXT, CANCELLED), ["TRM004"]),
    "a second run with a message open": ((RUN, FINISHED, RUN, TEXT, FINISHED), ["TRM004"]),
}

TRUNCATED: dict[str, Stream] = {
    "nothing at all": (),
    "the beginning alone": (RUN,),
    "cut in a message": (RUN, TEXT, MORE),
    "cut after a message": (RUN, TEXT, MORE, SAID),
    "cut in a tool's arguments": (RUN, CALL, ARGS),
    "cut before a tool's result": (RUN, CALL, ARGS, CALLED),
    "cut in a step": (RUN, STEP),
    "cut in a second run": (RUN, TEXT, SAID, FINISHED, RUN, TEXT2),
    "cut at the beginning of a second run": (RUN, FINISHED, RUN),
}


def wire(stream: Stream) -> list[dict[str, Any]]:
    """Return events as JSON objects, as AG-UI's encoder writes them."""
    return [event.model_dump(mode="json", by_alias=True, exclude_none=True) for event in stream]


def codes(events: list[Any], end: str | None = None) -> list[str]:
    """Return what the rules say of a stream."""
    return [violation.code for violation in check(events, dialect="agui", end=end)]


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_the_client_accepts_breaks_no_rule(case: str) -> None:
    """Every law of ours is one of the client's."""
    assert codes(wire(ACCEPTED[case])) == []


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_client_refuses_breaks_one_rule(case: str) -> None:
    """Every law of the client's order is one of ours, and one fault is told once."""
    stream, expected = REFUSED[case]
    assert codes(wire(stream)) == expected


@pytest.mark.parametrize("case", TRUNCATED)
def test_a_run_that_was_cut_is_no_success(case: str) -> None:
    """The client took these for whole until its version 1.0; they lack a terminal event."""
    assert codes(wire(TRUNCATED[case])) == ["TRM001"]


@pytest.mark.parametrize("case", TRUNCATED)
def test_who_cut_a_run_on_purpose_knows(case: str) -> None:
    """A run that its reader left, or cancelled, promised no terminal event: so it is in the client, too."""
    assert codes(wire(TRUNCATED[case]), end="cancelled") == []


@pytest.mark.parametrize("case", [*ACCEPTED, *REFUSED])
def test_the_package_s_objects_are_read_as_their_json(case: str) -> None:
    """A producer in Python can be checked before its events are written."""
    stream = ACCEPTED[case] if case in ACCEPTED else REFUSED[case][0]
    assert codes(list(stream)) == codes(wire(stream))

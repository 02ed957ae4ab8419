"""The events of dialect `agui`: the Agent User Interaction Protocol, 1.0, with what older producers send.

Everything is opened and closed by an id. Knows the wire (`messageId`) and the Python package's objects (`message_id`),
without the package.
"""

from typing import Any

from playhead.events.paths import path
from playhead.events.plain import PlainEvent, decoder_of
from playhead.events.spans import POINT, Dialect, Op, Span, closes, feeds, loosely, opens


class AguiEvent(PlainEvent):
    """Hold one event of AG-UI. Its `type` is in capitals: `TEXT_MESSAGE_START`."""

    tag_field = "type"


_MESSAGE: dict[str, Any] = {"key": "messageId|message_id"}
_TOOL: dict[str, Any] = {"key": "toolCallId|tool_call_id"}
_AGENT: dict[str, Any] = {"key": "subagentRunId|subagent_run_id"}
_RUN: dict[str, Any] = {"key": "runId|run_id"}
# The steps of a sub-agent may have the names of its parent's.
_STEP: dict[str, Any] = {"key": "subagentRunId|subagent_run_id,stepName|step_name"}

_OPS: dict[str, tuple[Op, ...]] = {
    "RUN_STARTED": (opens(Span.RUN, **_RUN),),
    "RUN_FINISHED": (closes(Span.RUN, **_RUN, status="outcome.type"),),
    "RUN_ERROR": (closes(Span.RUN, status="code|message"),),
    "STEP_STARTED": (opens(Span.STEP, **_STEP, name="stepName|step_name"),),
    "STEP_FINISHED": (closes(Span.STEP, **_STEP, name="stepName|step_name"),),
    "SUBAGENT_STARTED": (opens(Span.SUBAGENT, **_AGENT, name="name"),),
    "SUBAGENT_FINISHED": (closes(Span.SUBAGENT, **_AGENT),),
    "SUBAGENT_ERROR": (closes(Span.SUBAGENT, **_AGENT, status="code|message"),),
    "TEXT_MESSAGE_START": (opens(Span.MESSAGE, **_MESSAGE),),
    "TEXT_MESSAGE_CONTENT": (feeds(Span.MESSAGE, **_MESSAGE, text="delta"),),
    "TEXT_MESSAGE_END": (closes(Span.MESSAGE, **_MESSAGE),),
    # A chunk opens what it names; the next event that is none closes it.
    "TEXT_MESSAGE_CHUNK": (loosely(feeds(Span.MESSAGE, **_MESSAGE, text="delta")),),
    "TOOL_CALL_START": (opens(Span.TOOL, **_TOOL, name="toolCallName|tool_call_name"),),
    "TOOL_CALL_ARGS": (feeds(Span.TOOL, **_TOOL, text="delta"),),
    "TOOL_CALL_END": (closes(Span.TOOL, **_TOOL),),
    "TOOL_CALL_CHUNK": (loosely(feeds(Span.TOOL, **_TOOL, text="delta")),),
    "TOOL_CALL_RESULT": POINT,
    "REASONING_START": (opens(Span.REASONING, **_MESSAGE),),
    # A message of reasoning may have the id of the reasoning that it is a part of, and may come without one.
    "REASONING_MESSAGE_START": (opens(Span.PART, **_MESSAGE),),
    "REASONING_MESSAGE_CONTENT": (
        feeds(Span.PART, **_MESSAGE),
        loosely(feeds(Span.REASONING, **_MESSAGE, text="delta")),
    ),
    "REASONING_MESSAGE_END": (closes(Span.PART, **_MESSAGE),),
    "REASONING_MESSAGE_CHUNK": (loosely(feeds(Span.REASONING, **_MESSAGE, text="delta")),),
    "REASONING_END": (closes(Span.REASONING, **_MESSAGE),),
    "REASONING_ENCRYPTED_VALUE": POINT,
    "THINKING_START": (opens(Span.REASONING),),
    "THINKING_TEXT_MESSAGE_START": (opens(Span.PART),),
    "THINKING_TEXT_MESSAGE_CONTENT": (feeds(Span.PART), loosely(feeds(Span.REASONING, text="delta"))),
    "THINKING_TEXT_MESSAGE_END": (closes(Span.PART),),
    "THINKING_END": (closes(Span.REASONING),),
    "STATE_SNAPSHOT": POINT,
    "STATE_DELTA": POINT,
    "MESSAGES_SNAPSHOT": POINT,
    "ACTIVITY_SNAPSHOT": POINT,
    "ACTIVITY_DELTA": POINT,
    "RAW": POINT,
    "CUSTOM": POINT,
    "META": POINT,
}

AGUI = Dialect(
    name="agui",
    tag="type",
    decode=decoder_of(AguiEvent, _OPS),
    ops=_OPS,
    volatile=(path("timestamp"), path("encryptedValue")),
    ids=tuple(
        map(
            path,
            (
                "messageId",
                "toolCallId",
                "parentMessageId",
                "runId",
                "parentRunId",
                "threadId",
                "subagentRunId",
                "parentSubagentRunId",
                "parentToolCallId",
                "entityId",
            ),
        )
    ),
    ends={"RUN_FINISHED:interrupt": "paused", "RUN_FINISHED:cancelled": "cancelled"},
    # A run that has finished may still fail.
    after=frozenset({"RUN_ERROR"}),
    cuts=frozenset({"RUN_ERROR"}),
    # An event may carry what it was made of.
    errors={kind: (path("message"), path("rawEvent"), path("raw_event")) for kind in ("RUN_ERROR", "SUBAGENT_ERROR")},
    first=frozenset({"RUN_STARTED", "RUN_ERROR"}),
    unique=frozenset({Span.STEP, Span.MESSAGE, Span.TOOL, Span.REASONING, Span.PART, Span.SUBAGENT}),
    once=frozenset({Span.SUBAGENT}),
)
"""The dialect of AG-UI. Its `timestamp` is in milliseconds, so it is no `time`."""

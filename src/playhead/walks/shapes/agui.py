"""The shapes of dialect `agui`."""

from typing import Any, Final

from playhead.walks.shapes.template import Life, Shapes, key, name, object_, one_of, piece, text


def _event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


_RUN: Final = {"threadId": "thread_1", "runId": "run_1"}
_STEP: Final = {"stepName": key("step {}")}
_MESSAGE: Final = {"messageId": key("message_{}")}
_THOUGHT: Final = {"messageId": key("thought_{}")}
_TOOL: Final = {"toolCallId": key()}
_AGENT: Final = {"subagentRunId": key("subagent_{}")}

AGUI: Final = Shapes(
    "agui",
    begins=(_event("RUN_STARTED", **_RUN),),
    lives=(
        Life(
            "message",
            opens=_event("TEXT_MESSAGE_START", **_MESSAGE, role="assistant"),
            feeds=(_event("TEXT_MESSAGE_CONTENT", **_MESSAGE, delta=text),),
            closes=(_event("TEXT_MESSAGE_END", **_MESSAGE),),
        ),
        Life(
            "tool",
            opens=_event("TOOL_CALL_START", **_TOOL, toolCallName=name),
            feeds=(_event("TOOL_CALL_ARGS", **_TOOL, delta=piece),),
            closes=(_event("TOOL_CALL_END", **_TOOL),),
            pieces=True,
        ),
        Life("step", opens=_event("STEP_STARTED", **_STEP), closes=(_event("STEP_FINISHED", **_STEP),)),
        Life(
            "subagent",
            opens=_event("SUBAGENT_STARTED", **_AGENT, name=name),
            closes=(_event("SUBAGENT_FINISHED", **_AGENT), _event("SUBAGENT_ERROR", **_AGENT, message=text)),
        ),
        Life(
            "reasoning",
            opens=_event("REASONING_START", **_THOUGHT),
            feeds=(_event("REASONING_MESSAGE_CHUNK", **_THOUGHT, delta=text),),
            closes=(_event("REASONING_END", **_THOUGHT),),
        ),
        Life(
            "reasoning message",
            opens=_event("REASONING_MESSAGE_START", messageId=key("part_{}"), role="reasoning"),
            feeds=(_event("REASONING_MESSAGE_CONTENT", messageId=key("part_{}"), delta=text),),
            closes=(_event("REASONING_MESSAGE_END", messageId=key("part_{}")),),
        ),
        Life("thinking", opens=_event("THINKING_START"), closes=(_event("THINKING_END"),), alone=True),
        Life(
            "thinking message",
            opens=_event("THINKING_TEXT_MESSAGE_START"),
            feeds=(_event("THINKING_TEXT_MESSAGE_CONTENT", delta=text),),
            closes=(_event("THINKING_TEXT_MESSAGE_END"),),
            inside="thinking",
            alone=True,
        ),
    ),
    points=(
        _event("TEXT_MESSAGE_CHUNK", messageId="chunk_1", role="assistant", delta=text),
        _event("TOOL_CALL_CHUNK", toolCallId="chunk_2", toolCallName="search", delta="{}"),
        _event("TOOL_CALL_RESULT", messageId="result_1", toolCallId="call_1", content=text),
        _event("STATE_SNAPSHOT", snapshot=object_),
        _event("STATE_DELTA", delta=[{"op": "replace", "path": "/a", "value": text}]),
        _event("MESSAGES_SNAPSHOT", messages=[]),
        _event("ACTIVITY_SNAPSHOT", messageId="activity_1", activityType="plan", content=object_),
        _event("ACTIVITY_DELTA", messageId="activity_1", activityType="plan", patch=[]),
        _event("REASONING_ENCRYPTED_VALUE", subtype="message", entityId="message_1", encryptedValue="x"),
        _event("RAW", event=object_),
        _event("CUSTOM", name=text, value=object_),
        _event("META", metaType="note", payload=object_),
    ),
    ends=(
        _event("RUN_FINISHED", **_RUN, result=one_of(None, text)),
        _event("RUN_ERROR", message=text),
        _event("RUN_FINISHED", **_RUN, outcome={"type": "interrupt", "interrupts": []}),
        _event("RUN_FINISHED", **_RUN, outcome={"type": "cancelled"}),
    ),
)
"""What an AG-UI back end sends."""

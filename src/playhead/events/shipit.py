"""The events of dialect `shipit`: one shape, many types.

An event is `{type, message, payload}`; 2.x adds `timestamp` (Unix seconds) and ids in the payload, 1.0.x has neither.
Payloads differ from version to version, so they stay plain JSON; `SHIPIT` says where the details are in each of them.
"""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, TypeAdapter

from playhead.events.base import Event, JsonObject, Number, OpaqueEvent
from playhead.events.frozen import FrozenDict
from playhead.events.paths import path
from playhead.events.spans import POINT, Dialect, Op, Span, closes, feeds, loosely, opens


def _known(event_type: str) -> str:
    if event_type not in _OPS:
        raise ValueError("not a type of shipit's")
    return event_type


class ShipitEvent(Event):
    """Hold one event of a shipit run. `event_type` is another name for `type`; `timestamp` is in Unix seconds."""

    tag_field: ClassVar[str] = "type"

    type: Annotated[str, AfterValidator(_known)]
    message: str = ""
    payload: JsonObject = Field(default_factory=FrozenDict)
    timestamp: Number | None = None

    @property
    def event_type(self) -> str:
        """Return the event's type, under the name that handlers look for."""
        return self.type


_CALL = "payload.call_id|tool_call_id"
# 1.0.x names the tool in the message alone: "Tool called: add".
_NAME = {"name": "payload.tool", "or_name": "message.:"}
_OPS: dict[str, tuple[Op, ...]] = {
    "run_started": (opens(Span.RUN),),
    "step_started": (opens(Span.STEP, key="payload.iteration"),),
    "iteration_started": POINT,
    "reasoning_started": (opens(Span.REASONING),),
    "reasoning_delta": (feeds(Span.REASONING, text="payload.chunk"),),
    "reasoning_completed": (closes(Span.REASONING),),
    "text_delta": (feeds(Span.MODEL, text="payload.chunk"),),
    "planning_started": POINT,
    "planning_completed": POINT,
    "tool_group_started": POINT,
    "tool_group_completed": POINT,
    "tool_input_delta": (loosely(feeds(Span.TOOL, key=_CALL, text="payload.delta|chunk")),),
    "tool_called": (opens(Span.TOOL, key=_CALL, **_NAME, given="payload.arguments"),),
    "tool_output_started": (feeds(Span.TOOL, key=_CALL),),
    "tool_output_delta": (feeds(Span.TOOL, key=_CALL, text="payload.chunk"),),
    "tool_completed": (closes(Span.TOOL, key=_CALL, **_NAME),),
    # 1.0 can fail a tool that was never called, and complete one that failed.
    "tool_failed": (loosely(closes(Span.TOOL, key=_CALL, **_NAME, status="payload.error")),),
    "tool_retry": POINT,
    "tool_denied": POINT,
    "tool_arguments_rejected": POINT,
    "tool_call_healed": POINT,
    "skill_catalog_ready": POINT,
    "skill_loaded": POINT,
    "tools_discovered": POINT,
    "tools_rebound": POINT,
    "subagent_started": (opens(Span.SUBAGENT, key=_CALL),),
    "subagent_event": (feeds(Span.SUBAGENT, key=_CALL, text="payload.inner.chunk|delta"),),
    "sub_agent_event": (feeds(Span.SUBAGENT, key=_CALL, text="payload.inner.chunk|delta"),),
    "subagent_completed": (closes(Span.SUBAGENT, key=_CALL),),
    "mcp_attached": POINT,
    "llm_retry": POINT,
    "context_snapshot": POINT,
    "context_compaction_started": POINT,
    "context_compacted": POINT,
    "rag_sources": POINT,
    "interactive_request": POINT,
    "approval_required": POINT,
    "checkpoint_saved": POINT,
    "usage_tick": POINT,
    "final_answer": POINT,
    "run_summary": POINT,
    "run_completed": (closes(Span.STEP), closes(Span.RUN)),
    "run_failed": (closes(Span.STEP), closes(Span.RUN, status="payload.error")),
    "run_cancelled": (closes(Span.STEP), closes(Span.RUN)),
}

SHIPIT = Dialect(
    name="shipit",
    tag="type",
    decode=TypeAdapter[Any](
        Annotated[ShipitEvent | OpaqueEvent, Field(union_mode="left_to_right")]
    ).validator.validate_json,
    ops=_OPS,
    time=path("timestamp"),
    volatile=tuple(
        path(spelled)
        for spelled in (
            "timestamp",
            "payload.run_id",
            "payload.session_id",
            "payload.duration_ms",
            "payload.sequence",
            "payload.inner.*",
            "payload.tool_discovery.session_id",
            "payload.summary.tool_discovery.session_id",
        )
    ),
    ids=(path("payload.call_id"), path("payload.tool_call_id"), path("payload.tools.*.call_id")),
    ends={"run_cancelled": "cancelled"},
    pauses=frozenset({"interactive_request", "approval_required"}),
    after=frozenset({"rag_sources"}),
    silent_end="cancelled",
    framed=True,
    cuts=frozenset({"run_failed", "run_cancelled"}),
    first=frozenset({"run_started"}),
    answers={"run_completed": path("payload.output")},
    # A graph's message is the text of the error, too.
    errors={"run_failed": (path("payload.error"), path("message")), "llm_retry": (path("payload.error"),)},
    unique=frozenset({Span.TOOL, Span.SUBAGENT}),
)
"""The dialect of shipit-agent 1.0 and 2.x. `cancel()` sends no terminal event: a silent end is a cancelled one."""

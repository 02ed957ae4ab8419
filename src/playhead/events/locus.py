"""The native taxonomy: the 24 events of dialect `locus`, as data.

Names and fields are those of locus-sdk 3.0.1, which adds to those of 0.2; the package itself is not needed. `LOCUS`
says what each event does to the spans of a run. A field with a default may be missing in JSON.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, TypeAdapter

from playhead.clock import utc_now
from playhead.events.base import Event, FrozenModel, JsonObject, Number, OpaqueEvent
from playhead.events.frozen import FrozenDict, FrozenList, freeze
from playhead.events.paths import path
from playhead.events.spans import POINT, Dialect, Op, Span, closes, feeds, opens

Texts = Annotated[list[str], AfterValidator(freeze)]
"""A frozen list of texts."""
Objects = Annotated[list[dict[str, Any]], AfterValidator(freeze)]
"""A frozen list of JSON objects."""


def _to_utc(value: object) -> object:
    # Pydantic would also take "5" for a time.
    moment = datetime.fromisoformat(value.upper()) if isinstance(value, str) else value
    if not isinstance(moment, datetime) or moment.tzinfo is None or moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("in UTC this time has no year from 1 to 9999") from error


Utc = Annotated[AwareDatetime, BeforeValidator(_to_utc)]
"""An aware time, kept in UTC, to the microsecond. Text must be ISO 8601, with its distance from UTC."""


class LocusEvent(Event):
    """Hold what every native event has: when it happened, in UTC, and which agent says so."""

    made_up: ClassVar[frozenset[str]] = frozenset({"timestamp"})

    timestamp: Utc = Field(default_factory=utc_now)
    agent_name: str | None = None


class ToolCall(FrozenModel):
    """Hold a call that the model asks for. `malformed_arguments` is the text that was no JSON."""

    id: str
    name: str
    arguments: JsonObject = Field(default_factory=FrozenDict)
    malformed_arguments: str | None = None


ToolCalls = Annotated[list[ToolCall], AfterValidator(freeze)]
"""A frozen list of tool calls."""


class ThinkEvent(LocusEvent):
    """Say what the model answered in one iteration: its text and the tools that it wants."""

    event_type: Literal["think"] = "think"
    iteration: int
    reasoning: str | None = None
    tool_calls: ToolCalls = Field(default_factory=FrozenList)

    @property
    def content(self) -> str | None:
        """Return the text of the answer: another name for `reasoning`."""
        return self.reasoning


class ToolStartEvent(LocusEvent):
    """Say that a tool begins to run."""

    event_type: Literal["tool_start"] = "tool_start"
    tool_name: str
    tool_call_id: str
    arguments: JsonObject = Field(default_factory=FrozenDict)


class ToolProgressEvent(LocusEvent):
    """Say how far a running tool has come: `progress` of `total`, in units of the tool's own."""

    event_type: Literal["tool_progress"] = "tool_progress"
    tool_name: str
    tool_call_id: str
    progress: Number
    total: Number | None = None
    message: str | None = None


class ToolCompleteEvent(LocusEvent):
    """Say that a tool ended, with a result or an error, after `duration_ms` milliseconds."""

    event_type: Literal["tool_complete"] = "tool_complete"
    tool_name: str
    tool_call_id: str
    result: str | None = None
    error: str | None = None
    duration_ms: Number | None = None
    structured_content: JsonObject | None = None
    content_blocks: Objects | None = None

    @property
    def success(self) -> bool:
        """Return whether the tool ended without an error."""
        return self.error is None


class SubagentEvent(LocusEvent):
    """Carry an event of an agent that runs inside a tool. `event` keeps its own type, at any depth."""

    event_type: Literal["subagent"] = "subagent"
    tool_call_id: str
    tool_name: str
    task_id: str | None = None
    event: "AnyEvent"


class ReflectEvent(LocusEvent):
    """Say what the agent thinks of its own progress."""

    event_type: Literal["reflect"] = "reflect"
    iteration: int
    assessment: str
    confidence_delta: Number
    new_confidence: Number
    guidance: str | None = None


class GroundingEvent(LocusEvent):
    """Say how much of the answer is backed by what the tools returned: `score` from 0 to 1."""

    event_type: Literal["grounding"] = "grounding"
    score: Number
    claims_evaluated: int
    ungrounded_claims: Texts = Field(default_factory=FrozenList)
    requires_replan: bool = False


class FinalAnswerVerificationEvent(LocusEvent):
    """Say whether the final answer passed its check."""

    event_type: Literal["final_answer_verification"] = "final_answer_verification"
    passed: bool
    attempt: int
    replanning: bool = False
    feedback: str | None = None
    error: str | None = None
    replaced: bool = False
    continuation: bool = False
    reason: str | None = None


class ModelRetryEvent(LocusEvent):
    """Say that a model call failed and is tried again after `delay_seconds`."""

    event_type: Literal["model_retry"] = "model_retry"
    attempt: int
    delay_seconds: Number
    reason: str
    status_code: int | None = None
    error: str
    from_retry_after: bool = False


class CompactionEvent(LocusEvent):
    """Say that the conversation was made shorter, and by how many tokens and messages."""

    event_type: Literal["compaction"] = "compaction"
    iteration: int
    stage: Literal["prune", "summarize", "truncate"]
    tokens_before: int
    tokens_after: int
    threshold: Number
    context_window: int
    messages_before: int
    messages_after: int
    summary: str | None = None
    exhausted: bool = False
    detail: str | None = None


class TerminateEvent(LocusEvent):
    """Say that the run ended. `reason` is free text: `complete`, `error`, `cancelled` and more."""

    event_type: Literal["terminate"] = "terminate"
    reason: str
    iterations_used: int
    final_confidence: Number
    total_tool_calls: int
    final_message: str | None = None
    usage: JsonObject | None = None
    cost_usd: Number | None = None
    reported_cost_usd: Number | None = None
    error: str | None = None

    @property
    def content(self) -> str | None:
        """Return the final answer: another name for `final_message`."""
        return self.final_message


class InterruptEvent(LocusEvent):
    """Say that the run waits for a person's answer."""

    event_type: Literal["interrupt"] = "interrupt"
    question: str
    options: Texts | None = None
    fields: Objects | None = None
    interrupt_id: str
    metadata: JsonObject = Field(default_factory=FrozenDict)


class CustomEvent(LocusEvent):
    """Carry something of the application's own."""

    event_type: Literal["custom"] = "custom"
    name: str
    data: JsonObject = Field(default_factory=FrozenDict)
    run_id: str | None = None
    thread_id: str | None = None
    tool_call_id: str | None = None


class ModelChunkEvent(LocusEvent):
    """Carry a piece of the model's answer as it streams. `done` marks the last piece of one answer."""

    event_type: Literal["model_chunk"] = "model_chunk"
    content: str | None = None
    model: str | None = None
    reasoning: str | None = None
    tool_calls: ToolCalls | None = None
    done: bool = False
    usage: JsonObject | None = None
    stop_reason: str | None = None
    cost_usd: Number | None = None


class ModelCompleteEvent(LocusEvent):
    """Carry a model's whole answer."""

    event_type: Literal["model_complete"] = "model_complete"
    content: str | None = None
    tool_calls: ToolCalls = Field(default_factory=FrozenList)
    usage: JsonObject = Field(default_factory=FrozenDict)
    stop_reason: str | None = None


class SpecialistStartEvent(LocusEvent):
    """Say that a specialist takes over a task."""

    event_type: Literal["specialist_start"] = "specialist_start"
    specialist_id: str
    specialist_type: str
    task: str


class SpecialistCompleteEvent(LocusEvent):
    """Say that a specialist is done, how sure it is, and after how many milliseconds."""

    event_type: Literal["specialist_complete"] = "specialist_complete"
    specialist_id: str
    specialist_type: str
    result: str | None = None
    confidence: Number
    duration_ms: Number


class OrchestratorDecisionEvent(LocusEvent):
    """Say which specialists an orchestrator chose, and why."""

    event_type: Literal["orchestrator_decision"] = "orchestrator_decision"
    decision: str
    specialists_selected: Texts = Field(default_factory=FrozenList)
    reasoning: str | None = None


class CausalNodeEvent(LocusEvent):
    """Add a node to a graph of causes."""

    event_type: Literal["causal_node"] = "causal_node"
    node_id: str
    label: str
    node_type: str
    evidence: Texts = Field(default_factory=FrozenList)


class CausalEdgeEvent(LocusEvent):
    """Add an edge to a graph of causes."""

    event_type: Literal["causal_edge"] = "causal_edge"
    source_id: str
    target_id: str
    relationship: str
    confidence: Number


class BeforeInvocationEvent(LocusEvent):
    """Say that an agent is about to be run."""

    event_type: Literal["before_invocation"] = "before_invocation"
    prompt: str
    agent_id: str | None = None


class AfterInvocationEvent(LocusEvent):
    """Say that an agent was run, and how that went."""

    event_type: Literal["after_invocation"] = "after_invocation"
    success: bool
    iterations: int
    confidence: Number
    duration_ms: Number


class BeforeToolCallEvent(LocusEvent):
    """Say that a tool is about to be called, and with which arguments a hook replaced the model's."""

    event_type: Literal["before_tool_call"] = "before_tool_call"
    tool_name: str
    arguments: JsonObject
    modified_arguments: JsonObject | None = None


class AfterToolCallEvent(LocusEvent):
    """Say that a tool was called, and what came of it."""

    event_type: Literal["after_tool_call"] = "after_tool_call"
    tool_name: str
    tool_call_id: str = ""
    arguments: JsonObject = Field(default_factory=FrozenDict)
    result: str | None = None
    error: str | None = None
    duration_ms: Number


AgentEvent = (
    ThinkEvent
    | ToolStartEvent
    | ToolProgressEvent
    | ToolCompleteEvent
    | SubagentEvent
    | ReflectEvent
    | GroundingEvent
    | FinalAnswerVerificationEvent
    | ModelRetryEvent
    | CompactionEvent
    | TerminateEvent
    | InterruptEvent
    | CustomEvent
    | ModelChunkEvent
    | ModelCompleteEvent
    | SpecialistStartEvent
    | SpecialistCompleteEvent
    | OrchestratorDecisionEvent
    | CausalNodeEvent
    | CausalEdgeEvent
    | BeforeInvocationEvent
    | AfterInvocationEvent
    | BeforeToolCallEvent
    | AfterToolCallEvent
)
"""Any native event. A `match` over it is exhaustive when it names all 24 classes."""

AnyEvent = Annotated[
    Annotated[AgentEvent, Field(discriminator="event_type")] | OpaqueEvent,
    Field(union_mode="left_to_right"),
]
"""Any event at all, as JSON is read: an `OpaqueEvent` where no class fits."""

SubagentEvent.model_rebuild()

_TOOL = {"key": "tool_call_id", "name": "tool_name"}
_OPS: dict[str, tuple[Op, ...]] = {
    "think": (opens(Span.STEP, key="iteration"),),
    "tool_start": (opens(Span.TOOL, **_TOOL, given="arguments"),),
    "tool_progress": (feeds(Span.TOOL, key="tool_call_id", text="message"),),
    "tool_complete": (closes(Span.TOOL, **_TOOL, status="error", result="result"),),
    "subagent": (feeds(Span.TOOL, key="tool_call_id"),),
    "model_chunk": (
        feeds(Span.REASONING, text="reasoning", when="reasoning"),
        feeds(Span.MODEL, text="content"),
        closes(Span.MODEL, status="stop_reason", when="done"),
    ),
    "model_complete": (closes(Span.MODEL, status="stop_reason"),),
    "specialist_start": (opens(Span.SUBAGENT, key="specialist_id", name="specialist_type"),),
    "specialist_complete": (closes(Span.SUBAGENT, key="specialist_id", name="specialist_type"),),
    "terminate": (closes(Span.STEP), closes(Span.RUN, status="reason")),
    "reflect": POINT,
    "grounding": POINT,
    "final_answer_verification": POINT,
    "model_retry": POINT,
    "compaction": POINT,
    "interrupt": POINT,
    "custom": POINT,
    "orchestrator_decision": POINT,
    "causal_node": POINT,
    "causal_edge": POINT,
    "before_invocation": POINT,
    "after_invocation": POINT,
    "before_tool_call": POINT,
    "after_tool_call": POINT,
}

LOCUS = Dialect(
    name="locus",
    tag="event_type",
    decode=TypeAdapter[Any](AnyEvent).validator.validate_json,
    ops=_OPS,
    time=path("timestamp"),
    group=path("agent_name"),
    nested=path("event"),
    volatile=(path("timestamp"), path("duration_ms"), path("task_id"), path("run_id")),
    ids=(path("tool_call_id"), path("tool_calls.*.id"), path("interrupt_id")),
    ends={"terminate:cancelled": "cancelled"},
    pauses=frozenset({"interrupt"}),
    framed=True,
    cuts=frozenset({"terminate:cancelled", "terminate:error"}),
    raises=frozenset({"terminate:error"}),
    answers={"think": path("reasoning"), "terminate": path("final_message")},
    errors={kind: (path("error"),) for kind in ("terminate", "model_retry", "final_answer_verification")},
    counters={
        "terminate": (
            ("iterations_used", Span.STEP, path("iterations_used")),
            ("total_tool_calls", Span.TOOL, path("total_tool_calls")),
        )
    },
)
"""The native dialect."""

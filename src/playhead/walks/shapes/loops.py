"""The shapes of dialects `shipit` and `turns`: loops that call tools."""

from typing import Any, Final

from playhead.walks.shapes.template import (
    Life,
    Shapes,
    given,
    key,
    name,
    object_,
    one_of,
    pieces_whole,
    seconds,
    step,
    text,
)


def _event(kind: str, message: Any = "", /, **payload: Any) -> dict[str, Any]:
    return {"type": kind, "message": message, "payload": payload, "timestamp": seconds}


_CALL: Final = {"call_id": key("call_1_{}"), "tool": name}
_AGENT: Final = {"call_id": key("agent_{}")}

SHIPIT: Final = Shapes(
    "shipit",
    begins=(_event("run_started", prompt=text),),
    steps=(_event("step_started", iteration=step),),
    lives=(
        Life(
            "tool",
            ahead=(_event("tool_input_delta", **_CALL, delta=pieces_whole),),
            opens=_event("tool_called", **_CALL, arguments=given),
            feeds=(
                _event("tool_output_delta", **_CALL, chunk=text),
                _event("tool_output_started", **_CALL),
            ),
            closes=(_event("tool_completed", **_CALL, output=text), _event("tool_failed", **_CALL, error=text)),
        ),
        Life(
            "reasoning",
            opens=_event("reasoning_started"),
            feeds=(_event("reasoning_delta", chunk=text),),
            closes=(_event("reasoning_completed", content=text),),
            alone=True,
        ),
        Life(
            "subagent",
            opens=_event("subagent_started", **_AGENT, name=name),
            feeds=(
                _event("subagent_event", **_AGENT, inner={"type": "text_delta", "chunk": text}),
                _event("sub_agent_event", **_AGENT, inner={"type": "tool_called", "tool": name}),
            ),
            closes=(_event("subagent_completed", **_AGENT, output=text),),
        ),
    ),
    points=(
        _event("text_delta", chunk=text),
        _event("llm_retry", error=text, attempt=1),
        _event("tool_retry", tool="search", attempt=2, error=text),
        _event("interactive_request", kind="ask_user", question=text),
        _event("approval_required", tool="search"),
        _event("rag_sources", sources=[text]),
        _event("usage_tick", usage=object_),
        _event("iteration_started"),
        _event("planning_started"),
        _event("planning_completed", output=text),
        _event("tool_group_started"),
        _event("tool_group_completed"),
        _event("tool_denied", tool="search", reason=text),
        _event("tool_arguments_rejected", tool="search", error=text),
        _event("tool_call_healed", tool="search"),
        _event("skill_catalog_ready"),
        _event("skill_loaded", skill=text),
        _event("tools_discovered"),
        _event("tools_rebound"),
        _event("mcp_attached", servers=[text]),
        _event("context_snapshot", context=object_),
        _event("context_compaction_started"),
        _event("context_compacted", summary=text),
        _event("checkpoint_saved"),
        _event("final_answer", text, output=text),
        _event("run_summary", summary=object_),
    ),
    ends=(
        _event("run_completed", output=text),
        _event("run_failed", text, error=one_of("boom", text)),
        _event("run_cancelled"),
        _event("interactive_request", kind="ask_user", question=text),
        _event("approval_required", tool="search"),
    ),
)
"""What shipit-agent sends."""


def _turn(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "turn_id": "turn_1", **fields}


TURNS: Final = Shapes(
    "turns",
    begins=(_turn("RequestStart"),),
    lives=(
        Life(
            "tool",
            opens=_turn("ToolDispatch", tool=name, args=given),
            closes=(_turn("ToolResult", tool=name, result=one_of(text, object_, None, 3)),),
        ),
    ),
    points=(_turn("TextDelta", text=text),),
    ends=(_turn("Complete", final_text=text), _turn("ErrorEvent", error=text)),
)
"""What a loop of one's own sends. Tools of a turn are told apart by their names alone."""

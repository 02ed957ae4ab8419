"""The shapes of dialect `locus`."""

from typing import Any, Final

from playhead.walks.shapes.template import (
    Life,
    Shapes,
    count,
    counted,
    flag,
    fraction,
    given,
    inner,
    key,
    name,
    object_,
    one_of,
    some_name,
    step,
    text,
    time,
)


def _event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"event_type": kind, **fields, "timestamp": time}


def _tool(kind: str, **fields: Any) -> dict[str, Any]:
    return _event(kind, tool_name=name, tool_call_id=key(), **fields)


def _end(reason: Any, **fields: Any) -> dict[str, Any]:
    used = {"iterations_used": counted("step"), "total_tool_calls": counted("tool"), "final_confidence": 1.0}
    return _event("terminate", reason=reason, **used, **fields)


_SPECIALIST: Final = {"specialist_id": key("specialist_{}"), "specialist_type": name}

LOCUS: Final = Shapes(
    "locus",
    steps=(_event("think", iteration=step, reasoning=one_of(None, text), tool_calls=[]),),
    lives=(
        Life(
            "tool",
            opens=_tool("tool_start", arguments=given),
            feeds=(
                _tool("tool_progress", progress=count, message=one_of(None, text)),
                _tool("subagent", task_id=one_of(None, "task_1"), event=inner),
            ),
            closes=(_tool("tool_complete", result=text), _tool("tool_complete", error=text)),
            nests=True,
        ),
        Life(
            "specialist",
            opens=_event("specialist_start", **_SPECIALIST, task=text),
            closes=(_event("specialist_complete", **_SPECIALIST, result=text, confidence=fraction, duration_ms=count),),
        ),
    ),
    points=(
        _event("model_chunk", content=text, done=False),
        _event("model_chunk", reasoning=text, done=False),
        _event("model_chunk", done=True, stop_reason=one_of("stop", "tool_calls", None), usage=one_of(None, object_)),
        _event("model_complete", content=one_of(None, text), stop_reason="stop"),
        _event("model_retry", attempt=count, delay_seconds=fraction, reason="rate_limit", status_code=429, error=text),
        _event("interrupt", question=text, options=one_of(None, [text, text]), interrupt_id="interrupt_1"),
        _event("custom", name=some_name, data=object_),
        _event("reflect", iteration=count, assessment="on_track", confidence_delta=fraction, new_confidence=fraction),
        _event("grounding", score=fraction, claims_evaluated=count, ungrounded_claims=one_of([], [text])),
        _event("final_answer_verification", passed=flag, attempt=count, feedback=one_of(None, text)),
        _event(
            "compaction",
            iteration=count,
            stage=one_of("prune", "summarize", "truncate"),
            **dict.fromkeys(("tokens_before", "tokens_after", "messages_before", "messages_after"), count),
            threshold=fraction,
            context_window=1000,
        ),
        _event("orchestrator_decision", decision=text, specialists_selected=[some_name]),
        _event("causal_node", node_id="n1", label=text, node_type="fact"),
        _event("causal_edge", source_id="n1", target_id="n2", relationship=text, confidence=fraction),
        _event("before_invocation", prompt=text),
        _event("after_invocation", success=flag, iterations=count, confidence=fraction, duration_ms=count),
        _event("before_tool_call", tool_name=some_name, arguments=object_),
        _event("after_tool_call", tool_name=some_name, result=text, duration_ms=count),
    ),
    ends=(
        _end("complete", final_message=one_of(None, text)),
        _end("error", error=text),
        _end("cancelled"),
        _event("interrupt", question=text, interrupt_id="interrupt_1"),
        _end(one_of("max_iterations", "confidence_met", "terminal_tool")),
    ),
)
"""What locus sends."""

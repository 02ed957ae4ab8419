"""Healthy runs of each dialect, small ones first: what a suite gives to a subject that nobody described.

Knows texts that have broken handlers before: several bytes a character, line ends, longer than a block, many at once.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from playhead.events.codec import decode_event
from playhead.walks.texts import TEXTS
from playhead.walks.walk import CHOICE_BITS, Walk, moves_for, rows_of

Row = Mapping[str, Any]
"""An event as a JSON object."""

_SEED: Final = 0
_SIZES: Final = (1, 4, 8, 12, 12, 30, 60)

_AT: Final = {"timestamp": "2030-01-01T00:00:00Z"}
_TEXTS: Final = ("Take", " an umbrella: é, 雨, 🌧️!", " ha", " ha", "\r\n\n - one\r - two\u2028", "日本" * 700)


def _tool(kind: str, key: str, **fields: Any) -> Row:
    return {"event_type": kind, "tool_name": "search", "tool_call_id": key, **_AT, **fields}


def _chunk(**fields: Any) -> Row:
    return {"event_type": "model_chunk", "done": False, **_AT, **fields}


_THINK: Final = {"event_type": "think", "iteration": 1, "reasoning": "I look.", **_AT}
_END: Final = {
    "event_type": "terminate",
    "reason": "complete",
    "iterations_used": 1,
    "final_confidence": 1.0,
    "total_tool_calls": 2,
    "final_message": "Done.",
    **_AT,
}

_LOCUS: Final[tuple[tuple[Row, ...], ...]] = (
    (_THINK, _END),
    (*(_chunk(content=text) for text in _TEXTS), _chunk(done=True), _END),
    (
        _THINK,
        _tool("tool_start", "c1", arguments={"city": "Zürich", "days": [1, 2]}),
        _tool("tool_start", "c2", arguments={"city": "東京"}),
        _tool("tool_progress", "c2", progress=1, message="half"),
        _tool("tool_progress", "c1", progress=1, message="hälfte"),
        _tool("tool_complete", "c2", result="rain"),
        _tool("tool_complete", "c1", error="no such city"),
        _END,
    ),
    (
        _THINK,
        {
            "event_type": "model_retry",
            "attempt": 1,
            "delay_seconds": 0.5,
            "reason": "rate_limit",
            "error": "429",
            **_AT,
        },
        _tool("tool_start", "c1", arguments={}),
        _tool("subagent", "c1", task_id="t1", event=_chunk(content="inside")),
        _tool("tool_complete", "c1", result="rain", duration_ms=1.5),
        {
            "event_type": "reflect",
            "iteration": 1,
            "assessment": "on_track",
            "confidence_delta": 0.1,
            "new_confidence": 0.5,
            "guidance": "Go on.",
            **_AT,
        },
        {"event_type": "grounding", "score": 0.4, "claims_evaluated": 5, "ungrounded_claims": ["It rains."], **_AT},
        {"event_type": "custom", "name": "note", "data": {"text": "hello", "n": 1}, **_AT},
        _END,
    ),
    (_THINK, {"event_type": "x\ndata: forged\rid: 7", **_AT}, _END),
    (*(_chunk(content=f"{number} ") for number in range(300)), _chunk(done=True), _END),
)


def _shipit(kind: str, **payload: Any) -> Row:
    return {"type": kind, "message": kind, "payload": payload, "timestamp": 1893456000.0}


_SHIPIT: Final[tuple[tuple[Row, ...], ...]] = (
    (_shipit("run_started"), _shipit("run_completed")),
    (_shipit("run_started"), *(_shipit("text_delta", chunk=text) for text in _TEXTS), _shipit("run_completed")),
    (
        _shipit("run_started"),
        _shipit("tool_input_delta", call_id="c1", tool="add", delta='{"a": 1,'),
        _shipit("tool_input_delta", call_id="c1", tool="add", delta=' "b": 2}'),
        _shipit("tool_called", call_id="c1", tool="add", arguments={"a": 1, "b": 2}),
        _shipit("tool_called", call_id="c2", tool="add", arguments={"a": 3}),
        _shipit("tool_completed", call_id="c2", tool="add", output="3"),
        _shipit("tool_completed", call_id="c1", tool="add", output="3"),
        _shipit("run_completed"),
    ),
)

_OPEN: Final = {"type": "RequestStart", "turn_id": "t1"}
_DONE: Final = {"type": "Complete", "turn_id": "t1", "final_text": "Done."}
_TURNS: Final[tuple[tuple[Row, ...], ...]] = (
    (_OPEN, _DONE),
    (_OPEN, *({"type": "TextDelta", "turn_id": "t1", "text": text} for text in _TEXTS), _DONE),
    (
        _OPEN,
        {"type": "ToolDispatch", "turn_id": "t1", "tool": "search", "args": {"city": "Zürich"}},
        {"type": "ToolDispatch", "turn_id": "t1", "tool": "add", "args": {}},
        {"type": "ToolResult", "turn_id": "t1", "tool": "add", "result": 3},
        {"type": "ToolResult", "turn_id": "t1", "tool": "search", "result": ["rain"]},
        _DONE,
    ),
)

_AGUI_OPEN: Final = {"type": "RUN_STARTED", "threadId": "t", "runId": "r"}
_AGUI_END: Final = {"type": "RUN_FINISHED", "threadId": "t", "runId": "r"}


def _agui_text(delta: str) -> Row:
    return {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m1", "delta": delta}


_AGUI: Final[tuple[tuple[Row, ...], ...]] = (
    (_AGUI_OPEN, _AGUI_END),
    (
        _AGUI_OPEN,
        {"type": "TEXT_MESSAGE_START", "messageId": "m1", "role": "assistant"},
        *(_agui_text(text) for text in _TEXTS),
        {"type": "TEXT_MESSAGE_END", "messageId": "m1"},
        _AGUI_END,
    ),
    (
        _AGUI_OPEN,
        {"type": "TOOL_CALL_START", "toolCallId": "c1", "toolCallName": "search"},
        {"type": "TOOL_CALL_START", "toolCallId": "c2", "toolCallName": "search"},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "c1", "delta": '{"city":'},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "c2", "delta": "{}"},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "c1", "delta": '"Zürich"}'},
        {"type": "TOOL_CALL_END", "toolCallId": "c2"},
        {"type": "TOOL_CALL_END", "toolCallId": "c1"},
        _AGUI_END,
    ),
)

SAMPLES: Final[Mapping[str, tuple[tuple[Row, ...], ...]]] = {
    "locus": _LOCUS,
    "shipit": _SHIPIT,
    "turns": _TURNS,
    "agui": _AGUI,
}
"""Healthy runs by dialect, as JSON objects."""


def sample_runs(dialect: str) -> list[list[Any]]:
    """Return healthy runs of a dialect, decoded, small ones first. Raises `UsageError` where nobody knows any."""
    rows = SAMPLES.get(dialect) or _walked(dialect)
    return [events_of(run, dialect) for run in rows]


def _walked(dialect: str) -> list[list[Row]]:
    """Return runs of a dialect of which there are no samples: walks, the same ones each time."""
    chance = Random(_SEED)
    return [_walk(dialect, size, chance) for size in _SIZES]


def _walk(dialect: str, size: int, chance: Random) -> list[Row]:
    walk = Walk(moves_for(dialect), texts=TEXTS, max_size=size)
    choices = [chance.getrandbits(CHOICE_BITS) for _ in range(size)]
    return list(rows_of(walk, choices, chance.getrandbits(CHOICE_BITS)))


def events_of(rows: Sequence[Any], dialect: str) -> list[Any]:
    """Return events of JSON objects; what is an event already is passed through."""
    return [decode_event(row, dialect) if isinstance(row, Mapping) else row for row in rows]

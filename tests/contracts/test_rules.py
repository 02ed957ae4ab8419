"""Each rule speaks on its broken stream, and only then."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from playhead.contracts.check import check
from playhead.contracts.rules import RULES

Event = dict[str, Any]

THINK: Event = {"event_type": "think", "iteration": 1}
START: Event = {"event_type": "tool_start", "tool_name": "search", "tool_call_id": "c1"}
DONE: Event = {"event_type": "tool_complete", "tool_name": "search", "tool_call_id": "c1", "result": "ok"}
END: Event = {
    "event_type": "terminate",
    "reason": "complete",
    "iterations_used": 1,
    "final_confidence": 1.0,
    "total_tool_calls": 1,
}
HEALTHY = [THINK, START, DONE, END]

BROKEN = [
    pytest.param([THINK, DONE, END], ["ORD001"], id="closed but never opened"),
    pytest.param([THINK, START, DONE, DONE, END], ["ORD001"], id="closed twice"),
    pytest.param([THINK, START, {**DONE, "tool_name": "find"}, END], ["ORD001"], id="closed under another name"),
    pytest.param(
        [THINK, {**START, "agent_name": "a"}, {**DONE, "agent_name": "b"}, END], ["ORD001"], id="by a stranger"
    ),
    pytest.param([THINK, START, DONE], ["TRM001"], id="no terminal"),
    pytest.param([], ["TRM001"], id="nothing at all"),
    pytest.param([*HEALTHY, DONE], ["ORD001", "TRM002"], id="late news"),
    pytest.param([*HEALTHY, END], ["TRM002"], id="two terminals"),
    pytest.param([*HEALTHY, START, DONE], ["TRM002"], id="life after the end, told once"),
]


def codes(events: list[Event], **known: Any) -> list[str]:
    """Return the codes that a stream breaks, in order."""
    return [violation.code for violation in check(events, **known)]


@pytest.mark.parametrize(("events", "expected"), BROKEN)
def test_a_broken_stream_breaks_exactly_its_rules(events: list[Event], expected: list[str]) -> None:
    """Planted faults are found, and nothing else is."""
    assert codes(events) == expected


def test_a_healthy_stream_breaks_none() -> None:
    """The stream that the faults are planted in is clean."""
    assert codes(HEALTHY) == []


def test_every_rule_is_broken_by_some_example() -> None:
    """No rule is there that no fault can wake."""
    told = {code for example in BROKEN for code in cast("list[str]", example.values[1])}
    assert told == {rule.code for rule in RULES}


@pytest.mark.parametrize("end", ["paused", "closed", "cancelled", "error", "unknown"])
def test_only_a_complete_stream_must_have_a_terminal_event(end: str) -> None:
    """A run that stopped for another reason promised none."""
    assert codes([THINK, START], end=end) == []


def test_a_second_turn_and_a_merged_agent_begin_runs_of_their_own() -> None:
    """A step that does not grow is another run's: each may have its terminal event."""
    assert codes([*HEALTHY, *HEALTHY]) == []
    assert codes([THINK, THINK, END, DONE | {"tool_call_id": "x"}, END]) == ["ORD001"]


def test_agents_are_told_apart_by_name() -> None:
    """One agent's terminal event does not end another one's run."""
    one, two = ({"agent_name": name} for name in ("one", "two"))
    merged = [{**THINK, **one}, {**THINK, **two, "iteration": 2}, {**END, **one}, {**END, **two}]
    assert codes(merged) == []
    assert codes([*merged, {**END, **one}]) == ["TRM002"]


def test_shipit_may_send_its_sources_after_the_end() -> None:
    """What a dialect allows to follow the terminal event is no violation; anything else is."""
    run = [{"type": "run_started", "payload": {}}, {"type": "run_completed", "payload": {}}]
    assert codes([*run, {"type": "rag_sources", "payload": {}}], dialect="shipit") == []
    assert codes([*run, {"type": "text_delta", "payload": {}}], dialect="shipit") == ["TRM002"]


def test_a_violation_says_where_and_what() -> None:
    """The text has the position, the code and the span."""
    (violation,) = check([THINK, DONE, END])
    assert str(violation) == "event 1: ORD001 tool_complete closes tool span 'c1' (search), which is not open"


def test_real_runs_are_clean(shared_data: Path) -> None:
    """The default rules are silent on every healthy recording, ended as it really ended."""
    words = {"exception": "error", "closed": "closed", "task_cancelled": "cancelled"}
    found = {}
    for path in sorted((shared_data / "runs").glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        silent = "cancelled" if path.stem == "shipit221_cancel" else "complete"
        events = [row["event"] for row in rows if "event" in row]
        dialect = "locus" if path.stem.startswith("locus") else "shipit"
        found[path.stem] = codes(events, dialect=dialect, end=words.get(rows[-1]["outcome"], silent))
    assert found
    assert {name: broken for name, broken in found.items() if broken} == {}

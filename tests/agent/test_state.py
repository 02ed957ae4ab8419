"""A state and its progress hold the same, each under its own name."""

from dataclasses import fields

from playhead.agent.state import AgentState, Pause, Progress, ToolExecution
from playhead.events.locus import ToolCall

STATE = AgentState(
    id="run",
    messages=({"role": "user", "content": "?"},),
    iteration=3,
    confidence=0.25,
    answer="So far.",
    calls=(ToolCall(id="c1", name="search"),),
    executions=(ToolExecution("search", "c1", {"q": "x"}, result="y"),),
    usage={"total_tokens": 7},
    attempts=2,
    pending=(ToolCall(id="c2", name="ask"),),
    pause=Pause("Go on?", "i1"),
    reason="cancelled",
    elapsed_s=1.5,
)
"""A state in which no two fields are alike."""


def test_progress_holds_a_state() -> None:
    """Field by field, there and back."""
    progress = Progress.of(STATE)
    for each in fields(AgentState):
        assert getattr(progress, each.name) == getattr(STATE, each.name)
    assert progress.state() == STATE


def test_a_state_goes_through_json() -> None:
    """What is saved in one process is the same in another."""
    assert AgentState.from_checkpoint(STATE.to_checkpoint()) == STATE

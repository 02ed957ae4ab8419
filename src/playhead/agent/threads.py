"""Where an agent finds the state of a thread, and keeps it: with its checkpointer, or in memory without one.

Knows what a thread may do next. Does not know how states are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from playhead.agent.setup import Saver
from playhead.agent.state import AgentState
from playhead.errors import UsageError


@dataclass(slots=True)
class Threads:
    """Load and save the states of threads. A run without a thread is kept only while it is paused, the last one."""

    saver: Saver | None = None
    _kept: dict[str | None, AgentState] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Ours asks which class its states have: it never takes one from a file.
        remember = getattr(self.saver, "remember", None)
        if remember is not None:
            remember(AgentState)

    async def load(self, thread_id: str | None, checkpoint_id: str | None = None) -> AgentState | None:
        """Return the newest state of a thread, or that of a checkpoint; None for a thread that there is not.

        Raises `UsageError` for a checkpoint that there is not, or where no checkpointer could have it.
        """
        if checkpoint_id is not None and (self.saver is None or thread_id is None):
            raise UsageError("checkpoint_id= needs a thread_id=, and an agent that has a checkpointer")
        if self.saver is None or thread_id is None:
            return self._kept.get(thread_id)
        found = await self.saver.load(thread_id, checkpoint_id)
        if found is None and checkpoint_id is not None:
            raise UsageError(f"thread {thread_id!r} has no checkpoint {checkpoint_id!r}")
        return AgentState.from_checkpoint(found) if isinstance(found, Mapping) else found

    async def save(self, thread_id: str | None, state: AgentState) -> None:
        """Keep a state as the newest of its thread."""
        if thread_id is None and state.pause is None:
            self._kept.pop(None, None)
        elif self.saver is None or thread_id is None:
            self._kept[thread_id] = state
        else:
            await self.saver.save(state, thread_id, metadata={"iteration": state.iteration, "reason": state.reason})

    def forget(self, thread_id: str) -> None:
        """Let go of a thread that was kept in memory."""
        self._kept.pop(thread_id, None)


def asked(state: AgentState | None, prompt: str, *, run_id: str, thread_id: str | None) -> AgentState:
    """Return the state in which a run begins: the conversation so far, and the question.

    Raises `UsageError` where the conversation waits for an answer to a question of its own.
    """
    if state is not None and state.pause is not None and thread_id is not None:
        raise UsageError(f"thread {thread_id!r} is paused and asks {state.pause.question!r}: answer it with resume()")
    before = () if state is None or thread_id is None else state.messages
    return AgentState(id=run_id, messages=(*before, {"role": "user", "content": prompt}))


def answered(state: AgentState | None, answer: Any, *, thread_id: str | None) -> AgentState:
    """Return the state in which a run goes on: with the answer to its question, or from where it broke off.

    Raises `UsageError` where there is nothing to go on with.
    """
    where = "there is no run" if thread_id is None else f"in thread {thread_id!r} there is no run"
    if state is None:
        raise UsageError(f"{where} that could be resumed")
    if state.pause is not None:
        return replace(state, pause=replace(state.pause, answers=(*state.pause.answers, answer)))
    if answer is not None:
        raise UsageError(f"{where} that waits for an answer: {_whereabouts(state)}")
    if not state.messages or state.messages[-1].get("role") == "assistant":
        raise UsageError(f"{where} that could be resumed: {_whereabouts(state)}")
    return replace(state, reason=None)


def _whereabouts(state: AgentState) -> str:
    return f"the last one ended with {state.reason!r}" if state.reason else "the last one was broken off"

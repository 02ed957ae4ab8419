"""What an agent is made of, as one value: what its maker chose, checked, and in the form in which the loop uses it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from playhead.agent.asking import Description, Model
from playhead.agent.hooks import Listeners
from playhead.agent.termination import TerminationCondition
from playhead.agent.thinking import Grounder, Reflexion
from playhead.agent.tools import Tool
from playhead.clock import Clock
from playhead.ids import Ids


class Saver(Protocol):
    """What an agent needs of a checkpointer."""

    async def save(
        self,
        state: Any,
        thread_id: str,
        checkpoint_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Save a state of a thread and return the checkpoint's id."""
        ...

    async def load(self, thread_id: str, checkpoint_id: str | None = None) -> Any:
        """Return the newest state of a thread, or the one with that id; None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """Say how many seconds to wait: for each piece of an answer, for a whole answer, and for a tool."""

    silence_s: float
    answer_s: float
    tool_s: float


@dataclass(frozen=True, slots=True)
class Setup:
    """Hold what an agent is made of."""

    model: Model
    tools: Mapping[str, Tool]
    descriptions: Sequence[Description]
    name: str | None
    system_prompt: str | None
    listeners: Listeners
    condition: TerminationCondition
    reflexion: Reflexion | None
    grounding: Grounder | None
    output_schema: type[BaseModel] | None
    is_concurrent: bool
    in_call_order: bool
    patience: Patience
    clock: Clock
    ids: Ids

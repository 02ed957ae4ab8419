"""What an agent knows in the middle of a run: all that it takes to go on, in another process too.

A state is a value; what changes while a run is under way is its `Progress`. Knows no checkpointer: `to_checkpoint` and
`from_checkpoint` are what one asks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from playhead.errors import UsageError
from playhead.events.locus import ToolCall

Message = Mapping[str, Any]
"""One message of a conversation: `role`, `content`, and what the role brings along."""


@dataclass(frozen=True, slots=True)
class ToolExecution:
    """One tool that ran, and how it ended: with a result or with an error, after `duration_ms` milliseconds."""

    tool_name: str
    tool_call_id: str
    arguments: Mapping[str, Any]
    result: str | None = None
    error: str | None = None
    duration_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Pause:
    """What a person is asked, and the answers that the same call has got already.

    The call of the tool that asks is the first of the state's `pending` ones.
    """

    question: str
    interrupt_id: str
    options: tuple[str, ...] | None = None
    answers: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentState:
    """Hold a conversation, and the counters of the run that is under way in it.

    `id` is the run's own, and stays when it is resumed. `pending` are calls of the last answer that have not run yet,
    and `pause` says why: a person is asked something. `answer` is the text of the model's last answer and `calls` the
    tools that it asked for. `elapsed_s` counts the time of the run, without that in which it was paused. `reason` is
    set once the run has ended.
    """

    id: str = ""
    messages: tuple[Message, ...] = ()
    iteration: int = 0
    confidence: float = 0.0
    answer: str = ""
    calls: tuple[ToolCall, ...] = ()
    executions: tuple[ToolExecution, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 0
    pending: tuple[ToolCall, ...] = ()
    pause: Pause | None = None
    reason: str | None = None
    elapsed_s: float = 0.0

    @property
    def total_tokens(self) -> int:
        """Return how many tokens the run took, in and out."""
        return self.usage.get("total_tokens", 0)

    def to_checkpoint(self) -> dict[str, Any]:
        """Return the state as a JSON object."""
        plain: dict[str, Any] = _STATE.dump_python(self, mode="json")
        return plain

    @classmethod
    def from_checkpoint(cls, data: Mapping[str, Any]) -> "AgentState":
        """Return the state that a JSON object holds. Raises `UsageError` for one that holds none."""
        try:
            return _STATE.validate_python(data)
        except ValidationError as error:
            raise UsageError(f"this is no state of an agent: {error}") from error


@dataclass(slots=True)
class Progress:
    """Hold what changes while a run is under way: the fields of its state, to be written to. Made by `of`.

    A state is made of it only where somebody looks at one: there are many more changes than that.
    """

    id: str
    messages: tuple[Message, ...]
    iteration: int
    confidence: float
    answer: str
    calls: tuple[ToolCall, ...]
    executions: tuple[ToolExecution, ...]
    usage: Mapping[str, int]
    attempts: int
    pending: tuple[ToolCall, ...]
    pause: Pause | None
    reason: str | None
    elapsed_s: float

    @classmethod
    def of(cls, state: AgentState) -> "Progress":
        """Return the progress that a state holds."""
        return cls(*_HELD(state))

    def take(self, state: AgentState) -> None:
        """Take in what was found out about a state: a confidence, an attempt, what the model is told."""
        self.messages = state.messages
        self.confidence = state.confidence
        self.attempts = state.attempts

    def state(self) -> AgentState:
        """Return the state that the run is in."""
        return AgentState(*_HELD(self))


def told(state: AgentState, text: str) -> AgentState:
    """Return the state in which the model has been told something: a message of the user's."""
    return replace(state, messages=(*state.messages, {"role": "user", "content": text}))


_STATE: Final = TypeAdapter(AgentState)
_HELD: Final = attrgetter(*(each.name for each in fields(Progress)))

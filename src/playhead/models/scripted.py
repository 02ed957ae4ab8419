"""A model that answers from a script.

Knows what to say, in which order, and how long to take. Does not know agents, providers or wires.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import UsageError
from playhead.events.locus import ModelChunkEvent, ToolCall


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a model: text, in the pieces in which it streams, and the tools that it wants.

    `pause_s` passes before each piece.
    """

    text: Sequence[str] | str = ()
    tool_calls: Sequence[ToolCall] = ()
    pause_s: float = 0.0

    @property
    def pieces(self) -> tuple[str, ...]:
        """Return the text as it streams."""
        return (self.text,) if isinstance(self.text, str) else tuple(self.text)


@dataclass
class ScriptedModel:
    """Answer each call with the next answer of the script. `requests` keeps what was asked, in order.

    Raises `UsageError` when it is called more often than the script has answers.
    """

    answers: Sequence[Answer]
    clock: Clock = SYSTEM_CLOCK
    requests: list[tuple[Mapping[str, Any], ...]] = field(default_factory=list)

    async def stream(
        self, messages: Sequence[Mapping[str, Any]], tools: Mapping[str, Callable[..., Any]]
    ) -> AsyncIterator[ModelChunkEvent]:
        """Yield the next answer as the pieces of a stream; the last one is `done`."""
        turn = len(self.requests)
        self.requests.append(tuple(messages))
        if turn >= len(self.answers):
            raise UsageError(
                f"the script has {len(self.answers)} answers, and the model was asked once more: add an Answer"
            )
        answer = self.answers[turn]
        for piece in answer.pieces:
            await self.clock.sleep(answer.pause_s)
            yield ModelChunkEvent(content=piece, timestamp=self.clock.now())
        await self.clock.sleep(answer.pause_s)
        yield ModelChunkEvent(
            tool_calls=list(answer.tool_calls) or None,
            done=True,
            stop_reason="tool_calls" if answer.tool_calls else "stop",
            timestamp=self.clock.now(),
        )

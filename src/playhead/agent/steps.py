"""What a run does next, as a value: something that is done already, something to wait for, or events as they come."""

from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import Final

from playhead.agent.faults import Fault
from playhead.events.locus import AgentEvent

Events = AsyncGenerator[AgentEvent, None]
"""Events as they come."""

Told = tuple[Sequence[AgentEvent], Fault | None]
"""What a step has to tell, and how the run ends behind that, if it does."""

Step = Told | Awaitable[Told] | Events
"""Something that was done, or is to be done."""

NOTHING: Final[Told] = ((), None)
"""A step that has nothing to tell."""

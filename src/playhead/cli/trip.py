"""The agent of the demo: it plans a trip, by a script, on any clock.

Knows what the model says and what the tools answer. Does not know that it is recorded.
"""

from collections.abc import AsyncIterator
from typing import Final

from playhead.agent.agent import Agent
from playhead.clock import Clock
from playhead.events.locus import AgentEvent
from playhead.models.scripted import ScriptedModel
from playhead.scripts import call, say, turn

PROMPT: Final = "Plan a weekend in Lisbon."
"""What the agent is asked."""

_SCRIPT: Final = (
    turn(
        say("Let me look at the weather and at flights.", chunks=3, pause_s=0.12),
        call("weather", city="Lisbon"),
        call("flights", to="LIS", day="Friday"),
    ),
    turn(
        say("The airline did not answer. Once more.", chunks=2, pause_s=0.15),
        call("flights", to="LIS", day="Friday"),
    ),
    say("Fly Friday 18:40, back Sunday 20:15, 98 €. It will be sunny: bring a hat.", chunks=5, pause_s=0.1),
)


class _Tools:
    """Answer like a weather service and an airline. The airline fails when it is asked for the first time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked = 0

    async def weather(self, city: str) -> str:
        await self._clock.sleep(0.4)
        return f"{city}: sunny, 24 °C"

    async def flights(self, to: str, day: str) -> str:
        self._asked += 1
        await self._clock.sleep(0.9 if self._asked > 1 else 2.0)
        if self._asked == 1:
            raise TimeoutError("the airline did not answer")
        return f"{day} 18:40 to {to}, Sunday 20:15 back, 98 €"


def plan_a_trip(clock: Clock) -> AsyncIterator[AgentEvent]:
    """Return the events of the agent's run, which takes some five seconds of the clock's time."""
    tools = _Tools(clock)
    model = ScriptedModel(_SCRIPT, clock=clock)
    return Agent(model, [tools.weather, tools.flights], clock=clock).run(PROMPT)

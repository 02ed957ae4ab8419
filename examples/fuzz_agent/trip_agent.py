"""An agent that plans trips, and gives its model two minutes for each piece of an answer."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import anyio

from playhead.agent.loop import run

PATIENCE_S = 120


def weather(city: str) -> str:
    """Say what the weather is like in a city."""
    return f"rain in {city}"


class TripAgent:
    """Run the loop with a deadline."""

    def __init__(self, model: Any) -> None:
        self.model = model

    async def run(self, prompt: str) -> AsyncIterator[Any]:
        """Yield the events of one run. Raises `TimeoutError` where the model falls silent."""
        async with aclosing(run(self.model, prompt, tools={"weather": weather})) as events:
            while True:
                with anyio.fail_after(PATIENCE_S):
                    event = await anext(events, None)
                if event is None:
                    return
                yield event


def make_agent(model: Any) -> TripAgent:
    """Make the agent. Playhead gives it a model whose answers are a script."""
    return TripAgent(model)

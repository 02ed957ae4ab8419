"""An agent that plans trips, and gives its model two minutes for each piece of an answer."""

from typing import Any

from playhead import Agent


def weather(city: str) -> str:
    """Say what the weather is like in a city."""
    return f"rain in {city}"


def make_agent(model: Any) -> Agent:
    """Make the agent. Playhead gives it a model whose answers are a script."""
    return Agent(model, [weather], model_timeout_s=120)

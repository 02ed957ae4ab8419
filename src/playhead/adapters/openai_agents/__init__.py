"""OpenAI Agents: its models through a tap, and scripts as models of its kind.

    with playhead.record("trip.jsonl") as recorder:
        tap = recorder.tap
        agent = Agent(name="guide", model=model(real, tap), tools=[function_tool(tap.tool(weather))])
        await Runner.run(agent, "Is it dry in Paris?")

    with rerun("trip.jsonl") as tap:
        agent = Agent(name="guide", model=model(None, tap, name="gpt-5"), tools=[function_tool(tap.tool(weather))])
        await Runner.run(agent, "Is it dry in Paris?")

    agent = Agent(name="guide", model=scripted(ScriptedModel([call("weather", city="Paris"), say("It is.")])))

Whole runs go through the tap with `RunConfig(model_provider=model_provider(MultiProvider(), tap))`.

Knows the SDK's models. Does not know agents, nor what a tap does with a question. Importing this package without the
SDK raises `UsageError`.
"""

from playhead.adapters.openai_agents.models import MADE, TappedModel, TappedProvider, model, model_provider
from playhead.adapters.openai_agents.scripts import scripted
from playhead.adapters.openai_agents.values import revive

__all__ = ["MADE", "TappedModel", "TappedProvider", "model", "model_provider", "revive", "scripted"]

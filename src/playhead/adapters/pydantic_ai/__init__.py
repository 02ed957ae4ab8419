"""pydantic-ai: its models through a tap, and scripts as models of its kind.

    with playhead.record("trip.jsonl") as recorder:
        tap = recorder.tap
        agent = Agent(model("openai:gpt-5", tap), tools=tools([weather], tap))
        await agent.run("Is it dry in Paris?")

    with rerun("trip.jsonl") as tap:
        agent = Agent(model(None, tap, name="gpt-5"), tools=tools([weather], tap))
        await agent.run("Is it dry in Paris?")

    agent = Agent(scripted(ScriptedModel([call("weather", city="Paris"), say("It is.")])))

A request, whole or streamed, counting and compacting go through the tap. Batches do not: they are asked live.

Knows how pydantic-ai spells questions, answers, events and errors. Does not know agents, nor what a tap does with a
question. Importing this package without pydantic-ai raises `UsageError`.
"""

from playhead.adapters.pydantic_ai.models import MADE, TappedModel, model, tools
from playhead.adapters.pydantic_ai.scripts import scripted
from playhead.adapters.pydantic_ai.values import revive

__all__ = ["MADE", "TappedModel", "model", "revive", "scripted", "tools"]

"""locus: its own event objects, made of what a cassette holds, and its models and tools, through a tap.

    with playhead.record("trip.jsonl", dialect="locus", made=MADE) as tape:
        async for event in tape.events(agent.run("Plan a trip to Paris.")): ...

    await playhead.replay(playhead.open("trip.jsonl"), handler, decode=decode)

    with playhead.record("trip.jsonl") as tape:
        agent = Agent(model=model(real, tape.tap), tools=tools([search], tape.tap))

    with playhead.rerun("trip.jsonl") as tap:
        agent = Agent(model=model(None, tap), tools=tools([search], tap))

    agent = Agent(model=scripted(ScriptedModel([call("search", city="Paris"), say("Take the train.")])))

Knows the classes of the installed locus. Does not know what their events mean: `playhead.events.locus` does, and needs
no locus. Importing this package without locus raises `UsageError`.
"""

from playhead.adapters.locus.events import MADE, decode
from playhead.adapters.locus.scripts import scripted
from playhead.adapters.locus.taps import model, tools

__all__ = ["MADE", "decode", "model", "scripted", "tools"]

"""shipit: its own event objects, made of what a cassette holds; its LLMs and tools, through a tap.

    with playhead.record("trip.jsonl", dialect="shipit", made=MADE) as tape:
        for event in tape.events(agent.stream("Plan a trip to Paris.")): ...

    await playhead.replay(playhead.open("trip.jsonl"), handler, decode=decode)

A chat session's `stream` is one run for each turn. After `Agent.cancel()` shipit ends its stream without a word, and
the run is `cancelled`: the dialect says so, nothing is needed here.

    with playhead.record("trip.jsonl") as tape:
        agent = Agent(llm=llm(real, tape.tap), tools=tools([search], tape.tap))

    with playhead.rerun("trip.jsonl") as tap:
        agent = Agent(llm=llm(None, tap), tools=tools([search], tap))

    agent = Agent(llm=scripted(ScriptedModel([call("search", city="Paris"), say("Take the train.")])))

Knows shipit's classes. Does not know what its events mean: `playhead.events.shipit` does, and needs no shipit.
Importing this package without shipit raises `UsageError`.
"""

from playhead.adapters.shipit.events import MADE, HandledEvent, decode, handled
from playhead.adapters.shipit.llms import llm
from playhead.adapters.shipit.scripts import scripted
from playhead.adapters.shipit.tools import tools

__all__ = ["MADE", "HandledEvent", "decode", "handled", "llm", "scripted", "tools"]

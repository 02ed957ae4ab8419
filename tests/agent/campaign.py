"""A campaign against the reference agent: random scripts and faults, random options, and what is wrong with its runs.

    python -m tests.agent.campaign 10000

The scripts are those of the fuzzer; the agent gets, by the same dice, hooks that steer, tools that ask, fail, hang and
delegate, functions that judge, conditions and threads. A run that pauses is answered until it ends.
"""

import json
import logging
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

import anyio
from pydantic import BaseModel

from playhead.agent.agent import Agent
from playhead.agent.hooks import HookProvider
from playhead.agent.state import AgentState
from playhead.agent.termination import MaxIterations, TerminationCondition, TimeLimit, TokenLimit, ToolCalled
from playhead.agent.thinking import Grounding, Reflection
from playhead.agent.tools import emit, interrupt, report_progress
from playhead.errors import ReplayMismatch
from playhead.events.locus import AgentEvent, CustomEvent, InterruptEvent, ModelChunkEvent, TerminateEvent
from playhead.fuzzing.agents import AgentDriver
from playhead.models.scripted import FunctionModel
from playhead.scripts.parts import Cut, Fail, Garbage, Hang, Pause
from playhead.scripts.turn import turn
from playhead.testing.agent_promises import judge_agent
from playhead.testing.agent_runs import AgentSeen, run_agent

SILENCE_S: Final = 60.0
"""How long the agents of a campaign wait for a piece. A pause of the fuzzer's may be longer."""

FAULTS: Final = (
    *("rate_limit", "overloaded", "server_error", "bad_request", "unauthorized"),
    *("cut", "clean cut", "hang", "garbage", "silence"),
    *("rubbish", "goes on", "raises", "refuses", "hangs up", "drifts"),
)
"""The kinds of faults that a model has."""

NAMED: Final = {
    "clean cut": "cut",
    "hang": "timeout",
    "silence": "timeout",
    "rubbish": "garbage",
    "goes on": "garbage",
    "raises": "model_error",
    "refuses": "bad_request",
    "hangs up": "cut",
    "drifts": "error",
}
"""The reasons of faults that are not called like them."""

FINE: Final = frozenset({"complete", "max_iterations"})
"""The reasons of runs in which nothing went wrong."""

UNFORCED: Final = frozenset(
    {"complete", "max_iterations", "token_budget", "tool_called:search", "cancelled", "hook_failed", "output_invalid"}
    | {"checkpoint_failed", "reflexion_failed", "grounding_failed", "time_budget"}
)
"""The reasons of runs that no fault of the model has ended."""


class Answer(BaseModel):
    """Stand for what some agents have to answer with."""

    city: str = "Paris"


class Meddler(HookProvider):
    """Steer by dice, seldom."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def _dice(self, event: Any) -> float:
        if self._random.random() < 0.1:
            event.emit(CustomEvent(name="meddled"))
        return self._random.random()

    async def on_before_iteration(self, event: Any) -> None:
        """Cancel, or raise."""
        dice = self._dice(event)
        if dice < 0.02:
            event.cancel("enough")
        elif dice < 0.04:
            raise ValueError("meddled too much")

    async def on_before_model_call(self, event: Any) -> None:
        """Only tell."""
        self._dice(event)

    async def on_after_model_call(self, event: Any) -> None:
        """Ask again."""
        if self._dice(event) < 0.1:
            event.retry(delay_s=self._random.choice((0.0, 2.0)))

    async def on_before_tool_call(self, event: Any) -> None:
        """Refuse, or change."""
        dice = self._dice(event)
        if dice < 0.1:
            event.cancel("not this one")
        elif dice < 0.2:
            event.replace_arguments({"city": "Rome"})

    async def on_after_tool_call(self, event: Any) -> None:
        """Ask again, or heal."""
        dice = self._dice(event)
        if dice < 0.1:
            event.retry()
        elif dice < 0.2:
            event.replace_result("healed")

    async def on_after_iteration(self, event: Any) -> None:
        """Only tell."""
        self._dice(event)

    async def on_before_invocation(self, event: Any) -> None:
        """Only tell."""
        self._dice(event)

    async def on_after_invocation(self, event: Any) -> None:
        """Only tell, or raise."""
        if self._dice(event) < 0.02:
            raise ValueError("meddled at the end")


class Saver:
    """Keep states, but not always."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._states: dict[str, Any] = {}

    async def save(self, state: Any, thread_id: str, checkpoint_id: Any = None, metadata: Any = None) -> str:
        """Keep a state as JSON, or fail."""
        if self._random.random() < 0.03:
            raise OSError("the disk is full")
        self._states[thread_id] = json.loads(json.dumps(state.to_checkpoint()))
        return "c"

    async def load(self, thread_id: str, checkpoint_id: Any = None) -> Any:
        """Return the newest state."""
        return self._states.get(thread_id)


def _tools(random: Random) -> list[Any]:
    async def search(city: str) -> str:
        report_progress(0.5, message=city)
        if random.random() < 0.3:
            await anyio.sleep(random.choice((0.0, 1.0, 30.0)))
        if random.random() < 0.1:
            raise random.choice((*[LookupError(f"no such city: {city}")] * 9, ReplayMismatch("drifted")))
        return f"rain in {city}"

    async def ask(question: str = "Sure?") -> str:
        emit(CustomEvent(name="asking"))
        return str(interrupt(question)) if random.random() < 0.7 else "nobody to ask"

    async def stuck() -> None:
        if random.random() < 0.5:
            await anyio.sleep_forever()

    async def grouped() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            if random.random() < 0.5:
                raise ValueError("the group failed")

    def plain(number: int = 1) -> dict[str, int] | object:
        report_progress(number)
        return {"number": number} if random.random() < 0.5 else random

    helper = Agent(FunctionModel(lambda request: turn("Rain.")), [ask], name="helper")
    return [search, ask, stuck, grouped, helper, plain]


def _condition(random: Random) -> TerminationCondition | None:
    return random.choice(
        (None, None, TokenLimit(40), ToolCalled("search"), TimeLimit(200), TimeLimit(20) | MaxIterations(4))
    )


class Refused(Exception):
    """Stand for an SDK's exception."""

    status_code = 418


RAISED: Final = {
    "raises": ZeroDivisionError("the model broke"),
    "refuses": Refused("no"),
    "hangs up": ConnectionResetError("gone"),
    "drifts": ReplayMismatch("not as recorded"),
}
"""What models raise that keep no promise."""

ODD: Final = ("rubbish", "goes on", *RAISED)
"""What models do that keep no promise."""


class OddModel:
    """Ask another model, and seldom send what no model may send. `odd` says what the last answer had of that."""

    def __init__(self, model: Any, random: Random) -> None:
        self.odd = ""
        self._model = model
        self._random = random

    def _dice(self) -> str:
        self.odd = self._random.choice(ODD) if self._random.random() < 0.06 else ""
        if self.odd in RAISED:
            raise RAISED[self.odd]
        return self.odd

    async def stream(self, messages: Any, tools: Any) -> AsyncIterator[Any]:
        """Yield the pieces of an answer."""
        odd = self._dice()
        async with aclosing(self._model.stream(messages, tools)) as pieces:
            async for piece in pieces:
                yield piece
        if odd:
            yield "text" if odd == "rubbish" else ModelChunkEvent(content="and more")

    async def complete(self, messages: Any, tools: Any) -> Any:
        """Return an answer."""
        odd = self._dice()
        found = await self._model.complete(messages, tools)
        return "text" if odd else found


class Answered:
    """Run an agent, and answer what it asks, so that it ends. `run` is what the fuzzer reads."""

    def __init__(self, agent: Agent, random: Random, thread: str | None, model: OddModel) -> None:
        self.model = model
        self._agent = agent
        self._random = random
        self._thread = thread

    async def run(self, prompt: str) -> AsyncIterator[AgentEvent]:
        """Yield the events of a run, and of what follows each answer."""
        events = self._agent.run(prompt, thread_id=self._thread, stream_tokens=self._random.random() < 0.8)
        last: AgentEvent | None = None
        while last is None or isinstance(last, InterruptEvent):
            async with aclosing(events) as stream:
                async for event in stream:
                    last = event
                    yield event
            events = self._agent.resume("yes", thread_id=self._thread)


def make_agent(model: Any, random: Random) -> Answered:
    """Return an agent with options by dice."""

    def reflect(state: AgentState) -> Reflection | None:
        if random.random() < 0.03:
            raise random.choice((ValueError("thought too hard"), ReplayMismatch("drifted")))
        return random.choice((None, Reflection("fine", 0.3), Reflection("stuck", -0.3, "Try again.")))

    async def ground(state: AgentState) -> Grounding | None:
        if random.random() < 0.03:
            raise random.choice((ValueError("thought too hard"), ReplayMismatch("drifted")))
        return random.choice((None, Grounding(1.0), Grounding(0.1, 2, ("all",), requires_replan=True)))

    is_plain = random.random() < 0.5
    odd = OddModel(model, random)
    agent = Agent(
        odd,
        _tools(random),
        name=random.choice((None, "trip")),
        system_prompt=random.choice((None, "You plan trips.")),
        hooks=[] if is_plain else [Meddler(random)],
        checkpointer=None if is_plain else Saver(random),
        termination=None if is_plain else _condition(random),
        reflexion=None if is_plain else random.choice((None, reflect)),
        grounding=None if is_plain else random.choice((None, ground)),
        output_schema=None if is_plain else random.choice((None, None, None, Answer)),
        max_iterations=random.choice((3, 20)),
        tool_execution=random.choice(("concurrent", "sequential")),
        tool_event_order=random.choice(("completion", "sequential")),
        model_timeout_s=SILENCE_S,
        tool_timeout_s=100.0,
    )
    return Answered(agent, random, None if is_plain else "t", odd)


def _made(dice: int, made: list[Answered], model: Any) -> Answered:
    made.append(make_agent(model, Random(dice)))
    return made[-1]


@dataclass(slots=True)
class Tally:
    """Count scripts, faults that were met, and reasons; and keep what is wrong."""

    scripts: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def run_campaign(scripts: int, *, seed: int) -> Tally:
    """Run so many scripts of the fuzzer's, each with an agent of its own."""
    tally = Tally()
    random = Random(seed)
    driver = AgentDriver(lambda model: make_agent(model, Random(0)), "locus")
    for _ in range(scripts):
        trial = driver.draw(random)
        dice = random.getrandbits(32)
        made: list[Answered] = []
        seen = run_agent(partial(_made, dice, made), trial)
        odd = made[-1].model.odd
        tally.scripts += 1
        why = [f"{promise.name}: {why}" for promise, why in judge_agent(seen, driver.known)]
        is_odd = odd or isinstance(seen.raised, ReplayMismatch)
        why = [each for each in why if not (is_odd and each.startswith(("survives", "carries", "can-be-left")))]
        why += [] if seen.was_left else _misended(seen, odd, tally)
        _count(seen, odd, tally)
        tally.wrong += [f"{each}; dice {dice}, script {trial}"[:2_000] for each in why]
    return tally


def _misended(seen: AgentSeen, odd: str, tally: Tally) -> list[str]:
    """Say how a run that was read to its end did not end as it should."""
    ends = [event for event in seen.events if isinstance(event, TerminateEvent)]
    if len(ends) != 1 or seen.events[-1] is not ends[0]:
        return [f"{len(ends)} terminal events, and the last event is {seen.events[-1:]}"]
    reason = ends[0].reason
    tally.reasons[reason] += 1
    faults = _faults_of(seen, len(seen.endings) - 1) + ([odd] if odd else [])
    if reason in {NAMED.get(fault, fault) for fault in faults}:
        return [] if ends[0].error else [f"no error is told for {reason!r}"]
    # An answer in one piece may come after a silence; bytes that are rubbish mean something on a wire only.
    is_forced = any(fault not in ("garbage", "silence") for fault in faults)
    if reason in UNFORCED and not (is_forced and reason in FINE):
        return []
    if reason == "error" and isinstance(seen.raised, ReplayMismatch):
        return []
    return [f"the faults of the last answer were {faults}, and the reason is {reason!r}"]


def _count(seen: AgentSeen, odd: str, tally: Tally) -> None:
    """Count the faults of the answers that were asked for."""
    tally.left[str(seen.trial.how)] += seen.was_left
    for number in range(len(seen.endings)):
        tally.faults.update(_faults_of(seen, number))
    tally.faults.update([odd] if odd else [])


def _faults_of(seen: AgentSeen, number: int) -> list[str]:
    """Return the faults of an answer, up to the one that ends it."""
    script = seen.trial.turns[number] if 0 <= number < len(seen.trial.turns) else turn()
    return [fault for step in script.steps() if (fault := _fault(step))]


def _fault(step: Any) -> str:
    match step:
        case Fail(failure=failure):
            return failure.kind
        case Cut(clean=clean):
            return "clean cut" if clean else "cut"
        case Hang():
            return "hang"
        case Garbage():
            return "garbage"
        case Pause(seconds=seconds) if seconds > SILENCE_S:
            return "silence"
    return ""


def main() -> int:
    """Run a campaign and print what was met."""
    logging.disable()
    tally = run_campaign(int(sys.argv[1]), seed=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(f"{tally.scripts:,} scripts")  # noqa: T201
    for name, counts in (("faults", tally.faults), ("reasons", tally.reasons), ("left", tally.left)):
        print(f"{name}: " + ", ".join(f"{key or 'none'} {count:,}" for key, count in counts.most_common()))  # noqa: T201
    print("\n".join(tally.wrong[:20]) or "nothing is wrong")  # noqa: T201
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

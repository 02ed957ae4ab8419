"""The conformance suite for agents, and the assertion for one run.

Knows which scripts put the promises to the test. Does not know how an agent is run, nor judged.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from playhead.errors import UsageError
from playhead.events.spans import Dialect
from playhead.models.scripted import Scripted, as_turn
from playhead.scripts.failures import Overloaded, RateLimit
from playhead.scripts.parts import Call, call_with, cut, fail, garbage, hang, pause, raw_call, say, stop, think
from playhead.scripts.turn import Turn, turn
from playhead.testing.agent_promises import AGENT_JUDGES, AgentKnowledge, judge_agent, learn_agent
from playhead.testing.agent_runs import Leaving, Trial, run_agent
from playhead.testing.outputs import name_of
from playhead.testing.report import Promise, Report, Result, State
from playhead.testing.spelling import spelled_trial
from playhead.text import did_you_mean

AGENT_PROMISES: Final[tuple[Promise, ...]] = tuple(promise for promise, _ in AGENT_JUDGES)
"""What is expected of every agent."""

AgentFactory = Callable[[Any], Any]
"""What makes an agent of a model of Playhead's: see `check_agent`."""

_PLACES: Final = (0, 1, 2, 3, 5, 8)


def check_agent(factory: AgentFactory, *, dialect: str | Dialect | None = None, ignore: Sequence[str] = ()) -> Report:
    """Put an agent to the test, and report each promise.

    `factory` takes a model of Playhead's, for locus or shipit through its adapter's `scripted(model)`, and returns a
    new agent: what has `run(prompt)` or `stream(prompt)`, a function of a prompt, or the stream of events itself.
    `dialect` says how its events are read; without it, they say so themselves. `ignore` names promises not to be asked.

    An asynchronous agent runs in virtual time. One whose stream is a plain iterator runs in a thread, where nothing can
    wake a model that fell silent: that promise is skipped. Raises `UsageError` where the agent does not run at all.
    """
    known = know_agent(factory, dialect)
    broken: dict[str, tuple[str, str]] = {}
    asked: set[str] = set()
    for trial in trials(known):
        seen = run_agent(factory, trial)
        for promise, ask in AGENT_JUDGES:
            why = ask(seen, known)
            asked |= {promise.name} if why is not None else set()
            if why and promise.name not in broken:
                broken[promise.name] = why, "\n".join(spelled_trial(trial))
    return Report(name_of(factory), tuple(_result(each, asked, broken, ignore) for each in AGENT_PROMISES))


def assert_agent(
    factory: AgentFactory,
    turns: Sequence[Scripted],
    *,
    how: str = "run",
    at: int = 0,
    keeps: str = "",
    dialect: str | Dialect | None = None,
) -> None:
    """Fail if an agent breaks a promise on this one script.

    `turns` are what the model answers; then it says "Done.". `how` is one of `run`, `close`, `cancel` and `stop`, at
    the event `at`: see `Trial`. `keeps` is the name of the promise; without it, all are asked. Raises `AssertionError`,
    and `UsageError` for a name that there is not.
    """
    __tracebackhide__ = True
    names = [promise.name for promise in AGENT_PROMISES]
    if keeps not in ("", *names):
        raise UsageError(f"there is no promise {keeps!r}: there are {', '.join(names)}{did_you_mean(keeps, names)}")
    known = know_agent(factory, dialect)
    trial = Trial(tuple(as_turn(each) for each in turns), Leaving(how), at)
    found = judge_agent(run_agent(factory, trial), known, only=keeps)
    if found:
        raise AssertionError("\n".join(f"{promise.name}: {why}" for promise, why in found))


def know_agent(factory: AgentFactory, dialect: str | Dialect | None = None) -> AgentKnowledge:
    """Return what a healthy run tells of an agent. Raises `UsageError` where it does not run."""
    return learn_agent(run_agent(factory, Trial(())), dialect)


def trials(known: AgentKnowledge) -> Iterator[Trial]:
    """Yield the scripts that a suite runs: healthy, odd, failing, and left at each of the first events."""
    for script in _scripts(known):
        yield Trial(tuple(turn(each) if isinstance(each, str) else each for each in script))
    tool = a_call(known)
    long = (turn(say("I look it up.", chunks=3), tool), turn(say("Take an umbrella.", chunks=4)))
    for at in _PLACES:
        for how in (Leaving.CLOSE, Leaving.CANCEL, Leaving.STOP):
            yield Trial(long, how, at)
    if not known.is_sync:
        yield from (Trial((turn(tool), turn("Take", hang())), how, 2) for how in (Leaving.CLOSE, Leaving.CANCEL))


def _scripts(known: AgentKnowledge) -> Iterator[tuple[Turn | str, ...]]:
    tool = a_call(known)
    yield ("Hello.",)
    yield (turn(say("Hello, é雨🌧️", chunks=12)),)
    yield (turn(think("Hm.", chunks=2), tool), "Done.")
    yield (turn(tool, tool), "Done.")
    yield (turn(say("Both.", chunks=2), tool.with_id("a"), tool.with_id("b").in_chunks(3)), "Done.")
    yield (turn(tool.with_id("same"), tool.with_id("same")), "Done.")
    yield (turn(call_with("no_such_tool", {})), "Done.")
    yield (turn(raw_call(tool.tool, '{"city": "Par')), "Done.")
    yield (turn(raw_call(tool.tool, "[1, 2]")), "Done.")
    yield (turn(call_with(tool.tool, {"no_such_argument": None})), "Done.")
    yield (turn(),)
    yield (turn(""), "Done.")
    yield (turn("Half", stop("length")),)
    yield (turn(pause(30), "Slow."),)
    yield tuple(turn(tool) for _ in range(60))
    for fault in (fail(RateLimit()), fail(Overloaded()), cut(), cut(clean=True), garbage()):
        yield (turn(fault),) * 12
        yield (turn("Take", fault),) * 12
        yield (turn(tool), *(turn("Take", fault),) * 12)
    if not known.is_sync:
        yield (turn(hang()),)
        yield (turn(tool), turn("Take", hang()))


def a_call(known: AgentKnowledge, number: int = 0) -> Call:
    """Return a call of one of the agent's tools with arguments that fit its schema; of none, where it has none."""
    if not known.tools:
        return call_with("search", {"city": "Paris"})
    tool = known.tools[number % len(known.tools)]
    schema: Any = next((tool[name] for name in ("parameters", "input_schema", "schema") if name in tool), {})
    return call_with(str(tool.get("name", "search")), _fitting(schema) if isinstance(schema, Mapping) else {})


def _fitting(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    wanted = schema.get("required", properties)
    return {name: _VALUES.get(str(properties.get(name, {}).get("type")), "Paris") for name in wanted}


_VALUES: Final[Mapping[str, Any]] = {"integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}


def _result(promise: Promise, asked: set[str], broken: dict[str, tuple[str, str]], ignore: Sequence[str]) -> Result:
    if promise.name in ignore:
        return Result(promise, State.SKIPPED, "not asked")
    if promise.name in broken:
        return Result(promise, State.BROKEN, *broken[promise.name])
    if promise.name not in asked:
        return Result(promise, State.SKIPPED, "it has nothing that could show it")
    return Result(promise, State.KEPT)

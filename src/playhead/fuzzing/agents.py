"""Driving an agent: the scripts of its conformance suite first, then random ones, full of faults.

Knows how a script is drawn, made small and spelled as a test. Does not know the promises.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final

from playhead.errors import UsageError
from playhead.fuzzing.campaign import Broken
from playhead.fuzzing.finding import Finding
from playhead.fuzzing.shrinking import fewer
from playhead.scripts.failures import BadRequest, Overloaded, RateLimit, ServerError, Unauthorized
from playhead.scripts.parts import (
    Call,
    Part,
    Say,
    Think,
    call_with,
    cut,
    fail,
    garbage,
    hang,
    pause,
    raw_call,
    say,
    stop,
    think,
)
from playhead.scripts.turn import Turn, turn
from playhead.testing.agent_promises import AgentKnowledge, judge_agent
from playhead.testing.agent_runs import Leaving, Trial, run_agent
from playhead.testing.agents import a_call, know_agent, trials
from playhead.testing.report import Promise
from playhead.testing.spelling import FAILURES, WORDS, spelled_turns

_TEXTS: Final = ("", "a", "Take an umbrella.", "é雨🌧️", "\n", "data: x\n\n", "```json\n{}\n```", "{", "x" * 5_000)
_ARGUMENTS: Final = ("", "{", "[1]", "null", '"x"', '{"a": 1}{"b": 2}', '{"a": NaN}')
_FAILURES: Final = (RateLimit, Overloaded, ServerError, BadRequest, Unauthorized)
_REASONS: Final = ("stop", "length", "content_filter", "tool_calls", "other")
_MAX_TURNS: Final = 6
_MAX_PARTS: Final = 4
_FOREVER: Final = 12


class AgentDriver:
    """Drive the agents that a factory makes. Raises `UsageError` where it makes none that runs."""

    def __init__(self, factory: Callable[[Any], Any], dialect: str | None = None) -> None:
        self._factory = factory
        self.known: AgentKnowledge = know_agent(factory, dialect)

    def trials(self) -> Iterable[Trial]:
        """Return the scripts of the conformance suite."""
        return trials(self.known)

    def draw(self, random: Random) -> Trial:
        """Return a random script, and a way to leave the run."""
        turns = [_draw_turn(random, self.known) for _ in range(random.randint(1, _MAX_TURNS))]
        if random.random() < 0.2:
            turns += [turns[-1]] * _FOREVER
        how = random.choice((Leaving.RUN, Leaving.RUN, Leaving.RUN, *Leaving))
        return Trial(tuple(turns), how, random.randint(0, 12) if how is not Leaving.RUN else 0)

    def judge(self, trial: Trial) -> list[Broken]:
        """Run a script, and return the promises that it shows to be broken."""
        return judge_agent(run_agent(self._factory, trial), self.known)

    def shrink(self, trial: Trial, breaks: Callable[[Trial], bool]) -> Trial:
        """Return the smallest script that still breaks: fewer turns, fewer parts, plainer ones, left sooner."""
        best = trial

        def tried(turns: Sequence[Turn], at: int) -> bool:
            nonlocal best
            candidate = replace(best, turns=tuple(turns), at=at)
            if breaks(candidate):
                best = candidate
                return True
            return False

        turns = fewer(best.turns, lambda some: tried(some, best.at))
        for at in range(best.at):
            if tried(turns, at):
                break
        for number in range(len(turns)):
            turns = _with_fewer_parts(turns, number, lambda some: tried(some, best.at))
        return best

    def finding(self, trial: Trial, promise: Promise, why: str) -> Finding:
        """Return what is handed over of a script."""
        seen = run_agent(self._factory, trial)
        steps = tuple(spelled_turns(trial.turns))
        how = f'how="{trial.how}", at={trial.at}, ' * (trial.how is not Leaving.RUN)
        call = f'assert_agent({{factory}}, {{items}}, {how}keeps="{promise.name}", dialect="{self.known.dialect.name}")'
        return Finding(promise, why, steps, call, tuple(seen.events), _imports(steps))


def _with_fewer_parts(turns: list[Turn], number: int, breaks: Callable[[list[Turn]], bool]) -> list[Turn]:
    """Return the turns with one of them as small and plain as it still breaks."""

    def changed(parts: Sequence[Part]) -> list[Turn]:
        return [*turns[:number], turn(*parts), *turns[number + 1 :]]

    def still(parts: Sequence[Part]) -> bool:
        try:
            return breaks(changed(parts))
        except UsageError:
            # A fault stands behind more pieces than are left.
            return False

    parts = fewer(turns[number].parts, still)
    for place, part in enumerate(parts):
        for plain in _plainer(part):
            other = [*parts[:place], plain, *parts[place + 1 :]]
            if still(other):
                parts = other
                break
    return changed(parts)


def _imports(steps: Sequence[str]) -> tuple[str, ...]:
    text = "\n".join(steps)
    words = sorted(word for word in {*WORDS, *FAILURES.values()} if f"{word}(" in text)
    words = [word for word in words if word != "call" or _has_call(text)]
    scripts = (f"from playhead.scripts import {', '.join(words)}",) if words else ()
    return (*scripts, "from playhead.testing import assert_agent")


def _has_call(text: str) -> bool:
    return "call(" in text.replace("raw_call(", "")


def _draw_turn(random: Random, known: AgentKnowledge) -> Turn:
    parts: list[Part] = [_draw_part(random, known) for _ in range(random.randint(0, _MAX_PARTS))]
    if random.random() < 0.3:
        parts.insert(random.randint(0, len(parts)), _draw_fault(random, known))
    if random.random() < 0.2:
        parts.append(stop(random.choice(_REASONS)))
    return turn(*parts)


def _draw_part(random: Random, known: AgentKnowledge) -> Part:
    dice = random.random()
    text = random.choice(_TEXTS)
    if dice < 0.35:
        return say(text, chunks=random.randint(1, 4))
    if dice < 0.45:
        return think(text, chunks=random.randint(1, 3))
    if dice < 0.8:
        made = a_call(known, random.randrange(8))
        made = made.in_chunks(random.randint(1, 3))
        return made.with_id(random.choice(("a", "b", ""))) if random.random() < 0.2 else made
    if dice < 0.9:
        return raw_call(a_call(known, random.randrange(8)).tool, random.choice(_ARGUMENTS))
    if dice < 0.95:
        return call_with(random.choice(("no_such_tool", "")), {})
    return pause(random.choice((0.1, 5.0, 90.0)))


def _draw_fault(random: Random, known: AgentKnowledge) -> Part:
    faults: list[Part] = [
        fail(random.choice(_FAILURES)()),
        cut(),
        cut(clean=True),
        garbage(),
        *([] if known.is_sync else [hang()]),
    ]
    return random.choice(faults)


def _plainer(part: Part) -> list[Part]:
    """Return plainer parts in place of one, the plainest first."""
    match part:
        case Say():
            text = "".join(part.pieces)
            return [Say(("a",)), Say((text,))]
        case Think():
            return [Think(("a",)), Think(("".join(part.pieces),))]
        case Call():
            return [replace(part, pieces=(part.text,), id=None), replace(part, pieces=(part.text,))]
    return []

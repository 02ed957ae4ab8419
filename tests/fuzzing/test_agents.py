"""Fuzzing agents: scripts full of faults, small findings, tests that run."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from playhead.events.locus import TerminateEvent, ThinkEvent
from playhead.fuzzing.agents import AgentDriver
from playhead.fuzzing.campaign import Budget, Campaign
from playhead.fuzzing.finding import Finding, Target
from tests.testing.test_agents import END, Patient, loop


def found_in(factory: Callable[..., Any], *, runs: int, seed: int = 0) -> list[Finding]:
    return list(Campaign(AgentDriver(factory), Budget(None, runs, seed)))


def test_nothing_is_found_in_what_is_right() -> None:
    """Under hundreds of scripts."""
    assert found_in(Patient, runs=200, seed=1) == []


def test_hanging_for_ever_is_found_at_once() -> None:
    """The small loop has no deadline; one turn shows it."""
    (finding,) = found_in(loop, runs=100)
    assert finding.promise.name == "gives-up-on-silence"
    assert finding.steps == ("turn(hang())",)
    source = finding.source(Target("agent", "tests.testing.test_agents", "loop"), 0)
    assert source == (
        '"""Found by `playhead fuzz agent tests.testing.test_agents:loop --seed 0`."""\n'
        "\n"
        "from playhead.scripts import hang, turn\n"
        "from playhead.testing import assert_agent\n"
        "from tests.testing.test_agents import loop\n"
        "\n"
        "\n"
        "def test_gives_up_on_silence() -> None:\n"
        '    """A promise: a model that falls silent does not hold it up for ever."""\n'
        "    turns = [\n"
        "        turn(hang()),\n"
        "    ]\n"
        '    assert_agent(loop, turns, keeps="gives-up-on-silence", dialect="locus")\n'
    )
    names: dict[str, Any] = {}
    exec(compile(source, "found.py", "exec"), names)
    with pytest.raises(AssertionError, match="its model fell silent"):
        names["test_gives_up_on_silence"]()
    names["loop"] = Patient
    names["test_gives_up_on_silence"]()


class Impatient(Patient):
    """Take a refusal after thinking for an answer."""

    async def run(self, prompt: str) -> AsyncIterator[Any]:
        """Yield the events, but swallow one failure."""
        thought = False
        async for event in super().run(prompt):
            thought = thought or (bool(getattr(event, "reasoning", None)) and isinstance(event, ThinkEvent))
            if thought and isinstance(event, TerminateEvent) and event.error:
                yield TerminateEvent(**END.model_dump(exclude={"timestamp", "event_type"}))
            else:
                yield event


def test_random_scripts_are_made_small() -> None:
    """A failure that is swallowed only after something was said needs two turns, and no more."""
    findings = [each for each in found_in(Impatient, runs=300) if each.promise.name == "tells-failures"]
    assert [len(each.steps) for each in findings] == [2]

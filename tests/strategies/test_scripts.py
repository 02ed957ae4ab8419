"""Strategies for scripts: they can be played, end, and hold every fault that there is."""

import anyio
import pytest
from hypothesis import given, settings

from playhead.clocks.running import run
from playhead.clocks.virtual import VirtualClock
from playhead.errors import ModelFailure
from playhead.models.scripted import ScriptedModel
from playhead.scripts import ModelRequest, Turn
from playhead.scripts.parts import Call, Cut, Fail, Garbage, Hang, Pause
from playhead.strategies import scripts, turns
from tests.strategies.drawing import found

BROKEN = (Cut, Fail, Garbage, Hang, Pause)


async def play(script: list[Turn], clock: VirtualClock) -> int:
    """Play every turn, and return how many there were. What hangs is left after a day."""
    model = ScriptedModel(script, clock=clock)
    for _ in script:
        with anyio.move_on_after(86_400):
            try:
                async for _ in model.steps(ModelRequest()):
                    pass
            except ModelFailure:
                pass
    return model.call_count


@settings(max_examples=60)
@given(scripts())
def test_every_script_can_be_played(script: list[Turn]) -> None:
    """Whatever goes wrong in a script, it is played to its end in no time at all."""
    assert 1 <= len(script) <= 4
    assert run(play, script, VirtualClock()) == len(script)


@settings(max_examples=60)
@given(scripts(faults=False, tools=("weather",)))
def test_healthy_scripts_have_no_fault(script: list[Turn]) -> None:
    """Without faults, turns only speak and call known tools, and the last one calls none."""
    for each in script:
        assert not [part for part in each.parts if isinstance(part, BROKEN)]
        assert all(isinstance(call.arguments, dict) and call.tool == "weather" for call in each.calls)
    assert not script[-1].calls


@pytest.mark.parametrize("kind", BROKEN)
def test_each_fault_comes_up(kind: type) -> None:
    """There is a turn with each fault, and the smallest says little else."""
    smallest = found(turns(), lambda each: any(isinstance(part, kind) for part in each.parts))
    assert len(smallest.parts) == 2


def test_malformed_arguments_come_up() -> None:
    """A call may have arguments that are no JSON."""
    smallest = found(turns(), lambda each: any(call.arguments is None for call in each.calls))
    assert [type(part) for part in smallest.parts] == [Call]

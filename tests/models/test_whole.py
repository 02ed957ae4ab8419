"""A whole answer is what the pieces of it come to, whichever way it was made."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given

from playhead.clocks.virtual import VirtualClock
from playhead.errors import ModelFailure
from playhead.events.locus import ModelCompleteEvent
from playhead.models.scripted import ScriptedModel
from playhead.scripts import ModelRequest, Step, Turn, call, hang, say, stop, turn
from playhead.scripts.parts import Hang
from playhead.strategies.scripting import turns

Told = tuple[str | None, list[str], dict[str, object], str | None] | str


async def streamed(script: Turn) -> Told:
    """Return what the pieces come to, or how they fail."""
    texts, last = [], None
    try:
        async for piece in ScriptedModel([script], clock=VirtualClock()).stream([]):
            texts.append(piece.content or "")
            last = piece
    except ModelFailure as failure:
        return failure.kind
    if last is None or not last.done:
        return "cut"
    return "".join(texts) or None, [*map(str, last.tool_calls or [])], dict(last.usage or {}), last.stop_reason


async def completed(model: ScriptedModel) -> Told:
    """Return the whole answer, or how it fails."""
    try:
        whole = await model.complete([])
    except ModelFailure as failure:
        return failure.kind
    return told(whole)


def told(whole: ModelCompleteEvent) -> Told:
    """Return what a whole answer says."""
    return whole.content, [*map(str, whole.tool_calls)], dict(whole.usage), whole.stop_reason


@given(turns())
def test_it_says_what_the_pieces_say(script: Turn) -> None:
    """Text, calls, usage and reason are the same, and so are the faults."""
    if not any(isinstance(part, Hang) for part in script.parts):
        model = ScriptedModel([script], clock=VirtualClock())
        assert asyncio.run(completed(model)) == asyncio.run(streamed(script))


@pytest.mark.anyio
async def test_calls_are_numbered_on_either_way() -> None:
    """An answer that streams counts on where one that came whole has ended."""
    model = ScriptedModel([turn(call("a"), call("b")), call("c"), say("d", chunks=2, pause_s=0), call("e")])
    first = await model.complete([])
    second = [piece async for piece in model.stream([])][-1].tool_calls or []
    await model.complete([])
    last = await model.complete([])
    assert [each.id for each in (*first.tool_calls, *second, *last.tool_calls)] == [f"call_{n}" for n in range(1, 5)]


class Shouting(ScriptedModel):
    """Change the steps of the answer."""

    async def steps(self, request: ModelRequest) -> AsyncGenerator[Step, None]:
        """Yield the steps, and another reason to stop."""
        async for step in super().steps(request):
            yield step
        for step in turn(stop("hoarse")).steps():
            yield step


@pytest.mark.anyio
async def test_who_changes_the_steps_changes_the_whole_answer() -> None:
    """A model with steps of its own is asked for these."""
    assert (await Shouting(["hi"]).complete([])).stop_reason == "hoarse"


def test_a_turn_is_smooth_where_nothing_happens_on_the_way() -> None:
    """Pauses and faults happen, words and numbers do not."""
    assert turn("a", call("b"), stop("c")).sum.is_smooth
    assert not turn("a", hang()).sum.is_smooth
    assert not turn(say("ab", chunks=2, pause_s=1)).sum.is_smooth


def test_calls_without_an_id_are_numbered() -> None:
    """Those that have one keep it, and are not counted."""
    script = turn("a", call("b"), call("c").with_id("mine"), call("d"))
    assert (script.sum.unnamed, script.numbered(3).sum.unnamed) == (2, 0)
    assert [each.id for each in script.numbered(3).calls] == ["call_3", "mine", "call_4"]
    assert script.numbered(3).text == "a"

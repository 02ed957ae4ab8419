"""The scripted model says what its script says, when its clock says so."""

from itertools import pairwise

import pytest

from playhead.clocks.virtual import VirtualClock
from playhead.errors import UsageError
from playhead.events.locus import ModelChunkEvent, ToolCall
from playhead.models.scripted import Answer, ScriptedModel


async def ask(model: ScriptedModel, *words: str) -> list[ModelChunkEvent]:
    """Return the pieces of the model's next answer."""
    return [chunk async for chunk in model.stream([{"role": "user", "content": word} for word in words], {})]


@pytest.mark.anyio
async def test_it_streams_the_pieces_and_then_says_that_it_is_done() -> None:
    """Text comes piece by piece; the last chunk carries the tool calls and the stop reason."""
    call = ToolCall(id="c1", name="search", arguments={"q": "x"})
    chunks = await ask(ScriptedModel([Answer(("a", "b"), [call])]), "hi")
    assert [chunk.content for chunk in chunks] == ["a", "b", None]
    assert [chunk.done for chunk in chunks] == [False, False, True]
    assert chunks[-1].tool_calls == [call]
    assert chunks[-1].stop_reason == "tool_calls"


@pytest.mark.anyio
async def test_it_takes_its_answers_in_turn_and_remembers_the_questions() -> None:
    """Each call gets the next answer, and `requests` keeps what was asked."""
    model = ScriptedModel([Answer("one"), Answer("two")])
    answers = [(await ask(model, word))[0].content for word in ("first", "second")]
    assert answers == ["one", "two"]
    assert [request[0]["content"] for request in model.requests] == ["first", "second"]


@pytest.mark.anyio
async def test_it_refuses_to_make_something_up() -> None:
    """A call that the script has no answer for is the author's mistake."""
    with pytest.raises(UsageError, match="the script has 0 answers"):
        await ask(ScriptedModel([]), "hi")


@pytest.mark.anyio
async def test_a_pause_passes_on_the_clock_that_it_was_given() -> None:
    """Chunks are stamped with the clock's time, a pause apart."""
    clock = VirtualClock()
    chunks = await ask(ScriptedModel([Answer(("a", "b"), pause_s=3600)], clock=clock), "hi")
    gaps = [(late.timestamp - early.timestamp).total_seconds() for early, late in pairwise(chunks)]
    assert gaps == [3600, 3600]

"""A scripted model says what its script says, when its clock says so, and knows what it was asked."""

from itertools import pairwise
from typing import Any

import anyio
import pytest

from playhead.clocks.virtual import VirtualClock
from playhead.errors import ModelFailure, ReplayMismatch
from playhead.events.locus import ModelChunkEvent, ToolCall
from playhead.models.base import SteppingModel
from playhead.models.scripted import FunctionModel, Scripted, ScriptedModel
from playhead.scripts import (
    Overloaded,
    RateLimit,
    call,
    cut,
    fail,
    garbage,
    hang,
    raw_call,
    say,
    think,
    turn,
    usage,
)

pytestmark = pytest.mark.anyio


async def ask(model: SteppingModel, *words: str, **options: Any) -> list[ModelChunkEvent]:
    """Return the pieces of the model's next answer."""
    return [chunk async for chunk in model.stream([{"role": "user", "content": word} for word in words], **options)]


async def test_it_streams_the_pieces_and_then_says_that_it_is_done() -> None:
    """Thoughts and text come piece by piece; the last chunk carries the calls, the usage and the stop reason."""
    script = turn(think("hm"), say("ab", chunks=2), call("search", q="x"), raw_call("search", "{"), usage(3, 4))
    chunks = await ask(ScriptedModel([script]), "hi")
    assert [(chunk.reasoning, chunk.content) for chunk in chunks] == [
        ("hm", None),
        (None, "a"),
        (None, "b"),
        (None, None),
    ]
    assert [chunk.done for chunk in chunks] == [False, False, False, True]
    assert chunks[-1].tool_calls == [
        ToolCall(id="call_1", name="search", arguments={"q": "x"}),
        ToolCall(id="call_2", name="search", malformed_arguments="{"),
    ]
    assert (chunks[-1].stop_reason, chunks[-1].usage) == ("tool_calls", {"prompt_tokens": 3, "completion_tokens": 4})


async def test_the_whole_answer_is_what_streams() -> None:
    """`complete` returns the text, the calls, the usage and the reason at once."""
    whole = await ScriptedModel([turn(say("Hello", chunks=3), call("search", q="x"))]).complete([])
    assert (whole.content, whole.stop_reason) == ("Hello", "tool_calls")
    assert [each.id for each in whole.tool_calls] == ["call_1"]


async def test_it_takes_its_turns_in_order_and_remembers_the_questions() -> None:
    """Each call gets the next turn, and `calls` keeps what was asked: messages, tools, options."""
    model = ScriptedModel(["one", [say("two")]])
    answers = [(await ask(model, word, tools={"search": ask}, seed=7))[0].content for word in ("first", "second")]
    assert answers == ["one", "two"]
    assert [request.messages[0]["content"] for request in model.calls] == ["first", "second"]
    assert (model.calls[0].tools, model.calls[0].options) == (({"name": "search"},), {"seed": 7})
    assert model.call_count == 2
    model.assert_complete()


async def test_calls_are_numbered_through_the_whole_script() -> None:
    """No two calls of a run share an id."""
    model = ScriptedModel([turn(call("a"), call("b")), call("c")])
    ids = [each.id for _ in range(2) for each in (await ask(model))[-1].tool_calls or ()]
    assert ids == ["call_1", "call_2", "call_3"]


async def test_running_out_of_turns_is_an_error_and_stays_one() -> None:
    """It says what was asked in vain, and says so again at the end, for agents catch broadly."""
    model = ScriptedModel(["one"])
    await ask(model, "first")
    with pytest.raises(ReplayMismatch, match=r"has 1 turns, and the model was asked 2 times, the last .*second"):
        await ask(model, "second")
    with pytest.raises(ReplayMismatch, match="asked 2 times"):
        model.assert_complete()


async def test_leftover_turns_are_an_error_that_says_which() -> None:
    """The first turn that nobody asked for is shown."""
    model = ScriptedModel(["one", turn(say("two"), call("search", q="x"), cut())])
    await ask(model, "first")
    with pytest.raises(ReplayMismatch, match=r"""turn 2 is left, 'two', search\(\{"q":"x"\}\), cut"""):
        model.assert_complete()


@pytest.mark.parametrize(
    ("scripted", "expected"),
    [
        (fail(RateLimit(retry_after_s=2)), ("rate_limit", 429, 2)),
        (turn("a", fail(Overloaded())), ("overloaded", 529, None)),
        (turn("a", cut()), ("cut", None, None)),
    ],
)
async def test_a_fault_is_raised(scripted: Scripted, expected: tuple[str, int | None, float | None]) -> None:
    """The error says what kind it is, with which status, and how long to wait."""
    with pytest.raises(ModelFailure) as caught:
        await ask(ScriptedModel([scripted]))
    assert (caught.value.kind, caught.value.status, caught.value.retry_after_s) == expected


async def test_a_clean_cut_ends_without_a_last_chunk() -> None:
    """No chunk is done: whoever takes that for success has missed the end. An answer in one piece fails."""
    chunks = await ask(ScriptedModel([turn("a", cut(clean=True))] * 2))
    assert [chunk.done for chunk in chunks] == [False]
    with pytest.raises(ModelFailure, match="stopped before its end"):
        await ScriptedModel([cut(clean=True)]).complete([])


async def test_a_model_that_hangs_can_be_left() -> None:
    """Nothing comes until the asker gives up."""
    taken: list[str | None] = []
    with anyio.move_on_after(0.01) as scope:
        async for chunk in ScriptedModel([turn("a", hang())]).stream([]):
            taken.append(chunk.content)  # noqa: PERF401 -- what came before the cancellation is wanted
    assert scope.cancelled_caught
    assert taken == ["a"]


async def test_garbage_means_nothing_in_python() -> None:
    """Bytes are for a wire; there is none here."""
    assert [chunk.content for chunk in await ask(ScriptedModel([turn("a", garbage())]))] == ["a", None]


async def test_a_pause_passes_on_the_clock_that_it_was_given() -> None:
    """Chunks are stamped with the clock's time, a pause apart."""
    clock = VirtualClock()
    chunks = await ask(ScriptedModel([say("abc", chunks=3, pause_s=3600)], clock=clock), "hi")
    gaps = [(late.timestamp - early.timestamp).total_seconds() for early, late in pairwise(chunks)]
    assert gaps == [3600, 3600, 0]


async def test_a_function_answers_what_it_is_asked() -> None:
    """It sees the question; a coroutine function may take its time."""
    model = FunctionModel(lambda request: say(request.messages[-1]["content"].upper()))
    assert (await ask(model, "hi"))[0].content == "HI"

    async def slow(_: object) -> str:
        await anyio.lowlevel.checkpoint()
        return "late"

    assert (await ask(FunctionModel(slow)))[0].content == "late"

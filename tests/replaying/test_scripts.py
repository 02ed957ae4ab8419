"""A script made of a tape says what the model said there."""

import tempfile
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.agent.agent import Agent
from playhead.errors import CassetteError, ModelFailure, UsageError
from playhead.events.locus import ModelChunkEvent, ThinkEvent
from playhead.models.scripted import ScriptedModel
from playhead.models.tap import Codec
from playhead.recording.recorder import record
from playhead.recording.taps import RecordingTap
from playhead.replaying.scripts import script_of
from playhead.replaying.tape import open_tape
from playhead.replaying.whole import whole_turn
from playhead.scripts import Call, Part, RateLimit, Say, Think, Turn, call, cut, fail, say, think, turn

CASSETTES = Path(__file__).parents[2] / "cassettes"
NATIVE: Codec[ModelChunkEvent] = Codec(lambda chunk: chunk.model_dump(mode="json"), ModelChunkEvent.model_validate)

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
calls = st.builds(lambda name, arguments: call(name, **arguments), st.sampled_from(["f", "g"]), st.just({"n": 1}))
spoken = st.builds(say, texts, chunks=st.integers(1, 2)).filter(lambda part: all(part.pieces))
asking = st.builds(lambda said, wanted: turn(*said, *wanted), st.lists(spoken, max_size=1), st.lists(calls, min_size=1))


def outline(script: list[Turn]) -> list[list[tuple[str, Any]]]:
    """Return what each turn says, in pieces, and which tools it wants."""
    return [[_told(part) for part in turn.parts if isinstance(part, Say | Think | Call)] for turn in script]


def _told(part: Part) -> tuple[str, Any]:
    if isinstance(part, Call):
        return part.tool, part.arguments
    assert isinstance(part, Say | Think)
    return type(part).__name__, part.pieces


async def f(n: int) -> int:
    """Return a number."""
    return n


async def g(n: int) -> int:
    """Return its opposite."""
    return -n


async def taped(script: list[Turn], place: Path) -> None:
    """Record a run of an agent with a script."""
    with record(place) as tape:
        async for _ in tape.events(Agent(ScriptedModel(script), [f, g]).run("hi")):
            pass


@settings(deadline=None, max_examples=50)
@given(st.lists(asking, max_size=3), spoken)
def test_a_run_gives_back_the_script_that_it_was_made_with(asks: list[Turn], answer: Say) -> None:
    """Text in its pieces, tools with their arguments, one turn for each time that the model was asked."""
    script = [*asks, turn(answer)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "a.jsonl"
        anyio.run(taped, script, place)
        with open_tape(place) as tape:
            assert outline(script_of(tape)) == outline(script)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("locus_tool_once", [[("weather", {"city": "Paris"})], [("Say", ("Go.",))]]),
        (
            "locus_tokens",
            [
                [("weather", {"city": "Paris"})],
                [("Say", ("It is sunny ", "in Paris, so", " take sungla", "sses with yo", "u."))],
            ],
        ),
        ("shipit_tool_once", [[("add", {"a": 1, "b": 2})], [("Say", ("It ", "is ", "three. "))]]),
        ("locus_subagent", [[("delegate", {"task": "Oslo?"})], [("Say", ("Oslo it is.",))]]),
    ],
)
def test_runs_of_real_agents_become_scripts(name: str, expected: list[Any]) -> None:
    """Streamed or not; what a sub-agent's model said is its own."""
    with open_tape(CASSETTES / f"{name}.jsonl") as tape:
        assert outline(script_of(tape)) == expected


@pytest.mark.anyio
async def test_the_calls_of_a_model_become_turns_with_their_faults(tmp_path: Path) -> None:
    """A call that failed after two pieces says two pieces and fails."""
    script = [turn(think("hm"), say("ab", chunks=2)), turn("c", cut()), turn(say("d"), fail(RateLimit()))]
    model, place = ScriptedModel(script), tmp_path / "a.jsonl"
    with record(place) as tape:
        tap = RecordingTap(tape)
        for number in range(3):
            question = {"messages": [{"role": "user", "content": str(number)}]}
            try:
                async for _ in tap.stream(question, lambda: model.stream([]), NATIVE):
                    pass
            except ModelFailure:
                pass
    with open_tape(place) as recorded:
        made = script_of(recorded)
    assert outline(made) == [[("Think", ("hm",)), ("Say", ("a", "b"))], [("Say", ("c",))], [("Say", ("d",))]]
    again = ScriptedModel(made)
    assert [chunk.content for chunk in [each async for each in again.stream([])]] == [None, "a", "b", None]
    with pytest.raises(ModelFailure, match="lost"):
        _ = [each async for each in again.stream([])]
    with pytest.raises(ModelFailure, match="Rate limit") as caught:
        _ = [each async for each in again.stream([])]
    assert (caught.value.kind, caught.value.status) == ("rate_limit", 429)


@pytest.mark.parametrize(
    "answer",
    [
        {
            "object": "chat.completion",
            "choices": [
                {
                    "message": {
                        "content": "Hi",
                        "reasoning_content": "hm",
                        "tool_calls": [{"id": "x", "function": {"name": "f", "arguments": '{"n":1}'}}],
                    }
                }
            ],
        },
        {
            "object": "response",
            "output": [
                {"type": "reasoning", "summary": [{"text": "hm"}]},
                {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
                {"type": "function_call", "call_id": "x", "name": "f", "arguments": '{"n":1}'},
            ],
        },
        {
            "type": "message",
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "Hi"},
                {"type": "tool_use", "id": "x", "name": "f", "input": {"n": 1}},
            ],
        },
        {
            "candidates": [
                {
                    "content": {
                        "parts": [
                            {"text": "hm", "thought": True},
                            {"text": "Hi"},
                            {"functionCall": {"name": "f", "args": {"n": 1}}},
                        ]
                    }
                }
            ]
        },
    ],
    ids=["chat", "responses", "anthropic", "gemini"],
)
def test_whole_answers_of_the_four_formats_say_the_same(answer: dict[str, Any]) -> None:
    """What did not stream is one piece each."""
    whole = whole_turn(answer)
    assert whole is not None
    assert outline([whole]) == [[("Think", ("hm",)), ("Say", ("Hi",)), ("f", {"n": 1})]]


def test_a_tape_on_which_nobody_speaks_is_no_script(tmp_path: Path) -> None:
    """The error says so, and one for a run that is not there names those that are."""
    with record(tmp_path / "a.jsonl") as tape:
        list(tape.events([ThinkEvent(iteration=1)]))
    with open_tape(tmp_path / "a.jsonl") as recorded:
        with pytest.raises(CassetteError, match="no model says anything there"):
            script_of(recorded)
        with pytest.raises(UsageError, match=r"no run 'r2' in .*: it has r1"):
            script_of(recorded, run="r2")

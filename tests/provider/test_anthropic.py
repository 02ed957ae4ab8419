"""Anthropic's own SDK, with strict validation, asks a served model."""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import Message, ToolParam

from playhead.models.scripted import ScriptedModel
from playhead.provider.serving import Served, serve_model
from playhead.scripts import Overloaded, cut, fail, raw_call, say, stop, turn
from tests.provider.peers import CLAUDE_MESSAGES, MODEL, QUESTION, async_claude, claude
from tests.provider.turns import FORECAST, SPOKEN, TEXT

TOOL: ToolParam = {
    "name": "weather",
    "description": "Tell the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}

ANSWER = {
    "text": [TEXT],
    "calls": [("call_1", "weather", {"city": "Paris"}), ("call_2", "weather", {"city": "Rome"})],
    "thoughts": ["Two cities."],
    "reason": "tool_use",
    "usage": (9, 5),
}


@pytest.fixture
def model() -> ScriptedModel:
    """Return a model that says the forecast once."""
    return ScriptedModel([FORECAST])


@pytest.fixture
def served(model: ScriptedModel) -> Iterator[Served]:
    """Serve the model, and check that it was asked once."""
    with serve_model(model) as served:
        yield served
    model.assert_complete()


def answer(message: Message) -> dict[str, Any]:
    """Return what matters of a message, and check that its thoughts are signed."""
    thoughts = [block for block in message.content if block.type == "thinking"]
    assert all(block.signature for block in thoughts)
    return {
        "text": [block.text for block in message.content if block.type == "text"],
        "calls": [(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"],
        "thoughts": [block.thinking for block in thoughts],
        "reason": message.stop_reason,
        "usage": (message.usage.input_tokens, message.usage.output_tokens),
    }


def test_a_message(served: Served, model: ScriptedModel) -> None:
    """A message that does not stream is whole, and the model hears what was asked."""
    with claude(served) as client:
        found = client.messages.create(
            model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99, system="Be brief.", tools=[TOOL]
        )
    assert answer(found) == ANSWER
    (asked,) = model.calls
    assert asked.messages == ({"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION})
    assert asked.tools == ({"name": "weather", "description": "Tell the weather.", "parameters": TOOL["input_schema"]},)
    assert (asked.model, asked.is_stream, asked.options) == (MODEL, False, {"max_tokens": 99})


def test_a_streamed_message(served: Served) -> None:
    """Blocks have the numbers of their order, and the events are those of the provider, in its order."""
    with claude(served) as client:
        events = list(client.messages.create(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99, stream=True))
    assert [event.type for event in events[:2]] == ["message_start", "content_block_start"]
    assert [event.type for event in events[-2:]] == ["message_delta", "message_stop"]
    starts = [(event.index, event.content_block.type) for event in events if event.type == "content_block_start"]
    assert starts == [(0, "thinking"), (1, "text"), (2, "tool_use"), (3, "tool_use")]
    assert [event.index for event in events if event.type == "content_block_stop"] == [0, 1, 2, 3]


def test_the_helper_for_messages(served: Served) -> None:
    """`.messages.stream()` puts the whole answer together."""
    with (
        claude(served) as client,
        client.messages.stream(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99) as stream,
    ):
        assert answer(stream.get_final_message()) == ANSWER


@pytest.mark.anyio
async def test_a_message_in_an_event_loop(served: Served) -> None:
    """The client for event loops gets the same message."""
    async with async_claude(served) as client:
        found = await client.messages.create(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99)
    assert answer(found) == ANSWER


@pytest.mark.anyio
async def test_a_streamed_message_in_an_event_loop(served: Served) -> None:
    """The client for event loops puts the same message together."""
    async with (
        async_claude(served) as client,
        client.messages.stream(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99) as stream,
    ):
        assert answer(await stream.get_final_message()) == ANSWER


def test_a_refusal_is_tried_again() -> None:
    """After the time that the provider says, the SDK asks again, and the same question gets its answer."""
    model = ScriptedModel([fail(Overloaded(retry_after_s=0.01)), say("At last.")])
    with serve_model(model) as served, claude(served, retries=2) as client:
        found = client.messages.create(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99)
    assert [block.text for block in found.content if block.type == "text"] == ["At last."]
    first, second = model.calls
    assert first == second


def test_a_refusal_has_the_words_of_the_provider() -> None:
    """Too much work is 529, and the id of the request is in the head and in the body."""
    with (
        serve_model(ScriptedModel([fail(Overloaded(message="Busy."))])) as served,
        claude(served) as client,
        pytest.raises(anthropic.APIStatusError) as raised,
    ):
        client.messages.create(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99)
    assert raised.value.status_code == 529
    assert raised.value.body == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Busy."},
        "request_id": raised.value.request_id,
    }
    assert raised.value.request_id == raised.value.response.headers["request-id"]


@pytest.mark.parametrize(
    ("reason", "stop_reason"), [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal")]
)
def test_the_reasons_to_stop(reason: str, stop_reason: str) -> None:
    """Each of our words for why a model stops has one of the provider's."""
    model = ScriptedModel([turn(say("Once upon"), stop(reason))] * 2)
    with serve_model(model) as served, claude(served) as client:
        found = client.messages.create(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99)
        with client.messages.stream(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99) as stream:
            streamed = stream.get_final_message()
    assert (found.stop_reason, streamed.stop_reason) == (stop_reason, stop_reason)


def test_arguments_that_are_no_json() -> None:
    """In a stream they arrive as they are; whole, they are wrapped, for an input is an object."""
    model = ScriptedModel([raw_call("weather", '{"city": "Par')] * 2)
    with serve_model(model) as served, claude(served) as client:
        events = list(client.messages.create(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99, stream=True))
        found = client.messages.create(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99)
    deltas = [event.delta for event in events if event.type == "content_block_delta"]
    assert "".join(delta.partial_json for delta in deltas if delta.type == "input_json_delta") == '{"city": "Par'
    assert [block.input for block in found.content if block.type == "tool_use"] == [{"INVALID_JSON": '{"city": "Par'}]


def test_a_clean_cut_of_an_answer_that_does_not_stream() -> None:
    """It has the text so far, and no word about why it ended."""
    with serve_model(ScriptedModel([turn(SPOKEN, cut(at=2, clean=True))])) as served, claude(served) as client:
        found = client.messages.create(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=99)
    assert answer(found) | {"usage": ()} == {"text": ["abcd"], "calls": [], "thoughts": [], "reason": None, "usage": ()}

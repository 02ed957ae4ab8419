"""Scripts as models of OpenAI Agents: what a script says is what an agent hears, on asyncio and trio."""

from contextlib import aclosing
from typing import Any

import openai
import pytest
from agents import AgentOutputSchema, ModelBehaviorError, ModelResponse, ModelSettings, ModelTracing, function_tool
from agents.models.interface import Model
from openai.types.responses import (
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseIncompleteEvent,
    ResponseOutputMessage,
    ResponseReasoningItem,
)

from playhead.adapters.openai_agents import scripted
from playhead.clocks.virtual import VirtualClock
from playhead.errors import ReplayMismatch
from playhead.models.scripted import FunctionModel, ScriptedModel
from playhead.scripts import (
    BadRequest,
    Overloaded,
    ProviderFailure,
    RateLimit,
    ServerError,
    Unauthorized,
    call,
    cut,
    fail,
    garbage,
    pause,
    say,
    stop,
    think,
    turn,
    usage,
)

pytestmark = pytest.mark.anyio

SPEAKING = turn(
    think("Hm, so.", chunks=2),
    say("Hello there.", chunks=3),
    call("wave", hand="left").in_chunks(3),
    call("wave", hand="right").with_id("mine"),
    garbage(),
    usage(7, 8),
)


def question(**others: Any) -> dict[str, Any]:
    """Return what a model is asked with."""
    asked: dict[str, Any] = {
        "system_instructions": None,
        "input": "Hi.",
        "model_settings": ModelSettings(),
        "tools": [],
        "output_schema": None,
        "handoffs": [],
        "tracing": ModelTracing.DISABLED,
        "previous_response_id": None,
        "conversation_id": None,
        "prompt": None,
    }
    return asked | others


async def whole(asked: Model) -> ModelResponse:
    """Return an answer as a whole."""
    return await asked.get_response(**question())


async def events_of(asked: Model) -> list[Any]:
    """Return the events of a streamed answer."""
    async with aclosing(asked.stream_response(**question())) as events:  # type: ignore[type-var]
        return [event async for event in events]


async def test_a_turn_becomes_a_response() -> None:
    """Thoughts, text, calls, usage and ids are there; a clean end says so."""
    response = await whole(scripted(ScriptedModel([SPEAKING])))
    thought, text, first, second = response.output
    assert isinstance(thought, ResponseReasoningItem)
    assert isinstance(text, ResponseOutputMessage)
    assert isinstance(first, ResponseFunctionToolCall)
    assert isinstance(second, ResponseFunctionToolCall)
    assert [part.text for part in thought.summary] == ["Hm, so."]
    assert text.content[0].to_dict() == {
        "type": "output_text",
        "text": "Hello there.",
        "annotations": [],
        "logprobs": [],
    }
    assert (first.call_id, first.name, first.arguments) == ("call_1", "wave", '{"hand":"left"}')
    assert (second.call_id, second.arguments) == ("mine", '{"hand":"right"}')
    assert response.response_id == f"resp_{1:032x}"
    tokens = response.usage
    assert (tokens.requests, tokens.input_tokens, tokens.output_tokens, tokens.total_tokens) == (1, 7, 8, 15)


async def test_each_event_is_one_that_the_api_sends() -> None:
    """Every event has all that its class demands, is numbered, and adds up to the response at the end."""
    clock = VirtualClock()
    events = await events_of(scripted(ScriptedModel([SPEAKING], clock=clock), name="parrot"))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    for event in events:
        assert type(event).model_validate(event.model_dump(mode="json", exclude_unset=True)) == event
    assert [event.type.removeprefix("response.") for event in events[:9]] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    done = [event.item for event in events if event.type == "response.output_item.done"]
    last = events[-1]
    assert isinstance(last, ResponseCompletedEvent)
    assert last.response.output == done
    assert (last.response.model, last.response.created_at) == ("parrot", int(clock.now().timestamp()))
    assert last.response.output_text == "Hello there."


async def test_the_same_answer_has_other_ids_the_next_time() -> None:
    """Items of two answers never share an id, as the SDK demands."""
    asked = scripted(ScriptedModel([SPEAKING, SPEAKING]))
    first, second = await whole(asked), await whole(asked)
    ids = [item.id for response in (first, second) for item in response.output if "id" in item.model_fields_set]
    assert len(ids) == len(set(ids)) == 8


@pytest.mark.parametrize(
    ("reason", "limit"), [("length", "max_output_tokens"), ("content_filter", "content_filter"), ("stop", None)]
)
async def test_an_answer_that_is_cut_short_by_a_limit_is_incomplete(reason: str, limit: str | None) -> None:
    """The API has an event of its own for that; other reasons it does not know."""
    asked = scripted(ScriptedModel([turn(say("Hello."), stop(reason))] * 2))
    last = (await events_of(asked))[-1]
    assert isinstance(last, ResponseIncompleteEvent if limit else ResponseCompletedEvent)
    assert (last.response.incomplete_details and last.response.incomplete_details.reason) == limit
    assert (await whole(asked)).output[0].type == "message"


async def test_a_clean_cut_has_no_last_event() -> None:
    """A stream that ends too early just ends; a whole answer cannot."""
    asked = scripted(ScriptedModel([turn(say("Hello there.", chunks=4), cut(at=1, clean=True))] * 2))
    assert (await events_of(asked))[-1].type == "response.output_text.delta"
    with pytest.raises(ModelBehaviorError, match="cut off"):
        await whole(asked)


@pytest.mark.parametrize("answer", [whole, events_of])
@pytest.mark.parametrize(
    ("failure", "kind", "status", "code"),
    [
        (RateLimit(retry_after_s=2), openai.RateLimitError, 429, "rate_limit_exceeded"),
        (Overloaded(), openai.InternalServerError, 503, "server_overloaded"),
        (ServerError(), openai.InternalServerError, 500, "server_error"),
        (BadRequest(), openai.BadRequestError, 400, None),
        (Unauthorized(), openai.AuthenticationError, 401, "invalid_api_key"),
        (ProviderFailure(kind="teapot", status=418), openai.APIStatusError, 418, "teapot"),
    ],
)
async def test_a_refusal_is_the_sdk_s_own_error(
    answer: Any, failure: ProviderFailure, kind: Any, status: int, code: str | None
) -> None:
    """Each failure of a provider is the error that a real model would raise."""
    with pytest.raises(kind) as refused:
        await answer(scripted(ScriptedModel([fail(failure)])))
    error = refused.value
    assert type(error) is kind
    assert (error.status_code, error.code) == (status, code)
    assert str(error) == f"Error code: {status} - {failure.message}"
    assert error.response.headers.get("retry-after") == ("2" if failure.retry_after_s else None)


@pytest.mark.parametrize("answer", [whole, events_of])
async def test_a_lost_connection_is_a_connection_error(answer: Any) -> None:
    """A cut has no status."""
    with pytest.raises(openai.APIConnectionError, match="lost"):
        await answer(scripted(ScriptedModel([turn(say("Hello there.", chunks=2), cut(at=1))])))


@pytest.mark.parametrize("answer", [whole, events_of])
async def test_a_script_that_is_too_short_says_so(answer: Any) -> None:
    """Running out of turns is no failure of a provider."""
    with pytest.raises(ReplayMismatch, match="add a turn"):
        await answer(scripted(ScriptedModel([])))


async def test_a_function_answers_what_it_was_asked() -> None:
    """A function sees the conversation with roles and content, the tools, the settings and the schema."""

    def weather(city: str) -> str:
        """Tell the weather."""
        return city

    tool = function_tool(weather)
    played = FunctionModel(lambda request: say(request.messages[-1]["content"].upper()))
    response = await scripted(played, name="echo").get_response(
        **question(
            system_instructions="Be brief.",
            input=[
                {"role": "user", "content": [{"type": "input_text", "text": "Paris?"}]},
                {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Paris"}'},
                {"type": "function_call", "call_id": "c2", "name": "weather", "arguments": "{city"},
                {"type": "function_call_output", "call_id": "c1", "output": "Rain."},
                {"role": "user", "content": [{"type": "input_image", "image_url": "https://p.example"}]},
                {"role": "user", "content": "And now?"},
            ],
            model_settings=ModelSettings(temperature=0.5),
            tools=[tool],
            output_schema=AgentOutputSchema(list[int]),
        )
    )
    assert "AND NOW?" in str(response.output)
    (request,) = played.calls
    assert request.messages == (
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Paris?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "name": "weather", "arguments": {"city": "Paris"}}],
        },
        {"role": "assistant", "content": "", "tool_calls": [{"id": "c2", "name": "weather", "arguments": "{city"}]},
        {"role": "tool", "content": "Rain.", "tool_call_id": "c1"},
        {"role": "user", "content": [{"type": "input_image", "image_url": "https://p.example"}]},
        {"role": "user", "content": "And now?"},
    )
    (described,) = request.tools
    assert (described["name"], described["description"]) == ("weather", "Tell the weather.")
    assert described["parameters"] == tool.params_json_schema
    assert (request.model, request.is_stream, request.options["temperature"]) == ("echo", False, 0.5)
    assert "response" in request.options["output_schema"]["properties"]


async def test_a_pause_passes_on_the_model_s_clock() -> None:
    """An hour of thinking takes no time."""
    clock = VirtualClock()
    before = clock.now()
    await events_of(scripted(ScriptedModel([turn(pause(3600), say("Hello."))], clock=clock)))
    assert (clock.now() - before).total_seconds() == 3600

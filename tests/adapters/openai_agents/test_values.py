"""OpenAI Agents' questions, answers and errors as JSON values, and back."""

from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    FileSearchTool,
    Model,
    ModelBehaviorError,
    ModelResponse,
    ModelSettings,
    ModelTracing,
    Usage,
    UserError,
    WebSearchTool,
    handoff,
)
from agents.items import TResponseStreamEvent
from httpx2 import Request, Response
from openai.types.responses import ResponseTextDeltaEvent
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

from playhead.adapters.openai_agents import model, revive, scripted
from playhead.adapters.openai_agents.asking import Asked
from playhead.adapters.openai_agents.values import EVENTS, RESPONSES, load_event, load_output, question
from playhead.errors import ReplayMismatch
from playhead.events.tagged import dumps, loads
from playhead.models.scripted import ScriptedModel
from playhead.recording.calls import fault_of
from playhead.recording.recorder import record
from playhead.recording.taps import RecordingTap
from playhead.replaying.taps import rerun
from playhead.scripts import say

REQUEST = Request("POST", "https://api.example/v1/responses")


def asked(
    given: Any = "Hi.", *, settings: ModelSettings | None = None, tools: Any = (), handoffs: Any = (), **others: Any
) -> dict[str, Any]:
    """Return a question."""
    settings = settings or ModelSettings()
    return question(
        "request",
        "m",
        asked=Asked(None, given, settings, list(tools), None, list(handoffs), ModelTracing.DISABLED, others),
    )


def test_a_text_is_a_message() -> None:
    """Whether a conversation is given as a text or as its one message, the question is the same."""
    assert asked() == asked([{"role": "user", "content": "Hi."}])
    assert asked()["messages"] == [{"role": "user", "content": "Hi."}]


def test_what_is_not_given_is_not_kept() -> None:
    """A question has what was said and no more."""
    assert set(asked(previous_response_id=None)) == {"method", "model", "messages", "settings", "tools", "handoffs"}
    assert asked(previous_response_id="resp_1")["previous_response_id"] == "resp_1"


def test_tools_of_the_provider_and_handoffs_are_told_as_they_are_configured() -> None:
    """A hosted tool's options count, and an object among them is told by its class."""
    found = asked(
        tools=[WebSearchTool(search_context_size="low"), FileSearchTool(["store_1"])],
        handoffs=[handoff(Agent(name="other", handoff_description="Knows more."))],
        settings=ModelSettings(extra_args={"hook": object()}),
    )
    search, files = found["tools"]
    assert (search["name"], search["search_context_size"]) == ("web_search", "low")
    assert (files["name"], files["vector_store_ids"]) == ("file_search", ["store_1"])
    assert found["handoffs"][0]["name"] == "transfer_to_other"
    assert "Knows more." in found["handoffs"][0]["description"]
    assert found["settings"] == {"extra_args": {"hook": "<object>"}}
    assert loads(dumps(found)) == found


def test_a_whole_answer_comes_back_as_it_was() -> None:
    """Items, usage with its details, ids and what the SDK does not know."""
    call = {"type": "function_call", "call_id": "c1", "name": "wave", "arguments": "{}", "brand_new": [1]}
    message = {"id": "m1", "type": "message", "status": "completed", "role": "assistant", "content": []}
    answer = ModelResponse(
        output=load_output([call, message, {"type": "brand_new", "id": "b1"}]),
        usage=Usage(
            requests=1,
            input_tokens=3,
            output_tokens=4,
            total_tokens=7,
            input_tokens_details=InputTokensDetails(cached_tokens=2, cache_write_tokens=1),
            output_tokens_details=OutputTokensDetails(reasoning_tokens=1),
        ),
        response_id="resp_1",
        request_id="req_1",
        raw_usage={"input_tokens": 3},
    )
    again = RESPONSES.load(loads(dumps(RESPONSES.dump(answer))))
    assert again == answer
    assert [type(item) for item in again.output] == [type(item) for item in answer.output]
    assert again.output[0].model_fields_set == answer.output[0].model_fields_set


@pytest.mark.parametrize(
    "value",
    [
        {"type": "response.output_text.delta", "delta": "Hi", "item_id": "m1", "logprobs": [{"token": "H"}]},
        {"type": "response.brand_new", "sequence_number": 3, "inner": {"a": None}},
    ],
)
def test_an_event_comes_back_as_the_sdk_makes_it(value: dict[str, Any]) -> None:
    """Of the same class, as incomplete as it came, with what the SDK does not know."""
    event = load_event(value)
    again = EVENTS.load(loads(dumps(EVENTS.dump(event))))
    assert (type(again), again) == (type(event), event)
    assert EVENTS.dump(again) == value


STATUS_ERRORS = [
    openai.APIStatusError,
    openai.AuthenticationError,
    openai.BadRequestError,
    openai.InternalServerError,
    openai.RateLimitError,
]


@pytest.mark.parametrize("kind", STATUS_ERRORS)
def test_an_error_with_a_status_comes_back_as_itself(kind: type[openai.APIStatusError]) -> None:
    """By its class, with status, message and code."""
    body = {"message": "Slow down.", "code": "slow"}
    error = kind("Error code: 429 - Slow down.", response=Response(429, request=REQUEST), body=body)
    found = revive(fault_of(error))
    assert type(found) is kind
    assert isinstance(found, openai.APIStatusError)
    assert (str(found), found.status_code, found.code, found.body) == (str(error), 429, "slow", body)


@pytest.mark.parametrize(
    "error",
    [
        openai.APIConnectionError(message="went away", request=REQUEST),
        openai.APITimeoutError(REQUEST),
        openai.APIError("odd", REQUEST, body={"message": "odd", "code": "x"}),
        ModelBehaviorError("odd"),
        UserError("wrong"),
    ],
)
def test_an_error_without_a_status_comes_back_as_itself(error: Exception) -> None:
    """Its class and its message are those that were recorded."""
    found = revive(fault_of(error))
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert getattr(found, "code", None) == getattr(error, "code", None)


def test_other_errors_are_not_revived_here() -> None:
    """An error that is not the SDK's is for the tap, even if it has a status."""
    assert revive({"type": "KeyError", "message": "'a'", "status_code": 500}) is None


async def read(streaming: Model, *, until: Callable[[list[Any]], bool]) -> list[TResponseStreamEvent]:
    """Return the events of a stream, up to some point."""
    seen: list[TResponseStreamEvent] = []
    opened = streaming.stream_response(
        None,
        "Hi.",
        ModelSettings(),
        [],
        None,
        [],
        ModelTracing.DISABLED,
        previous_response_id=None,
        conversation_id=None,
        prompt=None,
    )
    async with aclosing(opened) as events:  # type: ignore[type-var]
        async for event in events:
            seen.append(event)
            if until(seen):
                break
    return seen


@pytest.mark.anyio
async def test_a_stream_that_is_left_ends_there(tmp_path: Path) -> None:
    """Who goes after the first piece of text sees the same in a replay, and reading on is a mismatch."""
    first = {"until": lambda seen: isinstance(seen[-1], ResponseTextDeltaEvent)}
    place = tmp_path / "tape.jsonl"
    with record(place) as recorder:
        script = ScriptedModel([say("Hello there.", chunks=4)])
        live = await read(model(scripted(script), RecordingTap(recorder)), **first)
    with rerun(place) as tap:
        assert await read(model(None, tap, name="scripted"), **first) == live
    with pytest.raises(ReplayMismatch, match="read further"), rerun(place) as tap:
        await read(model(None, tap, name="scripted"), until=lambda seen: False)


@pytest.mark.anyio
async def test_a_secret_that_is_split_between_events_is_taken_out(tmp_path: Path) -> None:
    """The pieces of a text are one text, for who looks for secrets."""
    key = "sk-ant-api03-" + "Ab3" * 20
    spoken = say(f"Your key is {key}, keep it.", chunks=[f"Your key is {key[:20]}", key[20:], ", keep it."])
    place = tmp_path / "tape.jsonl"
    with record(place) as recorder:
        await read(model(scripted(ScriptedModel([spoken])), RecordingTap(recorder)), until=lambda seen: False)
    assert key[20:] not in place.read_text()
    assert "keep it." in place.read_text()

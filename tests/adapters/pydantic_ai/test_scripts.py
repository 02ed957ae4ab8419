"""Scripts as models of pydantic-ai: what a script says is what an agent hears, on asyncio and trio."""

from typing import Any

import pytest
from pydantic_ai.exceptions import (
    ModelAuthenticationError,
    ModelConnectionError,
    ModelHTTPError,
    ModelOverloadedError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelServerError,
)
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.usage import RequestUsage

from playhead.adapters.pydantic_ai import scripted
from playhead.clocks.virtual import VirtualClock
from playhead.errors import ReplayMismatch
from playhead.models.scripted import FunctionModel, Scripted, ScriptedModel
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

ASKED: list[ModelMessage] = [ModelRequest.user_text_prompt("Hi.")]
PARAMETERS = ModelRequestParameters()


async def whole(asked: Model) -> ModelResponse:
    """Return an answer as a whole."""
    return await asked.request(ASKED, None, PARAMETERS)


async def streamed(asked: Model) -> ModelResponse:
    """Return what a streamed answer adds up to."""
    async with asked.request_stream(ASKED, None, PARAMETERS) as opened:
        async for _ in opened:
            pass
    return opened.get()


BOTH = pytest.mark.parametrize("answer", [whole, streamed])


@BOTH
async def test_a_turn_becomes_a_response(answer: Any) -> None:
    """Thoughts, text, calls, usage, the reason, the model and the time: whole and streamed."""
    script = turn(
        think("Hm, so.", chunks=2),
        say("Hello there.", chunks=3),
        call("wave", hand="left").in_chunks(3),
        call("wave", hand="right").with_id("mine"),
        garbage(),
        usage(7, 8),
    )
    clock = VirtualClock()
    response = await answer(scripted(ScriptedModel([script], clock=clock), name="parrot"))
    assert response == ModelResponse(
        parts=[
            ThinkingPart("Hm, so."),
            TextPart("Hello there."),
            ToolCallPart("wave", '{"hand":"left"}', tool_call_id="call_1"),
            ToolCallPart("wave", '{"hand":"right"}', tool_call_id="mine"),
        ],
        usage=RequestUsage(input_tokens=7, output_tokens=8),
        model_name="parrot",
        timestamp=clock.now(),
        provider_name="playhead",
        provider_details={"finish_reason": "tool_calls"},
        finish_reason="tool_call",
    )


@BOTH
@pytest.mark.parametrize(
    ("reason", "named"),
    [("stop", "stop"), ("length", "length"), ("content_filter", "content_filter"), ("eos", None)],
)
async def test_the_reason_is_pydantic_ai_s_own(answer: Any, reason: str, named: str | None) -> None:
    """A reason that pydantic-ai has no word for is kept in the provider's details only."""
    response = await answer(scripted(ScriptedModel([turn(say("Hello."), stop(reason))])))
    assert (response.finish_reason, response.provider_details) == (named, {"finish_reason": reason})


@BOTH
@pytest.mark.parametrize("script", [turn(say("Hello there.", chunks=2), cut(at=1, clean=True)), cut(clean=True)])
async def test_a_clean_cut_leaves_an_answer_incomplete(answer: Any, script: Scripted) -> None:
    """A stream that ends too early is no error, and its answer has no reason."""
    response = await answer(scripted(ScriptedModel([script])))
    assert (response.state, response.finish_reason) == ("incomplete", None)


@BOTH
@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (RateLimit(retry_after_s=2), ModelRateLimitError),
        (Overloaded(), ModelOverloadedError),
        (ServerError(), ModelServerError),
        (BadRequest(), ModelRequestRejectedError),
        (Unauthorized(), ModelAuthenticationError),
        (ProviderFailure(kind="teapot", status=418), ModelHTTPError),
    ],
)
async def test_a_refusal_is_pydantic_ai_s_own_error(answer: Any, failure: ProviderFailure, kind: Any) -> None:
    """Each failure of a provider is an HTTP error, of the category that a real model would raise."""
    with pytest.raises(kind) as refused:
        await answer(scripted(ScriptedModel([fail(failure)]), name="m"))
    error = refused.value
    assert isinstance(error, ModelHTTPError)
    assert (error.status_code, error.model_name, error.retry_after) == (failure.status, "m", failure.retry_after_s)
    assert error.body == {"message": failure.message, "type": failure.kind}
    assert not error.in_stream


@BOTH
async def test_a_failure_after_the_first_piece_is_one_in_the_stream(answer: Any) -> None:
    """What fails in the middle says so."""
    with pytest.raises(ModelRateLimitError) as failed:
        await answer(scripted(ScriptedModel([turn(say("Hello there.", chunks=2), fail(RateLimit(), at=1))])))
    assert failed.value.in_stream


@BOTH
async def test_a_lost_connection_is_a_connection_error(answer: Any) -> None:
    """A cut has no status."""
    with pytest.raises(ModelConnectionError, match="lost") as failed:
        await answer(scripted(ScriptedModel([cut()])))
    assert failed.value.phase == "read"


@BOTH
async def test_a_script_that_is_too_short_says_so(answer: Any) -> None:
    """Running out of turns is no failure of a provider."""
    with pytest.raises(ReplayMismatch, match="add a turn"):
        await answer(scripted(ScriptedModel([])))


async def test_a_function_answers_what_it_was_asked() -> None:
    """A function sees the conversation with roles and content, the tools, and the settings."""
    tool = ToolDefinition(name="weather", description="Tell it.", parameters_json_schema={"type": "object"})
    output = ToolDefinition(name="final_result", parameters_json_schema={"type": "object"})
    conversation: list[ModelMessage] = [
        ModelRequest([SystemPromptPart("You are kind."), UserPromptPart("Paris?")], instructions="Be brief."),
        ModelResponse([TextPart("Let me see."), ToolCallPart("weather", '{"city": "Paris"}', tool_call_id="c1")]),
        ModelRequest([ToolReturnPart("weather", {"rain": True}, tool_call_id="c1")], instructions="Be brief."),
        ModelResponse([TextPart("Rain.")]),
        ModelRequest([UserPromptPart("Say more.")], instructions="Be brisk."),
    ]
    played = FunctionModel(lambda request: say(str(request.messages[-1]["content"]).upper()))
    asked = scripted(played, name="echo")
    response = await asked.request(
        conversation,
        ModelSettings(temperature=0.5),
        ModelRequestParameters(
            function_tools=[tool], output_tools=[output], output_mode="tool", allow_text_output=False
        ),
    )
    assert response.text == "SAY MORE."
    (request,) = played.calls
    assert request.messages[:-1] == (
        {"role": "system", "content": "Be brisk."},
        {"role": "system", "content": "You are kind."},
        {"role": "user", "content": "Paris?"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [{"id": "c1", "name": "weather", "arguments": {"city": "Paris"}}],
        },
        {"role": "tool", "content": '{"rain":true}', "tool_call_id": "c1", "name": "weather"},
        {"role": "assistant", "content": "Rain."},
    )
    assert request.tools == (
        {"name": "weather", "description": "Tell it.", "parameters": {"type": "object"}},
        {"name": "final_result", "description": None, "parameters": {"type": "object"}},
    )
    assert (request.model, request.is_stream, request.options) == ("echo", False, {"temperature": 0.5})


async def test_a_pause_passes_on_the_model_s_clock() -> None:
    """An hour of thinking takes no time."""
    clock = VirtualClock()
    before = clock.now()
    response = await streamed(scripted(ScriptedModel([turn(pause(3600), say("Hello."))], clock=clock)))
    assert (clock.now() - before).total_seconds() == 3600
    assert response.text == "Hello."

"""Google's own SDK asks a served model."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from google.genai import errors
from google.genai.types import (
    FunctionDeclaration,
    GenerateContentConfig,
    GenerateContentResponse,
    HttpOptions,
    HttpRetryOptions,
    Part,
    Tool,
)

from playhead.models.scripted import ScriptedModel
from playhead.provider.serving import Served, serve_model
from playhead.scripts import RateLimit, fail, raw_call, say, stop, turn
from tests.provider.peers import MODEL, QUESTION, gemini
from tests.provider.turns import FORECAST, TEXT

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = Tool(
    function_declarations=[
        FunctionDeclaration(name="weather", description="Tell the weather.", parameters_json_schema=SCHEMA)
    ]
)
CONFIG = GenerateContentConfig(system_instruction="Be brief.", tools=[TOOL], temperature=0.5)

ANSWER = {
    "text": TEXT,
    "calls": [("call_1", "weather", {"city": "Paris"}), ("call_2", "weather", {"city": "Rome"})],
    "thoughts": "Two cities.",
    "reasons": ["STOP"],
    "usages": [(9, 5, 14)],
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


def parts(chunk: GenerateContentResponse) -> list[Part]:
    """Return the parts of a chunk."""
    (candidate,) = chunk.candidates or []
    return (candidate.content and candidate.content.parts) or []


def answer(chunks: Iterable[GenerateContentResponse]) -> dict[str, Any]:
    """Return what matters of one response, or of all the chunks of a stream."""
    every = list(chunks)
    said = [part for chunk in every for part in parts(chunk)]
    reasons = [candidate.finish_reason for chunk in every for candidate in chunk.candidates or []]
    usages = [chunk.usage_metadata for chunk in every if chunk.usage_metadata]
    return {
        "text": "".join(part.text or "" for part in said if not part.thought),
        "calls": [
            (part.function_call.id, part.function_call.name, part.function_call.args)
            for part in said
            if part.function_call
        ],
        "thoughts": "".join(part.text or "" for part in said if part.thought),
        "reasons": [reason.value for reason in reasons if reason],
        "usages": [
            (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count) for usage in usages
        ],
    }


def test_a_response(served: Served, model: ScriptedModel) -> None:
    """A response that does not stream is whole, and the model hears what was asked."""
    with gemini(served) as client:
        found = client.models.generate_content(model=MODEL, contents=QUESTION, config=CONFIG)
    assert answer([found]) == ANSWER
    assert found.model_version == MODEL
    (asked,) = model.calls
    assert asked.messages == ({"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION})
    assert asked.tools == ({"name": "weather", "description": "Tell the weather.", "parameters": SCHEMA},)
    assert (asked.model, asked.is_stream) == (MODEL, False)
    assert asked.options == {"generationConfig": {"temperature": 0.5}}


def test_a_streamed_response(served: Served) -> None:
    """Each piece is a chunk, each call is whole in one, and the last one has the reason and the usage."""
    with gemini(served) as client:
        chunks = list(client.models.generate_content_stream(model=MODEL, contents=QUESTION))
    assert answer(chunks) == ANSWER
    assert len(chunks) == 2 + 3 + 2 + 1
    assert len({chunk.response_id for chunk in chunks}) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # The SDK knows no other event loop.
async def test_a_response_in_an_event_loop(served: Served) -> None:
    """The client for event loops gets the same response."""
    async with gemini(served).aio as client:
        assert answer([await client.models.generate_content(model=MODEL, contents=QUESTION)]) == ANSWER


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_streamed_response_in_an_event_loop(served: Served) -> None:
    """The client for event loops gets the same chunks."""
    async with gemini(served).aio as client:
        stream = await client.models.generate_content_stream(model=MODEL, contents=QUESTION)
        assert answer([chunk async for chunk in stream]) == ANSWER


def test_a_refusal_is_tried_again() -> None:
    """Where the SDK is told to, it asks again, and the same question gets its answer."""
    model = ScriptedModel([fail(RateLimit(retry_after_s=0.01)), say("At last.")])
    retrying = HttpOptions(retry_options=HttpRetryOptions(attempts=2, initial_delay=0.01, max_delay=0.01))
    with serve_model(model) as served, gemini(served) as client:
        found = client.models.generate_content(
            model=MODEL, contents=QUESTION, config=GenerateContentConfig(http_options=retrying)
        )
    assert found.text == "At last."
    first, second = model.calls
    assert first == second


def test_a_refusal_has_the_words_of_the_provider() -> None:
    """The error has a code, a status, and the time to wait where there is one."""
    with (
        serve_model(ScriptedModel([fail(RateLimit(retry_after_s=0.25, message="Slow down."))])) as served,
        gemini(served) as client,
        pytest.raises(errors.ClientError) as raised,
    ):
        client.models.generate_content(model=MODEL, contents=QUESTION)
    assert (raised.value.code, raised.value.status, raised.value.message) == (429, "RESOURCE_EXHAUSTED", "Slow down.")
    assert raised.value.details["error"]["details"] == [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.25s"}
    ]


@pytest.mark.parametrize(
    ("reason", "finish_reason"), [("stop", "STOP"), ("length", "MAX_TOKENS"), ("content_filter", "SAFETY")]
)
def test_the_reasons_to_stop(reason: str, finish_reason: str) -> None:
    """Each of our words for why a model stops has one of the provider's."""
    model = ScriptedModel([turn(say("Once upon"), stop(reason))] * 2)
    with serve_model(model) as served, gemini(served) as client:
        whole = client.models.generate_content(model=MODEL, contents=QUESTION)
        chunks = list(client.models.generate_content_stream(model=MODEL, contents=QUESTION))
    assert answer([whole])["reasons"] == answer(chunks)["reasons"] == [finish_reason]


def test_a_malformed_call_is_none() -> None:
    """A call whose arguments are no object is left out, and is the reason why the answer ends."""
    model = ScriptedModel([raw_call("weather", '{"city": "Par')] * 2)
    with serve_model(model) as served, gemini(served) as client:
        whole = client.models.generate_content(model=MODEL, contents=QUESTION)
        chunks = list(client.models.generate_content_stream(model=MODEL, contents=QUESTION))
    for found in (answer([whole]), answer(chunks)):
        assert (found["calls"], found["reasons"]) == ([], ["MALFORMED_FUNCTION_CALL"])

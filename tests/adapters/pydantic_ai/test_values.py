"""pydantic-ai's answers through the tap, event by event: facts, failures, early ends. On asyncio and trio."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.exceptions import (
    ApprovalRequired,
    CallDeferred,
    ContentFilterError,
    ModelAPIError,
    ModelConnectionError,
    ModelHTTPError,
    ModelOverloadedError,
    ModelRateLimitError,
    ModelRetry,
    ModelTimeoutError,
    ToolFailed,
    UnexpectedModelBehavior,
)
from pydantic_ai.messages import (
    BinaryImage,
    FilePart,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponseStreamEvent,
    PartStartEvent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)
from pydantic_ai.models import Model, ModelRequestContext, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from playhead.adapters.pydantic_ai import model, revive, scripted
from playhead.adapters.pydantic_ai.values import question
from playhead.errors import ReplayMismatch, UsageError
from playhead.models.scripted import ScriptedModel
from playhead.recording.calls import fault_of
from playhead.recording.recorder import record
from playhead.recording.taps import RecordingTap
from playhead.replaying.taps import rerun
from playhead.scripts import Overloaded, RateLimit, call, cut, fail, say, think, turn, usage

pytestmark = pytest.mark.anyio

ASKED: list[ModelMessage] = [ModelRequest.user_text_prompt("Hi.")]
PARAMETERS = ModelRequestParameters()
SPEAKING = turn(think("Hm.", chunks=2), say("Hello there.", chunks=3), call("wave", hand="left").in_chunks(2))

# pydantic-ai leaves the generators of a stream that is left to the garbage collector, and trio warns of that.
LEAVING = pytest.mark.parametrize("anyio_backend", ["asyncio"])

Seen = list[tuple[ModelResponseStreamEvent, ModelResponse]]


async def streamed(asked: Model, seen: Seen, *, until: Callable[[Seen], bool] = lambda seen: False) -> ModelResponse:
    """Read a streamed answer, and note each event and the answer as it then is. Return it as it is at the end."""
    async with asked.request_stream(ASKED, None, PARAMETERS) as opened:
        async for event in opened:
            seen.append((event, deepcopy(opened.get())))
            if until(seen):
                break
    return opened.get()


async def cancelled(asked: Model, seen: Seen) -> ModelResponse:
    """Read a streamed answer that is cancelled after its third event."""
    async with asked.request_stream(ASKED, None, PARAMETERS) as opened:
        async for event in opened:
            seen.append((event, deepcopy(opened.get())))
            if len(seen) == 3:
                await opened.cancel()
    return opened.get()


def answering(*parts: Any, **facts: Any) -> FunctionModel:
    """Return a model that answers with one response."""

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(list(parts), **facts)

    return FunctionModel(answer, model_name="m")


async def test_a_whole_answer_is_replayed_as_it_was(tmp_path: Path) -> None:
    """Parts, bytes, usage, the provider's own time and all other facts come back as the classes that they were."""
    at = datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    real = answering(
        TextPart("Hello.", id="t1", provider_details={"logprobs": [0.5]}),
        ThinkingPart("Hm.", signature="s", provider_name="p"),
        ToolCallPart("wave", {"hand": None}, tool_call_id="c1"),
        ToolCallPart("wave", '{"hand": "left"}'),
        FilePart(BinaryImage(b"\xff\x00", media_type="image/png")),
        timestamp=at,
        usage=RequestUsage(input_tokens=3, output_tokens=4, cache_read_tokens=1, details={"audio": 2}),
        provider_name="p",
        provider_url="https://p.example",
        provider_response_id="r1",
        provider_details={"timestamp": at, "finish_reason": "STOP"},
        finish_reason="length",
        metadata={"a": None},
    )
    with record(tmp_path / "tape.jsonl") as recorder:
        live = await model(real, RecordingTap(recorder)).request(ASKED, None, PARAMETERS)
    with rerun(tmp_path / "tape.jsonl") as tap:
        again = await model(None, tap, name="m").request(ASKED, None, PARAMETERS)
    assert again == live
    assert [type(part) for part in again.parts] == [TextPart, ThinkingPart, ToolCallPart, ToolCallPart, FilePart]


async def test_each_event_of_a_stream_is_replayed_with_what_is_then_known(tmp_path: Path) -> None:
    """Events, and after each of them parts, usage, reason and time, are those of the recorded run; so is the end."""
    tokens = turn(SPEAKING, usage(7, 8))
    live: Seen = []
    again: Seen = []
    with record(tmp_path / "tape.jsonl") as recorder:
        ended = await streamed(model(scripted(ScriptedModel([tokens])), RecordingTap(recorder)), live)
    with rerun(tmp_path / "tape.jsonl") as tap:
        replayed = await streamed(model(None, tap, name="scripted"), again)
    assert again == live
    assert len(live) > len(SPEAKING.parts)
    assert replayed == ended
    assert ended.usage == RequestUsage(input_tokens=7, output_tokens=8)
    assert (ended.finish_reason, ended.state, ended.provider_name) == ("tool_call", "complete", "playhead")
    assert ended.provider_details == {"finish_reason": "tool_calls"}


async def test_a_recorded_stream_is_the_real_one(tmp_path: Path) -> None:
    """The recorder changes no event, and nothing of what the answer says of itself."""
    seen: Seen = []
    bare: Seen = []
    with record(tmp_path / "tape.jsonl") as recorder:
        tapped = await streamed(model(scripted(ScriptedModel([SPEAKING])), RecordingTap(recorder)), seen)
    untapped = await streamed(scripted(ScriptedModel([SPEAKING])), bare)
    assert [event for event, _ in seen] == [event for event, _ in bare]
    assert replace(tapped, timestamp=untapped.timestamp) == untapped


@LEAVING
@pytest.mark.parametrize("read", [streamed, cancelled])
async def test_a_stream_that_is_left_or_cancelled_is_replayed_so(tmp_path: Path, read: Any) -> None:
    """Who goes after three events sees the same three in a replay, and the same unfinished answer."""
    options = {} if read is cancelled else {"until": lambda seen: len(seen) == 3}
    live: Seen = []
    again: Seen = []
    played = ScriptedModel([SPEAKING])
    with record(tmp_path / "tape.jsonl") as recorder:
        ended = await read(model(scripted(played), RecordingTap(recorder)), live, **options)
    with rerun(tmp_path / "tape.jsonl") as tap:
        replayed = await read(model(None, tap, name="scripted"), again, **options)
    assert again == live
    assert replayed == ended
    assert ended.state == ("interrupted" if read is cancelled else "incomplete")


@LEAVING
async def test_reading_further_than_the_recorded_run_is_a_mismatch(tmp_path: Path) -> None:
    """A stream that was left after two events has no third."""
    seen: Seen = []
    with record(tmp_path / "tape.jsonl") as recorder:
        asked = model(scripted(ScriptedModel([SPEAKING])), RecordingTap(recorder))
        await streamed(asked, [], until=lambda seen: len(seen) == 2)
    with pytest.raises(ReplayMismatch, match="read further"), rerun(tmp_path / "tape.jsonl") as tap:
        await streamed(model(None, tap, name="scripted"), seen)
    assert len(seen) == 2


async def failing(asked: Model, seen: Seen) -> ModelAPIError:
    """Return what a streamed answer fails with."""
    with pytest.raises(ModelAPIError) as failed:
        await streamed(asked, seen)
    return failed.value


@pytest.mark.parametrize(
    ("script", "kind", "count"),
    [
        (fail(RateLimit(retry_after_s=2)), ModelRateLimitError, 0),
        (turn(say("Hello there.", chunks=3), fail(Overloaded(), at=2)), ModelOverloadedError, 2),
        (turn(say("Hello there.", chunks=3), cut(at=1)), ModelConnectionError, 1),
    ],
)
async def test_a_failure_is_replayed_as_itself(
    tmp_path: Path, script: Any, kind: type[ModelAPIError], count: int
) -> None:
    """A refused request, an error in the stream and a lost connection fail again, at the same event, by the class."""
    live: Seen = []
    again: Seen = []
    with record(tmp_path / "tape.jsonl") as recorder:
        first = await failing(model(scripted(ScriptedModel([script])), RecordingTap(recorder)), live)
    with rerun(tmp_path / "tape.jsonl") as tap:
        second = await failing(model(None, tap, name="scripted"), again)
    assert type(first) is type(second)
    assert isinstance(second, kind)
    assert str(first) == str(second)
    assert again == live
    assert sum(isinstance(event, PartStartEvent) or "delta" in event.event_kind for event, _ in live) == count


@pytest.mark.parametrize("kind", [None, ModelRateLimitError, ModelOverloadedError])
def test_an_error_over_http_comes_back_with_its_body(kind: Any) -> None:
    """Status, model and body are read off the message, in which pydantic-ai has them all."""
    body = {"error": {"message": 'it\'s too "much"', "code": 3, "inner": [None, True]}}
    error = ModelHTTPError.for_category(kind, status_code=429, model_name="gpt-5, mini", body=body)
    found = revive(fault_of(error))
    assert isinstance(found, ModelHTTPError)
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert (found.status_code, found.model_name, found.body) == (429, "gpt-5, mini", body)


@pytest.mark.parametrize("body", ["<html>busy</html>", None, "a, body: b"])
def test_a_body_that_is_no_json_is_text(body: str | None) -> None:
    """The body of a proxy's page is text, and none is none."""
    found = revive(fault_of(ModelHTTPError(502, "m", body)))
    assert isinstance(found, ModelHTTPError)
    assert (found.body, str(found)) == (body, f"status_code: 502, model_name: m, body: {body}")


@pytest.mark.parametrize(
    "error",
    [
        ModelTimeoutError("m", "timed out"),
        ModelAPIError("m", "went wrong"),
        UnexpectedModelBehavior("odd", body='{"a": 1}'),
        ContentFilterError("no"),
        ModelRetry("again"),
        ToolFailed("broken"),
        ApprovalRequired(),
        CallDeferred(kind="question"),
    ],
)
def test_an_error_without_a_status_comes_back_as_itself(error: Exception) -> None:
    """Its class and its message are those that were recorded."""
    found = revive(fault_of(error))
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert getattr(found, "kind", None) == getattr(error, "kind", None)


def test_other_errors_are_not_revived_here() -> None:
    """An error that is not pydantic-ai's is for the tap, even if it has a status."""
    assert revive({"type": "KeyError", "message": "'a'", "status_code": 500}) is None


async def test_a_secret_that_is_split_between_the_first_events_is_taken_out(tmp_path: Path) -> None:
    """The text of the event that begins a part and that of the next ones are one text, for who looks for secrets."""
    key = "sk-ant-api03-" + "Ab3" * 20
    spoken = say(f"Your key is {key}, keep it.", chunks=[f"Your key is {key[:20]}", key[20:], ", keep it."])
    place = tmp_path / "tape.jsonl"
    with record(place) as recorder:
        await streamed(model(scripted(ScriptedModel([spoken])), RecordingTap(recorder)), [])
    assert key[20:] not in place.read_text()
    assert "keep it." in place.read_text()
    with rerun(place) as tap:
        again = await streamed(model(None, tap, name="scripted"), [])
    assert str(again.text).startswith("Your key is <")


class Changing(StreamedResponse):
    """Change what was given out, as streams of real models do, and have a connection to close."""

    timestamp = datetime(2030, 1, 1, tzinfo=UTC)
    model_name = "m"
    provider_name = None
    provider_url = None
    is_closed = False

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        self.provider_details = {"count": 0}
        for text in ("One ", "two ", "three."):
            self.provider_details["count"] += 1
            self._usage.output_tokens += 1
            for event in self._parts_manager.handle_text_delta(vendor_part_id=0, content=text):
                yield event

    async def close_stream(self) -> None:
        """Close the connection."""
        self.is_closed = True


class ChangingModel(FunctionModel):
    """Answer with a stream that changes."""

    def __init__(self) -> None:
        super().__init__(lambda messages, info: ModelResponse([]), model_name="m")
        self.opened = Changing(PARAMETERS)

    @asynccontextmanager
    async def request_stream(self, *_: Any, **__: Any) -> AsyncGenerator[StreamedResponse]:
        """Open the stream."""
        yield self.opened


async def test_facts_are_those_of_their_moment(tmp_path: Path) -> None:
    """A stream that counts in place is taped as it was at each event."""
    live: Seen = []
    again: Seen = []
    with record(tmp_path / "tape.jsonl") as recorder:
        await streamed(model(ChangingModel(), RecordingTap(recorder)), live)
    with rerun(tmp_path / "tape.jsonl") as tap:
        await streamed(model(None, tap, name="m"), again)
    assert again == live
    counts = [(answer.provider_details, answer.usage.output_tokens) for event, answer in again if "delta" in str(event)]
    assert counts == [({"count": 2}, 2), ({"count": 3}, 3)]


@LEAVING
async def test_cancelling_reaches_the_real_stream(tmp_path: Path) -> None:
    """Who cancels while it is recorded closes the connection."""
    real = ChangingModel()
    with record(tmp_path / "tape.jsonl") as recorder:
        await cancelled(model(real, RecordingTap(recorder)), [])
    assert real.opened.is_closed
    assert real.opened.cancelled


class Counting(FunctionModel):
    """Count and compact, as some models can."""

    async def count_tokens(
        self, messages: list[ModelMessage], settings: ModelSettings | None, parameters: ModelRequestParameters
    ) -> RequestUsage:
        """Return a count."""
        return RequestUsage(input_tokens=11)

    async def compact_messages(
        self, request_context: ModelRequestContext, *, instructions: str | None = None
    ) -> ModelResponse:
        """Return something short."""
        return ModelResponse([TextPart(f"short: {instructions}")])


async def counted(asked: Model) -> tuple[RequestUsage, ModelResponse]:
    """Count a conversation and compact it."""
    context = ModelRequestContext(model=asked, messages=ASKED, model_settings=None, model_request_parameters=PARAMETERS)
    tokens = await asked.count_tokens(ASKED, None, PARAMETERS)
    return tokens, await asked.compact_messages(context, instructions="names")


async def test_counting_and_compacting_go_through_the_tap(tmp_path: Path) -> None:
    """What a provider counts and compacts is replayed too."""
    with record(tmp_path / "tape.jsonl") as recorder:
        real = Counting(lambda messages, info: ModelResponse([]), model_name="m")
        live = await counted(model(real, RecordingTap(recorder)))
    with rerun(tmp_path / "tape.jsonl") as tap:
        assert await counted(model(None, tap, name="m")) == live


@pytest.mark.parametrize(
    "change",
    [
        {"model_settings": ModelSettings(temperature=1.0)},
        {"messages": [ModelRequest.user_text_prompt("Ho.")]},
        {"messages": [ModelRequest.user_text_prompt("Hi.", instructions="Be brief.")]},
        {"model_request_parameters": ModelRequestParameters(allow_text_output=False)},
    ],
)
async def test_each_part_of_a_question_counts(tmp_path: Path, change: dict[str, Any]) -> None:
    """Other settings, messages, instructions or parameters are another question."""
    asked: dict[str, Any] = {
        "messages": ASKED,
        "model_settings": None,
        "model_request_parameters": PARAMETERS,
    }
    with record(tmp_path / "tape.jsonl") as recorder:
        await model(answering(TextPart("Hello.")), RecordingTap(recorder)).request(**asked)
    with pytest.raises(ReplayMismatch), rerun(tmp_path / "tape.jsonl") as tap:
        await model(None, tap, name="m").request(**asked | change)


async def test_a_stream_is_another_question_than_a_whole_answer(tmp_path: Path) -> None:
    """What was streamed cannot answer for what is asked as a whole."""
    with record(tmp_path / "tape.jsonl") as recorder:
        await streamed(model(scripted(ScriptedModel([SPEAKING])), RecordingTap(recorder)), [])
    with pytest.raises(ReplayMismatch, match="method"), rerun(tmp_path / "tape.jsonl") as tap:
        await model(None, tap, name="scripted").request(ASKED, None, PARAMETERS)


def test_sets_are_asked_in_order() -> None:
    """The order of a set is another one in each process, and the question is the same."""
    names = {f"tool_{letter}" for letter in "hgfedcba"}
    parameters = ModelRequestParameters(revealed_tool_names=names)
    found = question("request", "m", messages=ASKED, settings=None, parameters=parameters)
    assert found["parameters"] == {"revealed_tool_names": sorted(names)}


async def test_another_model_is_another_question(tmp_path: Path) -> None:
    """The name of the model counts."""
    with record(tmp_path / "tape.jsonl") as recorder:
        await model(answering(TextPart("Hello.")), RecordingTap(recorder)).request(ASKED, None, PARAMETERS)
    with pytest.raises(ReplayMismatch, match="model"), rerun(tmp_path / "tape.jsonl") as tap:
        await model(None, tap, name="n").request(ASKED, None, PARAMETERS)


async def test_settings_without_a_json_form_are_told_by_their_class(tmp_path: Path) -> None:
    """A setting that is an object is the same one in the next process, where it has another address."""
    with record(tmp_path / "tape.jsonl") as recorder:
        settings: Any = {"hook": object()}
        await model(answering(TextPart("Hello.")), RecordingTap(recorder)).request(ASKED, settings, PARAMETERS)
    with rerun(tmp_path / "tape.jsonl") as tap:
        settings = {"hook": object()}
        await model(None, tap, name="m").request(ASKED, settings, PARAMETERS)


async def asked_whole(asked: Model) -> None:
    """Ask for an answer as a whole."""
    await asked.request(ASKED, None, PARAMETERS)


async def asked_streaming(asked: Model) -> None:
    """Ask for a streamed answer."""
    await streamed(asked, [])


@pytest.mark.parametrize("ask", [asked_whole, asked_streaming, counted])
async def test_nobody_to_ask_is_said(tmp_path: Path, ask: Callable[[Model], Any]) -> None:
    """Recording without a real model is the author's mistake, and the error says what to do."""
    with pytest.raises(UsageError, match="no real model 'm'"), record(tmp_path / "tape.jsonl") as recorder:
        await ask(model(None, RecordingTap(recorder), name="m"))


def test_no_model_needs_a_name(tmp_path: Path) -> None:
    """Without a real model there is no name to ask by."""
    with record(tmp_path / "tape.jsonl") as recorder, pytest.raises(UsageError, match="needs the name"):
        model(None, RecordingTap(recorder))

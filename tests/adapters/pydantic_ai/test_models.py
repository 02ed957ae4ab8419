"""pydantic-ai's models through the tap: what an agent did is done again, without a model."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel, TypeAdapter
from pydantic_ai import Agent, ModelRetry, RunContext, ToolOutput
from pydantic_ai.exceptions import ModelConnectionError, ModelHTTPError, ModelRateLimitError
from pydantic_ai.messages import (
    AgentStreamEvent,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelResponse,
    PartEndEvent,
    ThinkingPart,
    ToolCallPart,
)
from pydantic_ai.models import Model
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from playhead.adapters.pydantic_ai import MADE, model, scripted, tools
from playhead.errors import ReplayMismatch
from playhead.events.tagged import loads
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.models.tap import Tap
from playhead.recording.recorder import record
from playhead.recording.taps import RecordingTap
from playhead.replaying.tape import open_tape
from playhead.replaying.taps import rerun
from playhead.scripts import RateLimit, call, cut, fail, say, think, turn, usage
from tests.adapters.loopback import Prepared, serving

pytestmark = pytest.mark.anyio

MOMENT = {"timestamp", "run_id", "conversation_id", "model_id", "history_digest"}
"""What pydantic-ai itself stamps anew on each run."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run agents on asyncio only, as pydantic-ai does. Models run on trio too, as the tests of scripts show."""
    return "asyncio"


class Advice(BaseModel):
    """What an agent answers with."""

    place: str
    umbrella: bool


class Weather:
    """A tool, and how often it was asked."""

    def __init__(self) -> None:
        self.cities: list[str] = []

    async def weather(self, ctx: RunContext[str], city: str, days: int = 1) -> str:
        """Tell the weather.

        Args:
            ctx: Who asks.
            city: Where.
            days: For how long.
        """
        self.cities.append(city)
        if city == "Atlantis":
            raise ModelRetry("there is no such city")
        return f"{city}: rain for {days} of {ctx.deps}'s days"


TRIP: Sequence[Scripted] = (
    turn(
        think("Two cities.", chunks=2), say("Let me see. "), call("weather", city="Paris"), call("weather", city="Rome")
    ),
    turn(call("weather", city="Atlantis"), usage(40, 5)),
    turn(call("final_result", place="Paris", umbrella="perhaps")),
    turn(call("final_result", place="Rome", umbrella=True).in_chunks(4), usage(60, 9)),
)
"""Two tools at once, one that asks for a retry, output that is not valid, and output."""


def advisor(asked: Model, tap: Tap, weather: Weather) -> Agent[str, Advice]:
    """Return the agent of these tests."""
    return Agent(
        asked,
        deps_type=str,
        output_type=ToolOutput(Advice),
        instructions="Be brief.",
        tools=tools([weather.weather], tap),
        retries=2,
        model_settings={"temperature": 0.5},
    )


def plain(messages: Sequence[ModelMessage]) -> Any:
    """Return messages without what each run stamps on them."""
    return stripped(ModelMessagesTypeAdapter.dump_python(list(messages), mode="json"))


def stripped(value: Any) -> Any:
    """Return a JSON value without what each run stamps on it."""
    if isinstance(value, dict):
        return {key: stripped(item) for key, item in value.items() if key not in MOMENT}
    return [stripped(item) for item in value] if isinstance(value, list) else value


def plain_events(events: Sequence[AgentStreamEvent]) -> Any:
    """Return events without what each run stamps on them, each with its class."""
    return [(type(event), stripped(TypeAdapter(Any).dump_python(event, mode="json"))) for event in events]


async def streamed(agent: Agent[Any, Any], prompt: str) -> list[Any]:
    """Return the events of a run."""
    async with agent.run_stream_events(prompt, deps="Ada") as events:
        return [event async for event in events]


async def test_a_run_is_replayed_to_the_same_output_and_messages(tmp_path: Path) -> None:
    """Two tools at once, a retry of a tool, a retry of the output: all of it comes again, and nothing is asked live."""
    place, weather, played = tmp_path / "trip.jsonl", Weather(), ScriptedModel(TRIP)
    with record(place) as recorder:
        recording = RecordingTap(recorder)
        live = await advisor(model(scripted(played), recording), recording, weather).run("Where to?", deps="Ada")
    played.assert_complete()
    assert sorted(weather.cities) == ["Atlantis", "Paris", "Rome"]

    unasked = Weather()
    with rerun(place) as replaying:
        again = await advisor(model(None, replaying, name="scripted"), replaying, unasked).run("Where to?", deps="Ada")
    assert again.output == live.output == Advice(place="Rome", umbrella=True)
    assert plain(again.all_messages()) == plain(live.all_messages())
    assert again.usage == live.usage
    assert unasked.cities == []


async def test_a_streamed_run_is_replayed_to_the_same_events(tmp_path: Path) -> None:
    """Each event of a streamed run comes again: of the same class, with the same content."""
    place = tmp_path / "trip.jsonl"
    with record(place) as recorder:
        recording = RecordingTap(recorder)
        live = await streamed(
            advisor(model(scripted(ScriptedModel(TRIP)), recording), recording, Weather()), "Where to?"
        )
    with rerun(place) as replaying:
        again = await streamed(advisor(model(None, replaying, name="scripted"), replaying, Weather()), "Where to?")
    assert plain_events(again) == plain_events(live)
    assert any(isinstance(event, PartEndEvent) and isinstance(event.part, ThinkingPart) for event in again)
    assert again[-1].result.output == Advice(place="Rome", umbrella=True)
    assert plain(again[-1].result.all_messages()) == plain(live[-1].result.all_messages())


async def test_a_tapped_stream_is_the_untapped_one(tmp_path: Path) -> None:
    """An agent sees the same events with the recorder between it and its model as without."""
    with record(tmp_path / "trip.jsonl") as recorder:
        recording = RecordingTap(recorder)
        tapped = await streamed(
            advisor(model(scripted(ScriptedModel(TRIP)), recording), recording, Weather()), "Where to?"
        )
    with rerun(tmp_path / "trip.jsonl", tools="live", partly=True) as bare:
        untapped = await streamed(advisor(scripted(ScriptedModel(TRIP)), bare, Weather()), "Where to?")
    assert plain_events(tapped) == plain_events(untapped)


def test_the_schema_and_the_documentation_of_a_tool_survive_the_tap(tmp_path: Path) -> None:
    """A tool through the tap is described to a model as it is without, a context for its first argument included."""
    weather = Weather()
    with record(tmp_path / "tape.jsonl") as recorder:
        (tapped,) = tools([weather.weather], RecordingTap(recorder))
    found = [Agent("test", deps_type=str, tools=[each])._function_toolset.tools for each in (tapped, weather.weather)]
    assert found[0]["weather"].tool_def == found[1]["weather"].tool_def
    assert "days" in str(found[0]["weather"].tool_def.parameters_json_schema)


async def test_a_context_is_not_an_argument_on_the_tape(tmp_path: Path) -> None:
    """What a tool was called with is taped without pydantic-ai's context, which has no JSON form."""
    with record(tmp_path / "trip.jsonl") as recorder:
        recording = RecordingTap(recorder)
        await advisor(model(scripted(ScriptedModel(TRIP)), recording), recording, Weather()).run(
            "Where to?", deps="Ada"
        )
    with open_tape(tmp_path / "trip.jsonl") as tape:
        asked = [loads(data) for _, _, kind, data in tape.calls() if kind == "tool_call"]
    arguments = [{"city": city, "days": 1} for city in ("Paris", "Rome", "Atlantis")]
    assert asked == [{"name": "weather", "arguments": each} for each in arguments]


async def test_a_changed_prompt_is_a_mismatch(tmp_path: Path) -> None:
    """An agent that asks something else than was recorded is told so, and where."""
    place = tmp_path / "trip.jsonl"
    with record(place) as recorder:
        recording = RecordingTap(recorder)
        await advisor(model(scripted(ScriptedModel(TRIP)), recording), recording, Weather()).run(
            "Where to?", deps="Ada"
        )
    with pytest.raises(ReplayMismatch, match="Where from"), rerun(place) as replaying:
        await advisor(model(None, replaying, name="scripted"), replaying, Weather()).run("Where from?", deps="Ada")


async def test_a_mismatch_comes_out_though_it_was_swallowed(tmp_path: Path) -> None:
    """A mismatch that a fallback took for a failing model is raised again on leaving the tap."""
    place = tmp_path / "hello.jsonl"
    with record(place) as recorder:
        recording = RecordingTap(recorder)
        await Agent(model(scripted(ScriptedModel([say("Hello.")])), recording)).run("Hi.")
    second = ScriptedModel([say("Never mind.")])
    with pytest.raises(ReplayMismatch, match="Ho"), rerun(place, partly=True) as replaying:
        await Agent(
            FallbackModel(model(None, replaying, name="scripted"), scripted(second), fallback_on=(Exception,))
        ).run("Ho.")
    assert second.call_count == 1


async def test_two_recordings_ask_the_same(tmp_path: Path) -> None:
    """Times, runs and the ids that pydantic-ai makes up are not part of a question."""

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if len(messages) == 1:
            return ModelResponse(
                [ToolCallPart("weather", {"city": "Paris"}), ToolCallPart("weather", {"city": "Rome"})]
            )
        return ModelResponse([ToolCallPart("final_result", {"place": "Rome", "umbrella": False})])

    questions = []
    for place in (tmp_path / "first.jsonl", tmp_path / "second.jsonl"):
        with record(place) as recorder:
            recording = RecordingTap(recorder)
            await advisor(model(FunctionModel(answer), recording, name="f"), recording, Weather()).run(
                "Where to?", deps="Ada"
            )
        with open_tape(place) as tape:
            questions.append([loads(data) for _, _, kind, data in tape.calls() if kind == "request"])
    assert questions[0] == questions[1]
    assert [message["kind"] for message in questions[0][1]["messages"]] == ["response", "request"]


async def test_a_failed_request_that_is_retried_is_replayed(tmp_path: Path) -> None:
    """A provider that refuses fails the run in a replay too, by the same error; the next run goes well again."""
    place = tmp_path / "refused.jsonl"
    errors = []
    with record(place) as recorder:
        agent = Agent(model(scripted(ScriptedModel([fail(RateLimit()), say("Hello.")])), RecordingTap(recorder)))
        with pytest.raises(ModelRateLimitError) as refused:
            await agent.run("Hi.")
        errors.append(refused.value)
        assert (await agent.run("Hi.")).output == "Hello."
    with rerun(place) as replaying:
        agent = Agent(model(None, replaying, name="scripted"))
        with pytest.raises(ModelRateLimitError) as refused:
            await agent.run("Hi.")
        errors.append(refused.value)
        assert (await agent.run("Hi.")).output == "Hello."
    assert str(errors[0]) == str(errors[1])


async def until_it_fails(agent: Agent[None, Any]) -> tuple[list[Any], Exception]:
    """Return the events of a run that fails, and what it fails with."""
    seen: list[Any] = []
    async with agent.run_stream_events("Hi.") as events:
        iterator = aiter(events)
        try:
            while True:
                seen.append(await anext(iterator))
        except StopAsyncIteration:
            raise AssertionError("the run did not fail") from None
        except Exception as error:
            return seen, error


async def test_a_stream_that_breaks_off_is_replayed_so(tmp_path: Path) -> None:
    """A lost connection fails a streamed run behind the same events."""
    script = ScriptedModel([turn(say("Hello there.", chunks=4), cut(at=2))])
    with record(tmp_path / "cut.jsonl") as recorder:
        live, first = await until_it_fails(Agent(model(scripted(script), RecordingTap(recorder))))
    with rerun(tmp_path / "cut.jsonl") as replaying:
        again, second = await until_it_fails(Agent(model(None, replaying, name="scripted")))
    assert plain_events(again) == plain_events(live)
    assert len(live) == 3
    assert isinstance(first, ModelConnectionError)
    assert (type(second), str(second)) == (type(first), str(first))


async def test_a_profile_and_settings_stand_for_those_of_the_real_model(tmp_path: Path) -> None:
    """What an agent asks depends on its model's profile and settings: a replay without a model is given them."""
    place = tmp_path / "native.jsonl"
    profile = ModelProfile(supports_json_schema_output=True, default_structured_output_mode="native")
    settings = ModelSettings(max_tokens=100)
    script = ScriptedModel([say('{"place": "Rome", "umbrella": true}')])
    with record(place) as recorder:
        real = scripted(script, profile=profile, settings=settings)
        await Agent(model(real, RecordingTap(recorder)), output_type=Advice).run("Where to?")
    with rerun(place) as replaying:
        stand_in = model(None, replaying, name="scripted", profile=profile, settings=settings)
        again = await Agent(stand_in, output_type=Advice).run("Where to?")
    assert again.output == Advice(place="Rome", umbrella=True)
    with pytest.raises(ReplayMismatch, match="max_tokens"), rerun(place) as replaying:
        await Agent(model(None, replaying, name="scripted", profile=profile), output_type=Advice).run("Where to?")


async def test_plain_functions_in_threads_are_replayed(tmp_path: Path) -> None:
    """Tools without a coroutine run in threads, both at once, and are not run again."""
    ran: list[int] = []

    def double(number: int) -> int:
        """Double a number."""
        ran.append(number)
        return 2 * number

    async def run(asked: Model, tap: Tap) -> Any:
        """Run an agent with a plain function for a tool."""
        return (await Agent(asked, tools=tools([double], tap)).run("Double 3 and 4.")).all_messages()

    script = ScriptedModel([turn(call("double", number=3), call("double", number=4)), say("6 and 8.")])
    with record(tmp_path / "tape.jsonl") as recorder:
        recording = RecordingTap(recorder)
        live = await run(model(scripted(script), recording), recording)
    with rerun(tmp_path / "tape.jsonl") as replaying:
        again = await run(model(None, replaying, name="scripted"), replaying)
    assert plain(again) == plain(live)
    assert sorted(ran) == [3, 4]


def test_the_versions_are_the_installed_ones() -> None:
    """The version that the header keeps is that of the installed package."""
    assert MADE["pydantic-ai-slim"][0].isdigit()


@pytest.mark.parametrize("module", ["pydantic_ai", "pydantic_ai.scripts", "pydantic_ai.values"])
def test_a_missing_framework_is_named(module: str) -> None:
    """Where pydantic-ai is not installed, the import says what to install."""
    program = (
        "import sys; sys.modules['pydantic_ai'] = None\n"
        "from playhead.errors import UsageError\n"
        f"try:\n    import playhead.adapters.{module}\n"
        "except UsageError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "this needs pydantic-ai, which is not installed: pip install 'playhead[pydantic-ai]'\n"


def chunk(choice: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    """Return a chunk of OpenAI's Chat Completions API."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1893456000, "model": "gpt-5-2030"}
    return head | {"choices": [{"index": 0, "finish_reason": None} | choice] if choice else []} | others


async def test_the_real_client_of_openai_is_recorded_and_replayed(tmp_path: Path) -> None:
    """Against a provider on loopback: a whole answer, a streamed one, and a refusal, with all that they say."""
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
    message = {"role": "assistant", "content": "Hello.", "refusal": None}
    done = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    answers = [
        Prepared(chunk(object="chat.completion", choices=[done], usage=usage)),
        Prepared(
            events=[
                chunk({"delta": {"role": "assistant", "content": ""}}),
                chunk({"delta": {"content": "Hello "}}),
                chunk({"delta": {"content": "again."}}),
                chunk({"delta": {}, "finish_reason": "stop"}),
                chunk(usage=usage),
            ]
        ),
        Prepared({"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}, status=429),
    ]

    async def run(asked: Model) -> tuple[Any, ...]:
        """Run an agent three times."""
        agent = Agent(asked)
        whole = await agent.run("Hi.")
        events = await streamed(agent, "Hi.")
        with pytest.raises(ModelRateLimitError) as refused:
            await agent.run("Hi.")
        error = refused.value
        assert isinstance(error, ModelHTTPError)
        found = [whole.all_messages(), events[-1].result.all_messages()]
        details = [messages[-1].provider_details for messages in found]
        facts = (str(error), error.status_code, error.model_name, error.body)
        return list(map(plain, found)), details, plain_events(events), facts

    with serving(*answers) as provider, record(tmp_path / "tape.jsonl") as recorder:
        async with AsyncOpenAI(base_url=provider.url, api_key="none", max_retries=0) as client:
            real = OpenAIChatModel("gpt-5", provider=OpenAIProvider(openai_client=client))
            live = await run(model(real, RecordingTap(recorder)))
            profile = real.profile
    assert len(provider.asked) == 3
    with rerun(tmp_path / "tape.jsonl") as replaying:
        again = await run(model(None, replaying, name="gpt-5", system="openai", profile=profile))
    assert again == live
    assert live[1][1]["timestamp"] == datetime(2030, 1, 1, tzinfo=UTC)
    assert live[3][3] == {"message": "Slow down.", "code": "rate_limit_exceeded"}

"""OpenAI Agents' models through the tap: what an agent did is done again, without a model."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    ModelBehaviorError,
    ModelRetrySettings,
    ModelSettings,
    RunConfig,
    RunContextWrapper,
    Runner,
    RunResultStreaming,
    StreamEvent,
    function_tool,
    handoff,
    retry_policies,
    set_tracing_disabled,
)
from agents.models.interface import Model, ModelProvider
from agents.models.openai_responses import OpenAIResponsesModel
from pydantic import BaseModel

from playhead.adapters.openai_agents import MADE, model, model_provider, scripted
from playhead.errors import ReplayMismatch, UsageError
from playhead.events.tagged import loads
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.models.tap import Tap
from playhead.recording.recorder import record
from playhead.recording.taps import RecordingTap
from playhead.replaying.tape import open_tape
from playhead.replaying.taps import rerun
from playhead.scripts import Overloaded, RateLimit, call, cut, fail, say, think, turn, usage
from tests.adapters.loopback import Prepared, serving

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio only, as the SDK does."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _untraced() -> Iterator[None]:
    """Send no traces: the SDK would, in the background, and there is no network."""
    set_tracing_disabled(True)
    yield
    set_tracing_disabled(False)


class Advice(BaseModel):
    """What an agent answers with."""

    place: str
    umbrella: bool


class Weather:
    """A tool, and how often it was asked."""

    def __init__(self) -> None:
        self.cities: list[str] = []

    async def weather(self, context: RunContextWrapper[str], city: str, days: int = 1) -> str:
        """Tell the weather.

        Args:
            city: Where.
            days: For how long.
        """
        self.cities.append(city)
        if city == "Atlantis":
            raise ValueError("there is no such city")
        return f"{city}: rain for {days} of {context.context}'s days"


TRIP: Sequence[Scripted] = (
    turn(
        think("Two cities.", chunks=2), say("Let me see. "), call("weather", city="Paris"), call("weather", city="Rome")
    ),
    turn(call("weather", city="Atlantis"), usage(40, 5)),
    turn(say('{"place": "Rome", "umbrella": true}', chunks=4), usage(60, 9)),
)
"""Two tools at once, one that fails, and structured output."""


def advisor(asked: Model | None, tap: Tap, weather: Weather) -> Agent[str]:
    """Return the agent of these tests. Without a model it takes the one of the run's provider."""
    return Agent(
        name="advisor",
        instructions="Be brief.",
        model=asked,
        model_settings=ModelSettings(temperature=0.5),
        tools=[function_tool(tap.tool(weather.weather))],
        output_type=Advice,
    )


async def streamed(agent: Agent[str], prompt: str) -> tuple[list[Any], RunResultStreaming]:
    """Return the events of a run, and its result."""
    result = Runner.run_streamed(agent, prompt, context="Ada")
    return [event async for event in result.stream_events()], result


def plain(event: StreamEvent) -> Any:
    """Return an event as what can be compared: items hold the agent that made them, and each run has its own."""
    match event.type:
        case "raw_response_event":
            return type(event.data), event.data
        case "run_item_stream_event":
            return event.name, type(event.item), event.item.to_input_item()
    return event.type, event.new_agent.name


async def test_a_run_is_replayed_to_the_same_output_and_items(tmp_path: Path) -> None:
    """Two tools at once, a tool that fails, structured output: all comes again, and nothing is asked live."""
    place, weather, played = tmp_path / "trip.jsonl", Weather(), ScriptedModel(TRIP)
    with record(place) as recorder:
        recording = RecordingTap(recorder)
        agent = advisor(model(scripted(played), recording), recording, weather)
        live = await Runner.run(agent, "Where to?", context="Ada")
    played.assert_complete()
    assert sorted(weather.cities) == ["Atlantis", "Paris", "Rome"]

    unasked = Weather()
    with rerun(place) as replaying:
        agent = advisor(model(None, replaying, name="scripted"), replaying, unasked)
        again = await Runner.run(agent, "Where to?", context="Ada")
    assert again.final_output == live.final_output == Advice(place="Rome", umbrella=True)
    assert again.to_input_list() == live.to_input_list()
    assert again.raw_responses == live.raw_responses
    assert again.context_wrapper.usage == live.context_wrapper.usage
    assert "An error occurred" in str(again.to_input_list())
    assert unasked.cities == []


async def test_a_streamed_run_is_replayed_to_the_same_events(tmp_path: Path) -> None:
    """Each event of a streamed run comes again: of the SDK's own class, with the same content."""
    place = tmp_path / "trip.jsonl"
    with record(place) as recorder:
        recording = RecordingTap(recorder)
        asked = model(scripted(ScriptedModel(TRIP)), recording)
        events, live = await streamed(advisor(asked, recording, Weather()), "Where to?")
    with rerun(place) as replaying:
        asked = model(None, replaying, name="scripted")
        again, replayed = await streamed(advisor(asked, replaying, Weather()), "Where to?")
    assert list(map(plain, again)) == list(map(plain, events))
    assert replayed.final_output == live.final_output == Advice(place="Rome", umbrella=True)
    assert replayed.raw_responses == live.raw_responses
    assert replayed.context_wrapper.usage == live.context_wrapper.usage


async def test_a_tapped_stream_is_the_untapped_one(tmp_path: Path) -> None:
    """An agent sees the same events with the recorder between it and its model as without."""
    with record(tmp_path / "trip.jsonl") as recorder:
        recording = RecordingTap(recorder)
        asked = model(scripted(ScriptedModel(TRIP)), recording)
        tapped, _ = await streamed(advisor(asked, recording, Weather()), "Where to?")
    with rerun(tmp_path / "trip.jsonl", tools="live", partly=True) as bare:
        untapped, _ = await streamed(advisor(scripted(ScriptedModel(TRIP)), bare, Weather()), "Where to?")
    assert [timeless(event) for event in tapped] == [timeless(event) for event in untapped]


def timeless(event: StreamEvent) -> Any:
    """Return an event without the time at which the model answered."""
    if event.type == "raw_response_event" and "response" in event.data.model_fields_set:
        return type(event.data), event.data.model_dump(exclude={"response": {"created_at"}})
    return plain(event)


async def test_a_provider_s_models_go_through_the_tap(tmp_path: Path) -> None:
    """A run's provider behind a tap puts each model there, by name or by the provider's own choice."""

    class Provider(ModelProvider):
        """Answer by a script, whatever the name."""

        def get_model(self, model_name: str | None) -> Model:
            """Return a scripted model."""
            return scripted(ScriptedModel([say(f"I am {model_name}.")]))

    async def run(provider: ModelProvider) -> list[str]:
        """Run an agent without a model, and one with the name of one."""
        config = RunConfig(model_provider=provider)
        agents: list[Agent[None]] = [Agent(name="a", model="gpt-5"), Agent(name="b", model="gpt-5-mini")]
        return [(await Runner.run(agent, "Hi.", run_config=config)).final_output for agent in agents]

    with record(tmp_path / "tape.jsonl") as recorder:
        live = await run(model_provider(Provider(), RecordingTap(recorder)))
    with rerun(tmp_path / "tape.jsonl") as replaying:
        again = await run(model_provider(None, replaying))
    assert again == live == ["I am gpt-5.", "I am gpt-5-mini."]


def test_the_schema_and_the_documentation_of_a_tool_survive_the_tap(tmp_path: Path) -> None:
    """A tool through the tap is described to a model as it is without, a context for its first argument included."""
    weather = Weather()
    with record(tmp_path / "tape.jsonl") as recorder:
        tapped = function_tool(RecordingTap(recorder).tool(weather.weather))
    bare = function_tool(weather.weather)
    for name in ("name", "description", "params_json_schema"):
        assert getattr(tapped, name) == getattr(bare, name)
    assert tapped.description == "Tell the weather."
    assert tapped.params_json_schema["properties"]["city"]["description"] == "Where."


async def test_a_context_is_not_an_argument_on_the_tape(tmp_path: Path) -> None:
    """What a tool was called with is taped without the SDK's context, which has no JSON form."""
    with record(tmp_path / "trip.jsonl") as recorder:
        recording = RecordingTap(recorder)
        agent = advisor(model(scripted(ScriptedModel(TRIP)), recording), recording, Weather())
        await Runner.run(agent, "Where to?", context="Ada")
    with open_tape(tmp_path / "trip.jsonl") as tape:
        asked = [loads(data) for _, _, kind, data in tape.calls() if kind == "tool_call"]
    arguments = [{"city": city, "days": 1} for city in ("Paris", "Rome", "Atlantis")]
    assert asked == [{"name": "weather", "arguments": each} for each in arguments]


async def changed(tap: Tap, change: dict[str, Any]) -> None:
    """Run the agent of these tests with a change."""
    agent = advisor(model(None, tap, name="scripted"), tap, Weather()).clone(**change)
    await Runner.run(agent, "Where to?", context="Ada")


@pytest.mark.parametrize(
    "change",
    [
        {"instructions": "Be long."},
        {"model_settings": ModelSettings(temperature=0.6)},
        {"tools": []},
        {"output_type": None},
        {"handoffs": [handoff(Agent(name="other"))]},
    ],
)
async def test_each_part_of_a_question_counts(tmp_path: Path, change: dict[str, Any]) -> None:
    """Other instructions, settings, tools, output or handoffs are another question, and the mismatch comes out."""
    place = tmp_path / "trip.jsonl"
    with record(place) as recorder:
        recording = RecordingTap(recorder)
        agent = advisor(model(scripted(ScriptedModel(TRIP)), recording), recording, Weather())
        await Runner.run(agent, "Where to?", context="Ada")
    with pytest.raises(ReplayMismatch), rerun(place) as replaying:
        await changed(replaying, change)


async def swallowing(tap: Tap, prompt: str) -> None:
    """Run the agent of these tests as an application does that carries on whatever happens."""
    try:
        await streamed(advisor(model(None, tap, name="scripted"), tap, Weather()), prompt)
    except Exception:
        return


async def test_a_mismatch_comes_out_though_it_was_swallowed(tmp_path: Path) -> None:
    """A changed prompt is said on leaving the tap, though the application caught what was raised."""
    place = tmp_path / "trip.jsonl"
    with record(place) as recorder:
        recording = RecordingTap(recorder)
        await streamed(advisor(model(scripted(ScriptedModel(TRIP)), recording), recording, Weather()), "Where to?")
    with pytest.raises(ReplayMismatch, match="Where from"), rerun(place) as replaying:
        await swallowing(replaying, "Where from?")


async def test_a_failed_request_and_the_next_one_are_replayed(tmp_path: Path) -> None:
    """A provider that refuses fails the run in a replay too, by the same error; the next run goes well again."""
    place = tmp_path / "refused.jsonl"

    async def run(asked: Model) -> tuple[openai.RateLimitError, str]:
        """Run an agent twice."""
        agent: Agent[None] = Agent(name="a", model=asked)
        with pytest.raises(openai.RateLimitError) as refused:
            await Runner.run(agent, "Hi.")
        return refused.value, (await Runner.run(agent, "Hi.")).final_output

    with record(place) as recorder:
        script: list[Scripted] = [fail(RateLimit(retry_after_s=2)), say("Hello.")]
        first, live = await run(model(scripted(ScriptedModel(script)), RecordingTap(recorder)))
    with rerun(place) as replaying:
        second, again = await run(model(None, replaying, name="scripted"))
    assert again == live == "Hello."
    assert (str(second), second.status_code, second.code) == (str(first), 429, "rate_limit_exceeded")


async def test_a_request_that_the_runner_retries_is_replayed(tmp_path: Path) -> None:
    """The SDK's own retries meet the same refusal, and then the same answer."""
    retrying = ModelSettings(
        retry=ModelRetrySettings(
            max_retries=1, backoff={"initial_delay": 0.0}, policy=retry_policies.http_status([503])
        )
    )

    async def run(asked: Model) -> Any:
        """Run an agent that tries again."""
        agent: Agent[None] = Agent(name="a", model=asked, model_settings=retrying)
        return (await Runner.run(agent, "Hi.")).final_output

    script = ScriptedModel([fail(Overloaded(status=503)), say("Hello.")])
    with record(tmp_path / "tape.jsonl") as recorder:
        live = await run(model(scripted(script), RecordingTap(recorder)))
    script.assert_complete()
    with rerun(tmp_path / "tape.jsonl") as replaying:
        assert await run(model(None, replaying, name="scripted")) == live == "Hello."


async def test_plain_functions_in_threads_are_replayed(tmp_path: Path) -> None:
    """Tools without a coroutine run in threads, both at once, and are not run again."""
    ran: list[int] = []

    def double(number: int) -> int:
        """Double a number."""
        ran.append(number)
        return 2 * number

    async def run(asked: Model, tap: Tap) -> Any:
        """Run an agent with a plain function for a tool."""
        agent: Agent[None] = Agent(name="a", model=asked, tools=[function_tool(tap.tool(double))])
        return (await Runner.run(agent, "Double 3 and 4.")).to_input_list()

    script = ScriptedModel([turn(call("double", number=3), call("double", number=4)), say("6 and 8.")])
    with record(tmp_path / "tape.jsonl") as recorder:
        recording = RecordingTap(recorder)
        live = await run(model(scripted(script), recording), recording)
    with rerun(tmp_path / "tape.jsonl") as replaying:
        assert await run(model(None, replaying, name="scripted"), replaying) == live
    assert sorted(ran) == [3, 4]


def test_the_versions_are_the_installed_ones() -> None:
    """The version that the header keeps is that of the installed package."""
    assert MADE["openai-agents"][0].isdigit()


@pytest.mark.parametrize("module", ["openai_agents", "openai_agents.scripts", "openai_agents.values"])
def test_a_missing_framework_is_named(module: str) -> None:
    """Where the SDK is not installed, the import says what to install."""
    program = (
        "import sys; sys.modules['agents'] = None\n"
        "from playhead.errors import UsageError\n"
        f"try:\n    import playhead.adapters.{module}\n"
        "except UsageError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "this needs OpenAI Agents, which is not installed: pip install 'playhead[openai-agents]'\n"


def greeted(asked: Model) -> RunResultStreaming:
    """Begin to run an agent that is greeted."""
    agent: Agent[None] = Agent(name="a", model=asked)
    return Runner.run_streamed(agent, "Hi.")


async def until_it_fails(result: RunResultStreaming) -> tuple[list[Any], Exception]:
    """Return the events of a run that fails, and what it fails with."""
    seen: list[Any] = []
    events = result.stream_events()
    try:
        while True:
            seen.append(plain(await anext(events)))
    except StopAsyncIteration:
        raise AssertionError("the run did not fail") from None
    except Exception as error:
        return seen, error


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(cut(at=2), openai.APIConnectionError), (cut(at=2, clean=True), ModelBehaviorError)],
)
async def test_a_stream_that_breaks_off_is_replayed_so(tmp_path: Path, fault: Any, kind: Any) -> None:
    """A lost connection, and an end that comes too early, fail a streamed run as they did."""
    place = tmp_path / "cut.jsonl"

    with record(place) as recorder:
        script = ScriptedModel([turn(say("Hello there.", chunks=4), fault)])
        live, first = await until_it_fails(greeted(model(scripted(script), RecordingTap(recorder))))
    with rerun(place) as replaying:
        again, second = await until_it_fails(greeted(model(None, replaying, name="scripted")))
    assert isinstance(first, kind)
    assert again == live
    assert sum("Delta" in str(event[0]) for event in live) == 2
    assert (type(second), str(second)) == (type(first), str(first))


async def test_nobody_to_ask_is_said(tmp_path: Path) -> None:
    """Recording without a real model is the author's mistake, and the error says what to do."""
    with pytest.raises(UsageError, match="no real model 'm'"), record(tmp_path / "tape.jsonl") as recorder:
        await Runner.run(Agent(name="a", model=model(None, RecordingTap(recorder), name="m")), "Hi.")


def test_no_model_needs_a_name(tmp_path: Path) -> None:
    """Without a real model there is no name to ask by."""
    with record(tmp_path / "tape.jsonl") as recorder, pytest.raises(UsageError, match="needs the name"):
        model(None, RecordingTap(recorder))


def said(text: str) -> dict[str, Any]:
    """Return a whole answer of the Responses API."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-5-2030",
        "status": "completed",
        "output": [
            {
                "id": "msg_1",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": text, "annotations": []}],
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 3,
            "input_tokens_details": {"cached_tokens": 1},
            "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 2},
            "total_tokens": 7,
        },
        "something_new": {"a": 1},
    }


async def test_the_real_client_of_openai_is_recorded_and_replayed(tmp_path: Path) -> None:
    """Against a provider on loopback: an answer, a stream with an event nobody knows, and a refusal."""
    done = {"type": "response.completed", "sequence_number": 2, "response": said("Hello again.")}
    delta = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0}
    new = {"type": "response.brand_new.delta", "sequence_number": 1, "obfuscation": "xyz"}
    refused = {"error": {"message": "Slow down.", "type": "requests", "param": None, "code": "rate_limit_exceeded"}}
    answers = [
        Prepared(said("Hello.")),
        Prepared(events=[delta | {"delta": "Hello ", "logprobs": [], "sequence_number": 0}, new, done]),
        Prepared(refused, status=429),
    ]

    async def run(asked: Model) -> tuple[Any, ...]:
        """Run an agent three times."""
        agent: Agent[str] = Agent(name="a", model=asked)
        whole = await Runner.run(agent, "Hi.")
        events, stream = await streamed(agent, "Hi.")
        with pytest.raises(openai.RateLimitError) as limited:
            await Runner.run(agent, "Hi.")
        error = limited.value
        facts = (str(error), error.status_code, error.code)
        return whole.raw_responses, list(map(plain, events)), stream.raw_responses, facts

    with serving(*answers) as provider, record(tmp_path / "tape.jsonl") as recorder:
        async with openai.AsyncOpenAI(base_url=provider.url, api_key="none", max_retries=0) as client:
            live = await run(model(OpenAIResponsesModel("gpt-5", client), RecordingTap(recorder)))
    assert len(provider.asked) == 3
    with rerun(tmp_path / "tape.jsonl") as replaying:
        again = await run(model(None, replaying, name="gpt-5"))
    assert again == live
    assert live[0][0].output[0].content[0].text == "Hello."

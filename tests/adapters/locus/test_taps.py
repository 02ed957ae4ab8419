"""Models and tools of locus, through a tap: what locus sees of them, and what comes back in a replay."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("locus.core.events", reason="locus-sdk is not installed")

from locus.agent import Agent
from locus.agent.subagent import run_subagent
from locus.control.gate import gate_tool
from locus.control.policy import ControlPolicy
from locus.control.verification import VerificationResult
from locus.core.errors import ModelThrottledError
from locus.core.events import ModelChunkEvent
from locus.core.interrupt import InterruptException, interrupt
from locus.core.messages import Message, Role, ToolCall
from locus.models.base import ModelConfig, ModelProtocol, ModelResponse
from locus.tools.context import ToolContext, report_progress
from locus.tools.decorator import Tool
from locus.tools.decorator import tool as locus_tool
from locus.tools.output import ToolOutput
from pydantic import BaseModel

from playhead.adapters import locus
from playhead.comparing.streams import compare
from playhead.errors import ModelFailure, RecordedError, ReplayMismatch
from playhead.models.scripted import ScriptedModel
from playhead.models.tap import Tap
from playhead.recording.recorder import record
from playhead.recording.taps import RecordingTap
from playhead.replaying.tape import open_tape
from playhead.replaying.taps import rerun
from playhead.scripts import (
    ServerError,
    call,
    fail,
    say,
    think,
    turn,
)
from tests.real.tapped import check_same, heard

pytestmark = pytest.mark.anyio

HELLO = [Message.user("Hello.")]
SECRET = "sk-ant-api03-" + "A" * 40


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio alone: locus is written for it."""
    return "asyncio"


@pytest.fixture(params=["jsonl", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a place for a cassette, in a file of its own and in one that holds many."""
    return str(tmp_path / "run.jsonl") if request.param == "jsonl" else f"{tmp_path / 'runs.db'}::run"


class Fixed:
    """A model that gives these answers, and has what agents read off a model."""

    context_window = 4_321
    supports_structured_output = True

    def __init__(self, *answers: ModelResponse | Exception) -> None:
        self.config = ModelConfig(model="fixed-1")
        self.is_closed = False
        self._answers = iter(answers)

    async def complete(self, messages: Any, tools: Any = None, **options: Any) -> ModelResponse:
        """Return the next answer."""
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def stream(self, messages: Any, tools: Any = None, **options: Any) -> AsyncIterator[ModelChunkEvent]:
        """Yield the next answer, a letter at a time."""
        answer = await self.complete(messages, tools, **options)
        for letter in answer.content or "":
            yield ModelChunkEvent(content=letter, model="fixed-1")
        yield ModelChunkEvent(done=True, tool_calls=answer.tool_calls, usage=answer.usage, cost_usd=0.5)

    def count_tokens(self, text: str) -> int:
        """Ask the provider, past the tape."""
        raise AssertionError("this goes past the tape")

    async def close(self) -> None:
        """Close the model."""
        self.is_closed = True


class Throttled(Exception):
    """A provider's own exception, with the fact by which locus decides to ask again."""

    status_code = 429


def answer(text: str, **more: Any) -> ModelResponse:
    """Return an answer in words."""
    return ModelResponse(message=Message.assistant(text), stop_reason="end_turn", **more)


def wants(name: str, **arguments: Any) -> ModelResponse:
    """Return an answer that calls a tool. The call has a name that locus made up."""
    return ModelResponse(message=Message.assistant(None, [ToolCall(name=name, arguments=arguments)]))


async def in_both(place: str, do: Callable[[Tap, bool], Any]) -> tuple[Any, Any]:
    """Do something through a tap that records, then through one that replays. Return what came of each."""
    with record(place) as tape:
        old = await do(RecordingTap(tape), True)
    with rerun(place) as tap:
        return old, await do(tap, False)


async def test_a_whole_answer_comes_back(place: str) -> None:
    """It is of locus' class, with all that it had: the ids of its calls, thoughts, tokens, and the provider's own."""
    full = ModelResponse(
        message=Message(
            role=Role.ASSISTANT,
            content="Let me see.",
            tool_calls=[ToolCall(name="a"), ToolCall(id="b", name="b", malformed_arguments="{")],
            metadata={"tier": 1},
        ),
        usage={"prompt_tokens": 1},
        stop_reason="tool_calls",
        provider_state={"previous": "resp_1"},
        reasoning="hm",
        logprobs=[{"token": "Let", "logprob": -0.5}],
        candidates=[Message.assistant("Or not.")],
        metadata={"fallback": {"tier": 0}},
        cost_usd=0.25,
    )

    async def ask(tap: Tap, is_live: bool) -> ModelResponse:
        return await locus.model(Fixed(full) if is_live else None, tap).complete(HELLO, temperature=0.5)

    old, new = await in_both(place, ask)
    assert old is full
    assert type(new) is ModelResponse
    assert new == full


async def test_a_streamed_answer_comes_back(place: str) -> None:
    """Its chunks are of locus' class, as many as there were, and with all that they had but their time."""

    async def ask(tap: Tap, is_live: bool) -> list[ModelChunkEvent]:
        model = locus.model(Fixed(wants("a"), answer("Hi you.")) if is_live else None, tap)
        return [chunk for _ in range(2) for chunk in [chunk async for chunk in model.stream(HELLO)]]

    old, new = await in_both(place, ask)
    assert [type(chunk) for chunk in new] == [ModelChunkEvent] * 9
    assert [chunk.model_dump(exclude={"timestamp"}) for chunk in new] == [
        chunk.model_dump(exclude={"timestamp"}) for chunk in old
    ]


async def test_whole_and_streamed_are_not_mixed_up(place: str) -> None:
    """Of two equal questions, the one that was streamed is answered by a stream, whichever is asked first."""

    async def ask(tap: Tap, is_live: bool) -> tuple[str | None, str]:
        model = locus.model(Fixed(answer("whole"), answer("streamed")) if is_live else None, tap)
        if is_live:
            whole = await model.complete(HELLO)
            return whole.content, "".join([chunk.content or "" async for chunk in model.stream(HELLO)])
        streamed = "".join([chunk.content or "" async for chunk in model.stream(HELLO)])
        return (await model.complete(HELLO)).content, streamed

    assert await in_both(place, ask) == (("whole", "streamed"), ("whole", "streamed"))


async def test_what_an_agent_reads_off_a_model(tmp_path: Path) -> None:
    """It is read off the real one, but for what could be called there: that would go past the tape."""
    with record(str(tmp_path / "run.jsonl")) as tape:
        real = Fixed()
        tapped: Any = locus.model(real, RecordingTap(tape))
        assert (tapped.config.model, tapped.context_window) == ("fixed-1", 4_321)
        assert not hasattr(tapped, "count_tokens")
        assert not hasattr(tapped, "server_stateful")
        await tapped.close()
        assert real.is_closed
        nobody: Any = locus.model(None, RecordingTap(tape))
        assert not hasattr(nobody, "close")
        assert not hasattr(nobody, "context_window")
        assert isinstance(nobody, ModelProtocol)


async def test_what_locus_makes_up_is_no_part_of_the_question(place: str) -> None:
    """With other annotations and ids of locus' own the question is the same; which is which counts, as do other ids."""

    def messages(first: str, second: str, note: str) -> list[Message]:
        calls = [ToolCall(id=first, name="a"), ToolCall(id=second, name="b")]
        results = [Message(role=Role.TOOL, content=name, tool_call_id=name, name="t") for name in (first, second)]
        asked = Message(role=Role.USER, content="Go.", metadata={"note": note})
        return [asked, Message.assistant(None, calls), *(each.model_copy(update={"content": "r"}) for each in results)]

    with record(place) as tape:
        model = locus.model(Fixed(answer("one"), answer("two")), RecordingTap(tape))
        await model.complete(messages("call_" + "a" * 12, "call_" + "b" * 12, "12:00"))
        await model.complete(messages("mine-1", "mine-2", "12:00"))
    with rerun(place) as tap:
        model = locus.model(None, tap)
        assert (await model.complete(messages("call_" + "c" * 12, "call_" + "d" * 12, "13:00"))).content == "one"
        assert (await model.complete(messages("mine-1", "mine-2", "13:00"))).content == "two"
    with suppress(ReplayMismatch), rerun(place, partly=True) as tap, pytest.raises(ReplayMismatch, match="mine-2"):
        await locus.model(None, tap).complete(messages("mine-2", "mine-1", "12:00"))


async def test_options_without_a_json_form(place: str) -> None:
    """They count by the names of their classes, so that an address in memory does not."""

    async def ask(tap: Tap, is_live: bool) -> str | None:
        model = locus.model(Fixed(answer("ok")) if is_live else None, tap)
        return (await model.complete(HELLO, response_format=ModelConfig, hook=lambda: None, top_p=0.5)).content

    assert await in_both(place, ask) == ("ok", "ok")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("no"), ValueError),
        (ModelThrottledError("slow down"), ModelThrottledError),
        (Throttled("slow down"), RecordedError),
        (ModelFailure("busy", kind="overloaded", status=529, retry_after_s=2), ModelFailure),
    ],
)
async def test_a_model_fails_again(place: str, error: Exception, kind: type[Exception]) -> None:
    """It fails with the same words, by the same name, and with the facts that locus looks at."""

    async def ask(tap: Tap, is_live: bool) -> Exception:
        model = locus.model(Fixed(error) if is_live else None, tap)
        with pytest.raises(type(error) if is_live else kind) as raised:
            await model.complete(HELLO)
        return raised.value

    old, new = await in_both(place, ask)
    assert old is error
    assert (type(new).__name__, str(new)) == (type(error).__name__, str(error))
    for fact in ("status_code", "status", "kind", "retry_after_s"):
        assert getattr(new, fact, None) == getattr(error, fact, None)


async def test_an_agent_asks_again_in_the_replay_too(place: str) -> None:
    """What locus took for a passing failure, it takes for one again."""

    async def run(tap: Tap, is_live: bool) -> list[str]:
        model = locus.model(Fixed(Throttled("slow down"), answer("At last.")) if is_live else None, tap)
        retry = {"initial_delay": 0.001, "max_delay": 0.001}
        agent = Agent(model=model, context_window=9_999, model_retry=retry)
        return [event.event_type async for event in agent.run("Hello.")]

    old, new = await in_both(place, run)
    assert "model_retry" in old
    assert old == new


async def test_a_secret_over_chunks_is_not_on_the_tape(place: str) -> None:
    """The consumer gets it as it came; the tape has a number in its place, and so has the replay."""

    async def ask(tap: Tap, is_live: bool) -> str:
        model = locus.model(Fixed(answer(f"My key is {SECRET} ok")) if is_live else None, tap)
        return "".join([chunk.content or "" async for chunk in model.stream(HELLO)])

    old, new = await in_both(place, ask)
    assert SECRET in old
    assert new == "My key is <anthropic-key-1> ok"
    with open_tape(place) as tape:
        assert not [data for _, _, _, data in tape.calls() if b"AAAAAAAA" in data]


class Weather(BaseModel):
    """What the weather is like."""

    city: str
    degrees: float


RESULTS: list[Any] = [
    "sun",
    None,
    7,
    float("nan"),
    True,
    {"b": [1, (2, 3)], "a": {4: "x"}},
    [Weather(city="Paris", degrees=20.5)],
    Weather(city="Paris", degrees=20.5),
    (1, 2),
    ToolOutput("text", structured_content={"hits": [1]}, content_blocks=[{"type": "image"}]),
    ToolOutput("it broke", is_error=True),
]


@pytest.mark.parametrize("result", RESULTS, ids=repr)
@pytest.mark.parametrize("is_async", [False, True])
async def test_what_a_tool_says(place: str, result: Any, is_async: bool) -> None:
    """The agent reads the same, whatever the tool returned, and the tool runs once."""
    calls = []

    def look(city: str, ctx: ToolContext | None = None) -> Any:
        """Look out of the window."""
        calls.append(city)
        return result

    async def look_async(city: str, ctx: ToolContext | None = None) -> Any:
        """Look out of the window."""
        return look(city)

    async def run(tap: Tap, is_live: bool) -> Any:
        (tool,) = locus.tools([look_async if is_async else look], tap)
        context = ToolContext(tool_call_id="c", tool_name="look", run_id=str(is_live), iteration=1)
        said = await tool.execute(ctx=context, city="Paris")
        return type(said), str(said), getattr(said, "__dict__", None)

    old, new = await in_both(place, run)
    assert old == new
    assert calls == ["Paris"]


async def test_what_an_agent_sees_of_a_tool(tmp_path: Path) -> None:
    """A tool keeps all that it had, and a plain function becomes the tool that locus makes of it."""

    def plain(city: str, days: int = 3) -> str:
        """Tell a forecast."""
        return city

    made = locus_tool(name="custom", idempotent=True, labels={"x"}, deferred=True, emits_progress=True)(plain)
    with record(str(tmp_path / "run.jsonl")) as tape:
        tapped, from_plain = locus.tools([made, plain], RecordingTap(tape))
    assert isinstance(tapped, Tool)
    for tool, original in ((tapped, made), (from_plain, locus_tool(plain))):
        assert tool.to_openai_schema() == original.to_openai_schema()
        assert tool.model_dump(exclude={"fn"}) == original.model_dump(exclude={"fn"})
    assert "city" in str(tapped.parameters)


async def test_a_tool_fails_again(place: str) -> None:
    """A failure has its name and its words; so has a call with the wrong arguments."""

    async def broken(city: str) -> str:
        """Fail."""
        raise KeyError(city)

    async def run(tap: Tap, is_live: bool) -> list[str]:
        (tool,) = locus.tools([broken], tap)
        errors = []
        wrong: dict[str, Any] = {}
        for arguments in ({"city": "Atlantis"}, wrong):
            with pytest.raises((KeyError, TypeError)) as raised:
                await tool.execute(**arguments)
            errors.append(f"{type(raised.value).__name__}: {raised.value}")
        return errors

    old, new = await in_both(place, run)
    assert old == new
    assert old[0] == "KeyError: 'Atlantis'"
    assert "missing required argument(s): city" in old[1]


async def test_a_tool_that_asks_a_person_asks_again(place: str) -> None:
    """An interrupt is what the tool answered: it comes back with what it shows to the person."""

    async def paint(wall: str) -> str:
        """Paint a wall."""
        return str(interrupt({"question": "Which colour?"}, urgency="low"))

    async def run(tap: Tap, is_live: bool) -> Any:
        (tool,) = locus.tools([paint], tap)
        with pytest.raises(InterruptException) as raised:
            await tool.execute(wall="north")
        return raised.value.value

    old, new = await in_both(place, run)
    assert old == new
    assert new.payload == {"question": "Which colour?"}


@pytest.mark.parametrize("in_thread", [False, True])
async def test_what_a_tool_reports_is_reported_again(place: str, in_thread: bool) -> None:
    """An agent hears of a tool's progress while it runs; in the replay it hears the same, and the tool does not run."""
    calls = []

    def count(upto: int) -> str:
        """Count."""
        calls.append(upto)
        return "heard" if all(report_progress(number, upto, f"n{number}") for number in range(upto)) else "unheard"

    async def count_async(upto: int) -> str:
        """Count."""
        return count(upto)

    made = locus_tool(emits_progress=True, name="count")(count if in_thread else count_async)

    async def run(tap: Tap, is_live: bool) -> list[Any]:
        script = locus.scripted(ScriptedModel([call("count", upto=3), say("Done.")]))
        tools = locus.tools([made], tap)
        agent = Agent(model=locus.model(script if is_live else None, tap), tools=tools, context_window=9_999)
        return await heard(agent.run("Count."))

    old, new = await in_both(place, run)
    check_same(old, new, "locus")
    assert [event["message"] for event in new if event["event_type"] == "tool_progress"] == ["n0", "n1", "n2"]
    assert [event["result"] for event in new if event["event_type"] == "tool_complete"] == ["heard"]
    assert calls == [3]


async def test_a_tool_that_runs_an_agent_of_its_own(place: str) -> None:
    """It runs again, and its agent with it, whose model and tools go through the tap."""
    looks = []

    async def look(city: str) -> str:
        """Look out of the window."""
        looks.append(city)
        return f"sun in {city}"

    async def run(tap: Tap, is_live: bool) -> list[Any]:
        scripts = [
            ScriptedModel([call("delegate", task="Oslo?"), say("Oslo it is.")]),
            ScriptedModel([call("look", city="Oslo"), say("Take a coat.")]),
        ]
        outer, inner = [locus.model(locus.scripted(script) if is_live else None, tap) for script in scripts]

        @locus_tool(emits_progress=True)
        async def delegate(task: str) -> str:
            """Let a scout look into it."""
            tools = locus.tools([look], tap)
            found = await run_subagent(task, model=inner, tools=tools, name="scout", context_window=9_999)
            return str(found.text)

        return await heard(Agent(model=outer, tools=[delegate], context_window=9_999).run("Trip?"))

    old, new = await in_both(place, run)
    # Locus gives the scout's task another name each time.
    assert not (found := compare(old, new, dialect="locus", any_order=False)), str(found)
    assert "tool_start" in [event["event"]["event_type"] for event in new if event["event_type"] == "subagent"]
    assert looks == ["Oslo"]


async def test_a_sandboxed_tool_stays_in_its_box(place: str) -> None:
    """It runs in its sandbox when it is recorded, and not at all in the replay, called by whomever."""

    def where() -> int:
        """Say which process this is."""
        # The box gets this source and nothing around it.
        return int(__import__("os").getpid())

    async def run(tap: Tap, is_live: bool) -> list[Any]:
        (tool,) = locus.tools([locus_tool(sandbox=True)(where)], tap)
        assert tool.sandbox is not None
        return [await tool.execute(), await asyncio.to_thread(tool)]

    old, new = await in_both(place, run)
    assert old == new
    assert len({int(number) for number in old}) == 2


async def test_a_tool_that_is_wrapped_once_more(place: str) -> None:
    """Whoever takes the function out of a tool, as locus' gate does, asks through the tap too."""
    calls = []

    async def refund(order: str) -> str:
        """Pay back."""
        calls.append(order)
        return f"paid {order}"

    async def run(tap: Tap, is_live: bool) -> Any:
        (tool,) = locus.tools([refund], tap)
        verified = VerificationResult(survives=True, confidence=1.0, evidence_quality=1.0)
        return await gate_tool(tool, policy=ControlPolicy(), verdict=verified).execute(order="7")

    old, new = await in_both(place, run)
    assert old == new
    assert old == "paid 7"
    assert calls == ["7"]


@pytest.mark.parametrize("result", RESULTS, ids=repr)
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_tool_that_is_called_directly(place: str, result: Any, is_async: bool) -> None:
    """Its function is taped too, without the context; what it returned is put into the same words by locus."""
    calls = []

    def look(city: str, ctx: Any) -> Any:
        """Look out of the window."""
        calls.append(city)
        return result

    async def look_async(city: str, ctx: Any) -> Any:
        """Look out of the window."""
        return look(city, ctx)

    async def run(tap: Tap, is_live: bool) -> str:
        (tool,) = locus.tools([look_async if is_async else look], tap)
        found = tool("Paris", ctx={"is_live": is_live})
        return tool._format_result(await found if is_async else found)

    old, new = await in_both(place, run)
    assert old == new
    assert calls == ["Paris"]


async def test_tools_may_run_live(place: str) -> None:
    """On request the tools run in the replay as well, and only the model is replayed."""
    calls = []

    async def look(city: str) -> str:
        """Look out of the window."""
        calls.append(city)
        return "sun"

    def agent(model: Any, tap: Tap) -> Agent:
        return Agent(model=locus.model(model, tap), tools=locus.tools([look], tap), context_window=9_999)

    with record(place) as tape:
        script = locus.scripted(ScriptedModel([call("look", city="Paris"), say("It is sunny.")]))
        [_ async for _ in agent(script, RecordingTap(tape)).run("Trip?")]
    with rerun(place, tools="live") as tap:
        [_ async for _ in agent(None, tap).run("Trip?")]
    assert calls == ["Paris", "Paris"]


async def test_a_copy_has_the_same_tape(place: str) -> None:
    """Copies of a model and of a tool ask through the same tap: there is one tape."""

    async def look(city: str) -> str:
        """Look out of the window."""
        return "sun"

    async def ask(tap: Tap, is_live: bool) -> Any:
        model = deepcopy(locus.model(Fixed(answer("Hi.")) if is_live else None, tap))
        (tool,) = [deepcopy(tool) for tool in locus.tools([look], tap)]
        return (await model.complete(HELLO)).content, await tool.execute(city="Paris")

    assert await in_both(place, ask) == (("Hi.", "sun"), ("Hi.", "sun"))


async def test_a_script_is_recorded_and_replayed(place: str) -> None:
    """A script stands for the real model: after its failure the agent asks again, in the replay as in the recording."""

    async def run(tap: Tap, is_live: bool) -> list[str]:
        script = ScriptedModel([fail(ServerError()), turn(think("hm"), say("Done.", chunks=3))])
        model = locus.model(locus.scripted(script) if is_live else None, tap)
        agent = Agent(model=model, context_window=9_999, model_retry={"initial_delay": 0.001, "max_delay": 0.001})
        return [event.event_type async for event in agent.run("Hello.", stream_tokens=True)]

    old, new = await in_both(place, run)
    assert "model_retry" in old
    assert old == new


async def _look(city: str) -> str:
    """Look out of the window."""
    return f"sun in {city}"

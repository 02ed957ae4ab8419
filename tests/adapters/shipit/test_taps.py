"""LLMs and tools of shipit, through a tap: what shipit sees of them, and what comes back in a replay."""

# shipit carries no types.
# mypy: disable-error-code="import-untyped"

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("shipit_agent.models", reason="shipit-agent is not installed")

from shipit_agent.agent import Agent
from shipit_agent.llms.base import LLMResponse
from shipit_agent.models import Message, ToolCall
from shipit_agent.policies import RetryPolicy
from shipit_agent.registry import ToolRegistry
from shipit_agent.tool_runner import ToolRunner
from shipit_agent.tools.base import ToolContext, ToolOutput, ToolOutputChunk
from shipit_agent.tools.function import FunctionTool

from playhead.adapters import shipit
from playhead.clocks.virtual import VirtualClock
from playhead.errors import ModelFailure, ReplayMismatch
from playhead.models.scripted import FunctionModel, ScriptedModel
from playhead.models.tap import Tap
from playhead.recording.recorder import record
from playhead.recording.taps import RecordingTap
from playhead.replaying.tape import open_tape
from playhead.replaying.taps import rerun
from playhead.scripts import RateLimit, ServerError, call, fail, pause, raw_call, say, stop, think, turn, usage

pytestmark = pytest.mark.anyio

HELLO = [Message(role="user", content="Hello.")]
SECRET = "sk-ant-api03-" + "A" * 40
FULL = LLMResponse(
    content="Let me see.",
    tool_calls=[ToolCall("write_file", {"path": "a"}, "t1", 0), ToolCall("other", index=1)],
    metadata={"finish_reason": "tool_calls"},
    reasoning_content="hm",
    usage={"prompt_tokens": 1},
)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio alone: shipit is written for it."""
    return "asyncio"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where shipit may leave files."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["jsonl", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a place for a cassette, in a file of its own and in one that holds many."""
    return str(tmp_path / "run.jsonl") if request.param == "jsonl" else f"{tmp_path / 'runs.db'}::run"


class Fixed:
    """An LLM that gives these answers, text and arguments in pieces, and has what agents read off an LLM."""

    model = "fixed-1"

    def __init__(self, *answers: LLMResponse | Exception) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answers = iter(answers)

    def complete(
        self, *, messages: Any, text_delta_callback: Any = None, tool_input_callback: Any = None, **request: Any
    ) -> LLMResponse:
        """Return the next answer."""
        self.asked.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        for letter in answer.content if text_delta_callback else ():
            text_delta_callback(letter)
        for wanted in answer.tool_calls if tool_input_callback else ():
            tool_input_callback(wanted.id, wanted.name, '{"path":')
            tool_input_callback(wanted.id, wanted.name, '"a"}')
        return answer

    def stream(self, messages: Any) -> Iterator[str]:
        """Stream past the tape."""
        raise AssertionError("this goes past the tape")


class Native(Fixed):
    """An LLM that can be asked in an event loop."""

    # Shipit hands this callback to those only that name it.
    async def acomplete(self, *, tool_input_callback: Any = None, **request: Any) -> LLMResponse:
        """Return the next answer."""
        await asyncio.sleep(0)
        return self.complete(tool_input_callback=tool_input_callback, **request)


class Narrow:
    """An LLM of an older protocol, which takes no more than this."""

    def complete(self, *, messages: Any, tools: Any = None, system_prompt: Any = None, metadata: Any = None) -> Any:
        """Return an answer."""
        return LLMResponse(content="Done.")


async def in_both(place: str, do: Callable[[Tap, bool], Awaitable[Any]]) -> tuple[Any, Any]:
    """Do something through a tap that records, then through one that replays. Return what came of each."""
    with record(place) as tape:
        old = await do(RecordingTap(tape), True)
    with rerun(place) as tap:
        return old, await do(tap, False)


async def asked(llm: Any, way: str, **request: Any) -> tuple[LLMResponse, list[Any]]:
    """Ask an LLM in either way. Return its answer, and the pieces that it handed out before."""
    pieces: list[Any] = []

    def hear(*said: str) -> None:
        pieces.append(said)

    callbacks = {"text_delta_callback": hear, "tool_input_callback": hear}
    if way == "complete":
        return llm.complete(messages=HELLO, **callbacks, **request), pieces
    return await llm.acomplete(messages=HELLO, **callbacks, **request), pieces


@pytest.mark.parametrize("way", ["complete", "acomplete"])
@pytest.mark.parametrize("kind", [Fixed, Native])
async def test_an_answer_comes_back(place: str, way: str, kind: type[Fixed]) -> None:
    """It is of shipit's class, with all that it had, and its pieces are handed out as they were."""

    async def ask(tap: Tap, is_live: bool) -> Any:
        llm = shipit.llm(kind(FULL) if is_live else None, tap)
        return await asked(llm, way, metadata={"at": is_live}, timeout=1.0 if is_live else 2.0)

    (old, old_pieces), (new, new_pieces) = await in_both(place, ask)
    assert old is FULL
    assert type(new) is LLMResponse
    assert new == FULL
    assert old_pieces == new_pieces
    assert old_pieces[:2] == [("L",), ("e",)]
    assert old_pieces[-2:] == [("", "other", '{"path":'), ("", "other", '"a"}')]


@pytest.mark.parametrize("ways", [("complete", "acomplete"), ("acomplete", "complete")])
async def test_either_way_is_the_same_question(place: str, ways: tuple[str, str]) -> None:
    """What was asked in a thread may be asked in an event loop, and the other way round."""
    first, second = ways

    async def ask(tap: Tap, is_live: bool) -> Any:
        return await asked(shipit.llm(Native(FULL) if is_live else None, tap), first if is_live else second)

    old, new = await in_both(place, ask)
    assert old == new


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_an_llm_of_an_older_protocol(place: str, way: str) -> None:
    """It is not asked what it does not take, and shipit's events are those of the recording."""

    async def run(tap: Tap, is_live: bool) -> list[str]:
        agent = Agent(
            llm=shipit.llm(Narrow() if is_live else None, tap),
            session_id="s",
            retry_policy=RetryPolicy(request_timeout=5),
        )
        if way == "stream":
            return [event.type for event in agent.stream("Hello.")]
        return [event.type async for event in agent.astream("Hello.")]

    old, new = await in_both(place, run)
    assert old == new
    assert old[-1] == "run_completed"


async def test_what_an_agent_reads_off_an_llm(tmp_path: Path) -> None:
    """It is read off the real one, but for what could be called there: that would go past the tape."""
    with record(str(tmp_path / "run.jsonl")) as tape:
        tapped = shipit.llm(Fixed(), RecordingTap(tape))
        assert tapped.model == "fixed-1"
        assert not hasattr(tapped, "stream")
        assert shipit.llm(SimpleNamespace(model="m"), RecordingTap(tape)).model == "m"
        assert not hasattr(shipit.llm(None, RecordingTap(tape)), "model")


async def test_what_shipit_makes_up_is_no_part_of_the_question(place: str) -> None:
    """With other annotations and ids of shipit's own the question is the same; other ids count, and which is which."""

    def messages(first: str, second: str, note: str) -> list[Message]:
        return [
            Message(role="user", content="Go.", metadata={"at": note}),
            Message(role="assistant", tool_calls=[ToolCall("a", {}, first), ToolCall("b", {}, second)]),
            Message(role="tool", content="r", name="a", tool_call_id=first),
            Message(role="tool", content="r", name="b", tool_call_id=second),
        ]

    with record(place) as tape:
        llm = shipit.llm(Fixed(LLMResponse("one"), LLMResponse("two")), RecordingTap(tape))
        llm.complete(messages=messages("call_001_" + "a" * 8, "call_002_" + "b" * 8, "12:00"), metadata={"run": "1"})
        llm.complete(messages=messages("mine-1", "mine-2", "12:00"))
    with rerun(place) as tap:
        llm = shipit.llm(None, tap)
        again = messages("call_101_" + "c" * 8, "call_102_" + "d" * 8, "13:00")
        assert llm.complete(messages=again, metadata={"run": "2"}).content == "one"
        assert llm.complete(messages=messages("mine-1", "mine-2", "13:00")).content == "two"
    swapped = rerun(place)
    with pytest.raises(ReplayMismatch, match="mine-2"):
        shipit.llm(None, swapped).complete(messages=messages("mine-2", "mine-1", "12:00"))


async def test_what_is_asked_counts(place: str) -> None:
    """So do the system prompt, the tools, and what the answer must look like; messages may be plain mappings."""
    request: dict[str, Any] = {"system_prompt": "Be brief.", "tools": [{"name": "a"}], "response_format": {"type": "x"}}
    with record(place) as tape:
        real = Fixed(LLMResponse("ok"))
        shipit.llm(real, RecordingTap(tape)).complete(messages=HELLO, require_tool_call=True, **request)
        # Shipit itself asks for a call only where the parameter bears its name.
        assert real.asked == [request]
    for name in request:
        with pytest.raises(ReplayMismatch, match=name):
            shipit.llm(None, rerun(place)).complete(
                messages=HELLO, require_tool_call=True, **{**request, name: "other"}
            )
    with pytest.raises(ReplayMismatch, match="require_tool_call"):
        shipit.llm(None, rerun(place)).complete(messages=HELLO, **request)
    plain = [{"role": "user", "content": "Hello."}]
    assert shipit.llm(None, rerun(place)).complete(messages=plain, require_tool_call=True, **request).content == "ok"


@pytest.mark.parametrize("way", ["complete", "acomplete"])
@pytest.mark.parametrize("kind", [Fixed, Native])
async def test_an_llm_fails_again(place: str, way: str, kind: type[Fixed]) -> None:
    """It fails with the same words, by the same name, and with the facts by which failures are told apart."""

    class RateLimitError(Exception):
        status_code = 429

    failures = [RateLimitError("slow down"), TimeoutError("too late"), ModelFailure("busy", kind="overloaded")]

    async def ask(tap: Tap, is_live: bool) -> list[Any]:
        llm = shipit.llm(kind(*failures) if is_live else None, tap)
        facts = []
        for _ in failures:
            with pytest.raises(Exception, match=r"slow down|too late|busy") as raised:
                await asked(llm, way)
            error = raised.value
            facts.append((type(error).__name__, str(error), getattr(error, "status_code", None)))
        return facts

    old, new = await in_both(place, ask)
    assert old == new
    assert old[0] == ("RateLimitError", "slow down", 429)


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_an_agent_asks_again_in_the_replay_too(place: str, way: str) -> None:
    """What shipit took for a passing failure, it takes for one again."""

    async def run(tap: Tap, is_live: bool) -> list[str]:
        real = Fixed(ConnectionError("gone"), LLMResponse("At last."))
        policy = RetryPolicy(llm_retry_base_delay=0)
        agent = Agent(llm=shipit.llm(real if is_live else None, tap), session_id="s", retry_policy=policy)
        if way == "stream":
            return [event.type for event in agent.stream("Hello.")]
        return [event.type async for event in agent.astream("Hello.")]

    old, new = await in_both(place, run)
    assert "llm_retry" in old
    assert old == new


async def test_a_failing_callback_fails_the_answer(place: str) -> None:
    """What a callback raises goes through the LLM to whoever asked, and the tape says so."""

    def refuse(text: str) -> None:
        raise RuntimeError(f"I will not hear {text!r}")

    with record(place) as tape:
        llm = shipit.llm(Fixed(FULL), RecordingTap(tape))
        with pytest.raises(RuntimeError, match="not hear 'L'"):
            llm.complete(messages=HELLO, text_delta_callback=refuse)
    with open_tape(place) as played:
        assert [kind for _, _, kind, _ in played.calls()] == ["request", "chunk", "fault"]


async def test_a_secret_over_chunks_is_not_on_the_tape(place: str) -> None:
    """The agent gets it as it came; the tape has a number in its place, and so has the replay."""

    async def ask(tap: Tap, is_live: bool) -> tuple[str, str]:
        real = Fixed(LLMResponse(f"My key is {SECRET} ok"))
        answer, pieces = await asked(shipit.llm(real if is_live else None, tap), "complete")
        return answer.content, "".join(text for (text,) in pieces)

    old, new = await in_both(place, ask)
    assert all(SECRET in text for text in old)
    assert new == ("My key is <anthropic-key-1> ok",) * 2
    with open_tape(place) as tape:
        assert not [data for _, _, _, data in tape.calls() if b"AAAAAAAA" in data]


async def test_a_recorded_hour_passes_in_an_event_loop(place: str) -> None:
    """Pieces come when they came, on the clock of the replay."""
    clock, later = VirtualClock(), VirtualClock()
    script = ScriptedModel([turn(say("Wait"), pause(3600), say(" for it."))], clock=clock)
    times: list[int] = []

    def hear(text: str) -> None:
        times.append(round(later.monotonic_ns() / 1e9))

    with record(place, clock=clock) as tape:
        await shipit.llm(shipit.scripted(script), RecordingTap(tape)).acomplete(
            messages=HELLO, text_delta_callback=hear
        )
    times.clear()
    with rerun(place, pace="recorded", clock=later) as tap:
        answer = await shipit.llm(None, tap).acomplete(messages=HELLO, text_delta_callback=hear)
    assert (answer.content, times) == ("Wait for it.", [0, 3600])


class Saying:
    """A tool that returns, yields or raises what it is given, with `run` or with `arun`."""

    name = "say"
    description = "Say it."
    prompt_instructions = ""
    read_only = True
    credential_key = "VAULT"

    def __init__(self, make: Callable[[], Any]) -> None:
        self.calls = 0
        self.make = make

    def schema(self) -> dict[str, Any]:
        """Return what the LLM is told."""
        return {"type": "function", "function": {"name": "say", "parameters": {"properties": {"word": {}}}}}

    def run(self, context: ToolContext, word: str) -> Any:
        """Say it."""
        self.calls += 1
        return self.make()


class AsyncSaying(Saying):
    """The same for an event loop."""

    async def arun(self, context: ToolContext, word: str) -> Any:
        """Say it."""
        self.calls += 1
        return self.make()


def _pieces() -> Iterator[Any]:
    yield "a"
    yield ToolOutputChunk("b", {"part": 2})
    yield ToolOutput("c")


async def _async_pieces() -> AsyncIterator[Any]:
    for piece in _pieces():
        yield piece


RESULTS: dict[str, Callable[[], Any]] = {
    "whole": lambda: ToolOutput("text", {"hits": 1, "is_error": True}, "short"),
    "text": lambda: "sun",
    "bytes": lambda: "süß".encode(),
    "odd bytes": lambda: b"\xff\x00",
    "alike": lambda: SimpleNamespace(text="alike", metadata={"a": 1}),
    "pieces": _pieces,
    "mapping": lambda: {"a": 1, "b": 2},
    "nothing": lambda: ToolOutput(""),
}


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("kind", [Saying, AsyncSaying])
@pytest.mark.parametrize("is_async", [False, True])
async def test_what_a_tool_says(place: str, result: str, kind: type[Saying], is_async: bool) -> None:
    """Shipit reads the same of it, whatever the tool returned, and the tool runs once."""
    tool = kind(RESULTS[result])

    async def run(tap: Tap, is_live: bool) -> Any:
        return await _ran(shipit.tools([tool], tap), is_async=is_async)

    old, new = await in_both(place, run)
    assert old == new
    assert old == await _ran([kind(RESULTS[result])], is_async=is_async)
    assert tool.calls == 1


async def test_a_tool_that_streams_in_an_event_loop(place: str) -> None:
    """So it is with one that yields as it goes."""

    class Streaming(Saying):
        def arun(self, context: ToolContext, word: str) -> Any:
            return _async_pieces()

    async def run(tap: Tap, is_live: bool) -> Any:
        return await _ran(shipit.tools([Streaming(_pieces)], tap), is_async=True)

    old, new = await in_both(place, run)
    assert old == new
    assert old.output == "abc"


@pytest.mark.parametrize(
    "error", [ValueError("no"), KeyError("word"), TypeError("missing 1 required argument: 'word'")]
)
async def test_a_tool_fails_again(place: str, error: Exception) -> None:
    """It fails with the same words, or shipit makes the same answer of it."""

    def make() -> Any:
        raise error

    async def run(tap: Tap, is_live: bool) -> Any:
        try:
            return await _ran(shipit.tools([Saying(make)], tap), is_async=False, arguments={})
        except Exception as raised:
            return type(raised), str(raised)

    old, new = await in_both(place, run)
    assert old == new


async def test_what_an_agent_sees_of_a_tool(tmp_path: Path) -> None:
    """A tool keeps all that it had, its class too; a plain function becomes the tool that shipit makes of it."""

    def add(a: int, b: int = 2) -> int:
        """Add two numbers."""
        return a + b

    saying, made = AsyncSaying(list), FunctionTool.from_callable(add, read_only=True)
    with record(str(tmp_path / "run.jsonl")) as tape:
        tapped, function, plain = shipit.tools([saying, made, add], RecordingTap(tape))
    assert isinstance(tapped, AsyncSaying)
    assert isinstance(function, FunctionTool)
    assert (tapped.name, tapped.credential_key, tapped.schema()) == ("say", "VAULT", saying.schema())
    assert (function.read_only, function.schema()) == (True, made.schema())
    assert plain.schema() == FunctionTool.from_callable(add).schema()
    assert not hasattr(function, "arun")
    tapped.name = "other"
    assert saying.name == "other"


async def test_arguments_of_any_name(place: str) -> None:
    """A tool's arguments may be called as the tap calls its own."""

    class Loose(Saying):
        async def arun(self, context: ToolContext, **arguments: Any) -> Any:
            return str(sorted(arguments.items()))

    async def run(tap: Tap, is_live: bool) -> Any:
        arguments = {"run": 1, "tool": 2, "kind": 3, "tap": 4}
        return (await _ran(shipit.tools([Loose(str)], tap), is_async=True, arguments=arguments)).output

    assert await in_both(place, run) == ("[('kind', 3), ('run', 1), ('tap', 4), ('tool', 2)]",) * 2


async def test_a_copy_has_the_same_tape(place: str) -> None:
    """Shipit copies LLMs and tools for calls that run at once; they ask through the same tap."""

    async def ask(tap: Tap, is_live: bool) -> Any:
        llm = deepcopy(shipit.llm(Fixed(LLMResponse("Hi.")) if is_live else None, tap))
        (tool,) = [deepcopy(tool) for tool in shipit.tools([Saying(lambda: "sun")], tap)]
        return llm.complete(messages=HELLO).content, tool.run(None, word="w")

    assert await in_both(place, ask) == (("Hi.", "sun"), ("Hi.", "sun"))


@pytest.mark.parametrize("way", ["complete", "acomplete"])
async def test_a_script_is_an_llm_of_shipit(way: str) -> None:
    """Text, thoughts, calls, tokens and the reason to stop are shipit's own, and pieces are handed out."""
    script = ScriptedModel(
        [
            turn(
                think("Hm, "),
                think("yes."),
                say("Let me see.", chunks=3),
                call("look", city="Paris").in_chunks(2),
                raw_call("look", "{oh"),
                usage(3, 4),
            ),
            turn(say("Sun."), stop("end_turn")),
        ]
    )
    tools = [FunctionTool.from_callable(_look).schema()]
    llm = shipit.scripted(script)
    answer, pieces = await asked(llm, way, tools=tools, system_prompt="Be brief.", temperature=0.5)
    assert answer == LLMResponse(
        content="Let me see.",
        tool_calls=[ToolCall("look", {"city": "Paris"}, "call_1", 0), ToolCall("look", {"_raw": "{oh"}, "call_2", 1)],
        metadata={"finish_reason": "tool_calls"},
        reasoning_content="Hm, yes.",
        usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    )
    assert pieces == [
        ("Let",),
        (" me ",),
        ("see.",),
        ("call_1", "look", '{"city":'),
        ("call_1", "look", '"Paris"}'),
        ("call_2", "look", "{oh"),
    ]
    answer, _ = await asked(llm, way)
    assert (answer.content, answer.metadata) == ("Sun.", {"finish_reason": "end_turn"})
    first = script.calls[0]
    assert first.messages == ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello."})
    assert [described["name"] for described in first.tools] == ["_look"]
    assert first.options == {"temperature": 0.5}


async def test_a_callback_may_end_a_scripted_answer() -> None:
    """As in shipit's own LLMs, whoever hears enough says False, and has what was said until then."""
    llm = shipit.scripted(ScriptedModel([say("abcd", chunks=4)]))
    answer = await llm.acomplete(messages=HELLO, text_delta_callback=lambda text: False if text == "b" else None)
    assert answer.content == "ab"


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_an_agent_runs_on_a_script(way: str) -> None:
    """What the tool said reaches the script's next turn."""
    script = FunctionModel(
        lambda request: (
            say("It is " + str(request.messages[-1]["content"]))
            if request.messages[-1]["role"] == "tool"
            else call("_look", city="Paris")
        )
    )
    agent = Agent(llm=shipit.scripted(script), tools=[FunctionTool.from_callable(_look)], session_id="s")
    stream = agent.stream("Trip?") if way == "stream" else [event async for event in agent.astream("Trip?")]
    assert [event.payload["output"] for event in stream if event.type == "run_completed"] == ["It is sun in Paris"]


@pytest.mark.parametrize("way", ["complete", "acomplete"])
async def test_a_scripted_failure_is_raised_as_it_is(place: str, way: str) -> None:
    """It is the failure itself, live and in the replay."""

    async def ask(tap: Tap, is_live: bool) -> list[Any]:
        script = ScriptedModel([fail(RateLimit(retry_after_s=2)), turn(say("ab", chunks=2), fail(ServerError()))])
        llm = shipit.llm(shipit.scripted(script) if is_live else None, tap)
        found = []
        for _ in range(2):
            with pytest.raises(ModelFailure) as raised:
                await asked(llm, way)
            found.append((raised.value.kind, raised.value.status, raised.value.retry_after_s))
        return found

    old, new = await in_both(place, ask)
    assert old == new == [("rate_limit", 429, 2), ("server_error", 500, None)]


async def _ran(tools: list[Any], *, is_async: bool, arguments: dict[str, Any] | None = None) -> Any:
    """Run a tool as shipit's agents do."""
    runner = ToolRunner(ToolRegistry({"say": tools[0]}))
    context = ToolContext(prompt="p")
    wanted = ToolCall("say", {"word": "w"} if arguments is None else arguments)
    if is_async:
        return await runner.run_tool_call_async(wanted, context)
    return runner.run_tool_call(wanted, context)


def _look(city: str) -> str:
    """Look out of the window."""
    return f"sun in {city}"

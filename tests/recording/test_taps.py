"""A tap that records changes nothing for whoever asks, and one that replays gives the same without asking."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import pytest

from playhead.clocks.running import run
from playhead.clocks.virtual import VirtualClock
from playhead.errors import CassetteError, ModelFailure, RecordedError, ReplayMismatch, UsageError
from playhead.handlers.buffering import BufferingHandler
from playhead.models.tap import Codec
from playhead.recording.recorder import record
from playhead.recording.taps import RecordingTap
from playhead.replaying.replay import replay
from playhead.replaying.tape import open_tape
from playhead.replaying.taps import ReplayingTap, rerun

pytestmark = pytest.mark.anyio

QUESTION = {"messages": [{"role": "user", "content": "hi"}]}


class Chunk:
    """Stand for a framework's own class of chunks."""

    def __init__(self, text: str) -> None:
        self.text = text


CHUNKS: Codec[Chunk] = Codec(dump=lambda chunk: {"text": chunk.text}, load=lambda value: Chunk(value["text"]))


def never(*args: Any) -> Any:
    """Stand for the real model in a replay, where nobody may ask it."""
    raise AssertionError("the real one was asked")


async def spoken(*texts: str, error: Exception | None = None) -> AsyncIterator[Chunk]:
    """Stream chunks, and fail if told so."""
    for text in texts:
        yield Chunk(text)
    if error is not None:
        raise error


async def read(stream: AsyncIterator[Chunk]) -> list[str]:
    """Return the texts of a stream."""
    return [chunk.text async for chunk in stream]


async def read_until_it_fails(stream: AsyncIterator[Chunk]) -> tuple[list[str], Exception]:
    """Return the texts of a stream that fails, and what it fails with."""
    texts: list[str] = []
    try:
        async for chunk in stream:
            texts.append(chunk.text)  # noqa: PERF401 -- what came before the failure is wanted
    except Exception as error:
        return texts, error
    raise AssertionError("it did not fail")


def kinds(place: Path) -> list[str]:
    """Return call and kind of each entry of the model track."""
    with open_tape(place) as tape:
        return [f"{call} {kind}" for _, call, kind, _ in tape.calls()]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return where a cassette may be."""
    return tmp_path / "a.jsonl"


async def test_a_stream_is_taped_and_comes_back(place: Path) -> None:
    """The asker gets the very objects; the replay makes equal ones, and asks nobody."""
    live = [Chunk("a"), Chunk("b")]

    async def model() -> AsyncIterator[Chunk]:
        for chunk in live:
            yield chunk

    with record(place) as tape:
        got = [chunk async for chunk in RecordingTap(tape).stream(QUESTION, model, CHUNKS)]
    assert [id(chunk) for chunk in got] == [id(chunk) for chunk in live]
    assert kinds(place) == ["c1 request", "c1 chunk", "c1 chunk", "c1 end"]
    with rerun(place) as tap:
        assert [chunk.text async for chunk in tap.stream(QUESTION, never, CHUNKS)] == ["a", "b"]


async def test_a_whole_answer_is_taped_and_comes_back(place: Path) -> None:
    """It is one reply, and no end: there is nothing more to say."""
    answer = Chunk("a")

    async def model() -> Chunk:
        return answer

    with record(place) as tape:
        assert await RecordingTap(tape).ask(QUESTION, model, CHUNKS) is answer
    assert kinds(place) == ["c1 request", "c1 reply"]
    with rerun(place) as tap:
        assert (await tap.ask(QUESTION, never, CHUNKS)).text == "a"


def test_it_works_without_an_event_loop(place: Path) -> None:
    """A plain function and a plain iterator go through the tap as well."""

    def stream() -> Iterator[Chunk]:
        yield Chunk("b")

    with record(place) as tape:
        tap = RecordingTap(tape)
        assert tap.ask_now(QUESTION, lambda: Chunk("a"), CHUNKS).text == "a"
        assert [chunk.text for chunk in tap.stream_now({"messages": []}, stream, CHUNKS)] == ["b"]
    with rerun(place) as again:
        assert [chunk.text for chunk in again.stream_now({"messages": []}, never, CHUNKS)] == ["b"]
        assert again.ask_now(QUESTION, never, CHUNKS).text == "a"


async def test_a_failure_after_five_chunks_is_that(place: Path) -> None:
    """The same exception comes at the same chunk, live and replayed."""
    error = ModelFailure("slow down", kind="rate_limit", status=429, retry_after_s=2.0)
    with record(place) as tape:
        live = RecordingTap(tape).stream(QUESTION, lambda: spoken(*"abcde", error=error), CHUNKS)
        assert await read_until_it_fails(live) == (list("abcde"), error)
    with rerun(place) as tap:
        texts, replayed = await read_until_it_fails(tap.stream(QUESTION, never, CHUNKS))
    assert (texts, str(replayed)) == (list("abcde"), "slow down")
    assert isinstance(replayed, ModelFailure)
    assert (replayed.kind, replayed.status, replayed.retry_after_s) == ("rate_limit", 429, 2.0)


@pytest.mark.parametrize("error", [ValueError("no"), KeyError("x"), TimeoutError(), OSError(2, "x")])
async def test_an_exception_of_python_comes_back_as_itself(place: Path, error: Exception) -> None:
    """Its text is the same, too: agents put it into what they tell the model."""

    async def model() -> Chunk:
        raise error

    with record(place) as tape, pytest.raises(type(error)):
        await RecordingTap(tape).ask(QUESTION, model, CHUNKS)
    with rerun(place) as tap, pytest.raises(type(error)) as caught:
        await tap.ask(QUESTION, never, CHUNKS)
    assert (type(caught.value), str(caught.value)) == (type(error), str(error))


async def test_any_other_exception_comes_back_by_name(place: Path) -> None:
    """A cassette does not choose what is loaded: the class bears the name, and is ours."""

    class QuotaError(Exception):
        pass

    error = QuotaError("all used")
    with record(place) as tape:
        await read_until_it_fails(RecordingTap(tape).stream(QUESTION, lambda: spoken(error=error), CHUNKS))
    with rerun(place) as tap:
        _, replayed = await read_until_it_fails(tap.stream(QUESTION, never, CHUNKS))
    assert isinstance(replayed, RecordedError)
    assert (type(replayed).__name__, str(replayed)) == ("QuotaError", "all used")


async def test_an_adapter_makes_its_own_exceptions_again(place: Path) -> None:
    """What `revive` returns is raised."""

    class BusyError(Exception):
        pass

    codec: Codec[Chunk] = Codec(CHUNKS.dump, CHUNKS.load, revive=lambda fault: BusyError(fault["message"]))
    with record(place) as tape:
        await read_until_it_fails(RecordingTap(tape).stream(QUESTION, lambda: spoken(error=BusyError("busy")), codec))
    with rerun(place) as tap:
        _, replayed = await read_until_it_fails(tap.stream(QUESTION, never, codec))
    assert (type(replayed), str(replayed)) == (BusyError, "busy")


async def test_leaving_early_is_taped_as_that(place: Path) -> None:
    """Who left after one chunk gets one chunk again; who reads on then is told that he did not before."""
    with record(place) as tape:
        async with aclosing(RecordingTap(tape).stream(QUESTION, lambda: spoken("a", "b"), CHUNKS)) as stream:  # type: ignore[type-var]
            await anext(stream)
    assert kinds(place) == ["c1 request", "c1 chunk", "c1 end"]
    with rerun(place) as tap:
        async with aclosing(tap.stream(QUESTION, never, CHUNKS)) as stream:  # type: ignore[type-var]
            assert (await anext(stream)).text == "a"
    tap = rerun(place)
    texts, error = await read_until_it_fails(tap.stream(QUESTION, never, CHUNKS))
    assert texts == ["a"]
    assert "c1 was left after 1 chunks in the recording (closed), and now it is read further" in str(error)
    with pytest.raises(ReplayMismatch, match="c1 was left after 1 chunks"):
        tap.assert_complete()


async def test_a_stream_that_nobody_closed_is_closed_with_the_cassette(place: Path) -> None:
    """The tape says that its consumer went away."""
    with record(place) as tape:
        stream = RecordingTap(tape).stream(QUESTION, lambda: spoken("a", "b"), CHUNKS)
        await anext(stream)
    assert kinds(place)[-1] == "c1 end"
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_recorded_hour_takes_no_time_on_a_virtual_clock_and_all_of_it_to_whoever_waits(place: Path) -> None:
    """Chunks come when they came: an idle timeout in between fires as it should."""
    clock = VirtualClock()

    async def slow() -> AsyncIterator[Chunk]:
        yield Chunk("a")
        await clock.sleep(3600)
        yield Chunk("b")

    with record(place, clock=clock) as tape:
        await read(RecordingTap(tape).stream(QUESTION, slow, CHUNKS))
    later = VirtualClock()
    with rerun(place, pace="recorded", clock=later) as tap:
        stream = tap.stream(QUESTION, never, CHUNKS)
        arrivals = [round(later.monotonic_ns() / 1e9) async for _ in stream]
    assert arrivals == [0, 3600]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_idle_timeout_fires_in_a_recorded_pause(place: Path, backend: str) -> None:
    """Whoever waits a minute for the next chunk gives up after a minute; whoever waits two hours gets it."""
    clock = VirtualClock()

    async def slow() -> AsyncIterator[Chunk]:
        yield Chunk("a")
        await anyio.sleep(3600)
        yield Chunk("b")

    async def taped() -> None:
        with record(place, clock=clock) as tape:
            await read(RecordingTap(tape).stream(QUESTION, slow, CHUNKS))

    async def patient(seconds: float) -> tuple[list[str], int]:
        texts: list[str] = []
        with rerun(place, pace="recorded", clock=clock, partly=True) as tap:
            begun_ns = clock.monotonic_ns()
            stream = tap.stream(QUESTION, never, CHUNKS)
            while True:
                with anyio.move_on_after(seconds) as waiting:
                    chunk = await anext(stream, None)
                if waiting.cancelled_caught or chunk is None:
                    return texts, round((clock.monotonic_ns() - begun_ns) / 1e9)
                texts.append(chunk.text)

    run(taped, backend=backend, clock=clock)
    assert run(patient, 60, backend=backend, clock=clock) == (["a"], 60)
    assert run(patient, 7200, backend=backend, clock=clock) == (["a", "b"], 3600)


async def test_a_changed_question_fails_even_if_the_agent_swallows_it(place: Path) -> None:
    """The mismatch is raised where it happens, and again on leaving."""
    with record(place) as tape:
        await read(RecordingTap(tape).stream(QUESTION, lambda: spoken("a"), CHUNKS))
    tap = rerun(place)
    with pytest.raises(ReplayMismatch, match=r'\$\.messages\[0\]\.content: "hi" -> "ho"'):
        await read(tap.stream({"messages": [{"role": "user", "content": "ho"}]}, never, CHUNKS))
    assert await read(tap.stream(QUESTION, never, CHUNKS)) == ["a"]
    with pytest.raises(ReplayMismatch, match='"hi" -> "ho"'), tap:
        pass


async def test_calls_that_were_not_made_fail_unless_a_part_will_do(place: Path) -> None:
    """`partly` allows leftovers, never mismatches."""
    with record(place) as tape:
        await read(RecordingTap(tape).stream(QUESTION, lambda: spoken("a"), CHUNKS))
    with pytest.raises(ReplayMismatch, match="1 of 1 calls were not made"), rerun(place):
        pass
    with rerun(place, partly=True):
        pass


async def test_a_secret_over_three_chunks_never_reaches_the_tape(place: Path) -> None:
    """The asker gets each chunk at once; the tape has none of it, and the question with the secret still matches."""
    key = "sk-ant-api03-" + "A" * 60 + "AA"
    question = {"messages": [{"role": "user", "content": f"use {key}"}]}
    codec: Codec[Chunk] = Codec(CHUNKS.dump, CHUNKS.load, text_at=(("text",),))
    with record(place) as tape:
        parts = ("key: ", key[:20], key[20:40], key[40:], " ok")
        got = [c.text async for c in RecordingTap(tape).stream(question, lambda: spoken(*parts), codec)]
    assert "".join(got) == f"key: {key} ok"
    assert "AAAA" not in place.read_text()
    with rerun(place) as tap:
        again = [chunk.text async for chunk in tap.stream(question, never, codec)]
    assert (len(again), "".join(again)) == (5, "key: <anthropic-key-1> ok")


async def test_what_has_no_json_form_stops_the_recording_and_not_the_asker(place: Path) -> None:
    """The consumer gets its answer; the error comes on leaving."""
    codec: Codec[Chunk] = Codec(dump=lambda chunk: chunk.nothing, load=CHUNKS.load)  # type: ignore[attr-defined]
    tape = record(place)
    assert await read(RecordingTap(tape).stream(QUESTION, lambda: spoken("a", "b"), codec)) == ["a", "b"]
    with pytest.raises(UsageError, match="Chunk could not be taped: AttributeError"):
        tape.close()
    assert not place.exists()


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
async def test_results_come_in_recorded_order(place: Path, order: tuple[int, ...]) -> None:
    """Tools that ran at once end in the order in which they did, however they are begun."""
    ended: list[int] = []
    turns = {n: anyio.Event() for n in (*order, 0)}
    following = dict(zip(order, (*order[1:], 0), strict=True))

    async def tool(n: int) -> str:
        """Answer when it is its turn."""
        await turns[n].wait()
        turns[following[n]].set()
        return f"result {n}"

    async def run_all(tool: Callable[..., Any], numbers: tuple[int, ...]) -> list[int]:
        done: list[int] = []

        async def one(n: int) -> None:
            assert await tool(n) == f"result {n}"
            done.append(n)

        async with anyio.create_task_group() as group:
            for n in numbers:
                group.start_soon(one, n)
        return done

    turns[order[0]].set()
    with record(place) as tape:
        ended = await run_all(RecordingTap(tape).tool(tool), (1, 2, 3))
    assert ended == list(order)
    with rerun(place) as tap:
        wrapped = tap.tool(never_called(tool))
        assert await run_all(wrapped, (3, 2, 1)) == list(order)


def never_called(tool: Callable[..., Any]) -> Callable[..., Any]:
    """Return a tool of the same name and signature that must not run."""

    async def tool_(n: int) -> str:
        raise AssertionError("a replay ran a tool")

    tool_.__name__ = tool.__name__
    return tool_


def test_results_come_in_recorded_order_in_threads_too(place: Path) -> None:
    """Two threads: the one that began first ended last."""
    first_began, second_ended = threading.Event(), threading.Event()

    def tool(n: int) -> int:
        if n == 1:
            first_began.set()
            assert second_ended.wait(5)
        else:
            assert first_began.wait(5)
        return n

    def run_both(tool: Callable[[int], int], done: list[int]) -> None:
        def one(n: int) -> None:
            done.append(tool(n))
            if n == 2:
                second_ended.set()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(one, (1, 2)))

    ended: list[int] = []
    with record(place) as tape:
        run_both(RecordingTap(tape).tool(tool), ended)
    assert ended == [2, 1]
    again: list[int] = []
    with rerun(place) as tap:
        run_both(tap.tool(tool), again)
    assert again == [2, 1]


async def test_a_result_that_waits_in_vain_says_for_what(place: Path) -> None:
    """Where tools no longer run at once, nothing hangs: the error names both."""
    first_began, second_ended = anyio.Event(), anyio.Event()

    async def tool(n: int) -> int:
        if n == 1:
            first_began.set()
            await second_ended.wait()
        else:
            second_ended.set()
        return n

    with record(place) as tape:
        wrapped = RecordingTap(tape).tool(tool)
        async with anyio.create_task_group() as group:
            group.start_soon(wrapped, 1)
            await first_began.wait()
            group.start_soon(wrapped, 2)
    with pytest.raises(ReplayMismatch, match=r"tool 'tool' \(c1\) ended after 'tool' \(c2\) in the recording"):
        await rerun(place, patience_s=0.01).tool(tool)(1)


async def test_a_tool_keeps_its_face_and_gets_its_arguments_by_name(place: Path) -> None:
    """Name, documentation and signature stay; positions and defaults do not matter for the match."""

    async def search(query: str, limit: int = 3, **more: str) -> list[str]:
        """Search for something."""
        return [query] * limit

    with record(place) as tape:
        taped = RecordingTap(tape).tools([search])[0]
        assert (taped.__name__, taped.__doc__) == ("search", "Search for something.")
        assert await taped("x", 2, lang="en") == ["x", "x"]
    with rerun(place) as tap:
        assert await tap.tool(search)(query="x", limit=2, lang="en") == ["x", "x"]


async def test_live_tools_run_on_request(place: Path) -> None:
    """Then only the model is replayed, and the tools are not on the list of what must be called."""
    ran: list[int] = []

    async def tool(n: int) -> int:
        ran.append(n)
        return n

    with record(place) as tape:
        await RecordingTap(tape).tool(tool)(1)
    with rerun(place, tools="live") as tap:
        assert await tap.tool(tool)(2) == 2
    assert ran == [1, 2]


async def test_identical_calls_at_once_get_one_answer_each(place: Path) -> None:
    """Nothing is answered twice, and nothing is left."""
    count = 0

    async def model() -> Chunk:
        nonlocal count
        count += 1
        return Chunk(str(count))

    with record(place) as tape:
        recording = RecordingTap(tape)
        for _ in range(3):
            await recording.ask(QUESTION, model, CHUNKS)
    answers: list[str] = []

    async def one(tap: ReplayingTap) -> None:
        answers.append((await tap.ask(QUESTION, never, CHUNKS)).text)

    with rerun(place) as tap:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(one, tap)
    assert sorted(answers) == ["1", "2", "3"]


async def test_an_old_tape_is_refused_where_its_age_matters(place: Path) -> None:
    """The error says how old it is; one that does not say its age is refused too."""
    clock = VirtualClock()
    with record(place, clock=clock) as tape:
        await read(RecordingTap(tape).stream(QUESTION, lambda: spoken("a"), CHUNKS))
    await clock.sleep(40 * 86_400)
    with pytest.raises(CassetteError, match="was recorded 40 days ago, and may be 30 days old: record it again"):
        rerun(place, max_age_days=30, clock=clock)
    with rerun(place, max_age_days=41, clock=clock, partly=True):
        pass


async def test_a_tape_of_calls_has_no_events_and_says_so(place: Path) -> None:
    """Replaying its events is complete at once: there are none."""
    with record(place) as tape:
        await read(RecordingTap(tape).stream(QUESTION, lambda: spoken("a"), CHUNKS))
    with open_tape(place) as again:
        assert (list(again.events()), again.end()) == ([], "complete")
        await replay(again, BufferingHandler())

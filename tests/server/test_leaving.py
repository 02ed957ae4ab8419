"""What becomes of a run whose client leaves: it stops at once, or finishes into the cassette, or waits a while."""

import json
import socket
import statistics
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from websockets.sync.client import connect

from playhead.events.locus import AgentEvent
from playhead.provider.serving import Served
from playhead.replaying.tape import open_tape
from tests.server.agents import FunctionAgent, TalkingAgent, chunk
from tests.server.clients import get, messages, place, serving, streaming, told

SOON_S = 20
"""How long to wait for what takes no time."""

WITHIN_S = 0.1
"""How long a run may go on whose client has left."""


class HangingAgent:
    """Say one thing, and then nothing for ever; note when that was stopped."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.stopped = threading.Event()
        self.stopped_s = 0.0

    async def run(self, prompt: str, **more: Any) -> AsyncIterator[AgentEvent]:
        """Yield one event."""
        yield chunk(prompt)
        self.begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            self.stopped_s = time.monotonic()
            self.stopped.set()


@contextmanager
def reading(served: Served) -> Iterator[None]:
    """Read a stream until the first event."""
    with streaming(served, "/stream?prompt=x") as stream:
        next(each for each in stream if each.event != "heartbeat")
        yield


@contextmanager
def posting(served: Served) -> Iterator[None]:
    """Wait for the result of a run, until the block ends."""
    body = b'{"prompt":"x"}'
    head = (
        f"POST /invoke HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2]))) as connection:
        connection.sendall(head.encode() + b"\r\n" + body)
        yield


@contextmanager
def talking(served: Served) -> Iterator[None]:
    """Read from a WebSocket until the first event, and drop it without a word."""
    with connect(served.url.replace("http", "ws") + "/ws", close_timeout=0) as websocket:
        websocket.send('{"type":"run","prompt":"x"}')
        assert any(json.loads(text)["event"] == "model_chunk" for text in websocket)
        yield


Client = Callable[[Served], AbstractContextManager[None]]


@pytest.mark.parametrize("client", [reading, posting, talking])
def test_a_run_stops_when_its_client_has_left(client: Client, tmp_path: Path) -> None:
    """The run is stopped within 100 ms, mostly, on a machine that may be busy; and sealed as cancelled."""
    took_s = []
    for number in range(3):
        agent = HangingAgent()
        with serving(agent, store=tmp_path / str(number)) as served:
            with client(served):
                assert agent.begun.wait(SOON_S)
                left_s = time.monotonic()
            assert agent.stopped.wait(SOON_S)
            took_s.append(agent.stopped_s - left_s)
        [cassette] = (tmp_path / str(number)).glob("*.jsonl")
        with open_tape(cassette) as tape:
            assert tape.end() == "cancelled"
    assert min(took_s) < WITHIN_S, took_s


def test_a_run_finishes_when_its_client_has_left(tmp_path: Path) -> None:
    """With `on_leave="finish"` it goes on into the cassette, where whoever comes back finds it whole."""
    agent = TalkingAgent(0.02)
    with serving(agent, store=tmp_path, on_leave="finish") as served:
        with streaming(served, "/stream?prompt=20") as stream:
            last = next(each for each in stream if place(each) == "2")
        assert agent.finished.wait(SOON_S)
        again = get(served, "/stream?prompt=20", last_event_id=last.id or "")
        assert [place(each) for each in messages(again)] == [*map(str, range(3, 22)), "end"]
    assert not agent.left.is_set()


def test_a_run_waits_for_its_client() -> None:
    """With `linger_s` a client may come back for so long; when nobody has, the run is stopped."""
    agent = HangingAgent()
    with serving(agent, linger_s=0.5) as served:
        with streaming(served, "/stream?prompt=x") as stream:
            last = next(each for each in stream if place(each) == "1")
        left_s = time.monotonic()
        with streaming(served, "/stream?prompt=x", last_event_id=last.id or "") as stream:
            next(stream)
            assert not agent.stopped.wait(0.8)
            back_s = time.monotonic()
        assert agent.stopped.wait(SOON_S)
        assert agent.stopped_s - back_s >= 0.5
        assert agent.stopped_s - left_s >= 1.3


def test_who_watches_keeps_a_run_going() -> None:
    """A run has left its clients when the last one is gone, not the first."""
    agent = HangingAgent()
    with serving(agent) as served, streaming(served, "/stream?prompt=x") as first:
        last = next(each for each in first if place(each) == "1")
        with streaming(served, "/stream", last_event_id=last.id or "") as second:
            next(second)
            first.close()  # type: ignore[attr-defined]
            assert not agent.stopped.wait(0.3)


def test_who_comes_back_too_late_is_told() -> None:
    """The run was stopped, and the stream says so; it is no success."""
    agent = HangingAgent()
    with serving(agent) as served:
        with streaming(served, "/stream?prompt=x") as stream:
            last = next(each for each in stream if place(each) == "1")
        assert agent.stopped.wait(SOON_S)
        again = get(served, "/stream?prompt=x", last_event_id=last.id or "")
        assert told(again) == [("error", "end")]
        assert json.loads(messages(again)[0].data)["error"] == "the run was cancelled"


def test_a_client_that_takes_nothing_is_gone() -> None:
    """One that holds its connection and reads nothing is given up after `stall_s`, and its run with it."""
    left = threading.Event()

    async def run(prompt: str, **more: Any) -> AsyncIterator[AgentEvent]:
        try:
            while True:
                yield chunk("x" * 100_000)
        finally:
            left.set()

    with serving(FunctionAgent(run), stall_s=0.2) as served, streaming(served, "/stream?prompt=x") as stream:
        next(stream)
        assert left.wait(SOON_S)


def test_the_end_of_the_server_is_the_end_of_its_runs(tmp_path: Path) -> None:
    """A server that is stopped in good order seals what goes on, as cancelled."""
    with ExitStack() as stack:
        served = stack.enter_context(serving(HangingAgent(), store=tmp_path, on_leave="finish"))
        with streaming(served, "/stream?prompt=x") as stream:
            next(each for each in stream if place(each) == "1")
    [cassette] = tmp_path.glob("*")
    with open_tape(cassette) as tape:
        assert tape.end() == "cancelled"


def test_the_median_is_far_below_the_limit() -> None:
    """Nine runs, one after the other: what stops them is an event, not a timer."""
    took_s = []
    agent = HangingAgent()
    with serving(agent) as served:
        for _ in range(9):
            agent.stopped.clear()
            with reading(served):
                left_s = time.monotonic()
            assert agent.stopped.wait(SOON_S)
            took_s.append(agent.stopped_s - left_s)
    assert statistics.median(took_s) < WITHIN_S / 5, took_s

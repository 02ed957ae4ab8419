"""The app without a server: on asyncio and trio, inside another app, and when things go wrong in the middle."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI

from playhead.events.locus import AgentEvent, CustomEvent
from playhead.provider.serving import serve
from playhead.server.agent_server import AgentServer
from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser
from tests.server.agents import FunctionAgent, TalkingAgent, chunk, terminate
from tests.server.clients import place


class Request:
    """Ask an app for a stream, take what it sends when the test wants it, and leave when it wants to."""

    def __init__(self, app: Any, query: str, **headers: str) -> None:
        self.status = 0
        self.body = b""
        self.patience = 0
        self.takes = anyio.Event()
        self.takes.set()
        self._app = app
        self._left = anyio.Event()
        named = {"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
        self._scope = {
            "type": "http",
            "method": "GET",
            "path": "/stream",
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }

    async def run(self) -> None:
        """Run the app until it returns."""
        await self._app(self._scope, self._receive, self._send)

    def leave(self) -> None:
        """Let the app know that nobody is there any more."""
        self._left.set()

    def messages(self) -> list[SSEMessage]:
        """Return the messages so far, heartbeats left out."""
        return [message for message in SSEParser().feed(self.body) if message.event != "heartbeat"]

    def places(self) -> list[str]:
        """Return where in the run they stand."""
        return [place(message) for message in self.messages()]

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self.takes.wait()
        for _ in range(self.patience):
            await anyio.lowlevel.checkpoint()
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")


@asynccontextmanager
async def asked(app: Any, query: str, **headers: str) -> AsyncIterator[Request]:
    """Let a request run beside the block, and to its end behind it."""
    request = Request(app, query, **headers)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(request.run)
        yield request


def app_of(agent: Any, **options: Any) -> Any:
    """Return the app of a server that is open to everybody."""
    return AgentServer(agent, **{"allow_unauthenticated": True, **options}).app


@pytest.mark.anyio
async def test_any_event_loop(tmp_path: Path) -> None:
    """A run streams, is taped and is told again on asyncio and on trio."""
    app = app_of(TalkingAgent(), store=tmp_path)
    with anyio.fail_after(20):
        async with asked(app, "prompt=3") as first:
            pass
        run = (first.messages()[0].id or "").partition(":")[0]
        async with asked(app, "", last_event_id=f"{run}:2") as again:
            pass
    assert first.places() == ["1", "2", "3", "4", "end"]
    assert again.messages() == first.messages()[2:]


@pytest.mark.anyio
async def test_runs_that_begin_at_once() -> None:
    """No more of them begin than may go on, and the place of one that ends is free again."""
    agent = TalkingAgent(60)
    app = app_of(agent, max_runs=1)
    for _ in range(2):
        requests = [Request(app, "prompt=1") for _ in range(6)]
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                for request in requests:
                    tasks.start_soon(request.run)
                while not all(request.status for request in requests):
                    await anyio.lowlevel.checkpoint()
                for request in requests:
                    request.leave()
        assert sorted(request.status for request in requests) == [200, *[503] * 5]
    assert agent.runs == 2


@pytest.mark.anyio
async def test_a_client_that_leaves() -> None:
    """Its run is stopped and the request is over, also while the client takes nothing."""
    agent = TalkingAgent(0.001)
    with anyio.fail_after(20):
        async with asked(app_of(agent), "prompt=100000") as request:
            while not agent.begun.is_set():
                await anyio.lowlevel.checkpoint()
            request.takes = anyio.Event()
            request.leave()
    assert agent.left.is_set()
    assert "end" not in request.places()


@pytest.mark.anyio
async def test_a_client_that_falls_behind(tmp_path: Path) -> None:
    """The run does not wait for it and holds little; the client gets all of it from the tape."""
    agent = TalkingAgent()
    app = app_of(agent, store=tmp_path, max_buffer=4)
    with anyio.fail_after(60):
        async with asked(app, "prompt=500") as request:
            request.takes = anyio.Event()
            while not agent.finished.is_set():
                await anyio.lowlevel.checkpoint()
            assert request.places() == []
            request.takes.set()
    assert request.places() == [*map(str, range(1, 502)), "end"]


@pytest.mark.anyio
async def test_a_client_that_is_slower_all_the_time(tmp_path: Path) -> None:
    """It falls behind what it reads of the tape again and again, while the run goes on, and still gets all of it."""
    agent = TalkingAgent()
    app = app_of(agent, store=tmp_path, max_buffer=4)
    with anyio.fail_after(60):
        async with asked(app, "prompt=1500") as request:
            request.patience = 100
    assert request.places() == [*map(str, range(1, 1502)), "end"]


@pytest.mark.anyio
async def test_what_a_secret_may_begin_in_is_held() -> None:
    """What is not on the tape yet, lest a secret be cut in two, is in the window, however small that is to be."""
    told, goes_on = anyio.Event(), anyio.Event()

    async def run(prompt: str, **more: Any) -> AsyncIterator[AgentEvent]:
        yield chunk("It is sk-proj-")
        for _ in range(9):
            yield chunk("a1B2c3D4")
        told.set()
        await goes_on.wait()
        yield terminate()

    with anyio.fail_after(20):
        async with asked(app_of(FunctionAgent(run), max_buffer=1), "prompt=x") as request:
            request.takes = anyio.Event()
            await told.wait()
            request.takes.set()
            while len(request.places()) < 10:
                await anyio.lowlevel.checkpoint()
            goes_on.set()
    assert request.places() == [*map(str, range(1, 12)), "end"]


class UntapeableAgent:
    """Say something that no cassette takes, and so many chunks behind it."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.has_ended = False

    async def run(self, prompt: str, **more: Any) -> AsyncIterator[AgentEvent]:
        """Yield the events."""
        deep: Any = "deep"
        for _ in range(200):
            deep = {"in": deep}
        yield CustomEvent(name="deep", data=deep)
        for _ in range(self.count):
            yield chunk("x")
        yield terminate()
        self.has_ended = True


@pytest.mark.anyio
async def test_a_tape_that_breaks(caplog: pytest.LogCaptureFixture) -> None:
    """A run that cannot be taped goes on: who follows closely sees it all, and the log says what is missing."""
    with anyio.fail_after(20):
        async with asked(app_of(UntapeableAgent(1)), "prompt=x") as request:
            pass
    assert request.places() == ["1", "2", "3", "end"]
    assert request.messages()[-1].event == "done"
    assert "could not be taped: an entry is nested" in caplog.text


@pytest.mark.anyio
async def test_a_tape_that_breaks_and_a_client_that_falls_behind() -> None:
    """What is neither held nor taped is lost, and the stream says so: it has no hole, and no `done`."""
    agent = UntapeableAgent(50)
    with anyio.fail_after(60):
        async with asked(app_of(agent, max_buffer=4), "prompt=x") as request:
            request.takes = anyio.Event()
            while not agent.has_ended:
                await anyio.lowlevel.checkpoint()
            request.takes.set()
    assert request.places() == ["end"]
    assert request.messages()[-1].event == "error"


def test_inside_another_app() -> None:
    """It can be mounted in a FastAPI app, under any path, with its routes and its gate."""
    outer = FastAPI()
    outer.mount("/agent", AgentServer(TalkingAgent(), api_key="k").app)
    with serve(outer) as served:
        assert httpx2.get(f"{served.url}/agent/health").status_code == 200
        assert httpx2.get(f"{served.url}/agent/stream?prompt=1").status_code == 401
        found = httpx2.get(f"{served.url}/agent/stream?prompt=1", headers={"authorization": "Bearer k"})
        assert "event: done" in found.text
        ticket = httpx2.post(f"{served.url}/agent/ticket", headers={"authorization": "Bearer k"}).json()["ticket"]
        assert "event: done" in httpx2.get(f"{served.url}/agent/stream?prompt=1&ticket={ticket}").text

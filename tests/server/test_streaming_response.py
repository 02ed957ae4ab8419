"""Tests of the streaming handler in the `StreamingResponse` of Starlette and FastAPI, as real clients read it."""

import json
import subprocess
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from playhead.agent.agent import Agent
from playhead.contracts.check import check
from playhead.events.locus import CustomEvent
from playhead.handlers.async_sse import AsyncSSEHandler
from playhead.handlers.sse import SSEHandler
from playhead.models.scripted import ScriptedModel
from playhead.provider.serving import serve
from playhead.scripts.parts import call, say
from playhead.server.taping import App
from playhead.sse.headers import create_sse_response_headers
from playhead.sse.parser import SSEParser
from tests.server.streams import WAIT_S, Gate, Reader, fetch
from tests.sse.test_chromium import ARGUMENTS, READ, chromium_path, playwright_api

ANSWER = "Take an\numbrella: ☂ \U0001f1eb\U0001f1f7"

PATIENCE_MS = 90_000
"""How long a browser may take on a busy machine."""

Source = AsyncIterator[Any]


def weather(city: str) -> str:
    """Look out of the window."""
    return f"rain in {city}"


def trip() -> AsyncGenerator[Any, None]:
    """Return the events of an agent that looks at the weather, and then answers."""
    model = ScriptedModel([call("weather", city="Paris"), say(ANSWER, chunks=5)])
    return Agent(model, [weather]).run("Do I need an umbrella in Paris?")


async def lost() -> Source:
    """Yield the events of an agent that fails in the middle."""
    async with aclosing(trip()) as events:
        async for event in events:
            yield event
            if event.event_type == "tool_start":
                raise ConnectionError("host db-7 is gone")


class AgentResponse(StreamingResponse):
    """Stream an agent's events as they occur. The agent stops when the client has left."""

    def __init__(self, events: Source, handler: AsyncSSEHandler) -> None:
        super().__init__(handler.stream(), headers=create_sse_response_headers())
        self._events = events
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._feed)
            await super().__call__(scope, receive, send)
            group.cancel_scope.cancel()

    async def _feed(self) -> None:
        try:
            async for event in self._events:
                await self._handler.on_event(event)
        except Exception as error:
            await self._handler.on_error(error)
        else:
            await self._handler.on_complete()


@dataclass
class Endpoint:
    """What an application streams, and what it has streamed."""

    source: Callable[[], Source]
    handler: Callable[[], AsyncSSEHandler] = AsyncSSEHandler
    events: list[Any] = field(default_factory=list)

    def respond(self) -> Response:
        return AgentResponse(self._noted(), self.handler())

    async def _noted(self) -> Source:
        async for event in self.source():
            self.events.append(event)
            yield event

    async def expected(self) -> bytes:
        """Return what a handler that only collects makes of the same events."""
        collected = SSEHandler()
        for event in self.events:
            await collected.on_event(event)
        await collected.on_complete()
        return collected.format_all().encode()


def starlette_app(endpoint: Endpoint) -> App:
    async def stream(request: Request) -> Response:
        return endpoint.respond()

    async def page(request: Request) -> Response:
        return HTMLResponse("<!doctype html><title>EventSource</title>")

    return Starlette(routes=[Route("/stream", stream), Route("/", page)])


def fastapi_app(endpoint: Endpoint) -> App:
    app = FastAPI()

    @app.get("/stream")
    async def stream() -> Response:
        return endpoint.respond()

    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>EventSource</title>")

    return app


def by_httpx2(url: str) -> bytes:
    return fetch(url).content


def by_curl(url: str) -> bytes:
    return subprocess.run(["curl", "-sSN", url], capture_output=True, check=True, timeout=WAIT_S).stdout


both = pytest.mark.parametrize("make", [starlette_app, fastapi_app], ids=["starlette", "fastapi"])
"""Run a test with each framework."""


@both
@pytest.mark.parametrize("read", [by_httpx2, by_curl])
def test_every_byte_arrives(make: Callable[[Endpoint], App], read: Callable[[str], bytes]) -> None:
    """A client reads, byte by byte, what a handler that collects makes of the same run; it breaks no rule."""
    endpoint = Endpoint(trip)
    with serve(make(endpoint)) as served:
        got = read(f"{served.url}/stream")
    assert got == anyio.run(endpoint.expected)
    messages = SSEParser().feed(got)
    assert [message.id for message in messages] == [str(number) for number in range(1, len(messages) + 1)]
    assert [message.event for message in messages] == [*(event.event_type for event in endpoint.events), "done"]
    assert list(check(got)) == []


@both
def test_the_head(make: Callable[[Endpoint], App]) -> None:
    """The response says that it is an event stream, and must be neither kept nor held back, and once each."""
    with serve(make(Endpoint(trip))) as served:
        headers = fetch(f"{served.url}/stream").headers.multi_items()
    for name, value in create_sse_response_headers().items():
        assert [found for key, found in headers if key == name.lower()] == [value]


@both
@pytest.mark.parametrize("read", [by_httpx2, by_curl])
def test_a_failure_is_the_last_message(make: Callable[[Endpoint], App], read: Callable[[str], bytes]) -> None:
    """A run that fails ends the stream in good order, with one `error` that tells nothing of the inside."""
    with serve(make(Endpoint(lost))) as served:
        got = read(f"{served.url}/stream")
    messages = SSEParser().feed(got)
    names = [message.event for message in messages]
    assert (names.count("done") + names.count("error"), names[-1]) == (1, "error")
    assert json.loads(messages[-1].data)["error"] == "internal error"
    assert b"db-7" not in got


async def numbers(gate: Gate) -> Source:
    """Yield an event for each permit."""
    try:
        for number in count(1):
            await gate.wait()
            yield CustomEvent(name="number", data={"number": number})
    finally:
        gate.left.set()


@both
def test_a_client_that_leaves_stops_the_agent(make: Callable[[Endpoint], App]) -> None:
    """Each message arrives before the agent goes on; the agent is closed when nobody reads any more."""
    gate = Gate()
    endpoint = Endpoint(lambda: numbers(gate))
    with serve(make(endpoint)) as served:
        reader = Reader(f"{served.url}/stream")
        for number in 1, 2:
            gate.open()
            assert b"id: %d\n" % number in reader.chunk()
        reader.leave()
        assert gate.left.wait(WAIT_S)
    assert len(endpoint.events) == 2


@both
def test_heartbeats(make: Callable[[Endpoint], App]) -> None:
    """While the agent thinks, the client hears that the server is there; ids and counts know nothing of it."""
    gate = Gate()

    async def thinking() -> Source:
        await gate.wait()
        async for event in trip():
            yield event

    with serve(make(Endpoint(thinking, lambda: AsyncSSEHandler(heartbeat_s=0.01)))) as served:
        reader = Reader(f"{served.url}/stream")
        beats = [reader.chunk() for _ in range(3)]
        gate.open()
        got = b"".join([*beats, *reader.chunks()])
    messages = SSEParser().feed(got)
    assert [(message.event, message.id) for message in SSEParser().feed(b"".join(beats))] == [("heartbeat", "")] * 3
    numbered = [message for message in messages if message.event != "heartbeat"]
    assert [message.id for message in numbered] == [str(number) for number in range(1, len(numbered) + 1)]
    assert json.loads(numbered[-1].data) == {"status": "complete", "total_events": len(numbered) - 1}
    assert list(check(got)) == []


MESSAGE_BYTES = 32_768
MESSAGES = 700
SYSTEM_BYTES = 16_000_000
"""What kernel and server hold between them of a stream that nobody reads, at the most."""


@both
def test_a_slow_reader_makes_the_agent_wait(make: Callable[[Endpoint], App]) -> None:
    """An agent does not run far ahead of its client, and the client misses nothing."""
    is_ahead, is_over = threading.Event(), threading.Event()

    async def talk() -> Source:
        for number in range(MESSAGES):
            if number * MESSAGE_BYTES > SYSTEM_BYTES:
                is_ahead.set()
            # As any agent waits for its model: the response has to begin before the buffer is full.
            await checkpoint()
            yield CustomEvent(name="number", data={"text": "x" * MESSAGE_BYTES})
        is_over.set()

    with serve(make(Endpoint(talk, lambda: AsyncSSEHandler(max_buffer=16)))) as served:
        reader = Reader(f"{served.url}/stream")
        first = reader.chunk()
        assert not is_ahead.wait(0.5)
        messages = SSEParser().feed(b"".join([first, *reader.chunks()]))
        assert is_over.wait(WAIT_S)
    assert [message.id for message in messages] == [str(number) for number in range(1, MESSAGES + 2)]


@pytest.mark.xdist_group("chromium")
def test_a_browser() -> None:
    """Chromium's EventSource gets every event once, in order, under its name and with its id, then the end."""
    path, api = chromium_path(), playwright_api()
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, timeout=PATIENCE_MS)
        try:
            for make in starlette_app, fastapi_app:
                for endpoint in Endpoint(trip), Endpoint(lost):
                    with serve(make(endpoint)) as served:
                        page = browser.new_page()
                        page.set_default_timeout(PATIENCE_MS)
                        page.goto(served.url)
                        names = ["done", "error", *{"model_chunk", "think", "tool_start", "tool_complete", "terminate"}]
                        [seen] = page.evaluate(READ, [["/stream", names]])
                        page.close()
                    told = [event.event_type for event in endpoint.events]
                    last = "done" if told[-1] == "terminate" else "error"
                    assert [name for name, _, _ in seen] == [*told, last]
                    assert [id for _, _, id in seen] == [str(number) for number in range(1, len(seen) + 1)]
                    said = [json.loads(data) for name, data, _ in seen if name == "terminate"]
                    assert all(data["final_message"] == ANSWER for data in said)
        finally:
            browser.close()

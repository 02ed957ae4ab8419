"""A served app is there while its block runs, and not before or after."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import openai
import pytest
from anyio import sleep_forever
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from playhead.errors import UsageError
from playhead.models.scripted import FunctionModel, ScriptedModel
from playhead.provider.serving import Served, serve, serve_model
from playhead.scripts import cut, hang, say, turn
from tests.provider.peers import ask_chat
from tests.provider.permits import PermitModel
from tests.provider.turns import SPOKEN


def ask(served: Served) -> str:
    """Return the answer of a served model."""
    return "".join(ask_chat(served, 20))


def test_it_is_there_while_the_block_runs() -> None:
    """It answers at once, and at the end of the block the port is closed."""
    with serve_model(ScriptedModel([say("Hello.")])) as served:
        assert ask(served) == "Hello."
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(served.url)


def test_several_are_there_side_by_side() -> None:
    """Each has a port of its own, and answers with its own model."""
    with (
        serve_model(FunctionModel(lambda request: "one")) as one,
        serve_model(FunctionModel(lambda request: "two")) as two,
    ):
        assert (ask(one), ask(two)) == ("one", "two")


def test_the_urls_are_what_the_sdks_want() -> None:
    """OpenAI's has the version, the others add it themselves."""
    served = Served("http://127.0.0.1:1234")
    assert served.openai_url == "http://127.0.0.1:1234/v1"
    assert served.anthropic_url == served.gemini_url == "http://127.0.0.1:1234"


def test_a_port_that_is_taken() -> None:
    """The error is the system's, and comes when the block begins."""
    with serve_model(ScriptedModel([])) as served:
        port = int(served.url.rpartition(":")[2])
        with pytest.raises(OSError), serve_model(ScriptedModel([]), port=port):
            pytest.fail("the port is taken")


def test_open_streams_do_not_hold_it_up() -> None:
    """At the end of the block the model is cancelled, and the client sees a broken stream."""
    model = PermitModel(turn(SPOKEN))
    with httpx2.Client(timeout=20) as client:
        with serve_model(model) as served:
            request = client.build_request(
                "POST",
                f"{served.openai_url}/chat/completions",
                json={"messages": [{"role": "user", "content": "Hello."}], "stream": True},
            )
            response = client.send(request, stream=True)
            model.await_question()
        assert model.has_left.is_set()
        with pytest.raises(httpx2.TransportError):
            response.read()


def test_a_fault_is_no_trouble_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is logged about cut connections, before the answer and in it, or about clients that give up."""
    model = ScriptedModel([cut(), turn(SPOKEN, cut(at=2)), turn(SPOKEN, hang(at=2)), say("Hello.")])
    with caplog.at_level(logging.INFO, logger="uvicorn.access"), serve_model(model) as served:
        for timeout_s in (20.0, 20.0, 0.5):
            with pytest.raises(openai.APIConnectionError):
                list(ask_chat(served, timeout_s))
        assert ask(served) == "Hello."
    model.assert_complete()
    assert caplog.messages == []


def test_an_app_that_does_not_notice_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    """An app that waits for ever, and for no message, is cancelled after its time, and that is logged."""
    asked, has_ended = threading.Event(), threading.Event()

    async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("no lifespan here")
        asked.set()
        try:
            await sleep_forever()
        finally:
            has_ended.set()

    def visit(url: str) -> None:
        with pytest.raises(httpx2.TransportError):
            httpx2.get(url, timeout=20)

    with serve(deaf) as served:
        visitor = threading.Thread(target=visit, args=(served.url,))
        visitor.start()
        assert asked.wait(20)
    visitor.join()
    assert has_ended.is_set()
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_any_app_is_served_with_its_lifespan() -> None:
    """What an app opens when it starts is open, and is closed at the end."""
    states: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        states.append("open")
        yield
        states.append("closed")

    async def tell(request: Request) -> PlainTextResponse:
        return PlainTextResponse(" ".join(states))

    with serve(Starlette(routes=[Route("/", tell)], lifespan=lifespan)) as served:
        assert httpx2.get(served.url).text == "open"
    assert states == ["open", "closed"]


def test_an_app_that_does_not_start() -> None:
    """The block does not begin, and the error says where to look."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(UsageError, match="the app did not start"), serve(broken):
        pytest.fail("the app did not start")


@pytest.mark.anyio
async def test_it_serves_code_in_an_event_loop() -> None:
    """A block in a running loop, asyncio's or trio's, is the same as anywhere."""
    with serve_model(ScriptedModel([say("Hello.")])) as served:
        async with httpx2.AsyncClient() as client:
            found = await client.post(
                f"{served.openai_url}/chat/completions", json={"messages": [{"role": "user", "content": "Hello."}]}
            )
    assert found.json()["choices"][0]["message"]["content"] == "Hello."

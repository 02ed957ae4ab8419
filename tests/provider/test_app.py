"""What the app does with paths, bodies, heads and connections, whatever the format."""

import json
import logging
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import httpx2
import openai
import pytest

from playhead.contracts.check import check
from playhead.errors import ModelFailure, ReplayMismatch, UsageError
from playhead.models.scripted import FunctionModel, ScriptedModel
from playhead.provider.app import model_app
from playhead.provider.serving import Served, serve_model
from playhead.scripts import ModelRequest, Turn, cut, garbage, say, turn
from tests.provider.peers import ASKS, CHAT_MESSAGES, MODEL, TIMEOUT_S, Ask, claude, gemini, open_ai
from tests.provider.permits import PermitModel
from tests.provider.turns import FORECAST, SPOKEN, TEXT

USER = [{"role": "user", "content": "Hello."}]
STREAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai.chat": ("/chat/completions", {"model": MODEL, "messages": USER, "stream": True}),
    "openai.responses": ("/responses", {"model": MODEL, "input": USER, "stream": True}),
    "anthropic.messages": ("/messages", {"model": MODEL, "messages": USER, "max_tokens": 9, "stream": True}),
    "gemini": (f"/models/{MODEL}:streamGenerateContent?alt=sse", {"contents": [{"parts": [{"text": "Hello."}]}]}),
}
"""How each format is asked for a stream: the path and the body."""


def echo(request: ModelRequest) -> Turn:
    """Answer with the last message and the name of the model."""
    return turn(say(f"{request.model}: {request.messages[-1]['content']}"))


@pytest.fixture
def served() -> Iterator[Served]:
    """Serve a model that echoes."""
    with serve_model(FunctionModel(echo)) as served:
        yield served


@pytest.mark.parametrize("prefix", ["", "/v1", "/openai/deployments/gpt"])
@pytest.mark.parametrize(("path", "body"), STREAMS.values(), ids=STREAMS)
def test_any_prefix_is_served(served: Served, prefix: str, path: str, body: dict[str, Any]) -> None:
    """What stands before the path is the client's business, and so is the type that it accepts."""
    found = httpx2.post(f"{served.url}{prefix}{path}", json=body, headers={"accept": "application/json"})
    assert found.status_code == 200
    assert found.headers["content-type"].startswith("text/event-stream")
    assert f"{MODEL}: Hello." in found.text


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/completions"), ("GET", "/v1/chat/completions"), ("GET", "/"), ("PUT", "/models")]
)
def test_any_other_path_is_told_the_known_ones(served: Served, method: str, path: str) -> None:
    """The error says what was asked and what there is."""
    found = httpx2.request(method, f"{served.url}{path}")
    assert found.status_code == 404
    assert found.json()["error"]["message"] == (
        f"there is nothing at {method} {path}. Behind any prefix, there is: POST /chat/completions, POST /responses, "
        "POST /messages, POST /models/{model}:generateContent, POST /models/{model}:streamGenerateContent?alt=sse, "
        "GET /models. Check the client's base URL."
    )


def test_a_wrong_base_url_is_told_by_the_sdk(served: Served) -> None:
    """The error of the SDK names the known paths."""
    with (
        openai.OpenAI(base_url=f"{served.url}/v1/chat", api_key="key", max_retries=0) as client,
        pytest.raises(openai.NotFoundError, match=re.escape("nothing at POST /v1/chat/embeddings")),
    ):
        client.embeddings.create(model=MODEL, input="Hello.")


def test_the_models_are_listed(served: Served) -> None:
    """Each SDK reads the same list."""
    with open_ai(served) as openai_client, claude(served) as claude_client, gemini(served) as gemini_client:
        assert [model.id for model in openai_client.models.list()] == ["playhead"]
        assert [model.id for model in claude_client.models.list()] == ["playhead"]
        assert [model.name for model in gemini_client.models.list()] == ["models/playhead"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body of the request is no JSON: "),
        (b"\xff", "the body of the request is no JSON: "),
        (b"[1]", "the body of the request must be an object, and is [1]"),
        (b"{}", "the request has no "),
        (b'{"messages": 7, "input": 7, "contents": 7}', " must be a list of objects, and is 7"),
    ],
)
@pytest.mark.parametrize("path", [path for path, _ in STREAMS.values()], ids=STREAMS)
def test_what_is_no_request_is_refused(served: Served, path: str, body: bytes, message: str) -> None:
    """The error has the format's shape, and says what is wrong with the body."""
    found = httpx2.post(f"{served.url}{path}", content=body)
    assert found.status_code == 400
    assert message in found.json()["error"]["message"]


def test_gemini_streams_events_only(served: Served) -> None:
    """A stream that is to be one JSON array is refused, with the way to ask."""
    found = httpx2.post(
        f"{served.url}/v1beta/models/{MODEL}:streamGenerateContent", json={"contents": [{"parts": [{"text": "Hi."}]}]}
    )
    assert found.status_code == 400
    assert found.json()["error"]["message"] == ("only event streams are served: ask for streamGenerateContent?alt=sse")


@pytest.mark.parametrize(("dialect", "asked"), STREAMS.items(), ids=STREAMS)
def test_a_healthy_stream_breaks_no_rule(dialect: str, asked: tuple[str, dict[str, Any]]) -> None:
    """The rules of the wire and of the dialect find nothing in what is sent."""
    path, body = asked
    with serve_model(ScriptedModel([FORECAST])) as served:
        found = httpx2.post(f"{served.url}{path}", json=body)
    assert list(check(found.content, dialect=dialect)) == []


@pytest.mark.parametrize(("dialect", "asked"), STREAMS.items(), ids=STREAMS)
def test_a_clean_cut_is_found(dialect: str, asked: tuple[str, dict[str, Any]]) -> None:
    """The SDKs take a stream without its last event for whole; the rules do not."""
    path, body = asked
    with serve_model(ScriptedModel([turn(SPOKEN, cut(at=2, clean=True))])) as served:
        found = httpx2.post(f"{served.url}{path}", json=body)
    assert found.status_code == 200
    assert [violation.code for violation in check(found.content, dialect=dialect)] == ["TRM001"]


def connect(served: Served, path: str, body: dict[str, Any]) -> socket.socket:
    """Ask over a socket of our own, and return it."""
    split, content = urlsplit(served.url), json.dumps(body)
    connection = socket.create_connection((split.hostname, split.port), timeout=20)
    head = f"POST {path} HTTP/1.1\r\nhost: playhead\r\ncontent-length: {len(content)}\r\n\r\n"
    connection.sendall(head.encode() + content.encode())
    return connection


def test_each_piece_is_a_read_of_its_own() -> None:
    """A piece is on the wire when the model has said it, in one chunk, and nothing of the next one is."""
    model = PermitModel(turn(SPOKEN))
    path, body = STREAMS["openai.chat"]
    with serve_model(model) as served, connect(served, path, body) as connection:
        opening = b""
        while b"assistant" not in opening or not opening.endswith(b"\r\n"):
            opening += connection.recv(65536)
        for text in SPOKEN.pieces:
            model.permit()
            size, block = connection.recv(65536).split(b"\r\n", 1)
            assert block[int(size, 16) :] == b"\r\n"
            assert json.loads(block[: int(size, 16)].removeprefix(b"data: "))["choices"][0]["delta"] == {
                "content": text
            }
        model.permit()
        assert b"[DONE]" in connection.recv(65536)


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_stream_that_trickles(ask: Ask) -> None:
    """One byte in each chunk, in the middle of characters and of lines, says the same to every SDK."""
    with serve_model(ScriptedModel([FORECAST]), max_chunk_bytes=1) as served:
        assert "".join(ask(served, TIMEOUT_S)) == TEXT


def test_a_chunk_has_a_byte() -> None:
    """Less than one byte a chunk is nothing that could be sent."""
    with pytest.raises(UsageError, match="max_chunk_bytes=0: a chunk has at least one byte"):
        model_app(ScriptedModel([]), max_chunk_bytes=0)


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_client_that_leaves_cancels_the_model(is_stream: bool) -> None:
    """Nobody pays for what nobody hears: the model stops where it is."""
    model = PermitModel(turn(SPOKEN))
    path, body = STREAMS["openai.chat"]
    with serve_model(model) as served:
        with connect(served, path, body | {"stream": is_stream}):
            model.await_question()
        assert model.has_left.wait(20)


def test_a_script_that_is_played_out() -> None:
    """One question too many is refused once, with the text of the mismatch, and stays on record."""
    model = ScriptedModel([say("Only this.")])
    with serve_model(model) as served, open_ai(served, retries=2) as client:
        client.chat.completions.create(model=MODEL, messages=CHAT_MESSAGES)
        with pytest.raises(openai.BadRequestError, match="the script has 1 turns, and the model was asked 2 times"):
            client.chat.completions.create(model=MODEL, messages=CHAT_MESSAGES)
    assert model.call_count == 2
    with pytest.raises(ReplayMismatch, match="add a turn"):
        model.assert_complete()


def test_a_model_that_is_broken(caplog: pytest.LogCaptureFixture) -> None:
    """What a function raises is told to the client, once, and to the log."""

    def broken(request: ModelRequest) -> Turn:
        raise LookupError("no such city")

    model = FunctionModel(broken)
    with (
        caplog.at_level(logging.ERROR),
        serve_model(model) as served,
        open_ai(served, retries=2) as client,
        pytest.raises(openai.InternalServerError, match="the model raised LookupError: no such city"),
    ):
        client.chat.completions.create(model=MODEL, messages=CHAT_MESSAGES)
    assert model.call_count == 1
    assert [record.message for record in caplog.records] == ["the model raised LookupError"]


def test_garbage_takes_the_place_of_an_answer_that_does_not_stream() -> None:
    """The body is these bytes, and says it is JSON."""
    model = ScriptedModel([turn(say("Hello."), garbage(b"{not"), garbage(b" JSON"))])
    with serve_model(model) as served:
        found = httpx2.post(f"{served.openai_url}/chat/completions", json={"messages": USER})
    assert (found.status_code, found.headers["content-type"]) == (200, "application/json")
    assert found.content == b"{not JSON"


@pytest.mark.anyio
async def test_the_app_needs_no_server() -> None:
    """In process, and under any event loop, an ASGI client gets the same answer."""
    transport = httpx.ASGITransport(model_app(FunctionModel(echo)))
    path, body = STREAMS["openai.chat"]
    async with httpx.AsyncClient(transport=transport, base_url="http://playhead") as client:
        found = await client.post(path, json=body)
    assert f"{MODEL}: Hello." in found.text


@pytest.mark.anyio
async def test_a_cut_under_a_server_that_cannot_is_raised() -> None:
    """Where the app cannot close the connection, the server gets the failure."""
    transport = httpx.ASGITransport(model_app(ScriptedModel([turn(SPOKEN, cut(at=2))])))
    path, body = STREAMS["openai.chat"]
    async with httpx.AsyncClient(transport=transport, base_url="http://playhead") as client:
        with pytest.raises(ModelFailure, match="the connection was lost"):
            await client.post(path, json=body)

"""Tests of the middleware that tapes what a server sends, with real applications, a real server and real clients."""

import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse as FastAPIStreamingResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from playhead.contracts.check import check
from playhead.errors import CassetteError, UsageError
from playhead.provider.serving import serve
from playhead.recording.recorder import Recorder, record
from playhead.replaying.tape import chunk, open_tape
from playhead.server.agent_server import AgentServer
from playhead.server.taping import MAX_ANSWER_BYTES, App, Paths, Scope, TapeMiddleware
from tests.server.agents import asking
from tests.server.streams import HEADERS, STREAM, WAIT_S, Gate, Reader, Recording, fetch, kinds


async def streamed() -> AsyncIterator[bytes]:
    for piece in STREAM:
        yield piece


def starlette_app() -> App:
    async def stream(request: Request) -> StreamingResponse:
        return StreamingResponse(streamed(), headers=HEADERS)

    return Starlette(routes=[Route("/stream", stream)])


def fastapi_app() -> FastAPI:
    app = FastAPI()

    @app.get("/stream")
    async def stream() -> FastAPIStreamingResponse:
        return FastAPIStreamingResponse(streamed(), headers=HEADERS)

    return app


def by_httpx2(url: str) -> bytes:
    return fetch(url).content


def by_curl(url: str) -> bytes:
    return subprocess.run(["curl", "-sSN", url], capture_output=True, check=True, timeout=WAIT_S).stdout


def by_socket(url: str) -> bytes:
    return b"".join(Reader(url).chunks())


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    with Recording(tmp_path / "server.jsonl") as made:
        yield made


@pytest.mark.parametrize("read", [by_httpx2, by_curl, by_socket])
@pytest.mark.parametrize("make", [starlette_app, fastapi_app])
def test_a_stream(make: Callable[[], App], read: Callable[[str], bytes], recording: Recording) -> None:
    """Clients get every byte, the tape every chunk and the head; it breaks no rule."""
    with serve(TapeMiddleware(make(), recording.recorder)) as served:
        assert read(f"{served.url}/stream") == b"".join(STREAM)
    tape = recording.tape()
    assert list(tape.chunks()) == STREAM
    assert tape.runs == {"r1": "complete"}
    head = next(tape.entries())
    assert (head.kind, head.value()["status"]) == ("head", 200)
    assert dict(head.value()["headers"])["content-type"] == "text/event-stream"
    assert list(check(tape)) == []


@pytest.mark.parametrize("make", [starlette_app, fastapi_app])
def test_chunks_are_cut_as_without_a_tape(make: Callable[[], App], recording: Recording) -> None:
    """What goes over the connection is the same with the middleware and without, chunk by chunk, head included."""
    with serve(make()) as served:
        plain = Reader(f"{served.url}/stream")
        expected = list(plain.chunks())
    with serve(TapeMiddleware(make(), recording.recorder)) as served:
        taped = Reader(f"{served.url}/stream")
        assert list(taped.chunks()) == expected == STREAM
    assert taped.head == plain.head


def app_of(make: Callable[[], AsyncIterator[bytes]]) -> App:
    async def stream(request: Request) -> StreamingResponse:
        return StreamingResponse(make(), headers=HEADERS)

    return Starlette(routes=[Route("/{path:path}", stream, methods=["GET", "POST"])])


def test_nothing_is_held_back(recording: Recording) -> None:
    """A chunk has reached its client, and is on the tape, before the application makes the next one."""
    gate = Gate()
    with serve(TapeMiddleware(app_of(gate.numbers), recording.recorder)) as served:
        reader = Reader(served.url)
        for number in range(5):
            gate.open()
            assert reader.chunk() == b"data: %d\n\n" % number
            with open_tape(f"{recording.place}.partial", torn=True) as tape:
                assert len(list(tape.chunks())) == number + 1
        reader.leave()
        assert gate.left.wait(WAIT_S)


def test_a_client_that_leaves(recording: Recording) -> None:
    """The application is stopped as without a tape, and the run is closed behind what had been sent."""
    gate = Gate()
    with serve(TapeMiddleware(app_of(gate.numbers), recording.recorder)) as served:
        reader = Reader(served.url)
        for _ in range(2):
            gate.open()
            reader.chunk()
        reader.leave()
        assert gate.left.wait(WAIT_S)
    tape = recording.tape()
    assert list(tape.chunks()) == [b"data: 0\n\n", b"data: 1\n\n"]
    assert tape.runs == {"r1": "closed"}


async def broken() -> AsyncIterator[bytes]:
    yield STREAM[1]
    raise ValueError("the model is gone")


def test_an_application_that_raises(recording: Recording, caplog: pytest.LogCaptureFixture) -> None:
    """The client sees a connection that broke, the server the exception, and the tape has its name and message."""
    with serve(TapeMiddleware(app_of(broken), recording.recorder)) as served:
        reader = Reader(served.url)
        assert reader.chunk() == STREAM[1]
        with pytest.raises(AssertionError, match="the connection was cut"):
            reader.chunk()
        reader.leave()
    tape = recording.tape()
    assert tape.runs == {"r1": "error"}
    assert tape.seal is not None
    failed = tape.seal.errors["r1"]
    assert (failed.type, failed.message) == ("ValueError", "the model is gone")
    assert "ValueError: the model is gone" in caplog.text


def test_a_failure_before_the_response(recording: Recording) -> None:
    """What the framework answers in the exception's place is a whole response, and taped as such."""

    async def fail(request: Request) -> StreamingResponse:
        raise ValueError("no model")

    app = Starlette(routes=[Route("/", fail)])
    with serve(TapeMiddleware(app, recording.recorder)) as served:
        assert fetch(served.url).status_code == 500
    tape = recording.tape()
    assert (list(tape.chunks()), tape.runs) == ([b"Internal Server Error"], {"r1": "complete"})
    assert next(tape.entries()).value()["status"] == 500


def test_two_at_a_time(recording: Recording) -> None:
    """Responses that are sent at the same time are runs of their own, in the order in which they began."""
    gates = {"/a": Gate(), "/b": Gate()}

    async def stream(request: Request) -> StreamingResponse:
        return StreamingResponse(gates[request.url.path].numbers(), headers=HEADERS)

    app = Starlette(routes=[Route("/{path:path}", stream)])
    with serve(TapeMiddleware(app, recording.recorder)) as served:
        readers = {}
        for path in "/a", "/b":
            readers[path] = Reader(f"{served.url}{path}")
            gates[path].open()
            assert readers[path].chunk() == b"data: 0\n\n"
        for path in "/b", "/a", "/a":
            gates[path].open()
            readers[path].chunk()
        for path, reader in readers.items():
            reader.leave()
            assert gates[path].left.wait(WAIT_S)
    tape = recording.tape()
    assert [entry.owner for entry in tape.entries()] == ["r1", "r1", "r2", "r2", "r2", "r1", "r1"]
    assert list(tape.chunks(run="r1")) == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]
    assert list(tape.chunks(run="r2")) == [b"data: 0\n\n", b"data: 1\n\n"]
    assert tape.runs == {"r1": "closed", "r2": "closed"}


async def resume(request: Request) -> StreamingResponse:
    await request.body()
    return StreamingResponse(streamed(), headers=HEADERS)


RESUMING = Starlette(routes=[Route("/{path:path}", resume, methods=["GET", "POST"])])


@pytest.mark.parametrize(
    ("body", "taped"),
    [
        (b'{"answer": "yes", "thread_id": "t1"}', {"answer": "yes", "thread_id": "t1"}),
        (b"null", None),
        (b"ja, gern", b"ja, gern"),
        (b"\xff\xfe", b"\xff\xfe"),
        (b"[" * 100_000, b"[" * 100_000),
        (b"[" * 300 + b"]" * 300, b"[" * 300 + b"]" * 300),
        (b"9" * 4_100, b"9" * 4_100),
        (b'"' + b"x" * MAX_ANSWER_BYTES + b'"', {"left_out_bytes": MAX_ANSWER_BYTES + 2}),
    ],
    ids=["json", "null", "text", "bytes", "unclosed", "deep", "long number", "too long"],
)
def test_an_answer(body: bytes, taped: Any, recording: Recording) -> None:
    """What a person answers lies before the response, in its run; nothing that is sent can stop the recording."""
    with serve(TapeMiddleware(RESUMING, recording.recorder, only=(), answers="/resume")) as served:
        assert fetch(f"{served.url}/resume", "POST", content=body).content == b"".join(STREAM)
        assert fetch(f"{served.url}/stream", "POST", content=body).content == b"".join(STREAM)
    tape = recording.tape()
    assert kinds(tape)[:3] == ["event.input", "wire.head", "wire.bytes"]
    assert {entry.owner for entry in tape.entries()} == {"r1"}
    given = next(tape.entries()).value()
    assert (given if isinstance(taped, dict | None) else chunk(next(tape.entries()).data)) == taped
    assert list(tape.chunks()) == STREAM
    assert list(check(tape)) == []


def test_a_pause_of_an_agent_server(recording: Recording) -> None:
    """A run of `AgentServer` that asks a person is two runs on the tape, with the answer between them."""
    server = AgentServer(asking(), allow_unauthenticated=True)
    with serve(TapeMiddleware(server.app, recording.recorder, answers="/resume")) as served:
        asked = fetch(f"{served.url}/stream", params={"prompt": "Go?", "thread_id": "t1"}).content
        told = fetch(f"{served.url}/resume", "POST", json={"answer": "yes", "thread_id": "t1"}).content
    tape = recording.tape()
    assert [b"".join(tape.chunks(run=run)) for run in tape.runs] == [asked, told]
    assert [kind for kind in kinds(tape) if kind != "wire.bytes"] == ["wire.head", "event.input", "wire.head"]
    [answer] = [entry for entry in tape.entries() if entry.kind == "input"]
    assert (answer.owner, answer.value()) == ("r2", {"answer": "yes", "thread_id": "t1"})
    assert b'"content":"yes, then."' in told
    assert list(check(tape)) == []


def test_no_answer(recording: Recording) -> None:
    """A request without a body answers nothing."""
    with serve(TapeMiddleware(RESUMING, recording.recorder, answers=("/resume",))) as served:
        assert fetch(f"{served.url}/resume").content == b"".join(STREAM)
    assert "event.input" not in kinds(recording.tape())


@pytest.mark.parametrize("only", ["/a", ["/a", "/c"], lambda path: path < "/b"], ids=["one", "several", "function"])
def test_only_some_paths(only: Paths, recording: Recording) -> None:
    """Other paths are served and not taped."""
    with serve(TapeMiddleware(app_of(streamed), recording.recorder, only=only)) as served:
        for path in "/a", "/b":
            assert fetch(f"{served.url}{path}").content == b"".join(STREAM)
    assert recording.tape().runs == {"r1": "complete"}


def test_what_can_never_work_is_refused(recording: Recording) -> None:
    """A path that no client asks for and a tape that is none are told at once, with what to write instead."""
    with pytest.raises(UsageError, match=r"'resume' is no path that a client can ask for: write '/resume'"):
        TapeMiddleware(RESUMING, recording.recorder, answers="resume")
    with pytest.raises(UsageError, match=r"'b' is no path that a client can ask for: write '/b'"):
        TapeMiddleware(RESUMING, recording.recorder, only=["/a", "b"])
    with pytest.raises(UsageError, match=r"tape='a.jsonl': give a recorder, as playhead\.record\(\.\.\.\) makes one"):
        TapeMiddleware(RESUMING, "a.jsonl")  # type: ignore[arg-type]


def test_a_cassette_for_each_response(tmp_path: Path) -> None:
    """A function gives each response its own recorder, which is sealed behind it; or none."""

    def tape(scope: Scope) -> Recorder | None:
        path = scope["path"]
        return record(tmp_path / f"{path[1:]}.jsonl") if path != "/untaped" else None

    async def stream(request: Request) -> StreamingResponse:
        return StreamingResponse(broken() if request.url.path == "/broken" else streamed(), headers=HEADERS)

    app = Starlette(routes=[Route("/{path:path}", stream)])
    with serve(TapeMiddleware(app, tape)) as served:
        for path in "a", "untaped", "b":
            assert fetch(f"{served.url}/{path}").content == b"".join(STREAM)
        with pytest.raises(httpx2.RemoteProtocolError):
            fetch(f"{served.url}/broken")
    ends = {path.stem: open_tape(path).runs for path in tmp_path.iterdir()}
    assert ends == {"a": {"r1": "complete"}, "b": {"r1": "complete"}, "broken": {"r1": "error"}}


def test_a_recording_that_has_failed(recording: Recording) -> None:
    """Clients get everything, and nothing is written behind the hole."""
    recording.recorder.failure = CassetteError("the disk is full")
    with serve(TapeMiddleware(RESUMING, recording.recorder, answers="/resume")) as served:
        assert fetch(f"{served.url}/resume", "POST", content=b"1").content == b"".join(STREAM)
    with open_tape(f"{recording.place}.partial", torn=True) as tape:
        assert kinds(tape) == []


def test_a_recording_that_fails(recording: Recording) -> None:
    """Clients get everything, and the recorder keeps what stopped it."""
    recording.recorder.close()
    with serve(TapeMiddleware(RESUMING, recording.recorder, answers="/resume")) as served:
        for path in "resume", "stream":
            assert fetch(f"{served.url}/{path}", "POST", content=b"1").content == b"".join(STREAM)
    assert isinstance(recording.recorder.failure, CassetteError)


def test_secrets_are_sent_and_not_taped(recording: Recording) -> None:
    """A key in a header, in an answer, or cut over chunks goes where it went before, and not onto the tape."""
    key = "sk-proj-" + "Ab1" * 16

    async def stream(request: Request) -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(key), 10):
                yield key[start : start + 10].encode()

        return StreamingResponse(chunks(), headers={"x-api-key": "abcdef", **HEADERS})

    app = Starlette(routes=[Route("/", stream, methods=["POST"])])
    with serve(TapeMiddleware(app, recording.recorder, answers="/")) as served:
        response = fetch(served.url, "POST", json={"answer": key})
        assert (response.text, response.headers["x-api-key"]) == (key, "abcdef")
    recording.tape()
    taped = recording.place.read_text()
    assert "Ab1Ab1" not in taped
    assert "abcdef" not in taped
    assert "<openai-key-1>" in taped


def test_other_connections_pass_through(recording: Recording) -> None:
    """A WebSocket and the lifespan work as without a tape, and leave nothing on it."""
    lived = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        lived.append("up")
        yield
        lived.append("down")

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/ws", echo)], lifespan=lifespan)
    with TestClient(TapeMiddleware(app, recording.recorder)) as client, client.websocket_connect("/ws") as connection:
        connection.send_text("hello")
        assert connection.receive_text() == "hello"
    assert lived == ["up", "down"]
    assert kinds(recording.tape()) == []


def test_middleware_of_a_framework(recording: Recording) -> None:
    """Starlette and FastAPI take it by `add_middleware`."""
    app = fastapi_app()
    app.add_middleware(TapeMiddleware, tape=recording.recorder, only="/stream")
    with serve(app) as served:
        assert fetch(f"{served.url}/stream").content == b"".join(STREAM)
    assert list(recording.tape().chunks()) == STREAM

"""Tests of the middleware that tapes what a server sends, message by message: what servers and applications may do."""

import gc
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import CassetteError
from playhead.recording.recorder import Recorder, record
from playhead.replaying.tape import open_tape
from playhead.server.taping import App, Message, Receive, Scope, Send, TapeMiddleware
from tests.server.streams import Recording, kinds


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    with Recording(tmp_path / "server.jsonl") as made:
        yield made


START: Message = {"type": "http.response.start", "status": 200, "headers": []}
REQUEST: Message = {"type": "http.request", "body": b"", "more_body": False}
LEFT: Message = {"type": "http.disconnect"}


def part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def served(app: App, *, heard: Iterable[Message] = (), send: Send | None = None, **scope: Any) -> list[Message]:
    """Serve one request without a server, and return what is sent. `heard` is what the application gets to hear."""
    sent: list[Message] = []
    coming = iter(heard)

    async def receive() -> Message:
        return next(coming, LEFT)

    async def keep(message: Message) -> None:
        sent.append(message)

    await app({"type": "http", "method": "GET", "path": "/", **scope}, receive, send or keep)
    return sent


def saying(*messages: Message) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


@pytest.mark.anyio
async def test_messages_pass_as_they_are(recording: Recording) -> None:
    """The server gets the very messages of the application; an empty chunk is none, for no client sees it."""
    messages = [START, part(b"a"), part(b""), part(b"b", more=False)]
    sent = await served(TapeMiddleware(saying(*messages), recording.recorder))
    assert [id(message) for message in sent] == [id(message) for message in messages]
    assert list(recording.tape().chunks()) == [b"a", b"b"]


@pytest.mark.anyio
async def test_the_body_of_a_head_request(recording: Recording) -> None:
    """Applications send it and servers do not."""
    await served(TapeMiddleware(saying(START, part(b"a", more=False)), recording.recorder), method="HEAD")
    tape = recording.tape()
    assert (kinds(tape), tape.runs) == (["wire.head"], {"r1": "complete"})


@pytest.mark.anyio
@pytest.mark.parametrize("messages", [[], [START], [START, part(b"a")]], ids=["nothing", "head", "chunk"])
async def test_an_application_that_returns_early(messages: list[Message], recording: Recording) -> None:
    """A response without an end has failed."""
    await served(TapeMiddleware(saying(*messages), recording.recorder))
    tape = recording.tape()
    assert tape.runs == {"r1": "error"}
    assert tape.seal is not None
    assert tape.seal.errors["r1"].message == "the application returned before its response had ended"


@pytest.mark.anyio
async def test_a_cancelled_application(recording: Recording) -> None:
    """The cancellation goes through, and is how the run ended."""
    with anyio.CancelScope() as scope:

        async def app(inner: Scope, receive: Receive, send: Send) -> None:
            await send(START)
            await send(part(b"a"))
            scope.cancel()
            await anyio.sleep_forever()

        await served(TapeMiddleware(app, recording.recorder))
    assert scope.cancelled_caught
    assert recording.tape().runs == {"r1": "cancelled"}


@pytest.mark.anyio
async def test_a_server_that_cannot_send(recording: Recording) -> None:
    """An `OSError` out of the server means that the client is gone. What is sent afterwards is not taped."""
    sent = []

    async def send(message: Message) -> None:
        sent.append(message)
        if message.get("body") == b"b":
            raise BrokenPipeError("gone")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(part(b"a"))
        with pytest.raises(BrokenPipeError, match="gone"):
            await send(part(b"b"))
        await send(part(b"c", more=False))

    await served(TapeMiddleware(app, recording.recorder), send=send)
    assert len(sent) == 4
    tape = recording.tape()
    assert (list(tape.chunks()), tape.runs) == ([b"a", b"b"], {"r1": "closed"})


@pytest.mark.anyio
async def test_a_client_that_leaves_counts_once(recording: Recording) -> None:
    """Sent into the void, and even raising then, a run is closed; being told so at the end is usual."""

    async def leaves(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await receive()
        await send(part(b"unheard"))
        raise ValueError("gone")

    async def asks_later(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(part(b"a", more=False))
        await receive()

    with pytest.raises(ValueError, match="gone"):
        await served(TapeMiddleware(leaves, recording.recorder), heard=[LEFT])
    await served(TapeMiddleware(asks_later, recording.recorder), heard=[LEFT])
    tape = recording.tape()
    assert (list(tape.chunks()), tape.runs) == ([b"a"], {"r1": "closed", "r2": "complete"})


@pytest.mark.anyio
async def test_the_end_is_heard_while_the_last_chunk_is_sent(recording: Recording) -> None:
    """A server may tell a task that listens of the end before `send` returns: nobody has left."""
    is_sending, is_heard = anyio.Event(), anyio.Event()

    async def send(message: Message) -> None:
        if message.get("more_body") is False:
            is_sending.set()
            await is_heard.wait()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def listen() -> None:
            await is_sending.wait()
            await receive()
            is_heard.set()

        await send(START)
        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            await send(part(b"a", more=False))

    await served(TapeMiddleware(app, recording.recorder), heard=[LEFT], send=send)
    assert recording.tape().runs == {"r1": "complete"}


@pytest.mark.anyio
async def test_a_client_that_is_gone_at_the_last_chunk(recording: Recording) -> None:
    """The last chunk can still fail to be sent."""

    async def send(message: Message) -> None:
        if message.get("more_body") is False:
            raise BrokenPipeError("gone")

    with pytest.raises(BrokenPipeError, match="gone"):
        await served(TapeMiddleware(saying(START, part(b"a", more=False)), recording.recorder), send=send)
    assert recording.tape().runs == {"r1": "closed"}


@pytest.mark.anyio
async def test_an_answer_in_pieces(recording: Recording) -> None:
    """An answer is taped when it is whole; the half of one, whose sender left, is not."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await send(START)
        await send(part(b"", more=False))
        # Some servers answer again with an empty piece.
        await receive()

    pieces: list[Message] = [{**REQUEST, "body": b'["y', "more_body": True}, {**REQUEST, "body": b'es"]'}]
    taping = TapeMiddleware(app, recording.recorder, answers="/")
    await served(taping, heard=[*pieces, REQUEST])
    await served(taping, heard=[pieces[0], LEFT])
    tape = recording.tape()
    assert [entry.value() for entry in tape.entries() if entry.kind == "input"] == [["yes"]]
    assert kinds(tape, "r2") == []
    assert tape.runs == {"r1": "complete", "r2": "closed"}


@pytest.mark.anyio
async def test_a_file_is_sent_in_chunks(recording: Recording) -> None:
    """Nothing goes past the tape: the application does not learn that the server could send a file by itself."""
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["extensions"])
        await saying(START, part(b"a", more=False))(scope, receive, send)

    offered: dict[str, Any] = {"http.response.pathsend": {}, "tls": {}}
    await served(TapeMiddleware(app, recording.recorder), extensions=offered)
    await served(TapeMiddleware(app, recording.recorder, only=()), extensions=offered)
    assert seen == [{"tls": {}}, offered]


@pytest.mark.anyio
async def test_a_cassette_that_cannot_be_sealed(tmp_path: Path) -> None:
    """What the application raised comes first, with a note; without it the recording's own failure is raised."""

    def tape(scope: Scope) -> Recorder:
        made = record(tmp_path / "a.jsonl")
        made.failure = CassetteError("the disk is full")
        return made

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("no model")

    with pytest.raises(ValueError, match="no model") as failed:
        await served(TapeMiddleware(fail, tape))
    assert failed.value.__notes__ == ["The recording had failed as well: the disk is full"]
    with pytest.raises(CassetteError, match="the disk is full"):
        await served(TapeMiddleware(saying(START, part(b"", more=False)), tape))


def test_long_responses_take_no_memory(recording: Recording) -> None:
    """Neither a long response nor many of them are kept: what is held does not grow with what was sent."""
    body = b"x" * 65_536

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        for _ in range(16):
            await send(part(body))
        await send(part(b"", more=False))

    async def send(message: Message) -> None:
        """Keep nothing."""

    async def ask(times: int) -> None:
        for _ in range(times):
            await served(TapeMiddleware(app, recording.recorder), send=send)

    anyio.run(ask, 1)
    tracemalloc.start()
    try:
        anyio.run(ask, 16)
        gc.collect()
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 600_000
    assert peak < 4_000_000
    assert recording.recorder.seal is None


@pytest.mark.anyio
async def test_a_long_answer_takes_no_memory(recording: Recording) -> None:
    """Of an answer that is too long nothing is kept beyond what might have been one."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass

    count = 16
    pieces = ({**REQUEST, "body": bytes(1_000_000), "more_body": number < count} for number in range(1, count + 1))
    tracemalloc.start()
    try:
        await served(TapeMiddleware(app, recording.recorder, answers="/"), heard=pieces)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6_000_000
    assert next(recording.tape().entries()).value() == {"left_out_bytes": count * 1_000_000}


@given(st.lists(st.binary(max_size=8), max_size=20))
def test_any_chunks(pieces: list[bytes]) -> None:
    """Whatever bytes are sent in whatever pieces, the tape gives them back."""
    recorder = record(":memory:", redact=())
    messages = [START, *map(part, pieces), part(b"", more=False)]
    assert anyio.run(served, TapeMiddleware(saying(*messages), recorder)) == messages
    recorder.close()
    with open_tape(":memory:") as tape:
        assert list(tape.chunks()) == [piece for piece in pieces if piece]

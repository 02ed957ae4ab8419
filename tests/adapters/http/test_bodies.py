"""Tests of the HTTP transports: bodies of any kind, transports inside, and exceptions of any origin."""

import gzip
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from playhead.errors import RecordedError
from playhead.recording.recorder import record
from playhead.replaying.taps import rerun
from tests.adapters.http.raw_server import OK, RawServer, whole
from tests.adapters.http.readers import LIBRARIES

OFFLINE = "http://offline.invalid"

pytestmark = pytest.mark.parametrize(
    ("library", "adapter"), [pytest.param(*both, id=name) for name, both in LIBRARIES.items()]
)


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """Return where a test records."""
    return tmp_path / "tape.jsonl"


class Nobody:
    """A transport that must not be asked, but closed."""

    closed = False

    def handle_request(self, request: Any) -> Any:
        """Refuse."""
        raise AssertionError("a replay asks nobody")

    def close(self) -> None:
        """Note it."""
        self.closed = True

    async def aclose(self) -> None:
        """Note it."""
        self.closed = True


def test_form(library: Any, adapter: Any, cassette: Path) -> None:
    """A form is found again although its client draws another boundary each time."""

    def upload(source: Any, url: str) -> bytes:
        with library.Client(transport=adapter.transport(source)) as client:
            files = {"file": b"\x00\xff", "name": "caf\u00e9".encode()}
            return bytes(client.post(f"{url}/v1/audio", files=files).content)

    with RawServer(whole(b"heard")) as server, record(cassette) as recorder:
        assert upload(recorder, server.url) == b"heard"
        drawn = server.asked[0].headers["content-type"].partition("boundary=")[2]
    assert drawn.encode() in server.asked[0].body
    assert drawn not in cassette.read_text()
    with rerun(cassette) as tap:
        assert upload(tap, OFFLINE) == b"heard"


@pytest.mark.parametrize("body", [b"[" * 100_000, b"", b"\xff", b"null"], ids=["deep", "none", "bytes", "null"])
def test_questions_of_any_kind(library: Any, adapter: Any, cassette: Path, body: bytes) -> None:
    """A question that is no JSON, or not JSON that can be read, is taped and found again all the same."""

    def send(source: Any, url: str) -> bytes:
        with library.Client(transport=adapter.transport(source)) as client:
            return bytes(client.put(f"{url}/v1/files", content=body).content)

    with RawServer(whole(b"kept")) as server, record(cassette) as recorder:
        assert send(recorder, server.url) == b"kept"
    assert server.asked[0].body == body
    with rerun(cassette) as tap:
        assert send(tap, OFFLINE) == b"kept"


def test_question_in_pieces(library: Any, adapter: Any, cassette: Path) -> None:
    """A question that a generator makes reaches the server as it would, and is matched as a whole."""

    def pieces() -> Iterator[bytes]:
        yield b'{"ask":'
        yield b"1}"

    headers = {"content-length": "9"}
    with (
        RawServer(whole(b"kept")) as server,
        record(cassette) as recorder,
        library.Client(transport=adapter.transport(recorder)) as client,
    ):
        client.post(f"{server.url}/v1/ask", content=pieces(), headers=headers)
    assert server.asked[0].body == b'{"ask":1}'

    async def again() -> bytes:
        async def apieces() -> AsyncIterator[bytes]:
            for piece in pieces():
                yield piece

        with rerun(cassette) as tap:
            async with library.AsyncClient(transport=adapter.async_transport(tap)) as client:
                response = await client.post(f"{OFFLINE}/v1/ask", content=apieces(), headers=headers)
                return bytes(response.content)

    assert anyio.run(again) == b"kept"


def test_compressed_all_the_same(library: Any, adapter: Any, cassette: Path) -> None:
    """What a server compresses unasked is taped as it came, and is read as it was."""
    head = OK + b"content-encoding: gzip\r\n"
    with (
        RawServer(whole(gzip.compress(b"Paris"), head=head)) as server,
        record(cassette) as recorder,
        library.Client(transport=adapter.transport(recorder)) as client,
    ):
        assert client.get(f"{server.url}/v1/ask").content == b"Paris"
    with rerun(cassette) as tap, library.Client(transport=adapter.transport(tap)) as client:
        assert client.get(f"{OFFLINE}/v1/ask").content == b"Paris"


def test_transport_inside(library: Any, adapter: Any, cassette: Path) -> None:
    """Another transport may be asked, though it returns answers that are read already; a replay only closes it."""
    inner = library.MockTransport(lambda request: library.Response(200, json={"is": "mocked"}))
    with record(cassette) as recorder, library.Client(transport=adapter.transport(recorder, inner)) as client:
        assert client.get(f"{OFFLINE}/v1/ask").json() == {"is": "mocked"}
    nobody = Nobody()
    with rerun(cassette) as tap, library.Client(transport=adapter.transport(tap, nobody)) as client:
        assert client.get(f"{OFFLINE}/v1/ask").json() == {"is": "mocked"}
    assert nobody.closed


def test_transports_inside_are_closed(library: Any, adapter: Any, cassette: Path) -> None:
    """Whoever closes a client closes the transport inside, plainly and asynchronously."""
    plain, other = Nobody(), Nobody()
    with record(cassette) as recorder:
        library.Client(transport=adapter.transport(recorder, plain)).close()
        anyio.run(library.AsyncClient(transport=adapter.async_transport(recorder, other)).aclose)
    assert (plain.closed, other.closed) == (True, True)


def test_the_very_exception(library: Any, adapter: Any, cassette: Path) -> None:
    """What a transport raises passes as it is; a replay makes the library's and Python's own, and names others."""

    class StrangeError(Exception):
        pass

    errors: list[Exception] = [
        library.ReadError("reset"),
        ConnectionResetError(104, "reset by peer"),
        StrangeError("?"),
    ]
    raised = iter(errors)

    def fail(request: Any) -> Any:
        raise next(raised)

    def ask(client: Any) -> Exception:
        with pytest.raises(Exception) as caught:
            client.get(f"{OFFLINE}/v1/ask")
        return caught.value

    inner = library.MockTransport(fail)
    with record(cassette) as recorder, library.Client(transport=adapter.transport(recorder, inner)) as client:
        for error in errors:
            assert ask(client) is error
    with rerun(cassette) as tap, library.Client(transport=adapter.transport(tap)) as client:
        again = [ask(client) for _ in errors]
    assert [type(error) for error in again[:2]] == [library.ReadError, ConnectionResetError]
    assert [str(error) for error in again] == [str(error) for error in errors]
    assert isinstance(again[2], RecordedError)
    assert "StrangeError" in type(again[2]).__name__


def test_library_of_the_recording_does_not_matter(library: Any, adapter: Any, cassette: Path) -> None:
    """What one library recorded both can replay, failures of the network too."""

    def fail(request: Any) -> Any:
        raise library.ReadTimeout("too slow")

    def ask(transport: Any, own: Any) -> None:
        with own.Client(transport=transport) as client, pytest.raises(own.ReadTimeout, match="too slow"):
            client.get(f"{OFFLINE}/v1/ask")

    with record(cassette) as recorder:
        ask(adapter.transport(recorder, library.MockTransport(fail)), library)
    for other, for_other in LIBRARIES.values():
        with rerun(cassette) as tap:
            ask(for_other.transport(tap), other)

"""A server for tests that writes HTTP by hand: what it sends, and when, is what the test says, byte by byte."""

import json
import select
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

PATIENCE_S = 30.0
"""How long a server waits for its test, should that have failed."""

OK = b"HTTP/1.1 200 OK\r\n"
STREAMING = OK + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"

ODD_CHUNKS = (
    b"\xef\xbb\xbfdata: be",
    b"gin\r",
    b"\n\r\n",
    b": a comment\n\ndata: \xf0\x9f",
    b"\x8c\x8d\n\n",
    b"data: e",
    b"\xcc\x81\n\nda",
    b"ta: [DONE]\n\n",
)
"""A byte order mark, a CRLF and a code point in two chunks each, a comment, a letter and its accent in two."""


@dataclass
class Asked:
    """A request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass
class Peer:
    """The server's side of one connection. `permits` let it go on, where what it does waits for them."""

    connection: socket.socket
    permits: threading.Semaphore
    leaving: threading.Event

    def send(self, data: bytes) -> None:
        """Write bytes at once."""
        self.connection.sendall(data)

    def send_chunk(self, data: bytes) -> None:
        """Write one chunk of a chunked body."""
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def wait(self) -> None:
        """Wait for a permit."""
        assert self.permits.acquire(timeout=PATIENCE_S), "the test gave no permit"

    def has_gone(self) -> bool:
        """Say whether the client closed the connection."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        if not readable:
            return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            return True


Respond = Callable[[Asked, Peer], object]
"""Answers one request. A connection is closed after it."""


@dataclass
class RawServer:
    """Serve on loopback, each connection in a thread. Use it as a context manager."""

    respond: Respond
    asked: list[Asked] = field(default_factory=list)
    permits: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    leaving: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.leaving.set()
        self.permits.release(1000)
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def permit(self, count: int = 1) -> None:
        """Let the server go on, so many times."""
        self.permits.release(count)

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, suppress(ConnectionError):
            asked = _read(connection)
            if asked is not None:
                self.asked.append(asked)
                self.respond(asked, Peer(connection, self.permits, self.leaving))


def _read(connection: socket.socket) -> Asked | None:
    with connection.makefile("rb") as stream:
        line = stream.readline().decode().strip()
        if not line:
            return None
        headers: dict[str, str] = {}
        while header := stream.readline().decode().strip():
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        return Asked(line, headers, stream.read(int(headers.get("content-length", 0))))


def streaming(chunks: Iterable[bytes], *, permitted: bool = False, last: bytes = LAST) -> Respond:
    """Answer with a stream of these chunks, each after a permit if they need one, and then the end of a body."""

    def respond(asked: Asked, peer: Peer) -> None:
        peer.send(STREAMING)
        for data in chunks:
            if permitted:
                peer.wait()
            peer.send_chunk(data)
        peer.send(last)

    return respond


def whole(body: bytes, *, head: bytes = OK) -> Respond:
    """Answer with a body of known length."""
    return lambda asked, peer: peer.send(head + b"content-length: %d\r\n\r\n%b" % (len(body), body))


def sse(*events: Any, name: Callable[[Any], str] | None = None) -> list[bytes]:
    """Return events as chunks of a stream, one each, with the names that `name` gives them."""
    lines = [f"event: {name(event)}\n" if name else "" for event in events]
    return [f"{line}data: {json.dumps(event)}\n\n".encode() for line, event in zip(lines, events, strict=True)]

"""What tests of servers share: a stream, a client that sees every chunk, an application that waits, and a tape."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import httpx2

from playhead.recording.recorder import Recorder, record
from playhead.replaying.tape import Tape, open_tape
from playhead.sse.headers import create_sse_response_headers

STREAM = [
    b": hello\n\n",
    b'event: think\nid: 1\ndata: {"event_type":"think","iteration":1,"reasoning":"gr\xc3',
    b'\xbcn"}\n\n',
    b'event: terminate\nid: 2\ndata: {"event_type":"terminate","reason":"complete"}\n',
    b"\n",
    b'event: done\nid: 3\ndata: {"status":"complete","total_events":2}\n\n',
]
"""A healthy stream, cut inside a letter and between line ends."""

HEADERS = create_sse_response_headers()
WAIT_S = 20.0


# To load those of the system takes longer than most tests here.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def fetch(url: str, method: str = "GET", **more: Any) -> httpx2.Response:
    """Ask, and read the whole response."""
    with httpx2.Client(timeout=WAIT_S, verify=_NO_CERTIFICATES) as client:
        return client.request(method, url, **more)


class Reader:
    """Read a response off a socket, chunk by chunk, as the server cut it."""

    def __init__(self, url: str, *, method: str = "GET", body: bytes = b"", length: int | None = None) -> None:
        parts = httpx2.URL(url)
        self.socket = socket.create_connection((parts.host, parts.port or 80), timeout=WAIT_S)
        size = len(body) if length is None else length
        head = f"{method} {parts.raw_path.decode()} HTTP/1.1\r\nHost: test\r\nContent-Length: {size}\r\n\r\n"
        self.socket.sendall(head.encode() + body)
        self.file = self.socket.makefile("rb")
        self.head: list[bytes] = []

    def chunk(self) -> bytes:
        """Return the next chunk; b"" is the last one."""
        while not self.head or self.head[-1] != b"\r\n":
            self.head.append(self.file.readline())
            assert self.head[-1], "the connection ended in the head"
        size = self.file.readline()
        assert size, "the connection was cut"
        chunk = self.file.read(int(size, 16))
        self.file.read(2)
        return chunk

    def chunks(self) -> Iterator[bytes]:
        """Yield the chunks until the last one, and leave."""
        yield from iter(self.chunk, b"")
        self.leave()

    def leave(self) -> None:
        self.file.close()
        self.socket.close()


class Gate:
    """Let an application go on when a test says so, and the test know that it was left."""

    def __init__(self) -> None:
        self._permits = asyncio.Semaphore(0)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_used = threading.Event()
        self.left = threading.Event()

    def open(self) -> None:
        assert self._is_used.wait(WAIT_S)
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._permits.release)

    async def wait(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_used.set()
        await self._permits.acquire()

    async def numbers(self) -> AsyncIterator[bytes]:
        """Yield numbers, one for each permit."""
        try:
            for number in range(1000):
                await self.wait()
                yield b"data: %d\n\n" % number
        finally:
            self.left.set()


class Recording:
    """A recorder for one test, and what is on its tape once it is sealed."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.recorder: Recorder = record(place, name="test")
        self._tapes = ExitStack()

    def tape(self) -> Tape:
        self.recorder.close()
        return self._tapes.enter_context(open_tape(self.place))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._tapes.close()
        if self.recorder.failure is None:
            self.recorder.close()


def kinds(tape: Tape, run: str | None = None) -> list[str]:
    return [f"{e.track}.{e.kind}" for e in tape.entries() if run in (None, e.owner)]

"""An ASGI app on a port of this machine, for as long as a block runs.

The server has a thread and an event loop of its own, so it serves blocking code, and code under any event loop.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import UsageError
from playhead.ids import Ids
from playhead.models.base import Model
from playhead.provider.app import model_app
from playhead.provider.connection import CUT_STATE

_GRACE_S = 1.0
"""How long apps have to notice that their clients are gone before they are cancelled."""


@dataclass(frozen=True, slots=True)
class Served:
    """Where an app is served, and what each SDK wants as its base URL."""

    url: str

    @property
    def openai_url(self) -> str:
        """Return the `base_url` of OpenAI's SDK, and of those that speak like it."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """Return the `base_url` of Anthropic's SDK."""
        return self.url

    @property
    def gemini_url(self) -> str:
        """Return the `base_url` of Google's SDK, in its `HttpOptions`."""
        return self.url


@contextmanager
def serve(app: Any, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[Served]:
    """Serve an ASGI app while the block runs; port 0 is any that is free.

    It is ready when the block begins. When the block ends, open connections are closed, and apps that do not notice
    are cancelled: it never waits for a client. Raises `OSError` where the port is taken.
    """
    listening = socket.create_server((host, port))
    server = _Server(app)
    thread = threading.Thread(target=server.work, args=(listening,), name="playhead-serve", daemon=True)
    thread.start()
    try:
        server.ready.result()
        yield Served(f"http://{host}:{listening.getsockname()[1]}")
    finally:
        server.leave()
        thread.join()
        listening.close()


@contextmanager
def serve_model(
    model: Model,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ids: Ids | None = None,
    clock: Clock = SYSTEM_CLOCK,
    max_chunk_bytes: int | None = None,
) -> Iterator[Served]:
    """Serve a model like the providers do, while the block runs: see `model_app` and `serve`."""
    app = model_app(model, ids=ids, clock=clock, max_chunk_bytes=max_chunk_bytes)
    with serve(app, host=host, port=port) as served:
        yield served


class _Protocol(H11Protocol):
    """Let an app close the connection under itself, and log no requests."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # The option of this name is no good: it would silence every other server of the process, too.
        self.access_log = False
        # What was written is flushed, so that a client gets all the chunks before the cut.
        self.app_state = {**self.app_state, CUT_STATE: transport.close}


class _Server(uvicorn.Server):
    """Serve until `leave` is called, from any thread. `ready` has no result, or the error of the start."""

    def __init__(self, app: Any) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="auto",
                loop="asyncio",
                log_config=None,
                server_header=False,
                date_header=False,
            )
        )
        self.ready: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving = asyncio.Event()

    def work(self, listening: socket.socket) -> None:
        """Serve on a socket, in the thread that calls this."""
        try:
            asyncio.run(self.serve(sockets=[listening]))
        except (Exception, SystemExit) as error:
            if self.ready.done():
                raise
            self.ready.set_exception(UsageError(f"the app did not start: {error!r}; its log says why"))

    def leave(self) -> None:
        """Close every connection and stop, or do not begin."""
        self.should_exit = True
        # A loop that is closed already has stopped.
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._leaving.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and tell who waits for it."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.ready.set_result(None)

    async def main_loop(self) -> None:
        """Wait to be told to stop."""
        await self._leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is open, and wait for the apps to notice, or cancel them."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if tasks := set(self.server_state.tasks):
            _, late = await asyncio.wait(tasks, timeout=_GRACE_S)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_GRACE_S)
        await self.lifespan.shutdown()

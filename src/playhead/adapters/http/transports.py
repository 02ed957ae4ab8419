"""Transports for HTTP clients, whichever the library: what one is made of, and bodies for its responses.

Knows what httpx and httpx2 have in common, by name. Imports neither: `playhead.adapters.httpx` and `.httpx2` do. Does
not know tapes: `playhead.adapters.http.senders` does.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

ERRORS: Final = (
    "CloseError",
    "ConnectError",
    "ConnectTimeout",
    "LocalProtocolError",
    "NetworkError",
    "PoolTimeout",
    "ProtocolError",
    "ProxyError",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "TimeoutException",
    "TransportError",
    "UnsupportedProtocol",
    "WriteError",
    "WriteTimeout",
)
"""What transports fail with, by name: a recorded one comes back as the library's own, with its message."""


class Sender(ABC):
    """Answer the requests of clients, sync and async. `inner` is what is behind it, if anything is."""

    inner: Any = None

    @abstractmethod
    async def send(self, request: Any) -> Any:
        """Return the response. Its body comes when it is read."""

    @abstractmethod
    def send_now(self, request: Any) -> Any:
        """Return the response, without an event loop. Its body comes when it is read."""


class SyncTransport:
    """Send requests through a sender. To be mixed with a library's own kind of transport."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def handle_request(self, request: Any) -> Any:
        """Return the response. Its body comes when it is read."""
        return self._sender.send_now(request)

    def close(self) -> None:
        """Close the transport behind, if there is one."""
        if self._sender.inner is not None:
            self._sender.inner.close()


class AsyncTransport:
    """Send requests through a sender, asynchronously. To be mixed with a library's own kind of transport."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def handle_async_request(self, request: Any) -> Any:
        """Return the response. Its body comes when it is read."""
        return await self._sender.send(request)

    async def aclose(self) -> None:
        """Close the transport behind, if there is one."""
        if self._sender.inner is not None:
            await self._sender.inner.aclose()


class SyncBody:
    """A body: how to read it, and how to let go of it. To be mixed with a library's own kind of stream."""

    def __init__(self, read: Callable[[], Iterator[bytes]], close: Callable[[], None]) -> None:
        self._read = read
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        return self._read()

    def close(self) -> None:
        """Let go of the connection, if there is one."""
        self._close()


class AsyncBody:
    """A body: how to read it, and how to let go of it. To be mixed with a library's own kind of async stream."""

    def __init__(self, read: Callable[[], AsyncIterator[bytes]], close: Callable[[], Awaitable[None]]) -> None:
        self._read = read
        self._close = close

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._read()

    async def aclose(self) -> None:
        """Let go of the connection, if there is one."""
        await self._close()


@dataclass(frozen=True, slots=True)
class Library:
    """What an HTTP library brings: its classes, ours as kinds of its own, and its exceptions by name.

    `real` and `async_real` make what really asks.
    """

    request: Callable[..., Any]
    response: Callable[..., Any]
    body: Callable[..., Any]
    async_body: Callable[..., Any]
    transport: Callable[[Sender], Any]
    async_transport: Callable[[Sender], Any]
    real: Callable[[], Any]
    async_real: Callable[[], Any]
    errors: Mapping[str, type[Exception]]

    @classmethod
    def of(cls, module: Any) -> Self:
        """Return what the module of a library brings. Clients ask what is a kind of their library's own."""
        return cls(
            request=module.Request,
            response=module.Response,
            body=_mixed(SyncBody, module.SyncByteStream),
            async_body=_mixed(AsyncBody, module.AsyncByteStream),
            transport=_mixed(SyncTransport, module.BaseTransport),
            async_transport=_mixed(AsyncTransport, module.AsyncBaseTransport),
            real=module.HTTPTransport,
            async_real=module.AsyncHTTPTransport,
            errors={name: getattr(module, name) for name in ERRORS},
        )


def _mixed(ours: type, theirs: type) -> type:
    return type(ours.__name__, (ours, theirs), {})

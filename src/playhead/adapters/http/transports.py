"""Transports for HTTP clients, whichever the library: what one is made of, and bodies for its responses.

Knows what httpx and httpx2 have in common, by name. Imports neither: `playhead.adapters.httpx` and `.httpx2` do, and
mix these classes with the libraries' own. Does not know tapes: `playhead.adapters.http.senders` does.
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


@dataclass(frozen=True, slots=True)
class Library:
    """What an HTTP library brings: its classes, and its exceptions by name."""

    request: Callable[..., Any]
    response: Callable[..., Any]
    body: Callable[..., Any]
    async_body: Callable[..., Any]
    errors: Mapping[str, type[Exception]]

    @classmethod
    def of(cls, module: Any, *, body: Callable[..., Any], async_body: Callable[..., Any]) -> Self:
        """Return what the module of a library brings, and our bodies of its kinds."""
        return cls(
            request=module.Request,
            response=module.Response,
            body=body,
            async_body=async_body,
            errors={name: getattr(module, name) for name in ERRORS},
        )


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

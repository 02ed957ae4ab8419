"""Reading a live endpoint: the head of the response, then the chunks as they come from the socket.

Knows HTTP as far as the standard library does. Does not know what the bytes say.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from socket import socket
from typing import Final
from urllib.parse import urlsplit

from playhead.errors import UsageError, WireError

_BLOCK_BYTES: Final = 64 * 1024
_SCHEMES: Final[Mapping[str, type[HTTPConnection]]] = {"http": HTTPConnection, "https": HTTPSConnection}


def is_url(spec: str) -> bool:
    """Say whether a person wrote an address rather than a path."""
    return spec.partition("://")[0] in _SCHEMES and "://" in spec


@dataclass(frozen=True, slots=True)
class Fetched:
    """A response: its headers, and what reads its chunks."""

    headers: Mapping[str, str]
    chunks: Iterator[tuple[int, bytes]]


def fetch(url: str, *, limit_s: float) -> Fetched:
    """Ask a URL for an event stream. The chunks come with their time in microseconds, and stop after `limit_s`.

    The iterator raises `TimeoutError` at that limit, and `IncompleteRead` where the connection is cut. Raises
    `WireError` where nobody answers, or not with status 200.
    """
    parts = urlsplit(url)
    if not parts.hostname:
        raise UsageError(f"{url!r} names no host")
    start_s = time.monotonic()
    connection = _SCHEMES[parts.scheme](parts.hostname, parts.port, timeout=limit_s)
    try:
        connection.connect()
        wire = connection.sock
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"Accept": "text/event-stream", "Cache-Control": "no-cache"})
        response = connection.getresponse()
    except (OSError, HTTPException) as error:
        connection.close()
        raise WireError(f"{url} cannot be read: {type(error).__name__}: {error}") from error
    if response.status != 200:
        connection.close()
        raise WireError(f"{url} answered {response.status} {response.reason}: an event stream comes with 200")
    return Fetched(dict(response.getheaders()), _chunks(connection, response, wire, start_s=start_s, limit_s=limit_s))


def _chunks(
    connection: HTTPConnection, response: HTTPResponse, wire: socket, *, start_s: float, limit_s: float
) -> Iterator[tuple[int, bytes]]:
    try:
        while True:
            left_s = start_s + limit_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            wire.settimeout(left_s)
            chunk = response.read1(_BLOCK_BYTES)
            if not chunk:
                if response.length:
                    raise IncompleteRead(b"", response.length)
                return
            yield round((time.monotonic() - start_s) * 1e6), chunk
    finally:
        connection.close()

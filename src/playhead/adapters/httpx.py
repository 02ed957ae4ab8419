"""httpx: transports that tape what a client asks and is answered, and transports that answer from a tape.

    with record("trip.jsonl") as recorder:
        client = httpx.Client(transport=transport(recorder))

    with rerun("trip.jsonl") as tap:
        client = httpx.Client(transport=transport(tap))

An SDK takes such a client: `OpenAI(http_client=client)`, and an `AsyncClient` with an `async_transport` likewise.
What they do is told in `playhead.adapters.http.senders`. Knows httpx's classes, and nothing else.
"""

import httpx

from playhead.adapters.http.senders import Source, open_async_transport, open_transport
from playhead.adapters.http.transports import Library
from playhead.replaying.rechunking import Rechunking

_LIBRARY = Library.of(httpx)


def transport(
    source: Source, inner: httpx.BaseTransport | None = None, *, rechunk: Rechunking | None = None, seed: int = 0
) -> httpx.BaseTransport:
    """Return a transport for `httpx.Client` that records or replays, as `source` does.

    `inner` is what a recording asks, by default a new `httpx.HTTPTransport()`; it is closed with the transport. A
    replay asks nobody. `rechunk` cuts what is replayed otherwise, "random" by `seed`.

    Raises `UsageError` for a way to cut that there is not, and for one while recording. Requests raise
    `ReplayMismatch`, and what was recorded.
    """
    found: httpx.BaseTransport = open_transport(_LIBRARY, source, inner, rechunk=rechunk, seed=seed)
    return found


def async_transport(
    source: Source, inner: httpx.AsyncBaseTransport | None = None, *, rechunk: Rechunking | None = None, seed: int = 0
) -> httpx.AsyncBaseTransport:
    """Return a transport for `httpx.AsyncClient`, as `transport` does. A replay keeps the tap's pace."""
    found: httpx.AsyncBaseTransport = open_async_transport(_LIBRARY, source, inner, rechunk=rechunk, seed=seed)
    return found

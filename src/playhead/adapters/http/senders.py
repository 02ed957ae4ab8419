"""HTTP clients through a tap: transports that tape what passes, and transports that answer from a tape.

A recording transport asks another one, a real one by default, and tapes the request, the head, each chunk as it was
read, and how it ended. The client sees what it would have seen without, the very exceptions too. One thing changes: the
server is asked for `accept-encoding: identity`, for a compressed body can be neither read nor redacted; a server that
compresses all the same is taped as it comes. A request's body is read as a whole before it is sent.

A replaying transport opens no socket. The asynchronous one keeps the tap's pace, and where the tape is silent for
longer than the client's read timeout, that fires, after so long on the tap's clock. The plain one hands out all at
once, whatever the pace, for a plain call cannot wait. Where the recorded client left, a client that reads on gets a
`ReplayMismatch`; where it was cancelled, there is first as long a silence as there was, and `PATIENCE_S` more.

Knows what httpx and httpx2 have in common. Imports neither: `playhead.adapters.httpx` and `.httpx2` do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Self

from anyio.lowlevel import checkpoint

from playhead.adapters.http.transports import Library, Sender
from playhead.errors import UsageError
from playhead.matching.exchange import Exchange
from playhead.models.http import head_of, read_head, request_of
from playhead.models.tap import Codec
from playhead.recording.calls import ModelCall
from playhead.recording.taps import Calls, RecordingTap
from playhead.recording.tee import AsyncTee, Tee
from playhead.replaying.order import PATIENCE_S
from playhead.replaying.rechunking import Rechunking, checked, rechunked_in_time
from playhead.replaying.tape import chunk
from playhead.replaying.taps import ReplayingTap

Source = Calls | RecordingTap | ReplayingTap
"""What a transport is on: a recorder, or what records with one; or a tape that answers."""

UNREAD: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "LocalProtocolError",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "WriteError",
        "WriteTimeout",
    }
)
"""Those that come before anything is read: the read timeout does not count until then."""

_READ_TIMEOUT: Final = "ReadTimeout"
_YIELD_EVERY: Final = 64


def open_transport(
    library: Library, source: Source, inner: Any, *, rechunk: Rechunking | None = None, seed: int = 0
) -> Any:
    """Return a library's own kind of transport, that records or replays as `source` does.

    A recording asks `inner`, by default a real one. A replay asks nobody, and closes `inner` in the end. Raises
    `UsageError` for a way to cut that there is not, and for one while recording.
    """
    return library.transport(_sender(library, source, inner, library.real, rechunk=rechunk, seed=seed))


def open_async_transport(
    library: Library, source: Source, inner: Any, *, rechunk: Rechunking | None = None, seed: int = 0
) -> Any:
    """Do the same for asynchronous clients."""
    return library.async_transport(_sender(library, source, inner, library.async_real, rechunk=rechunk, seed=seed))


def _sender(
    library: Library, source: Source, inner: Any, real: Callable[[], Any], *, rechunk: Rechunking | None, seed: int
) -> Sender:
    if isinstance(source, ReplayingTap):
        return ReplayingSender(library, source, inner, rechunk=rechunk and checked(rechunk), seed=seed)
    if rechunk is not None:
        raise UsageError(f"rechunk={rechunk!r} is for a replay: what is recorded comes in the chunks that it comes in")
    recorder = source.recorder if isinstance(source, RecordingTap) else source
    return RecordingSender(library, recorder, real() if inner is None else inner)


class RecordingSender(Sender):
    """Ask another transport, and tape what passes."""

    def __init__(self, library: Library, recorder: Calls, inner: Any) -> None:
        self.inner = inner
        self._library = library
        self._recorder = recorder

    async def send(self, request: Any) -> Any:
        """Return the live response, whose body is taped as it is read."""
        call = self._recorder.call(_asked(request, await request.aread()))
        try:
            response = await self.inner.handle_async_request(self._uncompressed(request))
        except BaseException as error:
            call.close(error)
            raise
        stream = response.stream
        body = self._library.async_body(partial(AsyncTee, stream, call), partial(_aclose, stream, call))
        return self._taped(response, call, body)

    def send_now(self, request: Any) -> Any:
        """Return the live response, whose body is taped as it is read."""
        call = self._recorder.call(_asked(request, request.read()))
        try:
            response = self.inner.handle_request(self._uncompressed(request))
        except BaseException as error:
            call.close(error)
            raise
        stream = response.stream
        body = self._library.body(partial(Tee, stream, call), partial(_close, stream, call))
        return self._taped(response, call, body)

    def _uncompressed(self, request: Any) -> Any:
        """Return a request that asks for a body as it is. The client's own stays what it was."""
        headers = request.headers.copy()
        headers["accept-encoding"] = "identity"
        return self._library.request(
            request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
        )

    def _taped(self, response: Any, call: ModelCall, body: Any) -> Any:
        """Return a response with another body. A new one: some transports return one that was read already."""
        call.reply(head_of(response.status_code, response.headers.multi_items()))
        return self._library.response(
            response.status_code, headers=response.headers, stream=body, extensions=response.extensions
        )


class ReplayingSender(Sender):
    """Answer from a tape."""

    def __init__(
        self, library: Library, tap: ReplayingTap, inner: Any, *, rechunk: Rechunking | None, seed: int
    ) -> None:
        self.inner = inner
        self._library = library
        self._tap = tap
        self._rechunk = rechunk
        self._seed = seed
        self._codec: Codec[Any] = Codec(revive=self._revived)

    async def send(self, request: Any) -> Any:
        """Return the recorded response when it is due."""
        exchange = self._tap.take(_asked(request, await request.aread()))
        wait = _Wait(self._tap, exchange, request, self._library.errors[_READ_TIMEOUT])
        if not exchange.has_reply:
            await wait.for_end()
            return self._tap.answer(exchange, self._codec)
        await wait.until(exchange.reply_at_us)
        read = partial(_Chunks, self._pieces(exchange), wait, partial(self._end, exchange))
        body = self._library.async_body(read, _alet_go)
        return self._response(exchange.reply, body)

    def send_now(self, request: Any) -> Any:
        """Return the recorded response."""
        exchange = self._tap.take(_asked(request, request.read()))
        if not exchange.has_reply:
            return self._tap.answer(exchange, self._codec)
        return self._response(exchange.reply, self._library.body(partial(self._chunks, exchange), _let_go))

    def _chunks(self, exchange: Exchange) -> Iterator[bytes]:
        for _, data in self._pieces(exchange):
            yield data
        self._end(exchange)

    def _pieces(self, exchange: Exchange) -> list[tuple[int, bytes]]:
        chunks = [(at_us, chunk(data)) for at_us, data in exchange.chunks]
        return chunks if self._rechunk is None else rechunked_in_time(chunks, self._rechunk, seed=self._seed)

    def _end(self, exchange: Exchange) -> None:
        self._tap.end(exchange, self._codec)

    def _response(self, reply: Any, body: Any) -> Any:
        status, headers = read_head(reply)
        # As bytes: a library takes text in a header for ASCII, and not all is.
        encoded = [(name.encode(), value.encode()) for name, value in headers]
        return self._library.response(status, headers=encoded, stream=body)

    def _revived(self, fault: Mapping[str, Any]) -> Exception | None:
        kind = self._library.errors.get(fault["type"])
        return None if kind is None else kind(fault["message"])


class _Wait:
    """Wait for what one answer holds, as long as the client waits. A wait begins when the client reads."""

    def __init__(self, tap: ReplayingTap, exchange: Exchange, request: Any, read_timeout: type[Exception]) -> None:
        self._pacer = tap.pacer()
        self._clock = tap.clock
        self._exchange = exchange
        self._limit_s = request.extensions.get("timeout", {}).get("read")
        self._read_timeout = read_timeout
        self._count = 0

    async def until(self, at_us: int) -> None:
        """Return when it is that time on the tape. Raises the library's read timeout where that is too long."""
        await self._silence(self._left_s(at_us))

    async def for_end(self) -> None:
        """Return when the answer ends, as it ended."""
        exchange = self._exchange
        fault = exchange.fault["type"] if exchange.fault else None
        left_s = self._left_s(exchange.end_at_us)
        if fault == _READ_TIMEOUT and self._limit_s is not None:
            # It is this timeout that fires, and says what it said.
            await self._sleep(min(left_s, self._limit_s))
        elif fault in UNREAD and not exchange.has_reply:
            await self._sleep(left_s)
        elif exchange.how == "cancelled":
            # What the client waited for was its own time to pass, and no pace makes that shorter.
            last_us = exchange.chunks[-1][0] if exchange.chunks else max(exchange.reply_at_us, exchange.at_us)
            await self._silence((exchange.end_at_us - last_us) / 1e6)
            await self._sleep(PATIENCE_S)
        else:
            await self._silence(left_s)

    async def _silence(self, seconds: float) -> None:
        if self._limit_s is not None and seconds > self._limit_s:
            await self._sleep(self._limit_s)
            raise self._read_timeout(
                f"nothing is recorded for {seconds:.6g} s here, and the read timeout is {self._limit_s:g} s"
            )
        await self._sleep(seconds)

    def _left_s(self, at_us: int) -> float:
        return self._pacer.left_s(at_us - self._exchange.at_us) if self._pacer else 0.0

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            await self._clock.sleep(seconds)
        elif not self._count % _YIELD_EVERY:
            await checkpoint()
        self._count += 1


class _Chunks:
    """Hand out chunks, each when it is due. No generator: one that is left half-read would have to be closed."""

    def __init__(self, chunks: Sequence[tuple[int, bytes]], wait: _Wait, end: Callable[[], None]) -> None:
        self._chunks = iter(chunks)
        self._wait = wait
        self._end = end

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        step = next(self._chunks, None)
        if step is None:
            await self._wait.for_end()
            self._end()
            raise StopAsyncIteration
        at_us, data = step
        await self._wait.until(at_us)
        return data


def _asked(request: Any, body: bytes) -> dict[str, Any]:
    return request_of(request.method, str(request.url), request.headers.multi_items(), body)


def _let_go() -> None:
    """Do nothing: a replay holds no connection."""


async def _alet_go() -> None:
    """Do nothing: a replay holds no connection."""


def _close(stream: Any, call: ModelCall) -> None:
    try:
        stream.close()
    except BaseException as error:
        call.finish(error)
        raise
    call.finish(GeneratorExit())


async def _aclose(stream: Any, call: ModelCall) -> None:
    try:
        await stream.aclose()
    except BaseException as error:
        call.finish(error)
        raise
    call.finish(GeneratorExit())

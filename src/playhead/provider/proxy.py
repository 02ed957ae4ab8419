"""The loopback proxy: a program in any language asks it, and it asks a real provider, or a tape.

    /openai/v1/chat/completions  ->  https://api.openai.com/v1/chat/completions      recorded
    /openai/v1/chat/completions  ->  the call of the tape that has this question     replayed

What stands first in the path is the mount, and only names the upstream: it is not on the tape. Knows HTTP, and how a
connection is broken. Does not know providers, what they say, or how anything is taped or matched.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import httpx2
from anyio import create_task_group
from anyio.lowlevel import checkpoint
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import ModelFailure, ReplayMismatch, UsageError
from playhead.matching.exchange import Exchange
from playhead.models.http import head_of, read_head, request_of
from playhead.provider.connection import Connection
from playhead.recording.calls import ModelCall
from playhead.recording.recorder import Recorder
from playhead.replaying.pace import Pacer
from playhead.replaying.tape import chunk
from playhead.replaying.taps import ReplayingTap
from playhead.text import did_you_mean

Rechunk = Callable[[Sequence[tuple[int, bytes]]], Iterable[tuple[int, bytes]]]
"""Cuts an answer anew: takes and returns `(at_us, chunk)`. `playhead.replaying.rechunking` has some."""

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers that are meant for the next peer only."""

OWN: Final = HOP_BY_HOP | {b"accept-encoding", b"content-length", b"expect", b"host"}
"""Headers of a request that the proxy sets itself."""

UNREACHED: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol)
"""What an upstream fails with that was never asked. Anything else breaks the client's connection, as it broke ours."""

SECRET_QUERY: Final = frozenset({"access_token", "api_key", "key"})
"""What is not taped of a query: credentials that some put there instead of into a header."""

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
CONNECT_TIMEOUT_S: Final = 30.0
PATIENCE_S: Final = 5.0
"""How much later than in the recording a client may leave where it left then."""

_UNREACHED_NAMES: Final = frozenset(kind.__name__ for kind in UNREACHED)


def recording_app(recorder: Recorder, upstreams: Mapping[str, str]) -> Starlette:
    """Return an app that passes `/{name}/rest` on to `upstreams[name]` + `/rest`, and tapes what passes.

    Chunks are passed on and taped as they are read. A client that leaves closes the connection upstream; an upstream
    that breaks off breaks the client's connection. An upstream that cannot be reached is a 502. The question is read
    whole before it is passed on, for the tape has it first. Credentials are passed on, and never taped. Raises
    `UsageError` for what is no URL.
    """
    client = _client()
    return _app(_Recording(recorder, upstreams, client), client.aclose)


def replaying_app(
    tap: ReplayingTap,
    *,
    rechunk: Rechunk | None = None,
    on_mismatch: Callable[[ReplayMismatch], None] = lambda mismatch: None,
    patience_s: float = PATIENCE_S,
    clock: Clock = SYSTEM_CLOCK,
) -> Starlette:
    """Return an app that answers `/{name}/rest` from a tape: the same head, the same chunks, the same end.

    A question that the tape does not have is a 400 that says what is nearest, as the clients of OpenAI and Anthropic
    read errors. A client that reads on where it left in the recording, for `patience_s` longer than then, has its
    connection broken, and that is a mismatch too. `on_mismatch` is told of each, on the server's thread. `rechunk` cuts
    answers anew.
    """
    return _app(_Replaying(tap, rechunk, on_mismatch=on_mismatch, patience_s=patience_s, clock=clock))


def _app(endpoint: Any, close: Callable[[], Awaitable[None]] | None = None) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        if close is not None:
            await close()

    return Starlette(routes=[Route("/{name}{rest:path}", endpoint)], lifespan=lifespan)


def _client() -> httpx2.AsyncClient:
    """Return a client that adds nothing of its own: no header, no cookie, no redirect, no limit on an answer's time."""
    limits = httpx2.Limits(max_connections=None)
    # One for all: it takes long to make.
    trusted = httpx2.create_ssl_context()
    client = httpx2.AsyncClient(
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        limits=limits,
        verify=trusted,
        timeout=httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S),
        # No proxy of the environment's leads to this machine.
        mounts={f"all://{host}": httpx2.AsyncHTTPTransport(limits=limits, verify=trusted) for host in LOOPBACK},
    )
    client.headers.clear()
    return client


class _Recording:
    """Ask an upstream, and tape it."""

    def __init__(self, recorder: Recorder, upstreams: Mapping[str, str], client: httpx2.AsyncClient) -> None:
        self._recorder = recorder
        self._upstreams = {name: _checked(name, url) for name, url in upstreams.items()}
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, rest = _target(scope)
        line = _Line(name, scope, send)
        if name not in self._upstreams:
            message = f"there is no upstream {name!r}: there are {', '.join(self._upstreams)}"
            await line.refuse(404, "unknown_upstream", message + did_you_mean(name, self._upstreams))
            return
        question = await _question(scope, receive, rest)
        if question is None:
            return
        body, request = question
        call = self._recorder.call(request)
        passed = [(key, value) for key, value in scope["headers"] if key not in OWN | _named_by_connection(scope)]
        asked = self._client.build_request(
            scope["method"],
            self._upstreams[name] + rest,
            headers=[*passed, (b"accept-encoding", b"identity")],
            content=body,
        )
        await _while_connected(receive, lambda: self._ask(asked, call, line))

    async def _ask(self, asked: httpx2.Request, call: ModelCall, line: "_Line") -> None:
        try:
            answer = await self._client.send(asked, stream=True)
            try:
                await self._pass_on(answer, call, line)
            finally:
                await answer.aclose()
        except Exception as error:
            call.finish(error)
            await line.fail(type(error).__name__, str(error))
        except BaseException:
            # The client is gone, or the server goes.
            call.finish(GeneratorExit())
            raise

    async def _pass_on(self, answer: httpx2.Response, call: ModelCall, line: "_Line") -> None:
        call.reply(head_of(answer.status_code, answer.headers.multi_items()))
        await line.begin(answer.status_code, [pair for pair in answer.headers.raw if pair[0].lower() not in HOP_BY_HOP])
        async for data in answer.aiter_raw():
            call.take(data)
            await line.send(data)
        call.finish()
        await line.end()


class _Replaying:
    """Answer from a tape."""

    def __init__(
        self,
        tap: ReplayingTap,
        rechunk: Rechunk | None,
        *,
        on_mismatch: Callable[[ReplayMismatch], None],
        patience_s: float,
        clock: Clock,
    ) -> None:
        self._tap = tap
        self._rechunk = rechunk
        self._on_mismatch = on_mismatch
        self._patience_s = patience_s
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, rest = _target(scope)
        line = _Line(name, scope, send)
        question = await _question(scope, receive, rest)
        if question is None:
            return
        try:
            exchange = self._tap.take(question[1])
        except ReplayMismatch as mismatch:
            self._on_mismatch(mismatch)
            await line.refuse(400, "replay_mismatch", str(mismatch))
            return
        await _while_connected(receive, lambda: self._answer(exchange, line))

    async def _answer(self, exchange: Exchange, line: "_Line") -> None:
        pacer = self._tap.pacer()
        if exchange.has_reply:
            status, headers = read_head(exchange.reply)
            await _due(pacer, exchange.reply_at_us - exchange.at_us)
            await line.begin(status, [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers])
        for at_us, data in self._chunks(exchange):
            await _due(pacer, at_us - exchange.at_us)
            await line.send(data)
        if exchange.fault is None and exchange.how not in ("complete", None):
            await self._wait_to_be_left(exchange, line)
            return
        await _due(pacer, exchange.end_at_us - exchange.at_us)
        if exchange.fault is None:
            await line.end()
        else:
            await line.fail(str(exchange.fault.get("type")), str(exchange.fault.get("message")))

    def _chunks(self, exchange: Exchange) -> Iterable[tuple[int, bytes]]:
        chunks = [(at_us, chunk(data)) for at_us, data in exchange.chunks]
        return chunks if self._rechunk is None else self._rechunk(chunks)

    async def _wait_to_be_left(self, exchange: Exchange, line: "_Line") -> None:
        """Wait for the client to leave, for it left here in the recording. It is a mismatch if it does not."""
        last_us = exchange.chunks[-1][0] if exchange.chunks else exchange.at_us
        # What the client waited for was its own time to pass, and no pace makes that shorter.
        await self._clock.sleep((exchange.end_at_us - last_us) / 1e6 + self._patience_s)
        left = f"{exchange.call} was left after {len(exchange.chunks)} chunks in the recording ({exchange.how})"
        mismatch = ReplayMismatch(f"{left}, and now it is read further")
        self._on_mismatch(mismatch)
        await line.fail(type(mismatch).__name__, str(mismatch))


class _Line:
    """The connection to a client, as a proxy uses it: heads as they came, and failures as they were."""

    def __init__(self, name: str, scope: Scope, send: Send) -> None:
        self._name = name
        self._send = send
        self._connection = Connection(scope, send)
        self.send = self._connection.send
        self.end = self._connection.end

    async def begin(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Send the head. A name may come twice."""
        self._connection.is_begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def refuse(self, status: int, kind: str, message: str) -> None:
        """Send an error as the clients of OpenAI and Anthropic read it. Only a broken upstream is worth a retry."""
        body = {"type": "error", "error": {"type": kind, "message": message}}
        await self._connection.json(status, body, {} if status >= 500 else {"x-should-retry": "false"})

    async def fail(self, kind: str, message: str) -> None:
        """Say that the upstream was not reached; if it was, break the connection as it broke."""
        if kind in _UNREACHED_NAMES and not self._connection.is_begun:
            told = f"upstream {self._name!r} cannot be reached: {message or kind}"
            await self.refuse(502, "unreachable_upstream", told)
        else:
            await self._connection.cut(ModelFailure(message or kind, kind="cut"))


def _checked(name: str, url: str) -> str:
    try:
        known = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise UsageError(f"upstream {name!r} is at {url!r}, which is no URL: {error}") from error
    if known.scheme not in ("http", "https") or not known.host:
        raise UsageError(f"upstream {name!r} is at {url!r}: give an http or https URL such as https://api.openai.com")
    return url.rstrip("/")


def _target(scope: Scope) -> tuple[str, str]:
    """Return the mount's name, and what comes behind it, as it was spelled: path and query."""
    _, _, behind = scope["raw_path"].decode("latin-1").partition("/")
    name, _, rest = behind.partition("/")
    query = scope["query_string"].decode("latin-1")
    return name, f"/{rest}?{query}" if query else f"/{rest}"


async def _question(scope: Scope, receive: Receive, rest: str) -> tuple[bytes, dict[str, Any]] | None:
    """Return a request's body, and the request as it is taped; None if the client leaves before it is whole."""
    try:
        body = await Request(scope, receive).body()
    except ClientDisconnect:
        return None
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    return body, _without_credentials(request_of(scope["method"], rest, headers, body))


def _without_credentials(request: dict[str, Any]) -> dict[str, Any]:
    query = [pair for pair in request.get("query", ()) if pair[0].lower() not in SECRET_QUERY]
    changed = {key: query if key == "query" else value for key, value in request.items()}
    return {key: value for key, value in changed.items() if key != "query" or value}


def _named_by_connection(scope: Scope) -> set[bytes]:
    """Return the headers that `connection` says are for the next peer only."""
    values = [value for name, value in scope["headers"] if name == b"connection"]
    return {token.strip().lower() for value in values for token in value.split(b",")}


async def _while_connected(receive: Receive, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work, and cancel it when the client leaves."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        group.cancel_scope.cancel()

    async with create_task_group() as group:
        group.start_soon(watch)
        await work()
        group.cancel_scope.cancel()


async def _due(pacer: Pacer | None, at_us: int) -> None:
    if pacer is None:
        # So that what was written goes out, and a client that leaves is noticed.
        await checkpoint()
    else:
        await pacer.wait(at_us)

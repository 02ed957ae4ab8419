"""A model as an ASGI app that speaks like the providers.

Knows paths, heads and the order of things on a connection. What is in a body is a format's business. Never looks at
`Accept`: the SDKs ask for JSON and expect a stream.
"""

import logging
from collections.abc import Mapping
from contextlib import aclosing
from math import ceil
from types import MappingProxyType
from typing import Final

from anyio import create_task_group
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import ModelFailure, ReplayMismatch, UsageError, WireError
from playhead.ids import Ids, SequenceIds
from playhead.models.base import Model
from playhead.provider.connection import Connection
from playhead.provider.formats.base import Encoder, Head, WireFormat
from playhead.provider.formats.table import KNOWN_PATHS, format_at, model_list
from playhead.scripts.parts import Garbage
from playhead.scripts.request import ModelRequest

_STREAM_HEADERS: Final = MappingProxyType(
    {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
)
_NO_RETRY: Final = MappingProxyType({"x-should-retry": "false"})

_logger = logging.getLogger(__name__)


def model_app(
    model: Model, *, ids: Ids | None = None, clock: Clock = SYSTEM_CLOCK, max_chunk_bytes: int | None = None
) -> Starlette:
    """Return an app that answers with a model, in the format of the path on which it is asked, behind any prefix.

    `POST .../chat/completions`, `.../responses`, `.../messages`, `.../models/{model}:generateContent` and
    `.../models/{model}:streamGenerateContent?alt=sse`; `GET .../models` lists one model, and any name is answered.
    Whatever else is a 404 that names these.

    Each step is sent by itself as soon as it comes, the head with the first. A `ModelFailure` before it is a refusal,
    after it an error in the stream. One of kind `cut` closes the connection: `serve` can do that, and under a server
    that cannot, the app raises it. What a model raises otherwise is a refusal that asks not to be tried again: 400 for
    a `ReplayMismatch`, else 500 and a line in the log. A client that leaves cancels the model.

    `ids` makes the ids of answers, by default 1, 2, 3 and so on; `clock` says when an answer began. With
    `max_chunk_bytes` a stream trickles: no chunk has more bytes, though it be in the middle of a character. Raises
    `UsageError` where that is less than 1.
    """
    if max_chunk_bytes is not None and max_chunk_bytes < 1:
        raise UsageError(f"max_chunk_bytes={max_chunk_bytes}: a chunk has at least one byte")
    endpoint = _Endpoint(model, ids=ids or SequenceIds(), clock=clock, max_chunk_bytes=max_chunk_bytes)
    return Starlette(routes=[Route("/{path:path}", endpoint)])


class _Endpoint:
    """Answer every request."""

    def __init__(self, model: Model, *, ids: Ids, clock: Clock, max_chunk_bytes: int | None) -> None:
        self._model = model
        self._ids = ids
        self._clock = clock
        self._max_chunk_bytes = max_chunk_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer until the answer is complete or the client leaves."""
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        connection = Connection(scope, send, max_chunk_bytes=self._max_chunk_bytes)
        failure: ModelFailure | None = None
        async with create_task_group() as tasks:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            try:
                await self._respond(request, body, connection)
            except ModelFailure as error:
                # Raised behind the group, which would wrap it.
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _respond(self, request: Request, body: bytes, connection: Connection) -> None:
        path = request.scope["path"]
        wire_format = format_at(path) if request.method == "POST" else None
        if wire_format is not None:
            await self._ask(wire_format, request, body, connection)
        elif request.method == "GET" and path.endswith("/models"):
            await connection.json(200, model_list(self._clock.now()), {})
        else:
            await connection.json(404, _nowhere(request), {})

    async def _ask(self, wire_format: WireFormat, request: Request, body: bytes, connection: Connection) -> None:
        """Ask the model and answer, whatever happens."""
        request_id = f"req_{self._ids.new()}"
        reply = _Reply(wire_format, connection, request_id=request_id)
        try:
            asked = wire_format.request(request.scope["path"], request.query_params, body)
        except WireError as error:
            await reply.refuse(ModelFailure(str(error), kind="bad_request"))
            return
        encoder = wire_format.encoder(Head(asked, self._ids, self._clock.now(), request_id))
        answer = reply.stream if asked.is_stream else reply.whole
        try:
            await answer(self._model, asked, encoder)
        except ModelFailure as failure:
            await reply.fail(failure, encoder)
        except ReplayMismatch as error:
            await reply.fail(ModelFailure(str(error), kind="bad_request"), encoder, headers=_NO_RETRY)
        except Exception as error:
            _logger.exception("the model raised %s", type(error).__name__)
            text = f"the model raised {type(error).__name__}: {error}"
            await reply.fail(ModelFailure(text, kind="server_error"), encoder, headers=_NO_RETRY)


class _Reply:
    """Put one answer, or its failure, on a connection."""

    def __init__(self, wire_format: WireFormat, connection: Connection, *, request_id: str) -> None:
        self._format = wire_format
        self._connection = connection
        self._request_id = request_id
        self._named = {wire_format.request_id: request_id}

    async def stream(self, model: Model, asked: ModelRequest, encoder: Encoder) -> None:
        """Send each step as it comes. Where there is none, the stream is empty.

        Garbage that comes first stands before all that the format opens a stream with.
        """
        connection, is_open = self._connection, False
        head = {**_STREAM_HEADERS, **self._named}
        async with aclosing(model.steps(asked)) as steps:
            async for step in steps:
                if not connection.is_begun:
                    await connection.begin(200, head)
                if not is_open and not isinstance(step, Garbage):
                    is_open = True
                    await connection.send(encoder.begin())
                await connection.send(encoder.feed(step))
        if not connection.is_begun:
            await connection.begin(200, head)
        await connection.end()

    async def whole(self, model: Model, asked: ModelRequest, encoder: Encoder) -> None:
        """Send the answer when it is complete. Garbage takes its place."""
        garbage = b""
        async with aclosing(model.steps(asked)) as steps:
            async for step in steps:
                encoder.feed(step)
                garbage += step.data if isinstance(step, Garbage) else b""
        if garbage:
            await self._connection.body(200, garbage, self._named)
        else:
            await self._connection.json(200, encoder.whole(), self._named)

    async def fail(self, failure: ModelFailure, encoder: Encoder, *, headers: Mapping[str, str] | None = None) -> None:
        """Cut the connection, refuse, or end the stream with an error, as it stands."""
        if failure.kind == "cut":
            await self._connection.cut(failure)
        elif self._connection.is_begun:
            await self._connection.send(encoder.failed(failure))
            await self._connection.end()
        else:
            await self.refuse(failure, headers=headers)

    async def refuse(self, failure: ModelFailure, *, headers: Mapping[str, str] | None = None) -> None:
        """Send the failure in place of an answer."""
        every = {**self._named, **_waiting(failure.retry_after_s), **(headers or {})}
        error = self._format.error(failure, self._request_id)
        await self._connection.json(self._format.status(failure), error, every)


def _waiting(retry_after_s: float | None) -> dict[str, str]:
    """Return how long to wait, in whole seconds as HTTP has it, and exactly as the SDKs read it."""
    if retry_after_s is None:
        return {}
    milliseconds = f"{retry_after_s * 1000:.3f}".rstrip("0").rstrip(".")
    return {"retry-after": str(ceil(retry_after_s)), "retry-after-ms": milliseconds}


def _nowhere(request: Request) -> dict[str, object]:
    """Return the body of a 404, which every SDK can read."""
    known = ", ".join(f"POST {path}" for path in KNOWN_PATHS)
    text = (
        f"there is nothing at {request.method} {request.scope['path']}. Behind any prefix, there is: {known}, "
        f"GET /models. Check the client's base URL."
    )
    return {"type": "error", "error": {"type": "not_found_error", "message": text, "param": None, "code": "not_found"}}

"""Who may ask: which host names, which pages, which keys and tickets.

A server on loopback is still within reach of every page that the user's browser shows. So a name that was bent to
loopback (DNS rebinding) is refused by `Host`, and another site's page by `Origin` and `Sec-Fetch-Site`; keys and
tickets are looked at after that. Knows header fields. Does not know what a route does.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playhead.server.tickets import Tickets, digest

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The host names that every server answers to."""

PERMIT: Final = "playhead.permit"
"""The name, in an ASGI scope, of the `Permit` of a request that was let in."""

POLICY_VIOLATION: Final = 1008
"""The code with which a WebSocket is closed that may not be opened."""

_OPEN_PATHS: Final = frozenset({"/health"})
_TICKET_PATHS: Final = frozenset({"/stream", "/ws"})
_OWN_SITES: Final = frozenset({"", "same-origin", "none"})
# Data that somebody opens as a page stays data.
_NO_SNIFFING: Final = ((b"x-content-type-options", b"nosniff"),)
_METHODS: Final = "GET, POST, DELETE"
_FIELDS: Final = "authorization, content-type, last-event-id"


@dataclass(frozen=True, slots=True)
class Permit:
    """Say what a request may do: everything, or with a ticket that `is_used`, go on with the run which that began.

    `ticket` is the digest of the ticket that let the request in, None where it was a key.
    """

    ticket: str | None = None
    is_used: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """Say who may ask. `origins` are of other sites' pages; `api_key` None lets in everybody."""

    hosts: frozenset[str]
    origins: frozenset[str]
    api_key: bytes | None

    def refuse(self, headers: Mapping[str, str]) -> tuple[HTTPStatus, str] | None:
        """Return why a browser's page, or a host name, may not ask at all."""
        host = headers.get("host", "")
        if host_name(host) not in self.hosts:
            return HTTPStatus.MISDIRECTED_REQUEST, "this server does not go by that host name (see hosts=)"
        origin = headers.get("origin")
        if origin is not None:
            return None if origin in self.origins or _is_own(origin, host) else _STRANGER
        return None if headers.get("sec-fetch-site", "") in _OWN_SITES else _STRANGER

    def has_key(self, headers: Mapping[str, str]) -> bool:
        """Say whether the key is there, or none is needed. Takes as long for any wrong key of the same length."""
        if self.api_key is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # What a server decodes as Latin-1 are the bytes that the client sent.
        is_right = hmac.compare_digest(given.strip().encode("latin-1", "replace"), self.api_key)
        return is_right and scheme.lower() == "bearer"


_STRANGER: Final = (HTTPStatus.FORBIDDEN, "pages of that site may not ask this server (see origins=)")


class Gate:
    """Let requests through to an app, or refuse them: in JSON, or by closing the WebSocket before it is open."""

    def __init__(self, app: ASGIApp, rules: Rules, tickets: Tickets) -> None:
        self._app = app
        self._rules = rules
        self._tickets = tickets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at a request, and answer it or pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers, send = Headers(scope=scope), _with_fields(send, _NO_SNIFFING)
        refused = self._rules.refuse(headers)
        origin = headers.get("origin", "")
        if refused is None and origin in self._rules.origins:
            send = _with_fields(send, ((b"access-control-allow-origin", origin.encode()), (b"vary", b"Origin")))
            if scope["type"] == "http" and scope["method"] == "OPTIONS":
                await _preflight(scope, receive, send)
                return
        permit = None if refused else self._permit(scope, headers)
        if permit is not None:
            await self._app({**scope, PERMIT: permit}, receive, send)
            return
        status, text = refused or (
            HTTPStatus.UNAUTHORIZED,
            "this needs a key: `Authorization: Bearer ...`, or a ticket",
        )
        await _refuse(scope, receive, send, status, text)

    def _permit(self, scope: Scope, headers: Headers) -> Permit | None:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in _OPEN_PATHS or self._rules.has_key(headers):
            return Permit()
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        ticket = query.get("ticket", [""])[0]
        if not ticket or path not in _TICKET_PATHS:
            return None
        if self._tickets.take(ticket):
            return Permit(digest(ticket))
        is_going_on = "last-event-id" in headers or "last_event_id" in query
        return Permit(digest(ticket), is_used=True) if is_going_on else None


def host_name(host: str) -> str:
    """Return a `Host` without its port, in small letters."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _is_own(origin: str, host: str) -> bool:
    return origin.lower() in (f"http://{host}".lower(), f"https://{host}".lower())


def _with_fields(send: Send, fields: Sequence[tuple[bytes, bytes]]) -> Send:
    """Return what sends, and adds these fields to the head of a response."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *fields]}
        await send(message)

    return sending


async def _preflight(scope: Scope, receive: Receive, send: Send) -> None:
    allowed = {"access-control-allow-methods": _METHODS, "access-control-allow-headers": _FIELDS}
    await Response(status_code=HTTPStatus.NO_CONTENT, headers=allowed)(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send, status: HTTPStatus, text: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": text})
        return
    headers = {"www-authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else None
    await JSONResponse({"error": text}, status, headers)(scope, receive, send)

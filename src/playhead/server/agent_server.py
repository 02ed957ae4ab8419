"""The server of an agent: its options, its app, and a way to run it.

Knows what is put together and how. Does not know what a route does.
"""

import logging
import sys
from collections.abc import Sequence
from functools import partial
from os import PathLike
from typing import Any, Final, get_args

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import UsageError
from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect
from playhead.handlers.failures import safe_traceback
from playhead.ids import SYSTEM_IDS, Ids
from playhead.server.frames import EventNames
from playhead.server.gate import LOOPBACK, Gate, Rules
from playhead.server.listening import listen
from playhead.server.routes import Routes
from playhead.server.running import Leaving, OnLeave, Runs
from playhead.server.service import Service, Streaming
from playhead.server.shelf import Shelf
from playhead.server.tickets import Tickets

_MAX_KEPT: Final = 1000

_logger = logging.getLogger("playhead.server")


class AgentServer:
    """Serve an agent to browsers and programs: `app` is ASGI, `run` serves it on this machine.

    `agent` has `run(prompt, *, thread_id=None, ...)`, an asynchronous iterator of events of `dialect`, and may have
    `resume` and `checkpointer`. Every run is recorded into `store`: a folder of files, a SQLite file like `runs.db`, or
    memory, which keeps the newest 1,000. A store belongs to one server at a time.

    - Who may ask: who has `api_key` (a bearer key, or a ticket that lasts `ticket_ttl_s`), or everybody with
      `allow_unauthenticated`. `hosts` are names that the server goes by beside those of loopback; `origins` are those
      of other sites' pages that may ask.
    - What is sent: messages named `snake` or by `class`, a heartbeat after each `heartbeat_s` without one. A client
      waits `retry_ms` before it comes back. One that takes nothing for `stall_s` is gone.
    - What a run holds: the newest `max_buffer` messages. It never waits: who is slower reads its cassette.
    - `on_leave` says what becomes of a run whose last client is gone, and has not come back within `linger_s`.
    - `metadata_parameters` name further parameters of `GET /stream` that reach the agent, as its `metadata`.
    - At most `max_runs` go on at a time, and a body or message has at most `max_body_bytes`.

    Raises `UsageError` for options that contradict each other, and where neither `api_key` nor
    `allow_unauthenticated` is given.
    """

    def __init__(
        self,
        agent: Any,
        *,
        title: str = "Playhead",
        api_key: str | None = None,
        allow_unauthenticated: bool = False,
        event_names: EventNames = "snake",
        heartbeat_s: float = 15.0,
        max_buffer: int = 256,
        store: str | PathLike[str] | None = None,
        dialect: str | Dialect = "locus",
        on_leave: OnLeave = "cancel",
        linger_s: float = 0.0,
        hosts: Sequence[str] = (),
        origins: Sequence[str] = (),
        retry_ms: int = 1000,
        stall_s: float = 60.0,
        ticket_ttl_s: float = 30.0,
        max_runs: int = 1000,
        max_body_bytes: int = 1024 * 1024,
        metadata_parameters: Sequence[str] = (),
        clock: Clock = SYSTEM_CLOCK,
        ids: Ids = SYSTEM_IDS,
    ) -> None:
        _check_key(api_key, allow_unauthenticated=allow_unauthenticated)
        _check_words(event_names=event_names, on_leave=on_leave)
        _check_counts(max_buffer=max_buffer, max_runs=max_runs, max_body_bytes=max_body_bytes, retry_ms=retry_ms)
        _check_times(heartbeat_s=heartbeat_s, stall_s=stall_s, ticket_ttl_s=ticket_ttl_s)
        _check_times(linger_s=linger_s, least_s=0)
        chosen = get_dialect(dialect)
        shelf = Shelf(store, chosen, max_kept=_MAX_KEPT, clock=clock)
        runs = Runs(shelf, Leaving(on_leave, linger_s), max_runs=max_runs)
        streaming = Streaming(event_names, heartbeat_s, max_buffer, retry_ms, stall_s)
        service = Service(agent, runs, streaming, dialect=chosen, clock=clock, ids=ids)
        tickets = Tickets(ticket_ttl_s, clock=clock, ids=ids)
        routes = Routes(service, tickets, title=title, max_body_bytes=max_body_bytes, metadata=metadata_parameters)
        self._title = title
        self._max_body_bytes = max_body_bytes
        self._hosts = LOOPBACK | {host.lower() for host in hosts}
        rules = Rules(self._hosts, frozenset(origins), api_key.encode() if api_key else None)
        handlers = {HTTPException: _refused, Exception: partial(_failed, ids=ids)}
        inner = Starlette(routes=routes.table(), exception_handlers=handlers)  # type: ignore[arg-type]
        self.app: ASGIApp = Gate(inner, rules, tickets)

    def run(self, host: str = "127.0.0.1", port: int = 8000) -> None:
        """Serve until Ctrl-C or SIGTERM. Runs that go on are cancelled then, and sealed.

        Raises `UsageError` for an address of which `hosts` names nothing: no request for it would be let in.
        """
        if host not in self._hosts and f"[{host}]" not in self._hosts and self._hosts == LOOPBACK:
            raise UsageError(
                f"run(host={host!r}) leaves this machine, and requests for other names than those of loopback are "
                f"refused: say which names the server goes by, as in AgentServer(hosts=['agents.example.org'])"
            )
        sys.stderr.write(f"{self._title}: serving on http://{host}:{port} until Ctrl-C\n")
        listen(self.app, host=host, port=port, max_message_bytes=self._max_body_bytes)


async def _refused(request: Request, error: HTTPException) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _failed(request: Request, error: Exception, *, ids: Ids) -> Response:
    """Answer a request that failed in here. What failed goes to the log."""
    correlation_id = ids.new()
    _logger.error("%s failed, correlation id %s\n%s", request.url.path, correlation_id, safe_traceback(error))
    return JSONResponse({"error": "internal error", "correlation_id": correlation_id}, 500)


def _check_key(api_key: str | None, *, allow_unauthenticated: bool) -> None:
    if api_key is None and not allow_unauthenticated:
        raise UsageError(
            "AgentServer needs api_key=..., or whoever reaches it has the agent and its tools; "
            "allow_unauthenticated=True lets everybody in on purpose"
        )
    if api_key is not None and (allow_unauthenticated or not api_key.strip()):
        why = "and allow_unauthenticated=True contradict each other" if api_key.strip() else "must not be empty"
        raise UsageError(f"AgentServer: api_key=... {why}")


def _check_words(*, event_names: str, on_leave: str) -> None:
    for name, value, known in (
        ("event_names", event_names, get_args(EventNames)),
        ("on_leave", on_leave, get_args(OnLeave)),
    ):
        if value not in known:
            raise UsageError(f"AgentServer({name}={value!r}): give {' or '.join(map(repr, known))}")


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise UsageError(f"AgentServer({name}={count!r}) must be 1 or more")


def _check_times(*, least_s: float = 0.001, **times: float) -> None:
    for name, time_s in times.items():
        if not least_s <= time_s < float("inf"):
            raise UsageError(f"AgentServer({name}={time_s!r}) must be a number of seconds, {least_s} or more")

"""The routes of an agent's server over HTTP.

Knows paths, bodies and what is answered. Does not know who may ask (`gate`), nor how runs go on (`service`).
"""

from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from playhead.server.asked import Answer, Prompt, read_json, read_position, read_query
from playhead.server.gate import PERMIT, Permit
from playhead.server.invoking import RunResult
from playhead.server.service import Service
from playhead.server.sockets import Conversation
from playhead.server.streaming import EventStream, RunStream
from playhead.server.threads import delete_thread, read_thread
from playhead.server.tickets import Tickets


class Routes:
    """Answer requests for one service."""

    def __init__(
        self, service: Service, tickets: Tickets, *, title: str, max_body_bytes: int, metadata: Collection[str]
    ) -> None:
        self._service = service
        self._tickets = tickets
        self._title = title
        self._max_body_bytes = max_body_bytes
        self._metadata = metadata

    def table(self) -> list[BaseRoute]:
        """Return what is where."""
        return [
            Route("/stream", self.stream, methods=["GET", "POST"]),
            Route("/resume", self.resume, methods=["POST"]),
            Route("/invoke", self.invoke, methods=["POST"]),
            WebSocketRoute("/ws", self.socket),
            Route("/threads/{thread_id:path}", self.thread, methods=["GET", "DELETE"]),
            Route("/ticket", self.ticket, methods=["POST"]),
            Route("/health", self.health, methods=["GET"]),
        ]

    async def stream(self, request: Request) -> ASGIApp:
        """Begin a run, or go on behind the message that the client had last."""
        if request.method == "HEAD":
            # The router takes it for a GET, and a run is more than a look.
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": "GET, POST"})
        if position := read_position(request):
            return await self._go_on(position, _permit(request))
        if request.method == "POST":
            asked = await self._read(request, Prompt)
        else:
            asked = read_query(request, metadata=self._metadata)
        return RunStream(self._service, *await self._service.begin(asked, _permit(request)))

    async def resume(self, request: Request) -> ASGIApp:
        """Answer the question of a run that is paused, and stream what follows."""
        if position := read_position(request):
            return await self._go_on(position, _permit(request))
        asked = await self._read(request, Answer)
        return RunStream(self._service, *await self._service.begin(asked, _permit(request)), is_answer=True)

    async def invoke(self, request: Request) -> ASGIApp:
        """Run to the end, and answer with what came of it."""
        asked = await self._read(request, Prompt)
        return RunResult(self._service, *await self._service.begin(asked, _permit(request)))

    async def socket(self, websocket: WebSocket) -> None:
        """Talk over a WebSocket, for as many runs as the client likes."""
        await Conversation(self._service, websocket, max_bytes=self._max_body_bytes).hold()

    async def thread(self, request: Request) -> Response:
        """Return what is kept of a thread, or delete it."""
        checkpointer = getattr(self._service.agent, "checkpointer", None)
        thread_id = request.path_params["thread_id"]
        if request.method == "DELETE":
            await delete_thread(checkpointer, thread_id)
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return Response(await read_thread(checkpointer, thread_id), media_type="application/json")

    async def ticket(self, request: Request) -> Response:
        """Issue a ticket."""
        issued = {"ticket": self._tickets.issue(), "expires_in_s": self._tickets.ttl_s}
        return JSONResponse(issued, HTTPStatus.CREATED, {"cache-control": "no-store"})

    async def health(self, request: Request) -> Response:
        """Say that the server is there."""
        return JSONResponse({"status": "ok", "title": self._title})

    async def _read(self, request: Request, model: type[Any]) -> Any:
        return await read_json(request, model, max_bytes=self._max_body_bytes)

    async def _go_on(self, position: tuple[str, int], permit: Permit) -> ASGIApp:
        follower = await self._service.follow(*position, permit)
        if follower is None:
            # Anything else, and a browser would come back for ever.
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return EventStream(self._service, follower)


def _permit(request: Request) -> Permit:
    permit: Permit = request.scope[PERMIT]
    return permit

"""Runs over a WebSocket: one after the other, as the client asks for them.

The client sends JSON objects: `{"type":"run","prompt":...}`, `{"type":"resume","answer":...}`,
`{"type":"follow","last_event_id":...}` and `{"type":"cancel"}`. It gets `{"event":...,"id":...,"data":...}`. What it
may not send closes the socket with a code that says why. Does not know how runs go on.
"""

import logging
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Final, Literal

from anyio import Event, WouldBlock, create_memory_object_stream, create_task_group, move_on_after
from pydantic import BaseModel, ConfigDict, Field, RootModel
from starlette.exceptions import HTTPException
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from playhead.handlers.failures import safe_traceback
from playhead.server.asked import Answer, Prompt, parse, position_of
from playhead.server.following import Follower
from playhead.server.frames import Frame
from playhead.server.gate import PERMIT, POLICY_VIOLATION, Permit
from playhead.server.running import Run
from playhead.server.service import Service, nothing_waits, unless_gone

NORMAL: Final = 1000
"""The code of a socket that has done all it was to do."""
NOT_TEXT: Final = 1003
"""The code for a message of bytes."""
NOT_JSON: Final = 1007
"""The code for a message that is no JSON."""
TOO_BIG: Final = 1009
"""The code for a message that is too long."""
INTERNAL_ERROR: Final = 1011
"""The code for a failure of the server's own; the log has it."""
TRY_LATER: Final = 1013
"""The code for a run that was not begun because too many go on."""

_MAX_REASON_BYTES: Final = 123
_logger = logging.getLogger("playhead.server")


class _Run(Prompt):
    type: Literal["run"]


class _Resume(Answer):
    type: Literal["resume"]


class _Follow(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    type: Literal["follow"]
    last_event_id: str


class _Cancel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    type: Literal["cancel"]


class _Said(RootModel[Annotated[_Run | _Resume | _Follow | _Cancel, Field(discriminator="type")]]):
    """What a client may say."""


class Conversation:
    """Hold one connection: listen to what the client says, and send the messages of one run after the other."""

    def __init__(self, service: Service, websocket: WebSocket, *, max_bytes: int) -> None:
        self._service = service
        self._websocket = websocket
        self._max_bytes = max_bytes
        self._permit: Permit = websocket.scope[PERMIT]
        self._over = Event()
        self._close_with = (NORMAL, "")
        self._run: Run | None = None
        self._give, self._take = create_memory_object_stream[_Run | _Resume | _Follow](1)

    async def hold(self) -> None:
        """Talk until one side closes. Of what goes wrong the client gets a code, and the log the rest."""
        await self._websocket.accept()
        with self._give, self._take:
            try:
                async with create_task_group() as tasks:
                    tasks.start_soon(self._listen)
                    await self._talk()
                    tasks.cancel_scope.cancel()
            except Exception as error:
                correlation_id = self._service.new_id()
                _logger.error("/ws failed, correlation id %s\n%s", correlation_id, safe_traceback(error))
                self._end(INTERNAL_ERROR, f"internal error, correlation id {correlation_id}")
        if self._websocket.client_state is WebSocketState.CONNECTED:
            code, reason = self._close_with
            # It may have left in this moment, and then nobody is to be told.
            with move_on_after(self._service.streaming.stall_s), suppress(RuntimeError, WebSocketDisconnect):
                await self._websocket.close(code, reason)

    def _end(self, code: int, reason: str) -> None:
        self._close_with = code, reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
        self._over.set()

    async def _listen(self) -> None:
        """Take what the client says, until it leaves or says what it may not."""
        while not self._over.is_set():
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self._over.set()
            elif (text := message.get("text")) is None:
                self._end(NOT_TEXT, "send JSON as text")
            elif len(text.encode()) > self._max_bytes:
                self._end(TOO_BIG, f"a message has at most {self._max_bytes:,} bytes")
            else:
                self._hear(text)

    def _hear(self, text: str) -> None:
        try:
            said = parse(text, _Said).root
            if not isinstance(said, _Cancel):
                self._give.send_nowait(said)
            elif self._run is not None:
                self._run.scope.cancel()
        except HTTPException as error:
            is_no_json = error.status_code == HTTPStatus.BAD_REQUEST
            self._end(NOT_JSON if is_no_json else POLICY_VIOLATION, error.detail)
        except WouldBlock:
            self._end(POLICY_VIOLATION, "one run at a time, and one more that waits")

    async def _talk(self) -> None:
        while not self._over.is_set():
            asked: list[_Run | _Resume | _Follow] = []

            async def take(into: list[_Run | _Resume | _Follow] = asked) -> None:
                into.append(await self._take.receive())

            await unless_gone(self._over.wait, take)
            for each in asked:
                try:
                    await self._answer(each)
                except HTTPException as error:
                    is_full = error.status_code == HTTPStatus.SERVICE_UNAVAILABLE
                    self._end(TRY_LATER if is_full else POLICY_VIOLATION, error.detail)

    async def _answer(self, asked: _Run | _Resume | _Follow) -> None:
        service = self._service
        if isinstance(asked, _Follow):
            follower = await service.follow(*position_of(asked.last_event_id), self._permit)
            if follower is None:
                self._end(NORMAL, "that was the last message of its run")
                return
            await unless_gone(self._over.wait, lambda: self._send_all(follower))
            return
        run, events = await service.begin(asked, self._permit)
        if self._permit.ticket is not None:
            self._permit = replace(self._permit, is_used=True)
        self._run = run

        async def respond() -> None:
            if isinstance(asked, _Resume) and not await service.something_waited(run):
                self._end(POLICY_VIOLATION, nothing_waits().detail)
            else:
                await self._send_all(service.follower(run))

        try:
            async with service.runs.hosted(run, events):
                await unless_gone(self._over.wait, respond)
        finally:
            self._run = None

    async def _send_all(self, follower: Follower) -> None:
        with follower:
            await self._send(follower.framer.beat(self._service.clock.now(), number=follower.position))
            while not follower.ended and not self._over.is_set():
                for frame in await self._service.next_or_beat(follower):
                    await self._send(frame)

    async def _send(self, frame: Frame) -> None:
        """Send a message. Who takes nothing for so long counts as gone."""
        with move_on_after(self._service.streaming.stall_s) as patience:
            try:
                await self._websocket.send_text(frame.json())
            except WebSocketDisconnect:
                self._over.set()
        if patience.cancelled_caught:
            self._over.set()

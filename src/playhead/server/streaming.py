"""A run as an event stream over HTTP: head, messages, heartbeats, and the end.

Knows how a response is sent. Does not know which run it is, nor who may have it.
"""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Final

from anyio import move_on_after
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from playhead.server.following import Follower
from playhead.server.frames import Frame
from playhead.server.running import Run
from playhead.server.service import Service, disconnected, nothing_waits, unless_gone
from playhead.sse.headers import create_sse_response_headers

_HEAD: Final = MappingProxyType(
    {name.lower().encode(): value.encode() for name, value in create_sse_response_headers().items()}
)
_PIECE_BYTES: Final = 64 * 1024


class EventStream:
    """Answer a request with the messages that a follower hands out.

    Who leaves is noticed at once, and who takes nothing for `stall_s` counts as gone.
    """

    def __init__(self, service: Service, follower: Follower) -> None:
        self._service = service
        self._follower = follower

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the messages until the last one, or until the client is gone."""
        await unless_gone(lambda: disconnected(receive), lambda: self.send_all(send))

    async def send_all(self, send: Send) -> None:
        """Send the messages until the last one, or until the client takes none."""
        with self._follower:
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEAD.items())})
            # It tells the browser how to come back, also before the first event: otherwise it would begin another run.
            first = self._follower.framer.beat(self._service.clock.now(), number=self._follower.position)
            pieces: Sequence[bytes] = [first.sse(retry_ms=self._service.streaming.retry_ms)]
            while pieces:
                for piece in pieces:
                    if not await self._send(send, piece):
                        return
                is_over = self._follower.ended
                pieces = [] if is_over else _pieces(await self._service.next_or_beat(self._follower))
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, piece: bytes) -> bool:
        with move_on_after(self._service.streaming.stall_s):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            return True
        return False


class RunStream:
    """Answer a request with a run that begins with it, and stay until that has ended.

    A run that `is_answer` to no question is a 409.
    """

    def __init__(self, service: Service, run: Run, events: Any, *, is_answer: bool = False) -> None:
        self._service = service
        self._is_answer = is_answer
        self._run = run
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the messages of the run from the first on, or until the client is gone."""

        async def respond() -> None:
            if self._is_answer and not await self._service.something_waited(self._run):
                refusal = nothing_waits()
                await JSONResponse({"error": refusal.detail}, refusal.status_code)(scope, receive, send)
            else:
                await EventStream(self._service, self._service.follower(self._run)).send_all(send)

        async with self._service.runs.hosted(self._run, self._events):
            await unless_gone(lambda: disconnected(receive), respond)


def _pieces(frames: Sequence[Frame]) -> Sequence[bytes]:
    """Return messages as they are written: together as long as they are short."""
    pieces = [bytearray()]
    for frame in frames:
        if len(pieces[-1]) > _PIECE_BYTES:
            pieces.append(bytearray())
        pieces[-1] += frame.sse()
    return [bytes(piece) for piece in pieces]

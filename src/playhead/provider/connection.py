"""One response on an ASGI connection: head, body in pieces, and an end, in good order or not."""

from collections.abc import Mapping
from typing import Any, Final

from anyio import sleep_forever
from starlette.types import Scope, Send

from playhead.errors import ModelFailure
from playhead.provider.formats.base import json_text

CUT_STATE: Final = "playhead.cut"
"""The name, in the state of an ASGI scope, of the function that closes the connection under the app."""


class Connection:
    """Send one response. `is_begun` is true once its head is sent.

    With `max_chunk_bytes`, a piece of the body is sent in chunks of so many bytes, the last one being what is left.
    """

    def __init__(self, scope: Scope, send: Send, *, max_chunk_bytes: int | None = None) -> None:
        self.is_begun: bool = False
        self._max_chunk_bytes = max_chunk_bytes
        self._scope = scope
        self._send = send

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the head."""
        self.is_begun = True
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})

    async def send(self, data: bytes) -> None:
        """Send a piece of the body by itself; nothing for b""."""
        size = self._max_chunk_bytes or len(data) or 1
        for start in range(0, len(data), size):
            await self._send({"type": "http.response.body", "body": data[start : start + size], "more_body": True})

    async def end(self) -> None:
        """End the body in good order."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def json(self, status: int, value: Any, headers: Mapping[str, str]) -> None:
        """Send a whole response in JSON."""
        await self.body(status, json_text(value).encode(), headers)

    async def body(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        """Send a whole response that says it is JSON."""
        own = {"content-type": "application/json", "content-length": str(len(data))}
        await self.begin(status, {**own, **headers})
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def cut(self, failure: ModelFailure) -> None:
        """Close the connection under the response, and wait to be cancelled for it.

        Raises the failure where the server has no way to do that: most servers then close the connection, too.
        """
        close = self._scope.get("state", {}).get(CUT_STATE)
        if close is None:
            raise failure
        close()
        await sleep_forever()

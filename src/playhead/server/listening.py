"""An ASGI app on an address, in this thread, until the process is told to stop.

Knows uvicorn. Does not know what is served.
"""

import asyncio
import socket
from typing import Any, Final

import uvicorn

_GRACE_S: Final = 2
"""How long responses may still end by themselves, and how long what is cancelled then may clean up."""


def listen(app: Any, *, host: str, port: int, max_message_bytes: int) -> None:
    """Serve until Ctrl-C or SIGTERM, and return when every response is over."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        # What it would log of requests has prompts and tickets in it.
        access_log=False,
        log_level="warning",
        server_header=False,
        ws_max_size=max_message_bytes,
        timeout_graceful_shutdown=_GRACE_S,
    )
    _Server(config).run()


class _Server(uvicorn.Server):
    """Wait for what was cancelled: uvicorn would end the process by the signal before that has cleaned up."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, and cancel what does not stop by itself."""
        await super().shutdown(sockets)
        if self.server_state.tasks:
            await asyncio.wait(set(self.server_state.tasks), timeout=_GRACE_S)

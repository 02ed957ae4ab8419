"""What an agent's checkpointer keeps of a thread, for clients.

Knows the checkpointer's protocol. Does not know where it keeps anything.
"""

from http import HTTPStatus
from typing import Any, Final

from pydantic_core import to_json
from starlette.exceptions import HTTPException

MAX_CHECKPOINTS: Final = 100
"""How many checkpoints of a thread are told, the newest."""


async def read_thread(checkpointer: Any, thread_id: str) -> bytes:
    """Return, as JSON, `thread_id`, the ids of its checkpoints, the newest first, and the `messages` of the newest.

    Raises `HTTPException` 404 where there is no such thread, or no checkpointer.
    """
    checkpoints = list(await checkpointer.list_checkpoints(thread_id, limit=MAX_CHECKPOINTS)) if checkpointer else []
    if not checkpoints:
        raise _no_such(checkpointer)
    state = await checkpointer.load(thread_id, checkpoints[0])
    plain = state.to_checkpoint() if hasattr(state, "to_checkpoint") else state
    told = {"thread_id": thread_id, "checkpoints": checkpoints, "messages": plain.get("messages", [])}
    return to_json(told, fallback=str)


async def delete_thread(checkpointer: Any, thread_id: str) -> None:
    """Delete a thread. Raises `HTTPException` 404 as `read_thread` does."""
    if not checkpointer or not await checkpointer.exists(thread_id):
        raise _no_such(checkpointer)
    await checkpointer.delete(thread_id)


def _no_such(checkpointer: Any) -> HTTPException:
    told = "there is no such thread" if checkpointer else "this agent has no checkpointer, so it keeps no threads"
    return HTTPException(HTTPStatus.NOT_FOUND, told)

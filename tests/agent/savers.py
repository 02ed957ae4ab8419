"""What keeps states, or fails to: the smallest checkpointers."""

from typing import Any

import anyio


class Saver:
    """Keep all states that are saved, as JSON."""

    def __init__(self) -> None:
        self.saved: list[tuple[str, dict[str, Any]]] = []

    async def save(self, state: Any, thread_id: str, checkpoint_id: Any = None, metadata: Any = None) -> str:
        """Keep a state."""
        self.saved.append((thread_id, state.to_checkpoint()))
        return str(len(self.saved))

    async def load(self, thread_id: str, checkpoint_id: str | None = None) -> Any:
        """Return a state as JSON."""
        found = [state for thread, state in self.saved if thread == thread_id]
        return found[int(checkpoint_id) - 1] if checkpoint_id else found[-1] if found else None


class Full(Saver):
    """Fail to save."""

    async def save(self, state: Any, thread_id: str, checkpoint_id: Any = None, metadata: Any = None) -> str:
        """Fail."""
        raise OSError("disk full")


class Stuck(Saver):
    """Never come back from saving."""

    async def save(self, state: Any, thread_id: str, checkpoint_id: Any = None, metadata: Any = None) -> str:
        """Wait."""
        await anyio.sleep_forever()
        raise AssertionError

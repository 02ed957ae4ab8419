"""What it costs to save a state of 10 KB, beside langgraph's own saver on the same disk."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver
from measure import Case

from playhead.recording.checkpoints import Checkpointer

SAVES = 200
MESSAGE = {"role": "user", "content": "lorem ipsum dolor sit amet " * 12}
STATE = {"messages": [MESSAGE] * 30, "iteration": 3}


def saves(folder: Path) -> Iterator[Case]:
    """Saving the states of one thread, per state. Each of Playhead's is redacted, and its cassette sealed."""
    yield Case(
        "checkpoint, 10 KB",
        SAVES,
        "langgraph SqliteSaver",
        {
            "langgraph SqliteSaver": lambda: langgraph(folder / "graph.db"),
            "playhead, SQLite": lambda: asyncio.run(playhead(folder / "threads.db")),
            "playhead, SQLite, redact=()": lambda: asyncio.run(playhead(folder / "plain.db", redact=())),
            "playhead, files": lambda: asyncio.run(playhead(folder / "threads")),
            "playhead, memory": lambda: asyncio.run(playhead(":memory:")),
        },
    )


def langgraph(path: Path) -> None:
    """Save with langgraph."""
    with SqliteSaver.from_conn_string(str(path)) as saver:
        config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        for _ in range(SAVES):
            config = saver.put(config, {**empty_checkpoint(), "channel_values": {"state": STATE}}, {}, {})


async def playhead(place: Path | str, **options: Any) -> None:
    """Save into a thread of a place, which is empty before and behind it."""
    async with Checkpointer(place, **options) as saver:
        for _ in range(SAVES):
            await saver.save(STATE, "t")
        await saver.delete("t")

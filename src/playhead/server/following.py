"""How a client follows a run from any of its messages on: from the cassette, and live where the run goes on.

Knows numbers. Does not know connections, nor how a run is made.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, Self

from anyio import to_thread

from playhead.cassettes.reading import Cassette
from playhead.server.frames import Frame, Framer
from playhead.server.running import Run, correlation_id, ending
from playhead.server.shelf import Shelf

_BATCH: Final = 64
"""How many messages are made at a time: what a client costs beside the window of its run."""


class Follower:
    """Hand out the messages of a run behind number `after`, each once, in order, and the last one at last.

    `run` is None where that has ended, and `cassette` is what is open of it already; `ended` is true once the last
    message was handed out. Use it as a context manager, in which it is one of the run's clients. For one task.
    """

    def __init__(
        self, framer: Framer, shelf: Shelf, run: Run | None, *, after: int = 0, cassette: Cassette | None = None
    ) -> None:
        self.ended: bool = False
        self.position: int = after
        self.framer: Framer = framer
        self.run: Run | None = run
        self._shelf = shelf
        self._tape: _Reading | None = _Reading(cassette, framer, after) if cassette else None

    async def next(self) -> Sequence[Frame]:
        """Return the next messages, at least one. Waits for them. Raises `CassetteError` where they cannot be read.

        May be cancelled and called again: nothing is lost.
        """
        while True:
            run = self.run
            if run is not None and self._tape is None and self.position + 1 >= run.first:
                if frames := run.after(self.position, _BATCH):
                    return self._taken(frames)
                if run.end is not None:
                    return self._last(run.end)
                await run.news.wait()
            else:
                if frames := await self._read():
                    return frames

    def give_up(self, said: str = "internal error") -> Sequence[Frame]:
        """Return an error as the last message."""
        return self._last(self.framer.error(said, correlation_id=correlation_id(self.framer.run)))

    def close(self) -> None:
        """Let go of the cassette."""
        if self._tape is not None:
            self._tape.close()
            self._tape = None

    def __enter__(self) -> Self:
        if self.run is not None:
            self.run.come()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.run is not None:
            self.run.leave()
        self.close()

    def _taken(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        self.position += len(frames)
        return frames

    def _last(self, frame: Frame) -> Sequence[Frame]:
        self.ended = True
        return [frame]

    async def _read(self) -> Sequence[Frame]:
        """Return the next messages of the cassette, or the last one; none where the window has them by now."""
        if self._tape is None:
            cassette = await to_thread.run_sync(self._shelf.read, self.framer.run)
            self._tape = _Reading(cassette, self.framer, self.position)
        tape = self._tape
        if frames := tape.next(_BATCH):
            return self._taken(frames)
        run = self.run
        self.close()
        if run is None:
            return self._last(ending(self.framer, tape.count, tape.cassette.seal))
        if self.position == tape.after and self.position + 1 < run.first:
            # What has left the window is on the tape, unless the recording has failed.
            return self.give_up("messages were lost")
        return []


class _Reading:
    """Read a cassette, as it is now, as messages behind number `after`. `count` is how many there were so far."""

    def __init__(self, cassette: Cassette, framer: Framer, after: int) -> None:
        self.cassette: Cassette = cassette
        self.count: int = 0
        self._framer = framer
        self.after: int = after
        self._frames = self._read()

    def next(self, limit: int) -> list[Frame]:
        return list(islice(self._frames, limit))

    def close(self) -> None:
        self.cassette.close()

    def _read(self) -> Iterator[Frame]:
        for _, _, kind, data in self.cassette.data("event"):
            if kind != "event":
                continue
            self.count += 1
            if self.count > self.after:
                yield self._framer.taped(data, self.count)

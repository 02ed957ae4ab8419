"""Where a server keeps its runs: a cassette for each, in any store.

Knows names and stores. Does not know events, clients, or whether a run is still going on.
"""

from collections import deque
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Final

from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.memory import MEMORY, MemoryStore
from playhead.cassettes.naming import SUFFIX
from playhead.cassettes.places import Place, locate
from playhead.cassettes.reading import Cassette
from playhead.cassettes.store import PARTIAL, REJECTED, Store
from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import MissingCassette, UsageError
from playhead.events.spans import Dialect
from playhead.recording.recorder import Recorder, begin

TICKET: Final = "ticket"
"""The key, in what a header says of how it was made, of the digest of the ticket that began the run."""


class Shelf:
    """Keep runs by their ids. `place` is a folder of files, a SQLite file, or `:memory:`, as None is.

    Memory holds the newest `max_kept` runs that have ended. Files and databases keep all of them.
    """

    def __init__(
        self, place: str | PathLike[str] | None, dialect: Dialect, *, max_kept: int, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._store, self._suffix = _store_at(place)
        self._dialect = dialect
        self._clock = clock
        self._max_kept = max_kept
        self._ended: deque[str] = deque()

    def record(self, run: str, *, ticket: str | None) -> Recorder:
        """Begin the cassette of a run. Raises `CassetteError` where the store cannot be written."""
        where = Place(self._store, run + self._suffix)
        return begin(where, self._dialect, name=run, made={TICKET: ticket} if ticket else None, clock=self._clock)

    def note_end(self, run: str) -> None:
        """Note that a run is sealed: in memory, the oldest one goes."""
        if isinstance(self._store, MemoryStore):
            self._ended.append(run + self._suffix)
            if len(self._ended) > self._max_kept:
                oldest = self._ended.popleft()
                for each in (oldest, oldest + REJECTED):
                    with suppress(MissingCassette):
                        self._store.delete(each)

    def read(self, run: str) -> Cassette:
        """Open what there is of a run, also while it is recorded, or where its recorder died.

        Blocks: it is read through and checked. Raises `MissingCassette` where there is none, `CorruptCassette` for
        damage.
        """
        name = run + self._suffix
        # It may be sealed, and so renamed, between the first two looks.
        for each in (name, name + PARTIAL):
            try:
                return Place(self._store, each).read(torn=True)
            except MissingCassette:
                continue
        return Place(self._store, name).read()


def _store_at(place: str | PathLike[str] | None) -> tuple[Store, str]:
    """Return a store, and what a cassette's name ends with there."""
    if place is None or place == MEMORY:
        return MemoryStore(), ""
    if not Path(place).suffix or Path(place).is_dir():
        return JsonlStore(place), SUFFIX
    found = locate(place)
    if found.name is not None:
        raise UsageError(f"store={str(place)!r} is one cassette: give a folder, a file like 'runs.db', or ':memory:'")
    return found.store, ""

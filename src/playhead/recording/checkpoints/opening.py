"""Where checkpoints are kept, as people write it.

    threads.db              a database: a cassette for each thread
    threads/                a folder: a file for each thread
    :memory:                gone with the checkpointer: a cassette for each thread
    trip.jsonl              one cassette for all threads; also runs.db::trip and :memory:::trip
    a recorder              beside the events of a recording that is under way

Knows which tape a place takes, and how the cassette of a thread is called.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from playhead.cassettes.format import read_header
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.memory import MEMORY, MemoryStore
from playhead.cassettes.naming import SUFFIX, file_name
from playhead.cassettes.places import locate
from playhead.cassettes.sqlite import SqliteStore
from playhead.cassettes.store import PARTIAL, Store
from playhead.clock import Clock
from playhead.errors import MissingCassette, UsageError
from playhead.recording.checkpoints.database import Database, StoredTape
from playhead.recording.checkpoints.log import Log
from playhead.recording.checkpoints.recorded import RecordedTape, RecorderCleaner
from playhead.recording.checkpoints.sealing import Purpose, thread_of
from playhead.recording.checkpoints.threads import ManyLogs, OneLog, Threads
from playhead.recording.checkpoints.written import WrittenTape
from playhead.recording.recorder import Recorder
from playhead.recording.secrets import local_redactor

MAX_FILES: Final = 64
"""How many threads of a folder are held open at a time: each is an open file."""

MAX_KNOWN: Final = 4096
"""Of how many threads of a database it is kept in mind what is saved."""

Place = str | os.PathLike[str] | Recorder
"""Where checkpoints are kept."""


def open_threads(place: Place, *, redact: Sequence[str] | None, clock: Clock) -> Threads:
    """Return the threads of a place. Nothing is made or read yet.

    Raises `UsageError` for a place that is none, and for a redaction rule that there is not.
    """
    if isinstance(place, Recorder):
        if redact is not None:
            raise UsageError("redact= is the recorder's: give it to playhead.record")
        recorder = place
        return OneLog(Log(lambda log: RecordedTape(recorder, log), RecorderCleaner(recorder)), _nothing)
    text = os.fspath(place)
    maker = _Maker(redact, clock, local_redactor(redact).rules)
    if text == MEMORY:
        memory = MemoryStore()
        return ManyLogs(
            partial(maker.file, memory), lambda: _threads_of(memory, memory.names()), _nothing, limit=MAX_KNOWN
        )
    if _is_folder(text):
        files = JsonlStore(text)
        return ManyLogs(
            partial(maker.file, files), lambda: _threads_of(files, _names_in(files.folder)), _nothing, limit=MAX_FILES
        )
    found = locate(text)
    match found.store:
        case SqliteStore() as store:
            database = Database(store.path)
            if found.name is not None:
                return OneLog(maker.row(database, None, name=found.name), database.close)
            return ManyLogs(
                partial(maker.row, database), lambda: _threads_in(database), database.close, limit=MAX_KNOWN
            )
        case JsonlStore() | MemoryStore() as store if found.name and not found.name.endswith(PARTIAL):
            return OneLog(maker.file(store, None, name=found.name), _nothing)
    raise UsageError(f"{text!r} is no place for checkpoints: give a database, a folder, a {SUFFIX} file or {MEMORY}")


@dataclass(frozen=True, slots=True)
class _Maker:
    """Make the log of a cassette: the one of a name, or else that of a thread."""

    redact: Sequence[str] | None
    clock: Clock
    rules: tuple[str, ...]

    def file(self, store: JsonlStore | MemoryStore, thread: str | None, *, name: str = "") -> Log:
        """Return the log of a file, or of a cassette in memory."""
        purpose = self._purpose(thread, name)
        where = name or file_name(thread or "")
        return Log(
            lambda log: WrittenTape(store, where, log, purpose=purpose, clock=self.clock), local_redactor(self.redact)
        )

    def row(self, database: Database, thread: str | None, *, name: str = "") -> Log:
        """Return the log of a cassette of a database."""
        purpose = self._purpose(thread, name)
        where = name or file_name(thread or "", suffix="")
        return Log(
            lambda log: StoredTape(database, where, log, purpose=purpose, clock=self.clock), local_redactor(self.redact)
        )

    def _purpose(self, thread: str | None, name: str) -> Purpose:
        return Purpose(name if thread is None else thread, thread, self.rules)


def _is_folder(text: str) -> bool:
    # A name without a dot cannot be a file of ours. What is there already says itself what it is.
    path = Path(text)
    return path.is_dir() or text.endswith("/") or not (path.exists() or "." in path.name or "::" in text)


def _names_in(folder: Path) -> list[str]:
    """Return the names of the files in a folder, sealed or growing, without their second suffix."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted({name.removesuffix(PARTIAL) for name in names if name.removesuffix(PARTIAL).endswith(SUFFIX)})


def _threads_of(store: Store, names: Sequence[str]) -> Iterator[str]:
    """Yield the threads whose cassettes have these names; one that is something else's is passed over."""
    for name in names:
        for each in (name, name + PARTIAL):
            try:
                with store.open(each) as source:
                    first = next(source.lines(), b"")
            except MissingCassette:
                continue
            thread = thread_of(read_header(first)) if first else None
            if thread is not None:
                yield thread
                break


def _threads_in(database: Database) -> Iterator[str]:
    try:
        headers = list(database.headers())
    except MissingCassette:
        return
    for header in headers:
        thread = thread_of(header)
        if thread is not None:
            yield thread


def _nothing() -> None:
    """Do nothing: there is nothing to let go of."""

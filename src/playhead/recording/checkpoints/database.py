"""Tapes of checkpoints in a SQLite database: each is sealed anew in the transaction that adds to it.

So they can be read, converted and checked at any time, and several processes may add to one. Knows SQL. Does not know
what checkpoints say.
"""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from playhead.cassettes.database import (
    BUSY_TIMEOUT_S,
    SEALED,
    close_writer,
    connect_to_read,
    connect_to_write,
    translated,
)
from playhead.cassettes.format import (
    Header,
    Seal,
    check_limits,
    entry_line,
    entry_prefix,
    is_intact,
    object_line,
    read_header,
    read_seal,
)
from playhead.cassettes.jsonl import make_folders
from playhead.cassettes.locking import WaitingLock
from playhead.clock import Clock
from playhead.errors import CorruptCassette, MissingCassette
from playhead.recording.checkpoints.log import Reader, Spot
from playhead.recording.checkpoints.sealing import Purpose, ending

# The state is spelled out, or SQLite would not use the index of sealed runs.
_FIND: Final = f"SELECT id, header, seal FROM runs WHERE name = ? AND state = '{SEALED}'"
_HEADERS: Final = f"SELECT header FROM runs WHERE state = '{SEALED}' ORDER BY id"
_NEWS: Final = "SELECT n, line FROM entries WHERE run = ? AND n > ? ORDER BY n"
_READ: Final = "SELECT line FROM entries WHERE run = ? AND n = ?"
_BEGIN_RUN: Final = f"INSERT INTO runs(name, header, seal, state, entries) VALUES (?, ?, ?, '{SEALED}', 0)"
_ADD: Final = "INSERT INTO entries(run, n, line) VALUES (?, ?, ?)"
_SEAL: Final = "UPDATE runs SET seal = ?, entries = ? WHERE id = ?"
_DELETE: Final = ("DELETE FROM entries WHERE run = ?", "DELETE FROM runs WHERE id = ?")


class Database:
    """Hold the connection to a database that several tapes share, opened when it is needed. One thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: tuple[sqlite3.Connection, WaitingLock] | None = None
        self._reader: sqlite3.Connection | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees the database as it is now. Raises `MissingCassette` where there is none."""
        with translated(str(self.path)):
            connection = self._writer[0] if self._writer else self._open_reader()
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection within a transaction, which ends with the block; it is undone where that raises."""
        with translated(str(self.path)):
            connection, lock = self._writer or self._open_writer()
            with lock, connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection

    def headers(self) -> Iterator[Header]:
        """Yield what the sealed cassettes say of themselves, in the order in which they were begun."""
        with self.reading() as connection:
            for (line,) in connection.execute(_HEADERS).fetchall():
                yield read_header(f"{line}\n".encode())

    def close(self) -> None:
        """Let go of the database."""
        if self._reader is not None:
            self._reader.close()
        if self._writer is not None:
            with translated(str(self.path)):
                close_writer(*self._writer)
        self._reader = self._writer = None

    def _open_reader(self) -> sqlite3.Connection:
        self._reader = self._reader or connect_to_read(self.path, BUSY_TIMEOUT_S)
        return self._reader

    def _open_writer(self) -> tuple[sqlite3.Connection, WaitingLock]:
        self.close()
        make_folders(self.path.parent)
        self._writer = connect_to_write(self.path, BUSY_TIMEOUT_S)
        # Every transaction seals, and what is sealed survives the loss of power.
        self._writer[0].execute("PRAGMA synchronous=FULL")
        return self._writer


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of a run: how many entries, and the digests of all lines so far."""

    run: int
    header: Header
    entries: int
    crc: int
    sha: Any

    def plus(self, line: bytes) -> "_Known":
        sha = self.sha.copy()
        sha.update(line)
        return _Known(self.run, self.header, self.entries + 1, crc32(line, self.crc), sha)


class StoredTape:
    """Keep one cassette in a database. See `Tape`. Any number of processes may add to it.

    `purpose` is what the cassette is for: what makes the header of a new one.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        reader: Reader,
        *,
        purpose: Purpose,
        clock: Clock,
    ) -> None:
        self.where: str = f"{database.path}::{name}"
        self._database = database
        self._name = name
        self._reader = reader
        self._purpose = purpose
        self._clock = clock
        self._known: _Known | None = None
        self._seal: Seal | None = None
        self._sealed_hits: Counter[str] = Counter()
        self._last_ns = 0

    def refresh(self) -> None:
        """Tell the reader what others wrote since the last time."""
        try:
            with self._database.reading() as connection:
                self._read_news(connection)
        except MissingCassette:
            self._forget()

    def append(self, make: Callable[[], Sequence[bytes]]) -> None:
        """Add checkpoints in one transaction, and tell the reader."""
        with self._database.writing() as connection:
            known = self._read_news(connection) or self._begin_run(connection)
            self._purpose.check_rules(self.where, known.header)
            lines = self._lines(make())
            for line in lines:
                known = known.plus(line)
                connection.execute(_ADD, (known.run, known.entries, line[:-1].decode()))
            seal = self._new_seal(known)
            connection.execute(_SEAL, (object_line(seal)[:-1].decode(), known.entries, known.run))
        first = known.entries - len(lines) + 1
        self._known, self._seal = known, seal
        self._sealed_hits = Counter(self._reader.redacted)
        for number, line in enumerate(lines, first):
            self._reader.take((number, 0, len(line)), line)

    def read(self, spot: Spot) -> bytes:
        """Return a line again."""
        with self._database.reading() as connection:
            run = self._known.run if self._known else None
            row = connection.execute(_READ, (run, spot[0])).fetchone()
        if row is None:
            raise MissingCassette(f"{self.where} was removed while it was read")
        return f"{row[0]}\n".encode()

    def close(self) -> None:
        """Do nothing: the cassette is sealed, and others may go on with the database."""

    def delete(self) -> None:
        """Remove the cassette."""
        with self._database.writing() as connection:
            known = self._read_news(connection)
            if known is not None:
                for statement in _DELETE:
                    connection.execute(statement, (known.run,))
        self._forget()

    def _read_news(self, connection: sqlite3.Connection) -> _Known | None:
        row = connection.execute(_FIND, (self._name,)).fetchone()
        if row is None:
            self._forget()
            return None
        run, header, seal_text = row
        seal = read_seal(f"{seal_text}\n".encode())
        if self._known is not None and seal == self._seal:
            return self._known
        # A run that was removed leaves its number to the next one, so what was read may be the beginning of another.
        goes_on = self._known is not None and self._known.run == run and self._take_news(connection, self._known, seal)
        if not goes_on and not self._take_news(connection, self._begin_anew(run, f"{header}\n".encode()), seal):
            self._forget()
            raise CorruptCassette(f"{self.where} is not what its seal says: restore the store from a copy")
        return self._known

    def _begin_anew(self, run: int, line: bytes) -> _Known:
        self._forget()
        header = read_header(line)
        self._purpose.check(self.where, header)
        return _Known(run, header, 0, crc32(line), hashlib.sha256(line))

    def _take_news(self, connection: sqlite3.Connection, known: _Known, seal: Seal) -> bool:
        """Tell the reader of the entries behind the known ones. Returns whether all together are what was sealed."""
        for number, text in connection.execute(_NEWS, (known.run, known.entries)):
            line = f"{text}\n".encode()
            if not is_intact(line):
                raise CorruptCassette(f"{self.where}: entry {number} is damaged: restore the store from a copy")
            known = known.plus(line)
            self._reader.take((number, 0, len(line)), line)
        if (f"{known.crc:08x}", known.sha.hexdigest(), known.entries) != (seal.crc32, seal.sha256, seal.entries):
            return False
        self._known, self._seal = known, seal
        self._last_ns = self._clock.monotonic_ns()
        return True

    def _begin_run(self, connection: sqlite3.Connection) -> _Known:
        header = self._purpose.header(self._clock)
        line = object_line(header)
        made = connection.execute(_BEGIN_RUN, (self._name, line[:-1].decode(), ""))
        self._last_ns = self._clock.monotonic_ns()
        assert made.lastrowid is not None
        return _Known(made.lastrowid, header, 0, crc32(line), hashlib.sha256(line))

    def _lines(self, data: Sequence[bytes]) -> list[bytes]:
        for each in data:
            check_limits(each)
        prefix = entry_prefix("event", self._reader.run, "checkpoint")
        now_ns = self._clock.monotonic_ns()
        dt_us = (now_ns - self._last_ns) // 1000
        self._last_ns = now_ns
        return [entry_line(0 if number else dt_us, prefix, each) for number, each in enumerate(data)]

    def _new_seal(self, known: _Known) -> Seal:
        hits = Counter(self._reader.redacted) - self._sealed_hits
        said = ending(self._seal, self._reader.run, hits)
        digests = {"entries": known.entries, "crc32": f"{known.crc:08x}", "sha256": known.sha.hexdigest()}
        return Seal.model_validate({**(said.pop("extra", None) or {}), **said, **digests})

    def _forget(self) -> None:
        self._known = self._seal = None
        self._reader.clear()

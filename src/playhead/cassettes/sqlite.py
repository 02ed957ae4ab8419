"""Cassettes in a SQLite database: the form for many runs and many writers.

A row of the table `runs` is one cassette: its header and seal as lines, and `state`, which is `recording`, `sealed`, or
the suffix that an unsealed one was left with. A row of `entries` is one entry, as the very line of the JSONL form. Two
views, `sealed` and `tape`, show people what the lines say; nothing here reads them.

Knows SQL. Does not know what lines say, or how the database is opened and checked.
"""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn, Self

from playhead.cassettes.database import (
    BUSY_TIMEOUT_S,
    SEALED,
    check_file,
    close_writer,
    connect_to_read,
    connect_to_write,
    is_ours,
    reader,
    translated,
    writer,
)
from playhead.cassettes.jsonl import make_folders
from playhead.cassettes.store import PARTIAL
from playhead.errors import CassetteError, MissingCassette, UsageError
from playhead.text import did_you_mean

SUFFIXES: Final = (".db", ".sqlite", ".sqlite3")
"""What the name of a store may end with."""

_RECORDING: Final = "recording"


class SqliteStore:
    """Hold cassettes in one database file, which the first recording makes. Takes any number of writers at once.

    Connections are made for each cassette, so a store may be shared between threads and processes. Where others are in
    the way, each waits for them up to `busy_timeout_s`.
    """

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path: Path = Path(path)
        self._busy_timeout_s = busy_timeout_s

    def open(self, name: str) -> "SqliteSource":
        """Open a cassette. Raises `MissingCassette` if there is none of that name."""
        return SqliteSource(self.path, name, self._busy_timeout_s)

    def create(self, name: str) -> "SqliteSink":
        """Begin a cassette, and make the database. Several writers may record the same name: the last to seal wins."""
        return SqliteSink(self.path, name, self._busy_timeout_s)

    def is_ours(self) -> bool:
        """Say whether the file was made as a store of cassettes, whatever has become of it since."""
        return is_ours(self.path)

    def names(self) -> list[str]:
        """Return the names of all sealed cassettes, sorted."""
        with reader(self.path, self._busy_timeout_s) as connection:
            return _names(connection)

    def delete(self, name: str) -> None:
        """Remove a cassette. Raises `MissingCassette` if there is none of that name."""
        check_file(self.path)
        with writer(self.path, self._busy_timeout_s) as (connection, lock), lock, connection:
            connection.execute("BEGIN IMMEDIATE")
            run = _find(connection, name)
            if run is None:
                raise _no_such(self.place(name), name, connection)
            _delete_run(connection, run)

    def finish(self) -> None:
        """Make the store a single file to pass on: no log beside it, nothing deleted inside it.

        Raises `CassetteError` while anything else has the store open.
        """
        check_file(self.path)
        with translated(str(self.path)):
            connection, lock = connect_to_write(self.path, self._busy_timeout_s)
            try:
                with lock:
                    _make_single_file(connection, self.path)
                    lock.remove()
            finally:
                close_writer(connection, lock)

    def place(self, name: str) -> str:
        """Return `PATH::NAME`, or the path where the name is empty."""
        return f"{self.path}::{name}" if name else str(self.path)

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"


class SqliteSink:
    """Write one cassette, a transaction for each line. See `Sink`."""

    def __init__(self, path: Path, name: str, timeout_s: float) -> None:
        self.where: str = f"{path}::{name}"
        self._name = name
        self._run: int | None = None
        self._entries = 0
        self._cause = ""
        with translated(self.where):
            make_folders(path.parent)
            self._connection: sqlite3.Connection | None
            self._connection, self._lock = connect_to_write(path, timeout_s)

    def append(self, line: bytes) -> None:
        """Add a line as one transaction. The first one is the header."""
        try:
            text = line[:-1].decode()
            with self._lock:
                self._insert(text)
        except (sqlite3.Error, OSError, UnicodeDecodeError, CassetteError) as error:
            self._die(error)

    def commit(self, seal: bytes, *, replace: bool = True) -> None:
        """Seal the run in the transaction that removes the one that had its name, and force both to the disk."""
        connection = self._live()
        if self._run is None:
            raise UsageError(f"{self.where}: a cassette begins with its header, and nothing was appended")
        try:
            with self._lock:
                connection.execute("PRAGMA synchronous=FULL")
                with connection:
                    connection.execute("BEGIN IMMEDIATE")
                    old = _find(connection, self._name, state=SEALED)
                    if old is not None and not replace:
                        raise FileExistsError
                    if old is not None:
                        _delete_run(connection, old)
                    connection.execute(
                        "UPDATE runs SET seal = ?, state = ?, entries = ? WHERE id = ?",
                        (seal[:-1].decode(), SEALED, self._entries, self._run),
                    )
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except FileExistsError:
            raise CassetteError(f"{self.where} exists already: replace it on purpose, or take another name") from None
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            self._die(error)
        self._close("it is sealed")

    def discard(self, *, keep_as: str | None = None) -> str | None:
        """Remove the run, or leave it with a suffix, in the place of an older one with that suffix."""
        if self._connection is None or self._run is None:
            self._close("it was discarded")
            return None
        try:
            with self._lock, self._connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                if keep_as:
                    old = _find(connection, self._name, state=keep_as)
                    if old is not None:
                        _delete_run(connection, old)
                    connection.execute(
                        "UPDATE runs SET state = ?, entries = ? WHERE id = ?", (keep_as, self._entries, self._run)
                    )
                else:
                    _delete_run(connection, self._run)
        except (sqlite3.Error, OSError) as error:
            self._die(error)
        self._close("it was discarded")
        return self.where + keep_as if keep_as else None

    def _insert(self, text: str) -> None:
        connection = self._live()
        if self._run is None:
            made = connection.execute(
                "INSERT INTO runs(name, header, state, entries) VALUES (?, ?, ?, 0)", (self._name, text, _RECORDING)
            )
            self._run = made.lastrowid
            return
        self._entries += 1
        connection.execute("INSERT INTO entries(run, n, line) VALUES (?, ?, ?)", (self._run, self._entries, text))

    def _live(self) -> sqlite3.Connection:
        if self._connection is None:
            raise CassetteError(f"{self.where} cannot be written: {self._cause}")
        return self._connection

    def _die(self, error: Exception) -> NoReturn:
        self._close(str(error) or type(error).__name__)
        raise CassetteError(
            f"{self.where} cannot be written: {self._cause}. What was recorded until then is in "
            f"{self.where + PARTIAL!r}"
        ) from error

    def _close(self, cause: str) -> None:
        self._cause = self._cause or cause
        if self._connection is not None:
            connection, self._connection = self._connection, None
            close_writer(connection, self._lock)


class SqliteSource:
    """Read one cassette from a snapshot of the database. See `Source`.

    While it is open, the log beside the database cannot be emptied.
    """

    def __init__(self, path: Path, name: str, timeout_s: float) -> None:
        self.where: str = f"{path}::{name}"
        self._header = self._seal = b""
        self._connection = connect_to_read(path, timeout_s)
        try:
            with translated(self.where):
                self._connection.execute("BEGIN")
                run = _find(self._connection, name)
                if run is None:
                    raise _no_such(self.where, name, self._connection)
                self._run = run
                self._load_ends()
        except BaseException:
            self._connection.close()
            raise

    def _load_ends(self) -> None:
        self._connection.text_factory = bytes
        row = self._connection.execute("SELECT header, seal FROM runs WHERE id = ?", (self._run,)).fetchone()
        header, seal = row
        self._header = header + b"\n" if header else b""
        self._seal = seal + b"\n" if seal else b""

    def lines(self) -> Iterator[bytes]:
        """Yield each line, newline included."""
        if self._header:
            yield self._header
        with translated(self.where):
            for (line,) in self._connection.execute("SELECT line FROM entries WHERE run = ? ORDER BY n", (self._run,)):
                yield line + b"\n"
        if self._seal:
            yield self._seal

    def blocks(self) -> Iterator[bytes]:
        """Yield each line."""
        return self.lines()

    def last_line(self) -> bytes:
        """Return the last line; empty if there is none."""
        if self._seal:
            return self._seal
        with translated(self.where):
            last = self._connection.execute(
                "SELECT line FROM entries WHERE run = ? ORDER BY n DESC LIMIT 1", (self._run,)
            ).fetchone()
        return last[0] + b"\n" if last else self._header

    def size(self) -> int:
        """Return how many bytes there are."""
        with translated(self.where):
            (entries,) = self._connection.execute(
                "SELECT coalesce(sum(length(CAST(line AS BLOB)) + 1), 0) FROM entries WHERE run = ?", (self._run,)
            ).fetchone()
        return len(self._header) + int(entries) + len(self._seal)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _find(connection: sqlite3.Connection, name: str, *, state: str | None = None) -> int | None:
    """Return the run of that name: the sealed one, or the last of those that `NAME.SUFFIX` was left as."""
    if state is None:
        return _find(connection, name, state=SEALED) or _find_left(connection, name)
    row = connection.execute(
        "SELECT id FROM runs WHERE name = ? AND state = ? ORDER BY id DESC LIMIT 1", (name, state)
    ).fetchone()
    return row[0] if row else None


def _find_left(connection: sqlite3.Connection, name: str) -> int | None:
    stem, dot, suffix = name.rpartition(".")
    return _find(connection, stem, state=_RECORDING if dot + suffix == PARTIAL else dot + suffix) if dot else None


def _delete_run(connection: sqlite3.Connection, run: int) -> None:
    connection.execute("DELETE FROM entries WHERE run = ?", (run,))
    connection.execute("DELETE FROM runs WHERE id = ?", (run,))


def _make_single_file(connection: sqlite3.Connection, path: Path) -> None:
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
        (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        if mode != "delete":
            raise CassetteError(f"{path} is still in use: finish it when its writers and readers have ended")
    finally:
        connection.close()


def _names(connection: sqlite3.Connection) -> list[str]:
    return sorted(name for (name,) in connection.execute("SELECT name FROM runs WHERE state = ?", (SEALED,)))


def _no_such(where: str, name: str, connection: sqlite3.Connection) -> MissingCassette:
    return MissingCassette(f"{where}: there is no such cassette{did_you_mean(name, _names(connection))}")

"""The SQLite database of a store: how it is opened, what must be in it, and the lock around writing to it.

Every write and checkpoint holds a lock on `PATH.lock`, because SQLite 3.40 and its neighbours can lose commits when one
connection resets the log while another one writes to it. Knows SQLite and files. Does not know what the rows mean.
"""

import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlite_utils import Database

from playhead.cassettes.format import MAX_LINE_BYTES
from playhead.cassettes.locking import WaitingLock
from playhead.errors import CassetteError, CorruptCassette, MissingCassette, PlayheadError, UsageError

APPLICATION_ID: Final = 0x504C4159
"""The ASCII letters PLAY: what marks a database as a store of cassettes."""

SCHEMA_VERSION: Final = 1

SEALED: Final = "sealed"
"""The `state` of a run that is whole. There is one such run of a name."""

BUSY_TIMEOUT_S: Final = 30.0
"""How long a connection waits for others, unless it is told."""

# For people. Generated columns would do, but SQLite before 3.42 refuses JSON in them where the schema is not trusted.
_VIEWS: Final = {
    "sealed": """
        SELECT name, entries, json_extract(seal, '$.end') AS "end", json_extract(seal, '$.sha256') AS sha256
        FROM runs WHERE state = 'sealed'""",
    "tape": """
        SELECT name, state, n, json_extract(line, '$.dt') AS dt_us, json_extract(line, '$.track') AS track,
            coalesce(json_extract(line, '$.run'), json_extract(line, '$.call')) AS owner,
            json_extract(line, '$.kind') AS kind, json_extract(line, '$.data') AS data
        FROM entries JOIN runs ON runs.id = entries.run""",
}
_INDEX: Final = f"CREATE UNIQUE INDEX sealed_runs ON runs(name) WHERE state = '{SEALED}'"
_LIMITS: Final = (
    (sqlite3.SQLITE_LIMIT_LENGTH, MAX_LINE_BYTES + 1024),
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100),
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
)
# A connection made by one thread may be used by another where the library locks for itself, as all usual builds do.
_SAME_THREAD: Final = sqlite3.threadsafety < 3


def connect_to_write(path: Path, timeout_s: float) -> tuple[sqlite3.Connection, WaitingLock]:
    """Open a store, made if need be, and the lock that every transaction of the connection has to hold."""
    lock = WaitingLock(f"{path}.lock")
    try:
        with lock:
            connection = _connect(path, "rwc", timeout_s)
            try:
                _prepare(connection, path)
            except BaseException:
                connection.close()
                raise
    except BaseException:
        lock.close()
        raise
    return connection, lock


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if _is_new(connection):
        # The mode of the journal cannot be changed inside a transaction, and a crash between leaves an empty store.
        connection.execute("PRAGMA journal_mode=WAL")
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            _make_schema(connection)
    else:
        _check_schema(connection, path)
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def close_writer(connection: sqlite3.Connection, lock: WaitingLock) -> None:
    """Close what `connect_to_write` opened. Not while the lock is held."""
    # The last connection to close empties the log: that is a checkpoint.
    if not lock.is_removed:
        with suppress(OSError), lock:
            connection.close()
    connection.close()
    lock.close()


@contextmanager
def writer(path: Path, timeout_s: float) -> Iterator[tuple[sqlite3.Connection, WaitingLock]]:
    """Open a store for one change."""
    with translated(str(path)):
        connection, lock = connect_to_write(path, timeout_s)
        try:
            yield connection, lock
        finally:
            close_writer(connection, lock)


@contextmanager
def reader(path: Path, timeout_s: float) -> Iterator[sqlite3.Connection]:
    """Open a store for one question."""
    connection = connect_to_read(path, timeout_s)
    try:
        with translated(str(path)):
            yield connection
    finally:
        connection.close()


def connect_to_read(path: Path, timeout_s: float) -> sqlite3.Connection:
    """Open a store that exists, read-only. Raises `MissingCassette`, or `CorruptCassette` for what is no store."""
    check_file(path)
    with translated(str(path)):
        try:
            return _checked(_connect(path, "ro", timeout_s), path)
        except sqlite3.OperationalError:
            # Without a log, and where none can be made beside it, the file is all there is.
            if Path(f"{path}-wal").exists() or os.access(path.parent, os.W_OK):
                raise
            return _checked(_connect(path, "ro&immutable=1", timeout_s), path)


def _checked(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    try:
        _check_schema(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path, mode: str, timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=_SAME_THREAD,
    )
    for category, limit in _LIMITS:
        connection.setlimit(category, limit)
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def _is_new(connection: sqlite3.Connection) -> bool:
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return objects == 0 and _pragma(connection, "application_id") == 0


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _make_schema(connection: sqlite3.Connection) -> None:
    database = Database(connection, execute_plugins=False)
    runs: dict[str, Any] = {"id": int, "name": str, "header": str, "seal": str, "state": str, "entries": int}
    database.table("runs").create(runs, pk="id", not_null={"name", "header", "state", "entries"}, strict=True)
    entries: dict[str, Any] = {"run": int, "n": int, "line": str}
    database.table("entries").create(entries, pk=("run", "n"), not_null={"line"}, strict=True)
    for name, query in _VIEWS.items():
        database.create_view(name, query)
    connection.execute(_INDEX)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


# The header of a SQLite file: https://www.sqlite.org/fileformat.html, section 1.3.
_HEAD_BYTES: Final = 100
_ID_BYTES: Final = slice(68, 72)


def is_ours(path: Path) -> bool:
    """Say whether a file's first bytes are those of a store of ours: SQLite keeps the application's id there."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return int.from_bytes(head[_ID_BYTES], "big") == APPLICATION_ID


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database that is no store of ours, or in which something else took the place of a table."""
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise CorruptCassette(f"{path} is no store of cassettes but some other database: name another file")
    version = _pragma(connection, "user_version")
    if version != SCHEMA_VERSION:
        raise CassetteError(f"{path}: store version {version} is not known: this Playhead reads {SCHEMA_VERSION}")
    found = _schema(connection)
    expected = _expected_schema()
    for name, text in expected.items():
        if found.get(name) != text:
            raise CorruptCassette(f"{path}: {name!r} is not the one that Playhead makes: restore the file")
    if triggers := [name for name, text in found.items() if text.startswith("createtrigger")]:
        raise CorruptCassette(f"{path} has a trigger, {triggers[0]!r}, which no store has: remove it")


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    # How names are quoted depends on the version of sqlite-utils that made the table.
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {str(name): re.sub(r'[\[\]"`\s]', "", str(text)).lower() for name, text in rows}


@lru_cache(maxsize=1)
def _expected_schema() -> dict[str, str]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        _make_schema(connection)
        return _schema(connection)
    finally:
        connection.close()


def check_file(path: Path) -> None:
    """Refuse what is not there and what is no regular file, before SQLite opens it."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise MissingCassette(f"{path}: there is no such store") from None
    except (OSError, ValueError) as error:
        raise CassetteError(f"{path} cannot be read: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise CassetteError(f"{path} is a directory or device, not a store: name a file")


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raise what SQLite and the system raise as errors of ours."""
    try:
        yield
    except PlayheadError:
        raise
    except sqlite3.ProgrammingError as error:
        raise UsageError(f"{where} was closed, or belongs to another thread: {error}") from error
    except (sqlite3.OperationalError, OSError) as error:
        raise CassetteError(f"{where} cannot be read or written: {error}") from error
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise CorruptCassette(f"{where} is damaged: {error}. Restore it from a copy") from error

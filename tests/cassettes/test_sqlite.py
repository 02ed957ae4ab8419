"""The SQLite store: many writers, one file to pass on, and databases that are not what they seem."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from playhead.cassettes.database import APPLICATION_ID, SCHEMA_VERSION
from playhead.cassettes.locking import WaitingLock
from playhead.cassettes.reading import read
from playhead.cassettes.sqlite import SqliteStore
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import CassetteError, CorruptCassette, MissingCassette, TornCassette, UsageError
from tests.cassettes.tapes import ENTRIES, HEADER, append_all, record, sealed_lines

WRITER = """
import sys
from playhead.cassettes.sqlite import SqliteStore
from tests.cassettes.tapes import HEADER, ENTRIES, append_all, record
from playhead.cassettes.writing import CassetteWriter
store = SqliteStore(sys.argv[1])
for name in sys.argv[2:]:
    record(store, name, ENTRIES * 4)
if len(sys.argv) == 2:
    writer = CassetteWriter(store.create("killed"), HEADER)
    while True:
        append_all(writer, ENTRIES)
        print(writer.entries, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """Return a store with one cassette, called `tape`."""
    made = SqliteStore(tmp_path / "runs.db")
    record(made, "tape")
    return made


@contextmanager
def changed(store: SqliteStore) -> Iterator[sqlite3.Connection]:
    """Open the database as anybody can."""
    with closing(sqlite3.connect(store.path, isolation_level=None)) as connection:
        yield connection


def files(folder: Path) -> list[str]:
    """Return the names of all files of a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_the_database_says_what_it_is(store: SqliteStore) -> None:
    """It is marked as ours, with strict tables, in WAL mode, and SQLite finds nothing wrong with it."""
    with changed(store) as connection:
        values = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version", "journal_mode", "integrity_check")
        }
        strict = {row[1]: row[5] for row in connection.execute("PRAGMA table_list") if row[2] == "table"}
    assert values == {
        "application_id": APPLICATION_ID,
        "user_version": SCHEMA_VERSION,
        "journal_mode": "wal",
        "integrity_check": "ok",
    }
    assert strict["runs"] == strict["entries"] == 1
    assert APPLICATION_ID.to_bytes(4, "big") == b"PLAY"


def test_rows_are_the_lines_of_the_file(store: SqliteStore) -> None:
    """Header, entries and seal are stored as the text of the JSONL form, without newlines."""
    with changed(store) as connection:
        rows = connection.execute("SELECT line FROM entries ORDER BY n").fetchall()
        ((header, seal, state, entries),) = connection.execute("SELECT header, seal, state, entries FROM runs")
    assert [text + "\n" for text in (header, *(line for (line,) in rows), seal)] == [
        line.decode() for line in sealed_lines()
    ]
    assert (state, entries) == ("sealed", len(ENTRIES))


def test_people_can_query(store: SqliteStore) -> None:
    """Two views show what the lines say."""
    with changed(store) as connection:
        kinds = connection.execute("SELECT n, track, owner, kind FROM tape WHERE name = 'tape' ORDER BY n").fetchall()
        ((name, entries, end),) = connection.execute('SELECT name, entries, "end" FROM sealed').fetchall()
    assert kinds == [(n, each.track, each.owner, each.kind) for n, each in enumerate(ENTRIES, 1)]
    assert (name, entries, end) == ("tape", 5, "complete")


def test_each_append_is_a_transaction(store: SqliteStore) -> None:
    """When `append` returns, every other connection sees the line."""
    writer = CassetteWriter(store.create("more"), HEADER)
    for count in range(1, 4):
        append_all(writer, ENTRIES[:1])
        with changed(store) as connection:
            query = "SELECT count(*) FROM entries JOIN runs ON runs.id = run WHERE state = 'recording'"
            assert connection.execute(query).fetchone() == (count,)
    writer.discard()


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    """Nothing is lost, whoever writes when, and every cassette is whole."""
    names = [[f"{process}-{number}" for number in range(4)] for process in range(3)]
    command = [sys.executable, "-c", WRITER, str(tmp_path / "runs.db")]
    processes = [subprocess.Popen([*command, *mine]) for mine in names]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    store = SqliteStore(tmp_path / "runs.db")
    assert store.names() == sorted(name for mine in names for name in mine)
    for name in store.names():
        with read(store.open(name)) as cassette:
            assert list(cassette.entries()) == list(ENTRIES * 4)


def test_several_threads_write_at_once(store: SqliteStore) -> None:
    """Each thread has a cassette of its own, and a store may be shared."""
    threads = [threading.Thread(target=record, args=(store, f"t{number}", ENTRIES * 10)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert store.names() == ["t0", "t1", "t2", "t3", "tape"]
    for number in range(4):
        with read(store.open(f"t{number}")) as cassette:
            assert list(cassette.entries()) == list(ENTRIES * 10)


def test_a_write_waits_for_the_lock(store: SqliteStore) -> None:
    """While somebody else holds the lock beside the database, nothing is appended, sealed or begun."""
    writer = CassetteWriter(store.create("waits"), HEADER)
    calls: tuple[Callable[[], object], ...] = (
        lambda: append_all(writer, ENTRIES),
        lambda: writer.seal("complete"),
        lambda: store.create("more").discard(),
    )
    lock = WaitingLock(f"{store.path}.lock")
    for call in calls:
        thread = threading.Thread(target=call)
        with lock:
            thread.start()
            thread.join(timeout=0.2)
            assert thread.is_alive()
        thread.join(timeout=60)
        assert not thread.is_alive()
    lock.close()
    assert store.names() == ["tape", "waits"]


def test_replacing_is_one_transaction(store: SqliteStore) -> None:
    """Where the new cassette cannot be sealed, the old one is still there."""
    writer = CassetteWriter(store.create("tape"), HEADER)
    append_all(writer, ENTRIES[:1])
    with changed(store) as connection:
        connection.execute("CREATE TRIGGER no BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'planted'); END")
        with pytest.raises(CassetteError, match="planted"):
            writer.seal("complete")
        connection.execute("DROP TRIGGER no")
    with store.open("tape") as source:
        assert list(source.lines()) == sealed_lines()


def test_a_recording_may_change_threads(store: SqliteStore) -> None:
    """A cassette that one thread began is sealed and read by another."""
    writer = CassetteWriter(store.create("moved"), HEADER)
    append_all(writer, ENTRIES)
    source = store.open("tape")
    found: list[object] = []

    def elsewhere() -> None:
        writer.seal("complete")
        found.extend(source.lines())
        source.close()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(timeout=60)
    assert found == sealed_lines()
    assert store.names() == ["moved", "tape"]


def test_the_last_to_seal_a_name_wins(store: SqliteStore) -> None:
    """Two recordings of one name do not disturb each other, and there is one cassette in the end."""
    writers = [CassetteWriter(store.create("tape"), HEADER) for _ in range(2)]
    append_all(writers[0], ENTRIES)
    append_all(writers[1], ENTRIES[:1])
    for writer in writers:
        writer.seal("complete", runs={"r1": "complete"})
    with store.open("tape") as source:
        assert list(source.lines()) == sealed_lines(ENTRIES[:1])
    with changed(store) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (1,)


def test_a_killed_writer_leaves_a_right_prefix(store: SqliteStore) -> None:
    """After kill -9 everything that was acknowledged is read, on request, and the store goes on."""
    command = [sys.executable, "-c", WRITER, str(store.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        acknowledged = [int(process.stdout.readline()) for _ in range(20)][-1]
        process.send_signal(signal.SIGKILL)
    with pytest.raises(MissingCassette):
        store.open("killed")
    with pytest.raises(TornCassette):
        read(store.open("killed.partial"))
    with read(store.open("killed.partial"), torn=True) as cassette:
        entries = list(cassette.entries())
    assert len(entries) >= acknowledged
    assert entries == [ENTRIES[number % len(ENTRIES)] for number in range(len(entries))]
    record(store, "killed")
    assert store.names() == ["killed", "tape"]


def test_finishing_leaves_a_single_file(store: SqliteStore, tmp_path: Path) -> None:
    """The store is one file without a log, and what was deleted is not in it any more."""
    record(store, "gone", [ENTRIES[1]] * 50)
    store.delete("gone")
    store.finish()
    assert files(tmp_path) == ["runs.db"]
    assert b"messages" in store.path.read_bytes()
    assert store.path.read_bytes().count(b"messages") == 1
    with changed(store) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    with read(store.open("tape")) as cassette:
        assert list(cassette.entries()) == list(ENTRIES)
    assert files(tmp_path) == ["runs.db"]


def test_a_finished_store_can_be_written_again(store: SqliteStore) -> None:
    """Finishing is no end."""
    store.finish()
    record(store, "more")
    store.finish()
    assert store.names() == ["more", "tape"]


def test_a_store_in_use_is_not_finished(store: SqliteStore) -> None:
    """While somebody reads, finishing is refused, and nothing is lost by trying."""
    with store.open("tape") as source:
        with pytest.raises(CassetteError, match=r"runs\.db"):
            SqliteStore(store.path, busy_timeout_s=0.05).finish()
        assert list(source.lines()) == sealed_lines()
    store.finish()
    assert store.names() == ["tape"]


def test_a_write_that_fails_kills_the_sink(store: SqliteStore) -> None:
    """On a full disk nothing more is written, the error names the cause each time, and the rest of the store stays."""
    sink = store.create("full")
    sink.append(sealed_lines()[0])
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, old[1]))
    try:
        with pytest.raises(CassetteError, match=r"runs\.db::full cannot be written") as first:
            sink.append(b'"' + b"x" * 400_000 + b'"\n')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    with pytest.raises(CassetteError, match="cannot be written") as later:
        sink.append(b"{}\n")
    assert str(later.value).startswith(str(first.value).partition(". What")[0])
    with pytest.raises(CassetteError, match="cannot be written"):
        sink.commit(b"{}\n")
    with store.open("full.partial") as source:
        assert list(source.lines()) == sealed_lines()[:1]
    assert store.names() == ["tape"]


def test_a_line_that_is_no_text_is_refused(store: SqliteStore) -> None:
    """A line that is not UTF-8 cannot be stored as text, and is not changed to fit."""
    sink = store.create("bad")
    with pytest.raises(CassetteError, match="utf-8"):
        sink.append(b"\xff\n")


def test_a_cassette_has_a_header(store: SqliteStore) -> None:
    """A seal alone is no cassette, and does not vanish in silence."""
    sink = store.create("empty")
    with pytest.raises(UsageError, match="nothing was appended"):
        sink.commit(b"{}\n")
    assert sink.discard() is None


def test_a_closed_source_says_so(store: SqliteStore) -> None:
    """Reading after `close` is a mistake of the caller, not damage."""
    source = store.open("tape")
    source.close()
    with pytest.raises(UsageError, match="was closed"):
        source.size()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE entries SET line = replace(line, 'caf', 'CAF')", r"runs\.db::tape:3: .*checksum"),
        ("DELETE FROM entries WHERE n = 2", "there are 4 entries before the seal, which says 5"),
        ("DELETE FROM entries", "there are 0 entries before the seal, which says 5"),
        ("UPDATE entries SET n = 10 WHERE n = 1", "swapped"),
        ("UPDATE entries SET line = '{}' WHERE n = 1", r"runs\.db::tape:2: .*does not end with its checksum"),
        ("UPDATE runs SET header = '{}'", r"runs\.db::tape:1: .*not a cassette"),
        ("UPDATE runs SET seal = replace(seal, 'complete', 'error')", r"runs\.db::tape:7: .*checksum"),
        ("UPDATE entries SET line = CAST(x'ff' AS TEXT)", r"runs\.db::tape:2: .*not JSON"),
    ],
)
def test_rows_that_were_changed_are_corrupt(store: SqliteStore, change: str, message: str) -> None:
    """What SQLite's own check calls fine, ours does not."""
    with changed(store) as connection:
        connection.execute(change)
    with pytest.raises(CorruptCassette, match=message):
        read(store.open("tape"), torn=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("DROP TABLE entries; CREATE VIEW entries AS SELECT 1 AS run, 1 AS n, 'x' AS line", "'entries' is not the one"),
        ("ALTER TABLE runs RENAME TO other", "'runs' is not the one"),
        ("DROP INDEX sealed_runs", "'sealed_runs' is not the one"),
        ("DROP VIEW tape; CREATE VIEW tape AS SELECT load_extension('x')", "'tape' is not the one"),
        ("CREATE TRIGGER evil AFTER INSERT ON entries BEGIN DELETE FROM runs; END", "trigger, 'evil'"),
        ("PRAGMA application_id = 7", "some other database"),
        ("PRAGMA user_version = 2", "store version 2 is not known"),
    ],
)
def test_a_database_that_is_not_what_it_seems_is_refused(store: SqliteStore, change: str, message: str) -> None:
    """A view in place of a table, a trigger, another schema or version: neither read nor written to."""
    with changed(store) as connection:
        connection.executescript(change)
    calls: tuple[Callable[[], object], ...] = (store.names, lambda: store.open("tape"), lambda: store.create("new"))
    for call in calls:
        with pytest.raises(CassetteError, match=message):
            call()


def test_other_tables_do_no_harm(store: SqliteStore) -> None:
    """People may add tables, views and indexes of their own."""
    with changed(store) as connection:
        connection.executescript("CREATE TABLE notes(x); CREATE INDEX n ON notes(x); CREATE VIEW v AS SELECT 1")
    record(store, "more")
    assert store.names() == ["more", "tape"]


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """Text, a directory and a FIFO are errors of ours that name the file, and stay as they are."""
    (tmp_path / "text.db").write_text("not a database\n" * 100)
    (tmp_path / "folder.db").mkdir()
    os.mkfifo(tmp_path / "fifo.db")
    for name, message in (("text.db", "not a database"), ("folder.db", "directory"), ("fifo.db", "device")):
        store = SqliteStore(tmp_path / name)
        for call in (store.names, store.finish, lambda store=store: store.open("tape")):
            with pytest.raises(CassetteError, match=message) as caught:
                call()
            assert name in str(caught.value)
            assert not isinstance(caught.value, MissingCassette)
    with pytest.raises(CassetteError, match=r"text\.db"):
        SqliteStore(tmp_path / "text.db").create("tape")
    assert (tmp_path / "text.db").read_text() == "not a database\n" * 100


def test_a_missing_store_is_missing(tmp_path: Path) -> None:
    """Reading and deleting do not make a database."""
    store = SqliteStore(tmp_path / "runs.db")
    for call in (store.names, store.finish, lambda: store.open("tape"), lambda: store.delete("tape")):
        with pytest.raises(MissingCassette, match=r"runs\.db: there is no such store"):
            call()
    assert files(tmp_path) == []


def test_flipped_bits_of_the_file_are_never_accepted(store: SqliteStore, tmp_path: Path) -> None:
    """A copy with a flipped bit gives the same entries or an error of ours."""
    store.finish()
    content = store.path.read_bytes()
    start = content.index(b'{"dt":1200')
    copy = SqliteStore(tmp_path / "copy.db")
    refused = 0
    for position in [*range(0, 120, 5), *range(start, start + 200, 7), *range(1000, len(content), 997)]:
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        copy.path.write_bytes(damaged)
        try:
            with read(copy.open("tape")) as cassette:
                assert list(cassette.entries()) == list(ENTRIES)
        except CassetteError:
            refused += 1
    assert refused > 20


def test_a_line_beyond_the_limit_is_refused(store: SqliteStore) -> None:
    """A database with a row that no recorder writes is an error before the row is read."""
    with changed(store) as connection:
        connection.execute("UPDATE entries SET line = printf('%.*c', 70000000, 'x') WHERE n = 2")
    with pytest.raises(CorruptCassette, match="too big"):
        read(store.open("tape"))

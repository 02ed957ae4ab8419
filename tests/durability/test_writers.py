"""Many writers at once: all into one database, one into a file."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.reading import read
from playhead.cassettes.sqlite import SqliteStore
from playhead.errors import CassetteError
from tests.cassettes.tapes import ENTRIES
from tests.durability.faults import FaultLog
from tests.durability.test_disks import recorder

PROCESSES: Final = 8
RUNS: Final = 5
"""How many cassettes each process records, one after the other."""

RECORDER: Final = """
import sys
from playhead.cassettes.sqlite import SqliteStore
from tests.cassettes.tapes import record
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    record(SqliteStore(sys.argv[1]), f"{sys.argv[2]}/{number}")
"""


def test_eight_processes_write_one_database(tmp_path: Path, faults: FaultLog) -> None:
    """They begin at the same moment, the making of the database included, and nothing is lost."""
    path = tmp_path / "runs.db"
    processes = [
        subprocess.Popen([sys.executable, "-c", RECORDER, str(path), str(number), str(RUNS)], stdin=subprocess.PIPE)
        for number in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.close()
    assert [process.wait(timeout=100) for process in processes] == [0] * PROCESSES
    store = SqliteStore(path)
    expected = [f"{number}/{run}" for number in range(PROCESSES) for run in range(RUNS)]
    assert store.names() == expected
    for name in expected:
        with read(store.open(name)) as cassette:
            assert tuple(cassette.entries()) == ENTRIES
    faults.add("a cassette recorded by one of 8 writers at once, sqlite", "test_eight_processes", fired=len(expected))


def test_a_second_writer_of_a_file_fails_at_once(tmp_path: Path, faults: FaultLog) -> None:
    """It is told the pid of the first, which goes on."""
    with recorder("jsonl", tmp_path) as first:
        with pytest.raises(CassetteError, match=rf"pid {first.pid}\b"):
            JsonlStore(tmp_path).create("tape.jsonl")
        assert first.poll() is None
    faults.add("a second writer, jsonl", "test_a_second_writer_of_a_file")

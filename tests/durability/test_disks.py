"""Disks that are full, that take a part of a write, or that lose power; recorders that are killed at any moment."""

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from playhead.cassettes.format import Entry
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.reading import read
from playhead.cassettes.store import PARTIAL, Store
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import CassetteError
from tests.cassettes.tapes import HEADER, append_all, entry, record, store_of
from tests.cassettes.test_jsonl import file_size_limit
from tests.durability.conftest import skip_or_fail
from tests.durability.faults import FaultLog
from tests.durability.outcomes import OLD, left_entries
from tests.durability.writer import ENTRIES, NAMES

KILLS: Final = 12
"""How many recorders of each kind are killed at a moment drawn at random."""

IMAGE_BYTES: Final = 8 * 1024 * 1024
"""How large the disk is that loses power."""


def numbered(count: int) -> tuple[Entry, ...]:
    """Return the entries that the recorder writes first."""
    return tuple(entry(number) for number in range(count))


@contextmanager
def recorder(kind: str, folder: Path, *free: str) -> Iterator[subprocess.Popen[str]]:
    """Start a recorder of its own process; it has written its header."""
    command = [sys.executable, "-m", "tests.durability.recorder", kind, str(folder), *free]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert answer(process) == "+"
        try:
            yield process
        finally:
            process.kill()


def answer(process: subprocess.Popen[str]) -> str:
    """Return the recorder's next word."""
    assert process.stdout
    return process.stdout.readline()[:1]


def ask(process: subprocess.Popen[str], wish: str = "") -> str:
    """Have the recorder append, or seal, and return its word."""
    assert process.stdin
    process.stdin.write(wish + "\n")
    process.stdin.flush()
    return answer(process)


def record_until_refused(writer: CassetteWriter, *, most: int) -> int:
    """Append entries until one is refused, and return how many were taken. It must be refused before `most`."""
    for number in range(most):
        try:
            append_all(writer, [entry(number)])
        except CassetteError:
            return number
    raise AssertionError(f"nothing failed in {most} entries")


def check_dead(writer: CassetteWriter) -> None:
    """See that a recorder that failed takes nothing more, though there may be room again."""
    for attempt in (lambda: append_all(writer, ENTRIES[:1]), lambda: writer.seal("complete")):
        with pytest.raises(CassetteError, match="cannot be written"):
            attempt()


def check_old(store: Store, name: str) -> None:
    """See that the cassette is the one that was there before."""
    with read(store.open(name)) as cassette:
        assert tuple(cassette.entries()) == OLD


def test_a_file_that_may_not_grow_at_every_byte(tmp_path: Path, faults: FaultLog) -> None:
    """A write that falls short, wherever: the entries before it are read, the recorder is dead, the old one intact."""
    store = JsonlStore(tmp_path)
    record(store, "tape.jsonl", OLD)
    whole = len(b"".join(store.open("tape.jsonl").lines()))
    for limit_bytes in range(1, whole):
        with file_size_limit(limit_bytes):
            try:
                writer = CassetteWriter(store.create("tape.jsonl"), HEADER)
            except CassetteError:
                taken = 0
            else:
                taken = record_until_refused(writer, most=99)
                check_dead(writer)
        assert (tmp_path / "tape.jsonl.partial").stat().st_size == limit_bytes, "the write did not fall short"
        assert left_entries(store, "tape.jsonl" + PARTIAL) == numbered(taken)
        (tmp_path / "tape.jsonl.partial").unlink()
    check_old(store, "tape.jsonl")
    faults.add("short write at byte n (`RLIMIT_FSIZE`), jsonl", "test_a_file_that_may_not_grow", fired=whole - 1)


@pytest.mark.parametrize("extra_bytes", [1, 4096, 8192, 20_000, 40_001])
def test_a_database_that_may_not_grow(tmp_path: Path, faults: FaultLog, extra_bytes: int) -> None:
    """The same for SQLite, whose log hits the limit."""
    store = store_of("sqlite", tmp_path)
    record(store, "tape", OLD)
    limit_bytes = (tmp_path / "runs.db").stat().st_size + extra_bytes
    writer = CassetteWriter(store.create("tape"), HEADER)
    with file_size_limit(limit_bytes):
        taken = record_until_refused(writer, most=999)
        check_dead(writer)
    assert left_entries(store, "tape" + PARTIAL)[:taken] == numbered(taken)
    check_old(store, "tape")
    faults.add("short write (`RLIMIT_FSIZE`), sqlite", "test_a_database_that_may_not_grow")


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """Mount something on a new folder, or skip where this process may not."""
    folder.mkdir()
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        folder.rmdir()
        skip_or_fail(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="there is no command mount")
@pytest.mark.parametrize("kind", ["jsonl", "sqlite"])
def test_a_full_disk(tmp_path: Path, faults: FaultLog, kind: str) -> None:
    """Until the disk is really full everything is kept; then the recorder is dead, even once there is room again."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=256k", "none") as disk:
        store = store_of(kind, disk)
        record(store, NAMES[kind], OLD)
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(64 * 1024))
        writer = CassetteWriter(store.create(NAMES[kind]), HEADER)
        taken = record_until_refused(writer, most=9_999)
        ballast.unlink()
        check_dead(writer)
        assert left_entries(store, NAMES[kind] + PARTIAL)[:taken] == numbered(taken)
        check_old(store, NAMES[kind])
        assert taken > 0
    faults.add(f"a disk that is full (tmpfs), {kind}", "test_a_full_disk")


@pytest.fixture
def seed() -> int:
    """Return what the kill points are drawn from: `PLAYHEAD_FAULT_SEED`, or another number each time."""
    return int(os.environ.get("PLAYHEAD_FAULT_SEED") or random.SystemRandom().randrange(2**32))


@pytest.mark.parametrize("kind", ["jsonl", "sqlite"])
def test_a_recorder_killed_at_random(tmp_path: Path, faults: FaultLog, kind: str, seed: int) -> None:
    """After `kill -9` at any moment all that was acknowledged is there, and nothing that was not written."""
    chance = random.Random(seed)
    for number in range(KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()
        store = store_of(kind, folder)
        record(store, NAMES[kind], OLD)
        with recorder(kind, folder, "free") as process:
            acknowledged = chance.randrange(60)
            assert all(answer(process) == "+" for _ in range(acknowledged))
            process.kill()
            assert process.stdout
            acknowledged += process.stdout.read().count("+")
            assert process.wait() == -signal.SIGKILL
        kept = left_entries(store, NAMES[kind] + PARTIAL)
        assert kept == numbered(len(kept)), f"seed {seed}, kill {number}"
        assert len(kept) >= acknowledged, f"seed {seed}, kill {number}: {len(kept)} of {acknowledged}"
        check_old(store, NAMES[kind])
    faults.add(f"`kill -9` at random, {kind}", "test_a_recorder_killed_at_random", fired=KILLS)


class Disk:
    """Be an ext4 disk in a file, from which a copy can be taken as a loss of power leaves it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._image = folder / "image"
        self._copies = itertools.count()
        self._image.write_bytes(bytes(IMAGE_BYTES))
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self._image)], check=True, capture_output=True)

    @contextmanager
    def running(self) -> Iterator[Path]:
        """Mount the disk."""
        with mounted(self._folder / "disk", "-o", "loop", str(self._image)) as disk:
            yield disk

    @contextmanager
    def after_power_loss(self) -> Iterator[Path]:
        """Mount a copy of what has reached the disk by now: its journal is replayed, as after a crash."""
        number = next(self._copies)
        copy = self._folder / f"copy{number}"
        shutil.copyfile(self._image, copy)
        with mounted(self._folder / f"after{number}", "-o", "loop", str(copy)) as disk:
            yield disk


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """Return a disk that can lose power; only root can have one."""
    if os.geteuid() or shutil.which("mkfs.ext4") is None:
        skip_or_fail("a disk that loses power takes root and mkfs.ext4")
    return Disk(tmp_path)


@pytest.mark.parametrize("kind", ["jsonl", "sqlite"])
def test_a_disk_that_loses_power(disk: Disk, faults: FaultLog, kind: str) -> None:
    """What was sealed is there after a loss of power, and what was not is a prefix, or nothing."""
    fired = 0
    with disk.running() as folder:
        record(store_of(kind, folder), NAMES[kind], OLD)
        with disk.after_power_loss() as left:
            check_old(store_of(kind, left), NAMES[kind])
        with recorder(kind, folder) as process:
            for number in range(6):
                assert ask(process) == "+"
                with disk.after_power_loss() as left:
                    store = store_of(kind, left)
                    check_old(store, NAMES[kind])
                    kept = left_entries(store, NAMES[kind] + PARTIAL)
                    assert kept == numbered(len(kept)), f"after entry {number}"
                fired += 1
            assert ask(process, "seal") == "S"
            with disk.after_power_loss() as left, read(store_of(kind, left).open(NAMES[kind])) as cassette:
                assert tuple(cassette.entries()) == numbered(6)
    faults.add(f"loss of power (ext4), {kind}", "test_a_disk_that_loses_power", fired=fired + 2)


def test_power_is_really_lost(disk: Disk) -> None:
    """What nobody has forced to the disk is not there after a loss of power: the fault can be seen."""
    with disk.running() as folder:
        lines = b"".join(sealed_bytes())
        (folder / "tape.jsonl").write_bytes(lines)
        with disk.after_power_loss() as left, pytest.raises(CassetteError):
            read(JsonlStore(left).open("tape.jsonl"))


def sealed_bytes() -> list[bytes]:
    """Return the lines of a whole cassette."""
    store = store_of("memory", Path())
    record(store, "tape", OLD)
    with store.open("tape") as source:
        return list(source.lines())

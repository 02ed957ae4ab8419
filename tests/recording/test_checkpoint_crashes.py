"""What is left of checkpoints by processes that die, by half-written lines, full disks, and several writers at once."""

import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

import playhead
from playhead.cassettes.places import list_places
from playhead.cassettes.store import PARTIAL
from playhead.errors import CassetteError, CorruptCassette
from playhead.recording.checkpoints import Checkpointer
from tests.recording.samples import run_of_a_tool

PLACES = ("threads.db", "runs.db::all", "threads/", "all.jsonl")
FILES = {"threads/": "threads/t.jsonl", "all.jsonl": "all.jsonl"}
"""Which file a thread `t` is in."""

SAVES_UNTIL_IT_DIES = """
import itertools, sys, anyio
from playhead.recording.checkpoints import Checkpointer

async def main(place, name):
    saver = Checkpointer(place)
    for number in itertools.count():
        saved = await saver.save({"n": number, "by": name, "text": "x" * 3000}, "t", f"{name}{number}")
        print(saved, flush=True)
        if sys.stdin.readline() == "close":
            await saver.close()
            break

anyio.run(main, *sys.argv[1:])
"""


class Writer:
    """Be another process that saves each time it is asked to, and says what it saved once `save` has returned."""

    def __init__(self, place: str, name: str) -> None:
        command = [sys.executable, "-c", SAVES_UNTIL_IT_DIES, place, name]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self.saved: list[str] = []

    def heard(self) -> str:
        """Wait for the next save, and return its id."""
        assert self.process.stdout is not None
        self.saved.append(self.process.stdout.readline().strip())
        return self.saved[-1]

    def go_on(self) -> None:
        """Let it save again."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """Kill it at once."""
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait() == -signal.SIGKILL
        self._close()

    def end(self) -> str:
        """Let it close and end, and return what it said of failures."""
        assert self.process.stdin is not None
        self.process.stdin.write("close")
        _, errors = self.process.communicate()
        return errors

    def _close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@pytest.mark.parametrize("place", PLACES)
def test_what_was_saved_survives_a_kill(place: str, tmp_path: Path) -> None:
    """Killed after any save, a process leaves all that it saved; another goes on from there, and is killed as well."""
    where = f"{tmp_path}/{place}"
    saved: list[str] = []
    for name in "ab":
        writer = Writer(where, name)
        for _ in range(3):
            writer.heard()
            writer.go_on()
        # It is now before, within or behind its fourth save.
        writer.kill()
        saved += writer.saved
        assert [each for each in anyio.run(_listed, where) if each in saved] == saved
    anyio.run(_go_on, where, saved)
    (found,) = list_places(tmp_path)
    with found.read() as cassette:
        cassette.verify()
    assert not list(tmp_path.rglob("*.partial*"))


async def _listed(where: str) -> list[str]:
    return (await Checkpointer(where).list_checkpoints("t", limit=None))[::-1]


async def _go_on(where: str, saved: list[str]) -> None:
    async with Checkpointer(where) as saver:
        await saver.save({"n": -1}, "t", "last")
        assert [(await saver.load("t", each))["n"] for each in saved] == [0, 1, 2] * 2


@pytest.mark.anyio
@pytest.mark.parametrize("place", FILES)
async def test_half_a_line_is_not_taken_for_a_checkpoint(place: str, tmp_path: Path) -> None:
    """A line that a crash cut at any byte is no checkpoint; those before it are, byte for byte, and saving goes on."""
    where, file = f"{tmp_path}/{place}", tmp_path / FILES[place]
    saver = Checkpointer(where)
    for number in range(2):
        await saver.save({"n": number}, "t", f"c{number}")
    grown = Path(f"{file}{PARTIAL}").read_bytes()
    await saver.close()
    whole = len(grown) - len(grown.splitlines(keepends=True)[-1])
    file.unlink()
    for cut in (whole + 1, whole + 40, len(grown) - 1):
        Path(f"{file}{PARTIAL}").write_bytes(grown[:cut])
        async with Checkpointer(where) as another:
            assert await another.list_checkpoints("t") == ["c0"]
            await another.save({"n": 5}, "t", "c5")
            assert Path(f"{file}{PARTIAL}").read_bytes()[:whole] == grown[:whole]
        assert await another.list_checkpoints("t") == ["c5", "c0"]
        file.unlink()


@pytest.mark.anyio
@pytest.mark.parametrize("place", FILES)
async def test_a_copy_that_a_crash_cut_short_is_made_again(place: str, tmp_path: Path) -> None:
    """Dead while it copied what was there, a process leaves a beginning of the copy, and a file that is still empty."""
    where, file = f"{tmp_path}/{place}", tmp_path / FILES[place]
    async with Checkpointer(where) as saver:
        await saver.save({"n": 1}, "t", "c1")
    Path(f"{file}{PARTIAL}").touch()
    Path(f"{file}{PARTIAL}.next").write_bytes(file.read_bytes()[:100])
    assert await saver.load("t") == {"n": 1}
    async with saver:
        await saver.save({"n": 2}, "t", "c2")
    assert await Checkpointer(where).list_checkpoints("t") == ["c2", "c1"]
    assert list(file.parent.glob("*.jsonl*")) == [file]


@pytest.mark.anyio
@pytest.mark.parametrize("place", FILES)
async def test_damage_is_never_taken_for_a_crash(place: str, tmp_path: Path) -> None:
    """A line that was changed makes loading and saving fail, naming the line, and the file stays as it is."""
    where, file = f"{tmp_path}/{place}", tmp_path / FILES[place]
    async with Checkpointer(where) as saver:
        await saver.save({"city": "Paris"}, "t")
    damaged = file.read_bytes().replace(b"Paris", b"Praha")
    for path in (file, Path(f"{file}{PARTIAL}")):
        file.unlink(missing_ok=True)
        path.write_bytes(damaged)
        for act in (Checkpointer(where).load("t"), Checkpointer(where).save({}, "t")):
            with pytest.raises(CorruptCassette, match=r"2: at byte \d+: the checksum is .*the line was changed"):
                await act
        assert path.read_bytes() == damaged


@pytest.mark.parametrize("place", FILES)
def test_a_second_process_is_told_of_the_first(place: str, tmp_path: Path) -> None:
    """While one process saves to a file, another can load, and is told the first one's pid where it saves."""
    writer = Writer(f"{tmp_path}/{place}", "a")
    saved = writer.heard()
    saver = Checkpointer(f"{tmp_path}/{place}")
    anyio.run(_is_told, saver, saved, writer.process.pid)
    assert writer.end() == ""
    anyio.run(saver.save, {"n": 9}, "t", "mine")
    assert anyio.run(saver.list_checkpoints, "t") == ["mine", saved]
    anyio.run(saver.close)


async def _is_told(saver: Checkpointer, saved: str, pid: int) -> None:
    assert (await saver.load("t", saved))["by"] == "a"
    with pytest.raises(CassetteError, match=rf"is being written by the process with pid {pid}: wait"):
        await saver.save({}, "t")
    with pytest.raises(CassetteError, match="is being written by"):
        await saver.delete("t")


@pytest.mark.parametrize("place", ["threads.db", "runs.db::all"])
def test_processes_share_a_database(place: str, tmp_path: Path) -> None:
    """Three processes save to one thread at once: all is there, in order for each, and the cassette is sound."""
    where = f"{tmp_path}/{place}"
    writers = [Writer(where, name) for name in "ab"]
    saver = Checkpointer(where)
    for _ in range(4):
        for writer in writers:
            writer.heard()
            writer.go_on()
        anyio.run(saver.save, {"by": "me"}, "t")
    for writer in writers:
        writer.heard()
    listed = anyio.run(_listed, where)
    for writer in writers:
        assert [each for each in listed if each.startswith(writer.saved[0][0]) and len(each) == 2] == writer.saved
        assert writer.end() == ""
    anyio.run(saver.close)
    (found,) = list_places(tmp_path)
    with found.read() as cassette:
        cassette.verify()
        assert cassette.entry_count == 2 * 5 + 4


@pytest.mark.anyio
@pytest.mark.parametrize("place", PLACES)
async def test_after_a_full_disk_it_goes_on(place: str, tmp_path: Path) -> None:
    """A save that finds no room raises, loses nothing that was saved, and the next one that finds room is kept."""
    where = f"{tmp_path}/{place}"
    saver = Checkpointer(where)
    await saver.save({"n": 1}, "t", "c1")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
        with pytest.raises(CassetteError):
            await saver.save({"text": "x" * 100_000}, "t", "c2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert await saver.load("t") == {"n": 1}
    await saver.save({"n": 3}, "t", "c3")
    await saver.close()
    assert await Checkpointer(where).list_checkpoints("t") == ["c3", "c1"]


@pytest.mark.anyio
async def test_a_save_to_a_database_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """Where a save fails between its entry and the new seal, neither is there, and the cassette is sound."""
    where = tmp_path / "threads.db"
    saver = Checkpointer(where)
    await saver.save({"n": 1}, "t", "c1")
    connection = sqlite3.connect(where)
    connection.execute("CREATE TRIGGER stop BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'stopped'); END")
    with pytest.raises(CassetteError, match="stopped"):
        await saver.save({"n": 2}, "t", "c2")
    connection.execute("DROP TRIGGER stop")
    connection.close()
    assert await Checkpointer(where).list_checkpoints("t") == ["c1"]
    await saver.save({"n": 3}, "t", "c3")
    assert await saver.list_checkpoints("t") == ["c3", "c1"]
    await saver.close()


@pytest.mark.anyio
async def test_a_recording_that_is_under_way_is_not_mixed_up(tmp_path: Path) -> None:
    """Where a cassette is being recorded anew, neither the old nor the new one is gone on with."""
    where = tmp_path / "trip.jsonl"
    with playhead.record(where) as recorder:
        list(recorder.events(run_of_a_tool()))
    before = where.read_bytes()
    again = playhead.record(where, redact=())
    list(again.events(run_of_a_tool()))
    saver = Checkpointer(where)
    with pytest.raises(
        CassetteError, match=r"trip.jsonl.partial is another recording than .*trip.jsonl, and it is not"
    ):
        await saver.load("t")
    with pytest.raises(CassetteError, match="is being written by this process"):
        await saver.save({}, "t")
    again.close()
    assert where.read_bytes() == before or where.read_bytes() != b""
    assert await saver.load("t") is None


@pytest.mark.anyio
async def test_a_save_that_is_cancelled_is_done_or_not(tmp_path: Path) -> None:
    """Cancelled before it begins, a save leaves nothing; one that has begun is done, and the checkpointer goes on."""
    async with Checkpointer(tmp_path / "threads.db") as saver:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await saver.save({}, "t", "c1")
        assert not await saver.exists("t")
        await saver.save({}, "t", "c2")
        assert await saver.list_checkpoints("t") == ["c2"]

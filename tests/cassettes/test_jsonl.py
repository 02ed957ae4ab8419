"""JSON Lines files: what is on the disk at every moment, and who may write."""

import os
import resource
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from playhead.cassettes.format import MAX_LINE_BYTES
from playhead.cassettes.jsonl import JsonlSink, JsonlStore
from playhead.cassettes.reading import read
from playhead.errors import CassetteError, CorruptCassette, MissingCassette, PlayheadError, UsageError
from tests.cassettes.tapes import ENTRIES, record, sealed_lines

WRITER = """
import sys
from playhead.cassettes.jsonl import JsonlStore
from tests.cassettes.tapes import HEADER, ENTRIES, append_all
from playhead.cassettes.writing import CassetteWriter
writer = CassetteWriter(JsonlStore(sys.argv[1]).create("tape.jsonl"), HEADER)
while True:
    append_all(writer, ENTRIES)
    print(writer.entries, flush=True)
    if len(sys.argv) > 2:
        sys.stdin.readline()
"""


@contextmanager
def another_process(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that records `tape.jsonl` until it is killed, and wait until it has begun."""
    command = [sys.executable, "-c", WRITER, str(folder), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def file_size_limit(limit_bytes: int) -> Iterator[None]:
    """Make every file of this process that grows over a limit fail to grow."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def files(folder: Path) -> list[str]:
    """Return the names of all files of a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_each_append_is_on_the_disk_at_once(tmp_path: Path) -> None:
    """When `append` returns, any process can read the line."""
    sink = JsonlStore(tmp_path).create("tape.jsonl")
    for count, line in enumerate(sealed_lines(), 1):
        sink.append(line)
        assert (tmp_path / "tape.jsonl.partial").read_bytes() == b"".join(sealed_lines()[:count])
    sink.discard()
    assert files(tmp_path) == []


def test_a_reader_sees_what_there_was_when_it_opened(tmp_path: Path) -> None:
    """A source of a file that grows does not grow with it."""
    sink = JsonlStore(tmp_path).create("tape.jsonl")
    sink.append(b"1\n")
    with JsonlStore(tmp_path).open("tape.jsonl.partial") as source:
        sink.append(b"2\n")
        assert list(source.lines()) == [b"1\n"]
        assert source.last_line() == b"1\n"
    sink.discard()


def test_files_are_made_as_the_umask_says(tmp_path: Path) -> None:
    """A cassette is a file that others may read, and folders are made on the way."""
    record(JsonlStore(tmp_path), "deep/down/tape.jsonl")
    mode = (tmp_path / "deep/down/tape.jsonl").stat().st_mode
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(mode) == 0o644 & ~umask


def test_a_second_writer_fails_at_once(tmp_path: Path) -> None:
    """In the same process the error names this process; the first writer is not disturbed."""
    first = JsonlStore(tmp_path).create("tape.jsonl")
    for _ in range(2):
        with pytest.raises(CassetteError, match=rf"being written by this process \(pid {os.getpid()}\)"):
            JsonlStore(tmp_path).create("tape.jsonl")
    first.append(b"{}\n")
    first.commit(b"{}\n")
    assert files(tmp_path) == ["tape.jsonl"]


def test_a_second_process_fails_at_once(tmp_path: Path) -> None:
    """The error names the process that writes, also when it was asked before, and its file is left alone."""
    with another_process(tmp_path, "wait") as process:
        for _ in range(2):
            with pytest.raises(CassetteError, match=f"being written by the process with pid {process.pid}:"):
                JsonlStore(tmp_path).create("tape.jsonl")
        assert files(tmp_path) == ["tape.jsonl.partial"]


def test_a_killed_writer_leaves_a_right_prefix(tmp_path: Path) -> None:
    """After kill -9 everything that was acknowledged is read, and the next recording moves it aside."""
    with another_process(tmp_path) as process:
        assert process.stdout
        acknowledged = [int(process.stdout.readline()) for _ in range(20)][-1]
        process.send_signal(signal.SIGKILL)
    with read(JsonlStore(tmp_path).open("tape.jsonl.partial"), torn=True) as cassette:
        entries = list(cassette.entries())
    assert len(entries) >= acknowledged
    assert entries == [ENTRIES[number % len(ENTRIES)] for number in range(len(entries))]
    content = (tmp_path / "tape.jsonl.partial").read_bytes()
    record(JsonlStore(tmp_path), "tape.jsonl")
    assert files(tmp_path) == ["tape.jsonl", "tape.jsonl.torn"]
    assert (tmp_path / "tape.jsonl.torn").read_bytes() == content


def test_what_was_moved_aside_is_never_lost(tmp_path: Path) -> None:
    """Each recording that died is kept under a name of its own, and an empty one is not kept."""
    for content in ("one", "two", "", "three"):
        (tmp_path / "tape.jsonl.partial").write_text(content)
        JsonlStore(tmp_path).create("tape.jsonl").discard()
    assert files(tmp_path) == ["tape.jsonl.torn", "tape.jsonl.torn.2", "tape.jsonl.torn.3"]
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["one", "two", "three"]


def test_a_forgotten_sink_lets_go_of_its_lock(tmp_path: Path) -> None:
    """A recording that nobody ended is like one whose recorder died."""
    sink = JsonlStore(tmp_path).create("tape.jsonl")
    sink.append(b"{}\n")
    del sink
    record(JsonlStore(tmp_path), "tape.jsonl")
    assert files(tmp_path) == ["tape.jsonl", "tape.jsonl.torn"]


@pytest.mark.parametrize("limit_bytes", [10, 25])
def test_a_write_that_fails_or_falls_short_kills_the_sink(tmp_path: Path, limit_bytes: int) -> None:
    """After it nothing is written any more, the old cassette stays, and the error names the cause each time."""
    record(JsonlStore(tmp_path), "tape.jsonl")
    sink = JsonlStore(tmp_path).create("tape.jsonl")
    sink.append(b"0123456789")
    with file_size_limit(limit_bytes), pytest.raises(CassetteError, match=r"tape\.jsonl cannot be written: ") as first:
        sink.append(b"x" * 20)
    for call in (sink.append, sink.commit, sink.append):
        with pytest.raises(CassetteError) as later:
            call(b"y")
        assert str(later.value) == str(first.value)
    assert (tmp_path / "tape.jsonl").read_bytes() == b"".join(sealed_lines())
    assert (tmp_path / "tape.jsonl.partial").read_bytes() == b"0123456789" + b"x" * (limit_bytes - 10)
    assert sink.discard(keep_as=".rejected") == str(tmp_path / "tape.jsonl.rejected")


def test_a_dead_sink_does_not_discard_what_is_not_its_own(tmp_path: Path) -> None:
    """Once another recorder has taken over, the file at the old name is left alone."""
    sink = JsonlStore(tmp_path).create("tape.jsonl")
    sink.append(b"old\n")
    with file_size_limit(0), pytest.raises(CassetteError):
        sink.append(b"x")
    other = JsonlStore(tmp_path).create("tape.jsonl")
    other.append(b"new\n")
    assert sink.discard() is None
    assert (tmp_path / "tape.jsonl.partial").read_text() == "new\n"
    other.discard()


def test_a_file_that_was_taken_away_is_not_sealed(tmp_path: Path) -> None:
    """Where somebody removed or replaced the file meanwhile, nothing is renamed over the old cassette."""
    record(JsonlStore(tmp_path), "tape.jsonl")
    sink = JsonlStore(tmp_path).create("tape.jsonl")
    sink.append(b"{}\n")
    (tmp_path / "tape.jsonl.partial").unlink()
    (tmp_path / "tape.jsonl.partial").write_text("something else")
    with pytest.raises(CassetteError, match="moved or removed"):
        sink.commit(b"{}\n")
    assert (tmp_path / "tape.jsonl").read_bytes() == b"".join(sealed_lines())


def test_a_forked_child_cannot_end_the_recording(tmp_path: Path) -> None:
    """A child that inherited a sink, and cleans up when it exits, does not take the parent's recording away."""
    sink = JsonlStore(tmp_path).create("tape.jsonl")
    sink.append(b"1\n")
    child = os.fork()
    if child == 0:
        try:
            sink.discard()
        except CassetteError:
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    with pytest.raises(CassetteError, match="being written by"):
        JsonlStore(tmp_path).create("tape.jsonl")
    sink.commit(b"2\n")
    assert (tmp_path / "tape.jsonl").read_text() == "1\n2\n"


def _directory(path: Path) -> None:
    path.mkdir()


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as each:
        each.bind(str(path))


@pytest.mark.parametrize("make", [_directory, _fifo, _device, _socket])
def test_what_is_no_file_is_refused(tmp_path: Path, make: object) -> None:
    """Directories, FIFOs, devices and sockets are named, not opened, and not taken for missing."""
    assert callable(make)
    make(tmp_path / "x.jsonl")
    with pytest.raises(CassetteError, match=r"x\.jsonl' is a (directory|FIFO|device|socket), not a cassette") as caught:
        JsonlStore(tmp_path).open("x.jsonl")
    assert type(caught.value) is CassetteError


@pytest.mark.parametrize("make", [_directory, _fifo, _device, _socket])
def test_nothing_but_a_file_is_written_to(tmp_path: Path, make: object) -> None:
    """What is in the way of `.partial`, a link above all, is refused and left alone."""
    assert callable(make)
    make(tmp_path / "x.jsonl.partial")
    with pytest.raises(CassetteError, match=r"x\.jsonl\.partial"):
        JsonlStore(tmp_path).create("x.jsonl")
    assert files(tmp_path) == ["x.jsonl.partial"]


def test_links_are_read_and_replaced(tmp_path: Path) -> None:
    """A linked cassette is read; recording over it replaces the link and leaves what it points to."""
    record(JsonlStore(tmp_path / "shared"), "tape.jsonl")
    (tmp_path / "tape.jsonl").symlink_to(tmp_path / "shared/tape.jsonl")
    with JsonlStore(tmp_path).open("tape.jsonl") as source:
        assert list(source.lines()) == sealed_lines()
    record(JsonlStore(tmp_path), "tape.jsonl", ENTRIES[:1])
    assert not (tmp_path / "tape.jsonl").is_symlink()
    assert (tmp_path / "shared/tape.jsonl").read_bytes() == b"".join(sealed_lines())


def test_a_link_to_nothing_is_no_missing_cassette(tmp_path: Path) -> None:
    """Damage is never taken for absence: a dangling link would be recorded over."""
    (tmp_path / "tape.jsonl").symlink_to("gone.jsonl")
    with pytest.raises(CassetteError, match="symbolic link to nothing") as caught:
        JsonlStore(tmp_path).open("tape.jsonl")
    assert type(caught.value) is CassetteError


def test_a_file_in_place_of_a_folder_is_no_missing_cassette(tmp_path: Path) -> None:
    """A path through a file is an error of its own."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CassetteError) as caught:
        JsonlStore(tmp_path).open("file/tape.jsonl")
    assert type(caught.value) is CassetteError
    with pytest.raises(CassetteError, match="cannot be written"):
        JsonlStore(tmp_path).create("file/tape.jsonl")


def test_a_missing_cassette_names_a_recording_that_did_not_finish(tmp_path: Path) -> None:
    """Who looks for a cassette whose recorder died learns where it is."""
    (tmp_path / "tape.jsonl.partial").write_text("x")
    with pytest.raises(MissingCassette, match=r"'tape\.jsonl\.partial' beside it"):
        JsonlStore(tmp_path).open("tape.jsonl")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_no_missing_cassette(tmp_path: Path) -> None:
    """A lack of permission is named."""
    record(JsonlStore(tmp_path), "tape.jsonl")
    (tmp_path / "tape.jsonl").chmod(0)
    with pytest.raises(CassetteError, match="Permission denied") as caught:
        JsonlStore(tmp_path).open("tape.jsonl")
    assert type(caught.value) is CassetteError


@pytest.mark.parametrize("name", ["", ".", "..", "../x.jsonl", "a/../../x.jsonl", "/x.jsonl", "a\0b.jsonl", "\ud800"])
def test_hostile_names_are_refused(tmp_path: Path, name: str) -> None:
    """No name leads out of the folder or into an error of Python's own."""
    store = JsonlStore(tmp_path / "inner")
    for call in (store.open, store.create, store.delete):
        with pytest.raises(UsageError, match="does not name a file within"):
            call(name)


@pytest.mark.parametrize("name", ["x" * 300, "caf\u00e9.jsonl", "a b.jsonl", "\\.jsonl", "\udcff.jsonl", "\n.jsonl"])
def test_odd_names_do_no_harm(tmp_path: Path, name: str) -> None:
    """Any other name either works or is an error of ours."""
    try:
        record(JsonlStore(tmp_path), name)
    except PlayheadError:
        assert len(name) == 300
    else:
        assert JsonlStore(tmp_path).names() == [name]


def test_listing_skips_what_is_hidden_or_linked(tmp_path: Path) -> None:
    """Hidden folders, links to folders, and files of recordings that were not sealed are not listed."""
    store = JsonlStore(tmp_path / "in")
    for name in ("a.jsonl", ".hidden/b.jsonl", "c.jsonl.torn", "d.json"):
        record(store, name)
    record(JsonlStore(tmp_path / "out"), "e.jsonl")
    (tmp_path / "in/linked").symlink_to(tmp_path / "out")
    assert store.names() == ["a.jsonl"]
    with pytest.raises(MissingCassette):
        JsonlStore(tmp_path / "nowhere").names()


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_lines_across_blocks(tmp_path: Path, ending: bytes) -> None:
    """Lines that are longer than a block of reading, or end at one, or hold carriage returns, come out as they are."""
    content = [b"x" * size + b"\n" for size in (0, 1, 65_534, 65_535, 65_536, 65_537, 700_000, 3, 5000)]
    content = [*content, b"a\rb\r\n"]
    text = b"".join(content) + b"tail" + ending
    (tmp_path / "x.jsonl").write_bytes(text)
    with JsonlStore(tmp_path).open("x.jsonl") as source:
        assert list(source.lines()) == [*content, b"tail" + ending]
        assert source.last_line() == b"tail" + ending
        assert b"".join(source.blocks()) == text


@pytest.mark.parametrize("before", [b"", b"{}\n", b"{}\n" * 100_000])
def test_a_line_that_is_too_long_is_refused(tmp_path: Path, before: bytes) -> None:
    """One byte over the limit is corrupt, and the error names the byte where the line begins."""
    (tmp_path / "x.jsonl").write_bytes(before + b"x" * MAX_LINE_BYTES + b"\n{}\n")
    with (
        JsonlStore(tmp_path).open("x.jsonl") as source,
        pytest.raises(
            CorruptCassette,
            match=rf"x\.jsonl:{len(before) // 3 + 1}: the line at byte {len(before):,} is longer than 67,108,864",
        ),
    ):
        list(source.lines())


def test_the_last_line_of_a_huge_one_is_bounded(tmp_path: Path) -> None:
    """Looking for the last line reads little more than a line may have."""
    with (tmp_path / "x.jsonl").open("wb") as file:
        file.truncate(10 * MAX_LINE_BYTES)
    with JsonlStore(tmp_path).open("x.jsonl") as source:
        assert len(source.last_line()) == MAX_LINE_BYTES + 1


def test_a_closed_source_says_so(tmp_path: Path) -> None:
    """Reading after `close` is a mistake of the caller, not damage."""
    record(JsonlStore(tmp_path), "tape.jsonl")
    source = JsonlStore(tmp_path).open("tape.jsonl")
    source.close()
    source.close()
    with pytest.raises(UsageError, match="was closed"):
        list(source.lines())


def test_a_sink_holds_one_descriptor(tmp_path: Path) -> None:
    """Neither sealing nor failing nor discarding leaks an open file."""
    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    for _ in range(5):
        record(JsonlStore(tmp_path), "tape.jsonl")
        sink = JsonlSink(tmp_path / "other.jsonl")
        with pytest.raises(CassetteError):
            JsonlSink(tmp_path / "other.jsonl")
        sink.discard()
    assert (len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0) == before

"""Files that were made to harm: they are refused at once, with a reason, in bounded memory and time."""

import gzip
import os
import tracemalloc
from pathlib import Path

import pytest

from playhead.cassettes.format import Header, entry_line, entry_prefix, object_line, true_crc
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.naming import file_name
from playhead.cassettes.places import locate
from playhead.errors import CassetteError, CorruptCassette, PlayheadError, UsageError
from tests.cli.running import playhead, write_tape

READING = ("show", "verify", "check", "stats", "scan", "ls", "play", "scrub", "repair")


@pytest.mark.parametrize("name", ["../x.jsonl", "a/../../x.jsonl", "/etc/passwd", "a\0b.jsonl", "", "\ud800.jsonl"])
def test_no_name_leaves_its_folder(tmp_path: Path, name: str) -> None:
    """A name with `..`, an absolute one, NUL and what no file system takes are refused before anything is opened."""
    store = JsonlStore(tmp_path / "inner")
    for use in (store.open, store.create, store.delete):
        with pytest.raises(UsageError):
            use(name)
    assert list(tmp_path.iterdir()) == []


def test_names_of_tests_are_one_component_whatever_they_are() -> None:
    """Backslashes, slashes, 300 bytes and twins that differ in case only give different, harmless names."""
    ids = ["..", "/etc/passwd", "a\\b", "a/b", "a\0b", "x" * 300, "x" * 301, "test_a", "test_A", "TEST_A", "con"]
    names = [file_name(each) for each in ids]
    assert len({name.lower() for name in names}) == len(ids)
    assert all(len(name.encode()) <= 231 and not set(name) & set("/\\\0") and name != ".." for name in names)


@pytest.mark.parametrize("command", READING)
def test_a_fifo_and_a_device_are_refused_and_not_waited_for(tmp_path: Path, command: str) -> None:
    """No command opens a FIFO, which would wait for ever, or a device, which never ends; links to them neither."""
    os.mkfifo(tmp_path / "pipe.jsonl")
    os.symlink("/dev/zero", tmp_path / "zero.jsonl")
    for name in ("pipe.jsonl", "zero.jsonl"):
        shown = playhead(command, tmp_path / name)
        assert shown.code == 2
        assert "not a cassette" in shown.out + shown.err


def test_a_link_makes_nobody_write_elsewhere(tmp_path: Path) -> None:
    """A cassette that is recorded over a link replaces the link, and what it pointed to stays."""
    (tmp_path / "precious").write_text("keep")
    os.symlink("precious", tmp_path / "trip.jsonl")
    write_tape(tmp_path / "trip.jsonl")
    assert (tmp_path / "precious").read_text() == "keep"
    assert not (tmp_path / "trip.jsonl").is_symlink()


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A compressed gigabyte under the name of a cassette is refused by its first bytes, in little memory."""
    path = tmp_path / "bomb.jsonl"
    with gzip.open(path, "wb") as file:
        for _ in range(64):
            file.write(bytes(1024 * 1024))
    tracemalloc.start()
    with pytest.raises(CorruptCassette, match="does not begin as one"):
        locate(path).read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


def test_an_endless_line_is_read_no_further_than_a_line_may_be(tmp_path: Path) -> None:
    """A sparse file of 8 GiB without a newline is refused, and never held as a whole."""
    path = tmp_path / "wide.jsonl"
    path.touch()
    os.truncate(path, 8 * 1024**3)
    tracemalloc.start()
    with pytest.raises(PlayheadError):
        locate(path).read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 512 * 1024 * 1024


def signed(body: bytes) -> bytes:
    """Return a line with the checksum that it should have, as whoever wants to deceive a reader would write it."""
    unsigned = body + b',"crc":"00000000"}\n'
    return body + f',"crc":"{true_crc(unsigned):08x}"}}\n'.encode()


DEEP = b"[" * 5_000 + b"]" * 5_000
BODIES: dict[str, bytes] = {
    "doubled key": b'{"dt":0,"dt":1,"track":"event","run":"r1","kind":"event","data":{}',
    "deep nesting": b'{"dt":0,"track":"event","run":"r1","kind":"event","data":' + DEEP,
    "negative time": b'{"dt":-1,"track":"event","run":"r1","kind":"event","data":{}',
    "huge time": b'{"dt":' + b"9" * 5_000 + b',"track":"event","run":"r1","kind":"event","data":{}',
    "no object": b'["dt"',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_line_with_a_right_checksum_is_not_trusted(tmp_path: Path, body: bytes) -> None:
    """A checksum keeps nobody from lying: what is no entry is refused for what it says."""
    path = tmp_path / "lie.jsonl"
    path.write_bytes(object_line(Header(name="x", dialects={"event": "locus"})) + signed(body))
    with pytest.raises(CassetteError):
        read_all(path)


def read_all(path: Path) -> None:
    """Read every entry; one that is accepted in spite of what it says is a failure."""
    with locate(path).read(torn=True) as cassette:
        assert list(cassette.entries()) == [], "the line was taken for an entry"
        raise CassetteError("the line was left out")


@pytest.mark.parametrize(
    "data",
    [
        b'{"$playhead":["object","os.system"]}',
        b'{"$playhead":["pickle","gASVAAA="]}',
        b'{"event_type":"os.system","__class__":"subprocess.Popen","__reduce__":["os.system",["false"]]}',
    ],
)
def test_no_name_in_a_file_chooses_code(tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of classes and unknown tags are data: they are kept or refused, and nothing is imported or run."""
    ran: list[str] = []
    monkeypatch.setattr(os, "system", lambda command: ran.append(command))
    path = tmp_path / "code.jsonl"
    path.write_bytes(
        object_line(Header(name="x", dialects={"event": "locus"}))
        + entry_line(0, entry_prefix("event", "r1", "event"), data)
    )
    for command in ("show", "play"):
        assert playhead(command, "--torn", path).code in (0, 2)
    assert ran == []


LOUD = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m"


@pytest.mark.parametrize("command", READING)
def test_a_file_name_steers_no_terminal(tmp_path: Path, command: str) -> None:
    """Escapes in the name of a file are shown, not sent: where it can be read, and where it cannot."""
    folder = tmp_path / LOUD
    folder.mkdir()
    good = write_tape(folder / "a.jsonl", [(0, {"event_type": LOUD, "text": "/home/walter" + LOUD})])
    (folder / "b.jsonl").write_bytes(b"no cassette")
    for path in (good, folder / "b.jsonl", folder / "none.jsonl"):
        shown = playhead(command, path)
        assert not set(shown.out + shown.err) & set("\x1b\x07\x9b\u202e"), shown


def test_findings_for_github_cannot_be_forged(tmp_path: Path) -> None:
    """A newline in the name of a file begins no other command of GitHub's."""
    folder = tmp_path / "a\n::error::x"
    folder.mkdir(parents=True)
    path = write_tape(folder / "a.jsonl", [(0, {"event_type": "x", "text": "/home/walter/y"})])
    shown = playhead("scan", "--format", "github", path)
    assert len(shown.out.splitlines()) == 1

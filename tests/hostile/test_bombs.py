"""Compressed files that were made to fill memory: they are refused early, and good ones take little, however long."""

import io
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from playhead.cassettes import compressing, packed
from playhead.cassettes.compressing import GZIP, unpack
from playhead.cassettes.format import MAX_LINE_BYTES, Entry
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.places import convert, locate
from playhead.errors import CassetteError
from tests.cassettes.tapes import entry, record
from tests.cli.running import playhead

MEBIBYTE = 1024 * 1024
COMMANDS = ("show", "verify", "check", "stats", "scan", "ls", "play", "scrub", "repair", "reseal", "diff")


def gzip_bomb() -> bytes:
    """Return 10 MB of gzip that are 10 GB of zeros: one block that stands for 64 MiB, over and over."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = packer.compress(bytes(64 * MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + block * 160


def zstd_bomb() -> bytes:
    """Return 10 MB of Zstandard that are 300 GB: each four bytes say that a byte comes 128 KiB times."""
    frame, window_of_128_kib = b"\x28\xb5\x2f\xfd\0", b"\x38"
    run = (1 << 1 | 128 * 1024 << 3).to_bytes(3, "little") + b"x"
    return frame + window_of_128_kib + run * (10_000_000 // len(run))


BOMBS: dict[str, Callable[[], bytes]] = {".gz": gzip_bomb, ".zst": zstd_bomb}


@pytest.fixture(scope="module", params=BOMBS)
def bomb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bomb of each kind."""
    path = tmp_path_factory.mktemp("bombs") / f"bomb.jsonl{request.param}"
    path.write_bytes(BOMBS[request.param]())
    return path


def peak_bytes(call: Callable[[], object]) -> int:
    """Return how much memory a call takes at its peak."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def little_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a megabyte be enough to know a bomb, which saves time."""
    for module in (compressing, packed):
        monkeypatch.setattr(module, "MAX_FREE_BYTES", MEBIBYTE)


def test_a_bomb_is_refused_in_bounded_memory(bomb: Path) -> None:
    """No more than a few lines may take; the error says what the file does, and that it was not read any further."""

    def refused() -> None:
        with pytest.raises(CassetteError, match=r"become more than 250 times as many.*not read any further"):
            locate(bomb).read()

    assert peak_bytes(refused) < 4 * MAX_LINE_BYTES


def test_a_bomb_is_read_no_further_than_it_takes_to_know_it(bomb: Path) -> None:
    """Of 10 MB only the beginning is looked at, and so it takes no time, whatever the rest would become."""
    with bomb.open("rb") as file:
        codec = compressing.CODECS[bomb.suffix]()
        with pytest.raises(CassetteError):
            sum(map(len, unpack(lambda: file.read, codec)))
        assert file.tell() < MEBIBYTE


@pytest.mark.usefixtures("little_is_free")
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_unpacks_a_bomb(bomb: Path, command: str) -> None:
    """Each says what it is and fails; nothing is written beside it."""
    shown = playhead(command, bomb, *([bomb] if command == "diff" else []))
    assert shown.code == 2
    assert "250 times" in shown.out + shown.err
    assert list(bomb.parent.iterdir()) == [bomb]


@pytest.mark.usefixtures("little_is_free")
def test_a_bomb_is_not_converted(bomb: Path, tmp_path: Path) -> None:
    """Neither the copy nor a part of it is left."""
    shown = playhead("convert", bomb, tmp_path / "copy.jsonl")
    assert (shown.code, list(tmp_path.iterdir())) == (2, [])


def test_a_slow_bomb_ends_at_the_total(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that keeps below the ratio is unpacked up to a limit, too."""
    monkeypatch.setattr(compressing, "MAX_UNPACKED_BYTES", 4 * MEBIBYTE)
    data = zlib.compress(bytes(5 * MEBIBYTE), wbits=31)
    found: list[bytes] = []
    with pytest.raises(CassetteError, match="becomes more than 4,194,304 bytes"):
        found.extend(unpack(lambda: io.BytesIO(data).read, GZIP))
    assert sum(map(len, found)) == 4 * MEBIBYTE


@pytest.mark.usefixtures("little_is_free")
def test_nothing_is_written_that_could_not_be_read(tmp_path: Path) -> None:
    """A cassette so even that its copy would be taken for a bomb is refused, and the plain one stays as it is."""
    line = b'{"event_type":"think","text":"' + b"x" * 1_000_000 + b'"}'
    record(JsonlStore(tmp_path), "even.jsonl", [entry(data=line)] * 5)
    with pytest.raises(CassetteError, match="250 times"):
        convert(locate(tmp_path / "even.jsonl"), locate(tmp_path / "even.jsonl.gz"))
    assert [path.name for path in tmp_path.iterdir()] == ["even.jsonl"]


@pytest.mark.usefixtures("little_is_free")
@pytest.mark.parametrize("suffix", BOMBS)
def test_a_long_good_one_takes_little_memory(tmp_path: Path, suffix: str) -> None:
    """Reading 8 MB of entries takes as much memory as reading a few."""
    entries = [
        Entry(7, "event", "r1", "event", b'{"text":"%x"}' % Random(number).getrandbits(4_000)) for number in range(500)
    ]
    record(JsonlStore(tmp_path), "long.jsonl", entries * 15)
    path = tmp_path / f"long.jsonl{suffix}"
    convert(locate(tmp_path / "long.jsonl"), locate(path))

    def read() -> None:
        with locate(path).read() as cassette:
            cassette.verify()
            assert sum(1 for _ in cassette.data()) == 7_500

    assert peak_bytes(read) < 5 * MEBIBYTE

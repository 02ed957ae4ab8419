"""Compressed cassettes: read like any other, written as copies, and never taken for what they are not."""

import gzip
from pathlib import Path

import pytest

from playhead.cassettes.format import MAX_LINE_BYTES
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.packed import PACKED_SUFFIXES, PackedStore, is_packed
from playhead.cassettes.places import Place, convert, copy_prefix, list_places, locate
from playhead.errors import CassetteError, CorruptCassette, MissingCassette, TornCassette, UsageError
from playhead.recording.recorder import record as record_tape
from tests.cassettes.tapes import ENTRIES, entry, record, sealed_lines

LINES = sealed_lines()


@pytest.fixture(params=PACKED_SUFFIXES)
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a compressed cassette, beside the plain one that it is a copy of."""
    record(JsonlStore(tmp_path), "tape.jsonl")
    path = tmp_path / f"tape{request.param}"
    convert(locate(tmp_path / "tape.jsonl"), locate(path))
    return path


def repacked(folder: Path, *parts: bytes) -> Place:
    """Return a cassette that gzip made of any bytes."""
    path = folder / "made.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(parts)))
    return locate(path)


def test_a_copy_is_read_like_its_source(packed: Path) -> None:
    """Entries, lines, the last of them and the size are those of the plain file; the file itself is smaller."""
    plain = packed.parent / "tape.jsonl"
    with locate(packed).read() as cassette:
        assert tuple(cassette.entries()) == ENTRIES
        assert b"".join(cassette.lines()) == plain.read_bytes()
        assert cassette.size == plain.stat().st_size
        assert cassette.state == "sealed"
        cassette.verify()
    with locate(packed).open() as source:
        assert source.last_line() == LINES[-1]
        assert b"".join(source.blocks()) == plain.read_bytes()
    assert packed.stat().st_size < plain.stat().st_size


def test_a_copy_of_the_copy_is_the_source(packed: Path) -> None:
    """Converting there and back gives the same bytes, and leaves nothing else behind."""
    convert(locate(packed), locate(packed.parent / "back.jsonl"))
    assert (packed.parent / "back.jsonl").read_bytes() == (packed.parent / "tape.jsonl").read_bytes()
    assert sorted(path.name for path in packed.parent.iterdir()) == ["back.jsonl", "tape.jsonl", packed.name]


def test_a_folder_lists_them_beside_the_plain_ones(packed: Path) -> None:
    """Each file is a cassette of its own."""
    assert [place.name for place in list_places(packed.parent)] == ["tape.jsonl", packed.name]


def test_nothing_is_recorded_into_them(packed: Path) -> None:
    """A crash would take what the compressor holds back: the error says what to do, and the file stays."""
    before = packed.read_bytes()
    plain = packed.parent / "tape.jsonl"
    with pytest.raises(UsageError) as refused:
        record_tape(packed)
    assert str(refused.value).endswith(f"Write {plain}, then: playhead convert {plain} {packed}")
    assert packed.read_bytes() == before


def test_a_copy_replaces_only_when_it_may(packed: Path) -> None:
    """Without `replace` the old one stays, and no other file does."""
    before = packed.read_bytes()
    source = locate(packed.parent / "tape.jsonl")
    with pytest.raises(CassetteError, match="exists already"):
        convert(source, locate(packed))
    assert convert(source, locate(packed), replace=True).entries == len(ENTRIES)
    assert packed.read_bytes() == before
    assert len(list(packed.parent.iterdir())) == 2


def test_a_missing_one_is_missing(tmp_path: Path) -> None:
    """Only what is not there is missing."""
    with pytest.raises(MissingCassette):
        locate(tmp_path / "none.jsonl.gz").open()
    with pytest.raises(UsageError, match="holds no others"):
        locate(f"{tmp_path}/tape.jsonl.gz::one")


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11])
def test_a_stump_is_torn(packed: Path, size: int) -> None:
    """A file that was cut within its head, or is empty, is named for what it is."""
    packed.write_bytes(packed.read_bytes()[:size])
    with pytest.raises(TornCassette, match=r"ends early.*record it again"):
        locate(packed).read()


def test_a_cut_is_torn_at_every_byte(tmp_path: Path) -> None:
    """Each cut is reported; on request the whole lines before it are read, and none that is not there."""
    path = tmp_path / "cut.jsonl.gz"
    whole = gzip.compress(b"".join(LINES), mtime=0)
    most = 0
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(TornCassette, match="gzip data ends early"):
            locate(path).read()
        try:
            with locate(path).read(torn=True) as cassette:
                found = tuple(cassette.entries())
        except TornCassette:
            continue
        assert found == ENTRIES[: len(found)]
        assert len(found) >= most, "a longer beginning has no fewer entries"
        most = len(found)
    assert most == len(ENTRIES)


def test_a_cut_is_told_with_its_place(tmp_path: Path) -> None:
    """Line and byte are those of what is unpacked, and the intact lines can be copied."""
    place = repacked(tmp_path, *LINES)
    path = Path(place.where)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TornCassette) as torn:
        place.read()
    size = sum(map(len, LINES))
    assert str(torn.value) == (
        f"{path}:{len(LINES) + 1}: at byte {size:,} when unpacked: the gzip data ends early: the file was cut, or its "
        f"writer died. Record it again, or copy what is intact: playhead repair {path}"
    )
    repaired = copy_prefix(place, locate(tmp_path / "repaired.jsonl"))
    assert (repaired.kept, repaired.lost_bytes) == (len(ENTRIES), len(LINES[-1]))


def test_a_half_line_at_a_cut_is_not_a_line(tmp_path: Path) -> None:
    """What comes after the last whole line is left out, and the number is that of the line that is missing."""
    path = tmp_path / "half.jsonl.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"".join(LINES[:3]) + LINES[3][:20])
    path.write_bytes(path.read_bytes()[:-8])
    with locate(path).open() as source:
        lines = source.lines()
        assert [next(lines) for _ in range(3)] == LINES[:3]
        with pytest.raises(TornCassette, match=rf":4: at byte {sum(map(len, LINES[:3])):,} when unpacked: "):
            next(lines)


def test_a_file_without_a_last_newline_is_torn(tmp_path: Path) -> None:
    """Its text is all there, so it is judged as a plain file is."""
    with pytest.raises(TornCassette, match="the line is unfinished"):
        repacked(tmp_path, *LINES[:-1], LINES[-1][:-1]).read()


def test_damage_inside_is_told_as_in_a_plain_file(tmp_path: Path) -> None:
    """A line that was changed before it was compressed is named by its number."""
    with pytest.raises(CorruptCassette, match=r"made\.jsonl\.gz:2: at byte \d+: the checksum is"):
        repacked(tmp_path, LINES[0], LINES[1].replace(b"think", b"drink"), *LINES[2:]).read()


@pytest.mark.parametrize("text", [b"plain\n", b"\x1f\x8b\x08" + b"\xff" * 40])
def test_what_is_not_gzip_is_corrupt(tmp_path: Path, text: bytes) -> None:
    """A plain file of that name, and a wrong head."""
    path = tmp_path / "plain.jsonl.gz"
    path.write_bytes(text)
    with pytest.raises(CorruptCassette, match=r"plain\.jsonl\.gz: .*gzip data.*Restore it, or record it again"):
        locate(path).read()


def test_an_intact_last_line_is_found_in_any_pieces(tmp_path: Path) -> None:
    """Long and short last lines are the same as those of a plain file."""
    for size in (0, 1, 65_535, 65_536, 65_537, 200_000):
        long = b"x" * size
        for text in (long, long + b"\n", b"a\n" + long + b"\n", long + b"\na\n", b"\n" * size, b"b\n" * size):
            (tmp_path / "made.jsonl").write_bytes(text)
            with locate(tmp_path / "made.jsonl").open() as plain, repacked(tmp_path, text).open() as packed:
                assert packed.last_line() == plain.last_line()
                assert packed.size() == plain.size()


def test_what_unpacks_to_much_at_a_time_is_all_there(tmp_path: Path) -> None:
    """Pieces of Zstandard are larger than what is read at a time: no line is lost between them."""
    record(JsonlStore(tmp_path), "even.jsonl", [entry(data=b'{"text":"%s"}' % (b"x" * 10_000))] * 200)
    for suffix in PACKED_SUFFIXES:
        place = locate(tmp_path / f"even{suffix}")
        convert(locate(tmp_path / "even.jsonl"), place)
        with place.open() as source:
            assert b"".join(source.lines()) == (tmp_path / "even.jsonl").read_bytes()


def test_of_an_endless_line_only_the_end_is_kept(tmp_path: Path) -> None:
    """It is one byte longer than a line may be, so that it is seen to be too long."""
    with repacked(tmp_path, b"x" * (MAX_LINE_BYTES + 100)).open() as source:
        assert len(source.last_line()) == MAX_LINE_BYTES + 1
        with pytest.raises(CorruptCassette, match="is longer than 67,108,864 bytes"):
            next(source.lines())


def test_names(tmp_path: Path) -> None:
    """The suffix decides; what recorders and copiers leave behind is told by it, too, and is not listed."""
    names = ("a.jsonl.gz", "a.jsonl.zst", "a.jsonl.gz.partial", "a.jsonl.gz.torn.2", "a.jsonl.zst.rejected")
    assert all(map(is_packed, names))
    assert not any(map(is_packed, ("a.gz", "a.jsonl", "a.jsonl.bz2", "a.jsonl.gz.x", "a.jsonl.partial.gz")))
    for name in names:
        (tmp_path / name).touch()
    assert PackedStore(tmp_path).names() == ["a.jsonl.gz", "a.jsonl.zst"]
    with pytest.raises(UsageError, match=r"ends with \.jsonl\.gz or \.jsonl\.zst"):
        PackedStore(tmp_path).open("a.jsonl")
    PackedStore(tmp_path).delete("a.jsonl.gz")
    assert PackedStore(tmp_path).names() == ["a.jsonl.zst"]

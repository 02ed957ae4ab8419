"""Reading a cassette: a whole one is read, a torn one on request, and no other is ever accepted."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.cassettes.format import Entry, Seal, encode_entry, object_line, read_seal, true_crc
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.memory import MemorySource, MemoryStore
from playhead.cassettes.reading import Cassette, read
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import CassetteError, CorruptCassette, TornCassette, UsageError
from tests.cassettes.tapes import ENTRIES, HEADER, append_all, entry, sealed_lines, source_of

LINES = sealed_lines()
CONTENT = b"".join(LINES)


def resealed(lines: list[bytes], *, end: str = "complete", count: int | None = None) -> list[bytes]:
    """Return lines with a seal whose digests are right for them, whatever they say."""
    body = b"".join(lines)
    seal = Seal(
        end=end,
        entries=len(lines) - 1 if count is None else count,
        crc32=f"{crc32(body):08x}",
        sha256=hashlib.sha256(body).hexdigest(),
    )
    return [*lines, object_line(seal)]


def with_crc(body: bytes) -> bytes:
    """Return a line with its checksum."""
    return body + b',"crc":"%08x"}\n' % true_crc(body + b',"crc":"00000000"}\n')


def read_all(content: bytes, *, torn: bool = False) -> list[Entry]:
    """Return all entries of a cassette that has these bytes."""
    with read(source_of(content), torn=torn) as cassette:
        return list(cassette.entries())


def test_a_whole_cassette_is_read() -> None:
    """Header, entries and seal are what was written."""
    with read(source_of(CONTENT)) as cassette:
        assert cassette.header == HEADER
        assert list(cassette.entries()) == list(ENTRIES)
        assert list(cassette.entries()) == list(ENTRIES)
        assert list(cassette.lines()) == LINES
        assert (cassette.state, cassette.entry_count, cassette.where) == ("sealed", 5, "tape")
        assert cassette.seal
        assert cassette.seal.runs == {"r1": "complete"}
        assert repr(cassette) == "<Cassette 'tape', sealed, 5 entries>"


def test_the_data_of_one_track() -> None:
    """The times are those since the start, so entries of other tracks count."""
    with read(source_of(CONTENT)) as cassette:
        assert list(cassette.data()) == [
            (1200, "r1", "event", ENTRIES[0].data),
            (2408, "r1", "event", ENTRIES[3].data),
            (3609, "r1", "event", ENTRIES[4].data),
        ]
        assert [owner for _, owner, _, _ in cassette.data("model")] == ["c1"]
        assert list(cassette.data("none")) == []


def test_a_cassette_without_entries_is_read() -> None:
    """A run may have no event at all."""
    assert read_all(b"".join(sealed_lines(()))) == []


def test_a_cut_at_every_byte_is_torn() -> None:
    """However much is missing at the end, it is never accepted, and what is whole is read on request."""
    ends = [sum(map(len, LINES[: count + 1])) for count in range(len(LINES))]
    for cut in range(len(CONTENT)):
        with pytest.raises(TornCassette, match=r"^tape"):
            read(source_of(CONTENT[:cut]))
        whole = sum(end <= cut for end in ends)
        if not whole:
            with pytest.raises(TornCassette):
                read(source_of(CONTENT[:cut]), torn=True)
            continue
        with read(source_of(CONTENT[:cut]), torn=True) as cassette:
            assert (cassette.state, cassette.seal) == ("torn", None)
            assert list(cassette.entries()) == list(ENTRIES[: whole - 1])
            assert list(cassette.lines()) == LINES[:whole]


def test_an_empty_file_is_torn() -> None:
    """The error says that nothing was recorded."""
    with pytest.raises(TornCassette, match="tape is empty: nothing was recorded"):
        read(source_of(b""), torn=True)


def test_every_flipped_bit_is_an_error() -> None:
    """Whatever bit of the file is another one, the cassette is refused, and only the last byte's look like a crash."""
    for bit in range(len(CONTENT) * 8):
        damaged = bytearray(CONTENT)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CassetteError) as caught:
            read(source_of(bytes(damaged)))
        assert isinstance(caught.value, TornCassette) == (bit // 8 == len(CONTENT) - 1)


def test_every_deleted_line_is_an_error() -> None:
    """A lost line is corrupt; a lost seal is torn."""
    for index in range(len(LINES)):
        with pytest.raises(TornCassette if index == len(LINES) - 1 else CorruptCassette):
            read(source_of(b"".join(LINES[:index] + LINES[index + 1 :])), torn=index < len(LINES) - 1)


def test_every_doubled_line_is_corrupt() -> None:
    """A line that stands there twice is never accepted."""
    for index in range(len(LINES)):
        with pytest.raises(CorruptCassette):
            read(source_of(b"".join(LINES[: index + 1] + LINES[index:])), torn=True)


def test_every_two_swapped_lines_are_corrupt() -> None:
    """Two lines in each other's place are found even though each is right by itself."""
    for one in range(len(LINES)):
        for other in range(one):
            swapped = list(LINES)
            swapped[one], swapped[other] = swapped[other], swapped[one]
            if swapped == LINES:
                continue
            with pytest.raises(CorruptCassette):
                read(source_of(b"".join(swapped)), torn=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            CONTENT.replace(b"iteration", b"iterations", 1),
            r"^tape:2: at byte 141: the checksum is \w{8}, should be \w{8}",
        ),
        (b"".join([*LINES[:2], b"{rubbish}\n", *LINES[2:]]), r"^tape:3: at byte 256: not JSON"),
        (b"".join([*LINES[:2], b"{}\n", *LINES[2:]]), r"^tape:3: at byte 256: .* does not end with its checksum"),
        (b"".join([*LINES[:2], *LINES[3:]]), "there are 4 entries before the seal, which says 5"),
        (b"".join([*LINES[:2], LINES[1], *LINES[2:]]), "there are 6 entries before the seal, which says 5"),
        (b"".join([LINES[0], LINES[2], LINES[1], *LINES[3:]]), "^tape:7: .*swapped"),
        (CONTENT + b"\n", "^tape:7: at byte .* more follows behind the seal"),
        (CONTENT + b"\0\0", "more follows behind the seal"),
        (b"\x7fELF\n\n", "^tape:1: at byte 0: not a cassette"),
        (b"\x7fELF", "^tape:1: at byte 0: not a cassette"),
        (b"".join(LINES[1:]), "^tape:1: at byte 0: not a cassette"),
    ],
)
def test_corruption_is_named(content: bytes, message: str) -> None:
    """The error names the line, the byte, what is wrong with it, and what to do."""
    with pytest.raises(CorruptCassette, match=message) as caught:
        read(source_of(content), torn=True)
    assert str(caught.value).endswith("copy what is intact: playhead repair tape")


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        (b"", "it ends without a seal"),
        (b"\0" * 5000, "only zero bytes, 5,000 of them"),
        (LINES[4][:30], "the line is unfinished after 30 bytes"),
        (LINES[4][:30] + b"\0" * 70, "the line is unfinished after 100 bytes"),
        (b"\xff\xfe rubbish", "the line is unfinished"),
        (LINES[-1][:-1], "the line is unfinished"),
    ],
)
def test_the_traces_of_a_crash_are_torn(tail: bytes, message: str) -> None:
    """Nothing, zeros, or an unfinished line after whole ones: the error says which, and the rest is readable."""
    content = b"".join(LINES[:4]) + tail
    with pytest.raises(TornCassette, match=f"^tape:5: at byte .*{message}.*playhead repair tape"):
        read(source_of(content))
    assert read_all(content, torn=True) == list(ENTRIES[:3])


def test_zero_bytes_alone_are_torn() -> None:
    """A file whose content never reached the disk says so."""
    with pytest.raises(TornCassette, match="only zero bytes"):
        read(source_of(b"\0" * 100), torn=True)


@pytest.mark.parametrize("first", [b'{"playhead":2,"other":1}\n', with_crc(b'{"playhead":2,"name":"n"')])
def test_a_newer_version_is_refused_by_name(first: bytes) -> None:
    """Whatever else a newer version changes, it is neither corrupt nor torn to us."""
    with pytest.raises(CassetteError, match=r"^tape:1: format version 2 is not known") as caught:
        read(source_of(first + b"anything"), torn=True)
    assert type(caught.value) is CassetteError


def test_a_first_line_that_is_no_header_is_corrupt() -> None:
    """A sealed file whose first line is whole and says too little is refused."""
    with pytest.raises(CorruptCassette, match=r"^tape:1: not a header: name"):
        read(source_of(b"".join(resealed([with_crc(b'{"playhead":1,"dialects":{}')]))))


def test_a_last_line_that_is_no_seal_is_corrupt() -> None:
    """A line that begins as a seal, with its checksum right, and says too little is refused."""
    with pytest.raises(CorruptCassette, match="the last line: not a seal: entries"):
        read(source_of(b"".join([*LINES[:-1], with_crc(b'{"end":"complete"')])))


def test_a_line_that_is_no_entry_is_corrupt_when_it_is_reached() -> None:
    """What a wrong writer sealed is found by who reads it, who learns the line."""
    lines = resealed([*LINES[:2], with_crc(b'{"dt":1,"track":"event","kind":"event","data":1'), *LINES[2:5]])
    ways: tuple[Callable[[Cassette], Iterator[object]], ...] = (
        Cassette.entries,
        Cassette.data,
        lambda cassette: cassette.payloads("event", "event"),
    )
    for way in ways:
        with read(source_of(b"".join(lines))) as cassette, pytest.raises(CorruptCassette, match=r"^tape:3: .*'run'"):
            list(way(cassette))


def test_data_that_is_too_deep_is_corrupt() -> None:
    """A hostile cassette whose digests are right does not reach the decoder."""
    deep = encode_entry(entry(data=b"[" * 10_000 + b"]" * 10_000))
    with (
        read(source_of(b"".join(resealed([LINES[0], deep])))) as cassette,
        pytest.raises(CorruptCassette, match=r"^tape:2: .*nested more than 190 levels"),
    ):
        list(cassette.data())


@pytest.mark.parametrize("count", [3, 7])
def test_a_wrong_number_of_entries_is_corrupt(count: int) -> None:
    """A seal that miscounts, all else being right, is found at the end of the iteration."""
    content = b"".join(resealed(LINES[:-1], count=count))
    for torn in (False, True):
        with pytest.raises(CorruptCassette, match=f"the seal says {count} entries"):
            read_all(content, torn=torn)


def test_a_wrong_sha_of_a_small_cassette_is_corrupt_at_once() -> None:
    """Whoever makes the CRC-32 right on purpose is found by the SHA-256."""
    seal = read(source_of(CONTENT)).seal
    assert seal
    forged = object_line(seal.model_copy(update={"sha256": "0" * 64}))
    with pytest.raises(CorruptCassette, match="not the SHA-256"):
        read(source_of(b"".join(LINES[:-1]) + forged), torn=True)


def test_a_wrong_crc_in_the_seal_is_corrupt() -> None:
    """A seal whose SHA-256 is right and whose CRC-32 is not contradicts itself."""
    seal = read(source_of(CONTENT)).seal
    assert seal
    forged = object_line(seal.model_copy(update={"crc32": "0" * 8}))
    with pytest.raises(CorruptCassette, match="swapped or replaced"):
        read(source_of(b"".join(LINES[:-1]) + forged))


def test_damage_to_a_large_cassette_is_found_when_it_is_opened() -> None:
    """The CRC-32 of the whole is compared before the first entry, however large the cassette is."""
    lines, seal = large()
    lines[200], lines[201] = lines[201], lines[200]
    with pytest.raises(CorruptCassette, match="swapped"):
        read(MemorySource("tape", [*lines, object_line(seal)]))


def large(count: int = 400) -> tuple[list[bytes], Seal]:
    """Return the lines of a cassette of more than 1 MiB, without its seal, and the seal."""
    lines = sealed_lines([entry(number, data=b'"' + b"x" * 5000 + b'"') for number in range(count)])
    return lines[:-1], read_seal(lines[-1])


def test_a_wrong_sha_of_a_large_cassette_is_found_by_verifying() -> None:
    """The SHA-256 of more than 1 MiB is compared on request only, because it takes longer than reading."""
    lines, seal = large()
    with read(MemorySource("tape", [*lines, object_line(seal)])) as cassette:
        cassette.verify()
    forged = object_line(seal.model_copy(update={"sha256": "0" * 64}))
    with read(MemorySource("tape", [*lines, forged])) as cassette:
        assert len(list(cassette.entries())) == 400
        with pytest.raises(CorruptCassette, match="not the SHA-256"):
            cassette.verify()


def test_verifying_looks_at_the_file_again(tmp_path: Path) -> None:
    """Damage that came after the cassette was opened is found and named."""
    lines, seal = large()
    path = tmp_path / "large.jsonl"
    path.write_bytes(b"".join([*lines, object_line(seal)]))
    with read(JsonlStore(tmp_path).open("large.jsonl")) as cassette:
        with path.open("r+b") as file:
            file.seek(len(b"".join(lines[:3])) + 100)
            file.write(b"y")
        with pytest.raises(CorruptCassette, match=r"large\.jsonl:4: .*checksum"):
            cassette.verify()


def test_a_torn_cassette_was_verified_when_it_was_opened() -> None:
    """There is no digest to compare, and every line was looked at."""
    with read(source_of(b"".join(LINES[:3])), torn=True) as cassette:
        cassette.verify()


def test_the_payloads_of_one_kind() -> None:
    """Data alone is given in order, of every owner or of one, whichever track or kind is between."""
    entries = [
        *ENTRIES,
        Entry(1, "event", "r2", "event", b"2"),
        Entry(1, "event", "r2", "checkpoint", b"3"),
        Entry(1, "event", "r1", "event", b"4"),
        Entry(12345, "event", "r1", "event", b"5"),
    ]
    of_both = [each.data for each in entries if (each.track, each.kind) == ("event", "event")]
    with read(source_of(b"".join(sealed_lines(entries)))) as cassette:
        assert list(cassette.payloads("event", "event")) == of_both
        assert list(cassette.payloads("event", "event", owner="r2")) == [b"2"]
        assert list(cassette.payloads("event", "checkpoint")) == [b"3"]
        assert list(cassette.payloads("wire", "event")) == []


def test_the_payloads_of_lines_that_are_laid_out_otherwise() -> None:
    """The lines of another writer give their data and nothing else, and do not disturb the lines behind them."""
    odd = (
        with_crc(b'{"dt": 1, "track": "event", "run": "r1", "kind": "event", "data": 7'),
        with_crc(b'{"kind":"event","data": 8 ,"dt": 5,"run":"r1","track":"event"'),
        with_crc(b'{"dt":1,"track":"event","run":"r1","kind":"event","later":1,"data":9'),
    )
    for one in odd:
        lines = resealed([LINES[0], LINES[1], one, LINES[2], one, LINES[1]])
        with read(source_of(b"".join(lines))) as cassette:
            expected = [data for *_, data in cassette.data("event")]
            assert list(cassette.payloads("event", "event")) == expected
            assert expected[1] == expected[2] != expected[0] == expected[3]
    with read(source_of(b"".join(resealed([LINES[0], b"{}\n"])))) as cassette, pytest.raises(CorruptCassette):
        list(cassette.payloads("event", "event"))


def test_an_iterator_may_be_left() -> None:
    """Who stops in the middle of a large cassette leaves no thread and no error behind."""
    store = MemoryStore()
    writer = CassetteWriter(store.create("tape"), HEADER)
    append_all(writer, [entry(data=b'"' + b"x" * 500_000 + b'"')] * 4)
    writer.seal("complete")
    with read(store.open("tape")) as cassette:
        for _ in cassette.data():
            break
        assert len(list(cassette.entries())) == 4


@given(st.binary(max_size=200), st.integers(0, len(CONTENT)), st.booleans())
def test_arbitrary_bytes_are_never_accepted(rubbish: bytes, at: int, torn: bool) -> None:
    """Rubbish alone, or anywhere in a cassette, is an error of ours or gives a prefix of the truth."""
    for content in (rubbish, CONTENT[:at] + rubbish, CONTENT[:at] + rubbish + CONTENT[at:]):
        if content == CONTENT:
            continue
        try:
            entries = read_all(content, torn=torn)
        except CassetteError:
            continue
        assert torn
        assert entries == list(ENTRIES[: len(entries)])


def test_a_source_is_closed_when_it_is_refused(tmp_path: Path) -> None:
    """A cassette that cannot be read leaves no open file."""
    (tmp_path / "x.jsonl").write_bytes(CONTENT[:100])
    source = JsonlStore(tmp_path).open("x.jsonl")
    with pytest.raises(TornCassette):
        read(source)
    with pytest.raises(UsageError, match="was closed"):
        next(source.lines())


READ_BOUNDED = """
import sys, resource, tracemalloc
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.reading import read
from playhead.errors import CassetteError
tracemalloc.start()
try:
    with read(JsonlStore(".").open(sys.argv[1]), torn=True) as cassette:
        for _ in cassette.entries():
            pass
except CassetteError as error:
    print(type(error).__name__, error)
print(tracemalloc.get_traced_memory()[1] // 2**20)
"""


@pytest.mark.parametrize(
    ("head", "line_bytes", "message", "max_mib"),
    [
        (b"", 100_000_000, "CorruptCassette hostile.jsonl:1: the line at byte 0 is longer than", 140),
        (LINES[0], 100_000_000, "CorruptCassette hostile.jsonl:2: the line at byte", 140),
        (b'{"playhead":1,"x":"', 60_000_000, "CorruptCassette hostile.jsonl:1: at byte 0: ", 260),
    ],
)
def test_huge_lines_are_refused_in_bounded_memory(
    tmp_path: Path, head: bytes, line_bytes: int, message: str, max_mib: int
) -> None:
    """A file of one endless line is an error that names it, and takes no more memory than two lines may."""
    with (tmp_path / "hostile.jsonl").open("wb") as file:
        file.write(head)
        for _ in range(line_bytes // 1_000_000):
            file.write(b"[" * 1_000_000)
        file.write(b"\n")
    found = subprocess.run(
        [sys.executable, "-c", READ_BOUNDED, "hostile.jsonl"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith(message)
    assert int(found.stdout.splitlines()[-1]) < max_mib


def test_a_large_cassette_is_read_in_constant_memory(tmp_path: Path) -> None:
    """Twenty megabytes of entries take little more memory than a few blocks of reading."""
    writer = CassetteWriter(JsonlStore(tmp_path).create("large.jsonl"), HEADER)
    append_all(writer, [entry(data=b'"' + b"x" * 1000 + b'"')] * 20_000)
    writer.seal("complete")
    found = subprocess.run(
        [sys.executable, "-c", READ_BOUNDED, "large.jsonl"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert int(found.stdout) < 8

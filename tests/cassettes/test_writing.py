"""Writing a cassette: what is sealed is whole, and a writer that failed stays failed."""

from collections.abc import Callable
from hashlib import sha256
from zlib import crc32

import pytest

from playhead.cassettes.digest import BLOCK_BYTES
from playhead.cassettes.format import MAX_DEPTH, Failure, entry_line, entry_prefix, object_line, read_seal
from playhead.cassettes.memory import MemorySink, MemoryStore
from playhead.cassettes.reading import read
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import CassetteError, UsageError
from tests.cassettes.tapes import ENTRIES, HEADER, append_all, sealed_lines

PREFIX = entry_prefix("event", "r1", "event")


class FailingSink(MemorySink):
    """Keep lines in memory until the n-th write, which raises."""

    def __init__(self, fails_at: int, error: BaseException) -> None:
        super().__init__("tape", "tape", {})
        self.left = fails_at
        self.error = error

    def append(self, line: bytes) -> None:
        """Add a line, or fail."""
        if self.left == 0:
            raise self.error
        self.left -= 1
        super().append(line)


def test_a_header_is_written_at_once() -> None:
    """A recording that dies before its first entry is recognised as one."""
    store = MemoryStore()
    CassetteWriter(store.create("tape"), HEADER)
    assert list(store.open("tape.partial").lines()) == [object_line(HEADER)]


def test_a_seal_says_what_was_written() -> None:
    """It has the number of entries, how each run ended, hits of rules, and what else it was given."""
    store = MemoryStore()
    writer = CassetteWriter(store.create("tape"), HEADER)
    append_all(writer, ENTRIES)
    failure = Failure(type="ValueError", message="no")
    seal = writer.seal(
        "error", runs={"r1": "error"}, errors={"r1": failure}, redacted={"openai-key": 2}, extra={"x": [1]}
    )
    assert (seal.end, seal.entries, seal.runs, seal.redacted) == ("error", 5, {"r1": "error"}, {"openai-key": 2})
    assert seal.errors == {"r1": failure}
    assert read_seal(store.open("tape").last_line()) == seal
    assert b'"x":[1]' in store.open("tape").last_line()


@pytest.mark.parametrize(("end", "run_end"), [("finished", "complete"), ("complete", "finished")])
def test_ends_are_of_the_table(end: str, run_end: str) -> None:
    """A run cannot end in a way that readers do not know, and the writer can still be sealed rightly."""
    writer = CassetteWriter(MemoryStore().create("tape"), HEADER)
    with pytest.raises(UsageError, match="does not end as 'finished'"):
        writer.seal(end, runs={"r1": run_end})
    assert writer.seal("complete").entries == 0


@pytest.mark.parametrize("length", [1, 70_000, BLOCK_BYTES])
def test_the_digests_of_a_seal_cover_every_line(length: int) -> None:
    """It makes no difference how many lines are digested at a time, nor whether they were made here or read."""
    store = MemoryStore()
    writer = CassetteWriter(store.create("tape"), HEADER)
    for number in range(8):
        writer.append(number, PREFIX, b'"%b"' % (b"x" * length))
        writer.append_line(entry_line(0, PREFIX, b"%d" % number))
    seal = writer.seal("complete")
    *lines, _ = store.open("tape").lines()
    assert len(lines) == 17
    assert seal.sha256 == sha256(b"".join(lines)).hexdigest()
    assert seal.crc32 == f"{crc32(b''.join(lines)):08x}"


@pytest.mark.parametrize(
    "data",
    [b'{"a":\n1}', b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), b"9" * 4001],
    ids=["newline", "deep", "long"],
)
def test_data_that_no_reader_would_take_is_not_written(data: bytes) -> None:
    """The entry is refused, and the recording goes on without it."""
    store = MemoryStore()
    writer = CassetteWriter(store.create("tape"), HEADER)
    with pytest.raises(UsageError):
        writer.append(1, PREFIX, data)
    append_all(writer, ENTRIES)
    assert writer.seal("complete").entries == len(ENTRIES)
    with read(store.open("tape")) as cassette:
        assert list(cassette.entries()) == list(ENTRIES)


def test_time_does_not_go_back() -> None:
    """An entry before the last one is refused, and the next one counts from the last that was written."""
    store = MemoryStore()
    writer = CassetteWriter(store.create("tape"), HEADER)
    writer.append(500, PREFIX, b"{}")
    with pytest.raises(UsageError, match="an entry at 499 µs cannot follow one at 500 µs"):
        writer.append(499, PREFIX, b"{}")
    writer.append(500, PREFIX, b"{}")
    writer.seal("complete")
    with read(store.open("tape")) as cassette:
        assert [each.dt_us for each in cassette.entries()] == [500, 0]


@pytest.mark.parametrize("error", [CassetteError("disk full"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("fails_at", [1, 3])
def test_a_writer_that_failed_stays_failed(fails_at: int, error: BaseException) -> None:
    """After a failure or an interrupt in a write nothing is written or sealed, so that there is no hole."""
    sink = FailingSink(fails_at, error)
    writer = CassetteWriter(sink, HEADER)
    with pytest.raises(type(error)):
        append_all(writer, ENTRIES)
    sink.left = 100
    again: tuple[Callable[[], object], ...] = (
        lambda: writer.append(writer.at_us, PREFIX, b"{}"),
        lambda: writer.append_line(b"{}\n"),
        lambda: writer.seal("complete"),
        lambda: writer.commit(b"{}\n"),
    )
    for call in again:
        with pytest.raises(CassetteError, match=f"an earlier write failed \\(.*{error}"):
            call()
    assert writer.entries == fails_at - 1
    assert writer.discard(keep_as=".rejected") == "tape.rejected"


def test_a_header_that_cannot_be_written_is_an_error_at_once() -> None:
    """A writer is not made where the first write fails."""
    with pytest.raises(CassetteError, match="disk full"):
        CassetteWriter(FailingSink(0, CassetteError("disk full")), HEADER)


def test_a_sealed_or_discarded_writer_takes_nothing_more() -> None:
    """The error says why."""
    store = MemoryStore()
    writer = CassetteWriter(store.create("tape"), HEADER)
    writer.seal("complete")
    with pytest.raises(CassetteError, match="nothing more can be written: it is sealed"):
        writer.append(1, PREFIX, b"{}")
    assert writer.discard() is None
    assert store.names() == ["tape"]
    writer = CassetteWriter(store.create("tape"), HEADER)
    writer.discard()
    with pytest.raises(CassetteError, match="it was discarded"):
        writer.seal("complete")


def test_lines_are_copied_as_they_are() -> None:
    """A cassette made of the lines of another one is the same, byte for byte."""
    store = MemoryStore()
    header, *entries, seal = sealed_lines()
    writer = CassetteWriter.from_line(store.create("tape"), header, HEADER)
    for line in entries:
        writer.append_line(line)
    writer.commit(seal)
    assert list(store.open("tape").lines()) == sealed_lines()
    assert writer.where == ":memory:::tape"

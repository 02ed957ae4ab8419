"""The lines of a cassette: each says what it says, exactly, and damage to it shows."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.cassettes.format import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_END_BYTES,
    MAX_LINE_BYTES,
    SURELY_FINE_BYTES,
    Entry,
    Failure,
    Header,
    Seal,
    check_limits,
    encode_entry,
    entry_line,
    entry_prefix,
    is_intact,
    is_seal,
    line_crc,
    named_version,
    nesting,
    object_line,
    read_data,
    read_entry,
    read_header,
    read_seal,
    true_crc,
)
from playhead.errors import CassetteError, CorruptCassette, UsageError
from tests.cassettes.strategies import ANY_ENTRIES, VALUES
from tests.cassettes.tapes import ENTRIES, HEADER

SEAL = Seal(end="complete", entries=3, crc32="0" * 8, sha256="0" * 64)


def with_crc(body: bytes) -> bytes:
    """Return a line with its checksum, as another writer of the format would make it."""
    line = body + b',"crc":"00000000"}\n'
    return body + b',"crc":"%08x"}\n' % true_crc(line)


def test_the_layout_of_an_entry() -> None:
    """A line has time, labels, data and checksum, in this order, and nothing else."""
    line = entry_line(1204, entry_prefix("event", "r1", "event"), b'{"a":1}')
    assert line == b'{"dt":1204,"track":"event","run":"r1","kind":"event","data":{"a":1},"crc":"726ac569"}\n'


def test_an_entry_of_the_model_track_belongs_to_a_call() -> None:
    """The owner of an entry is called by what it is."""
    assert b'"call":"c2"' in encode_entry(Entry(1, "model", "c2", "chunk", b"{}"))


@given(ANY_ENTRIES)
def test_what_is_written_is_read(entries: list[Entry]) -> None:
    """Any entry comes back from its line, both ways of reading, as strict JSON in one line."""
    for entry in entries:
        line = encode_entry(entry)
        assert read_entry(line) == entry
        assert read_data(line) == (entry.dt_us, (entry.track, entry.owner, entry.kind), entry.data)
        assert line.index(b"\n") == len(line) - 1
        json.loads(line, parse_constant=pytest.fail)
        assert is_intact(line)


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_flipped_bit_shows(entry: Entry) -> None:
    """No line with a flipped bit is intact."""
    line = encode_entry(entry)
    for bit in range(len(line) * 8):
        damaged = bytearray(line)
        damaged[bit // 8] ^= 1 << bit % 8
        assert not is_intact(bytes(damaged)), damaged


def test_the_checksum_is_compared_exactly() -> None:
    """Capitals are not the digits that the writer wrote."""
    line = with_crc(b'{"dt":1')
    assert is_intact(line)
    assert not is_intact(line.replace(line[-11:-3], line[-11:-3].upper())) or line[-11:-3].isdigit()
    assert line_crc(b'{"dt":1}\n') is None


@given(st.dictionaries(st.sampled_from(["x", "later", "ü"]), VALUES, max_size=3))
def test_unknown_keys_of_an_entry_survive(extra: dict[str, Any]) -> None:
    """Keys of a newer minor version come back from a line that is written again."""
    entry = Entry(5, "event", "r1", "event", b"{}", extra)
    assert read_entry(encode_entry(entry)) == entry


def test_an_unknown_key_that_json_cannot_carry_is_refused() -> None:
    """An infinity is not written, because no reader would take the line."""
    with pytest.raises(UsageError, match="unknown keys"):
        encode_entry(Entry(5, "event", "r1", "event", b"{}", {"x": float("inf")}))


def test_unknown_keys_of_header_and_seal_survive() -> None:
    """Keys of a newer minor version come back from a line that is written again."""
    header = read_header(with_crc(b'{"playhead":1,"name":"n","dialects":{},"later":[1]'))
    assert read_header(object_line(header)) == header
    assert b'"later":[1]' in object_line(header)
    seal = Seal.model_validate({**SEAL.model_dump(), "later": {"a": 1}})
    assert read_seal(object_line(seal)) == seal
    assert b'"later":{"a":1}' in object_line(seal)


def test_a_header_says_what_it_was_given() -> None:
    """A header comes back from its line, and the line begins with the version."""
    assert object_line(HEADER).startswith(b'{"playhead":1,"name":')
    assert read_header(object_line(HEADER)) == HEADER


def test_a_seal_says_what_it_was_given() -> None:
    """A seal comes back from its line, and looks like one."""
    seal = Seal.model_validate({**SEAL.model_dump(), "errors": {"r1": Failure(type="E", message="caf\u00e9 \x1b")}})
    assert read_seal(object_line(seal)) == seal
    assert is_seal(object_line(seal))
    assert not is_seal(object_line(HEADER))


@pytest.mark.parametrize("version", [0, 2, 30])
def test_another_version_is_refused_by_name(version: int) -> None:
    """A newer cassette is neither corrupt nor missing: the error names its version."""
    line = with_crc(b'{"playhead":%d,"name":"n","dialects":{}' % version)
    with pytest.raises(CassetteError, match=f"version {version} is not known") as caught:
        read_header(line)
    assert type(caught.value) is CassetteError
    assert named_version(line) == version


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]\n",
        b"nonsense\n",
        b'{"name":"n"}\n',
        b'{"playhead":true,"name":"n","dialects":{}}\n',
        b'{"playhead":1,"name":7,"dialects":{}}\n',
        b'{"playhead":1,"name":"n","name":"m","dialects":{}}\n',
        b'{"playhead":1,"name":"n","dialects":{},"x":NaN}\n',
        b'{"playhead":1,"name":"\xed\xa0\x80","dialects":{}}\n',
        b'{"playhead":1,"name":"n","dialects":{},"x":' + b"[" * 100_000 + b"\n",
        b'{"playhead":1,"name":"' + b"n" * MAX_END_BYTES + b'","dialects":{}}\n',
    ],
)
def test_what_is_no_header_is_refused(line: bytes) -> None:
    """Rubbish, wrong types, doubled keys, NaN and depth are all corrupt, and nothing else is raised."""
    with pytest.raises(CorruptCassette):
        read_header(line)


@pytest.mark.parametrize("change", [{"entries": "3"}, {"crc32": "0"}, {"sha256": "0" * 63}, {"end": None}])
def test_what_is_no_seal_is_refused(change: dict[str, Any]) -> None:
    """A seal of wrong types is corrupt, and the error names the key."""
    line = json.dumps({**SEAL.model_dump(), **change}).encode()
    with pytest.raises(CorruptCassette, match=f"not a seal: {next(iter(change))}"):
        read_seal(line)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"dt":1,"track":"event","run":"r1","kind":"event"', "'data'"),
        (b'{"dt":1,"track":"model","run":"r1","kind":"chunk","data":1', "'call'"),
        (b'{"dt":1,"track":"tape","run":"r1","kind":"event","data":1', "track 'tape'"),
        (b'{"dt":true,"track":"event","run":"r1","kind":"event","data":1', "dt True"),
        (b'{"dt":%b,"track":"event","run":"r1","kind":"event","data":1' % (b"9" * 5000), "not JSON"),
        (b'{"dt":1,"track":"event","run":"r1","kind":"event","data":%b' % (b"[" * 10_000 + b"]" * 10_000), "nested"),
        (b'{"dt":1, "track":"event","run":"r1","kind":"event","data":%b' % (b"[" * 300 + b"]" * 300), "nested"),
        (b'{"dt":1,"dt":2,"track":"event","run":"r1","kind":"event","data":1', "twice"),
    ],
)
def test_what_is_no_entry_is_refused(line: bytes, message: str) -> None:
    """A line that is intact and yet no entry is corrupt, by both ways of reading, and the error says why."""
    for way in (read_entry, read_data):
        with pytest.raises(CorruptCassette, match=message):
            way(with_crc(line))


@given(st.binary(max_size=60))
@example(b'{"dt":1,"track":"event","run":"r1","kind":"event","data":')
@example(b'{"dt":\xb2,"track":"event","run":"r1","kind":"event","data":{},"crc":"00000000"}\n')
def test_arbitrary_bytes_are_an_entry_or_corrupt(line: bytes) -> None:
    """Whatever a line is, reading it raises nothing but `CorruptCassette`."""
    for way in (read_entry, read_data, read_header, read_seal):
        try:
            way(line)
        except CorruptCassette:
            continue
        assert line.strip().startswith(b"{")


def test_the_text_of_odd_data_is_kept() -> None:
    """A line that is laid out in another way keeps the spelling of its data."""
    data = b'{ "a": 1.0e5, "b": "\\ud800" }'
    line = with_crc(b'{"kind":"event","data": %b ,"dt": 5,"run":"r1","track":"event"' % data)
    assert read_entry(line) == Entry(5, "event", "r1", "event", data)


@pytest.mark.parametrize(
    ("track", "owner", "kind"),
    [("tape", "r1", "event"), ("event", "", "event"), ("event", 'r"1', "event"), ("event", "r1", "a b")],
)
def test_labels_that_would_break_the_line_are_refused(track: str, owner: str, kind: str) -> None:
    """A label cannot bring quotes or blanks into a line."""
    with pytest.raises(UsageError, match="an entry of track"):
        entry_prefix(track, owner, kind)


def test_a_name_that_json_cannot_carry_is_refused() -> None:
    """A lone surrogate cannot be written, and the error says so instead of pydantic's own."""
    header = HEADER.model_copy(update={"name": "\ud800"})
    with pytest.raises(UsageError, match="the header cannot be written as JSON"):
        object_line(header)


def test_a_header_that_no_reader_takes_is_refused() -> None:
    """What is too long to be read is not written."""
    with pytest.raises(UsageError, match="too long"):
        object_line(Header(name="n" * MAX_END_BYTES, dialects={}))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'"' + b"x" * MAX_LINE_BYTES + b'"', "too long"),
        (b"9" * (MAX_DIGITS + 1), "digits"),
        (b'["' + b"1" * 5000 + b'",' + b"9" * (MAX_DIGITS + 1) + b"]", "digits"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "191 levels"),
        (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "191 levels"),
    ],
)
def test_data_beyond_the_limits_is_refused(data: bytes, message: str) -> None:
    """What no reader would take is refused when it is written."""
    with pytest.raises(UsageError, match=message):
        check_limits(data)


@pytest.mark.parametrize(
    "data",
    [
        b"9" * MAX_DIGITS,
        b'"' + b"9" * 100_000 + b'"',
        b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
        b'"' + b"[{" * 1000 + b'\\"' + b"[" * 1000 + b'"',
        b"[" + b"{},[]," * 5000 + b"0]",
    ],
)
def test_data_at_the_limits_is_taken(data: bytes) -> None:
    """The limits themselves are allowed, and what is within a string does not count."""
    check_limits(data)


@given(VALUES)
def test_depth_is_counted_as_json_nests(value: object) -> None:
    """The depth of any value is that of its lists and objects, whatever its strings say."""

    def depth(inner: object) -> int:
        items = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else None
        return 0 if items is None else 1 + max(map(depth, items), default=0)

    padded = [value, "[{]" * SURELY_FINE_BYTES, *[[]] * MAX_DEPTH]
    assert nesting(json.dumps(padded).encode()) == depth(padded)


def test_depth_of_endless_strings_takes_linear_time() -> None:
    """Megabytes of quotes and backslashes, which are no JSON, are looked at once and not once for each quote."""
    assert nesting(b'\\"' * 1_000_000 + b"[" * 400) == 0
    assert nesting(b"[" * 1_000_000) == 1_000_000


@pytest.mark.parametrize("line", [b"", b"\x7fELF", b'{"name":1}', b'{"playhead":"1"}', b'{"playhead":1234567890}'])
def test_rubbish_names_no_version(line: bytes) -> None:
    """Only a first line that begins as a cassette names a version."""
    assert named_version(line) is None

"""What every store does alike."""

from pathlib import Path

import pytest
from hypothesis import given, settings

from playhead.cassettes.format import MAX_LINE_BYTES, Entry
from playhead.cassettes.memory import MemoryStore
from playhead.cassettes.reading import read
from playhead.cassettes.store import REJECTED, Store
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import CassetteError, MissingCassette
from tests.cassettes.strategies import ANY_ENTRIES
from tests.cassettes.tapes import (
    ENTRIES,
    HEADER,
    STORES,
    append_all,
    entry,
    record,
    sealed_lines,
    store_of,
)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return an empty store of each kind."""
    return store_of(str(request.param), tmp_path)


def lines(store: Store, name: str) -> list[bytes]:
    """Return what a store has under a name."""
    with store.open(name) as source:
        return list(source.lines())


@given(ANY_ENTRIES)
@settings(max_examples=25)
def test_any_entries_come_back_the_same_from_every_store(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry]
) -> None:
    """What is written to each store is read back equal, and all stores hold the same lines."""
    expected = sealed_lines(entries)
    folder = tmp_path_factory.mktemp("stores")
    for store in (store_of(kind, folder) for kind in STORES):
        record(store, "tape.jsonl", entries)
        assert lines(store, "tape.jsonl") == expected
        with read(store.open("tape.jsonl")) as cassette:
            assert list(cassette.entries()) == entries


def test_a_source_gives_the_same_bytes_in_every_way(store: Store) -> None:
    """Lines, blocks, size and last line agree."""
    record(store, "tape.jsonl")
    with store.open("tape.jsonl") as source:
        content = b"".join(source.lines())
        assert content == b"".join(sealed_lines())
        assert b"".join(source.blocks()) == content
        assert source.size() == len(content)
        assert source.last_line() == sealed_lines()[-1]
        assert source.where == store.place("tape.jsonl")


def test_iterators_are_independent(store: Store) -> None:
    """Two iterators over one source do not disturb each other."""
    record(store, "tape.jsonl", [entry(number) for number in range(10)])
    with store.open("tape.jsonl") as source:
        pairs = list(zip(source.lines(), source.lines(), strict=True))
    assert len(pairs) == 12
    assert all(one == other for one, other in pairs)


def test_a_cassette_that_is_not_sealed_has_not_its_name(store: Store) -> None:
    """Until the seal, a recording is found only as `NAME.partial`, and holds what was appended so far."""
    writer = CassetteWriter(store.create("tape.jsonl"), HEADER)
    append_all(writer, ENTRIES[:2])
    assert store.names() == []
    with pytest.raises(MissingCassette, match=r"tape\.jsonl"):
        store.open("tape.jsonl")
    assert lines(store, "tape.jsonl.partial") == sealed_lines()[:3]
    with store.open("tape.jsonl.partial") as source:
        assert source.last_line() == sealed_lines()[2]
        assert source.size() == len(b"".join(sealed_lines()[:3]))
    writer.discard()


def test_the_old_cassette_stays_until_the_new_one_is_sealed(store: Store) -> None:
    """Recording again replaces the cassette with the seal and not before, also for who has it open."""
    record(store, "tape.jsonl")
    old = store.open("tape.jsonl")
    writer = CassetteWriter(store.create("tape.jsonl"), HEADER)
    append_all(writer, ENTRIES[:1])
    assert lines(store, "tape.jsonl") == sealed_lines()
    writer.seal("complete", runs={"r1": "complete"})
    assert lines(store, "tape.jsonl") == sealed_lines(ENTRIES[:1])
    assert list(old.lines()) == sealed_lines()
    old.close()
    assert store.names() == ["tape.jsonl"]


def test_a_discarded_recording_leaves_nothing(store: Store) -> None:
    """Discarding drops what was recorded and leaves the old cassette; doing it twice does nothing."""
    record(store, "tape.jsonl")
    writer = CassetteWriter(store.create("tape.jsonl"), HEADER)
    assert writer.discard() is None
    assert writer.discard() is None
    assert lines(store, "tape.jsonl") == sealed_lines()
    with pytest.raises(MissingCassette):
        store.open("tape.jsonl.partial")


def test_a_rejected_recording_is_left_beside_the_cassette(store: Store) -> None:
    """What a failing test recorded is kept under a suffix, over what the last failure left, and not listed."""
    for entries in (ENTRIES, ENTRIES[:1]):
        writer = CassetteWriter(store.create("tape.jsonl"), HEADER)
        append_all(writer, entries)
        assert writer.discard(keep_as=REJECTED) == store.place("tape.jsonl.rejected")
    assert lines(store, "tape.jsonl.rejected") == sealed_lines()[:2]
    assert store.names() == []
    store.delete("tape.jsonl.rejected")
    with pytest.raises(MissingCassette):
        store.open("tape.jsonl.rejected")


def test_an_existing_cassette_is_not_replaced_against_ones_will(store: Store) -> None:
    """A seal that must not replace leaves both the cassette and the recording."""
    record(store, "tape.jsonl")
    sink = store.create("tape.jsonl")
    sink.append(b"{}\n")
    with pytest.raises(CassetteError, match="exists already"):
        sink.commit(b"{}\n", replace=False)
    assert lines(store, "tape.jsonl") == sealed_lines()
    assert lines(store, "tape.jsonl.partial") == [b"{}\n"]
    sink.discard()


def test_a_sink_ends_with_its_seal(store: Store) -> None:
    """After the seal nothing can be added, and discarding does nothing."""
    sink = store.create("tape.jsonl")
    sink.append(b"{}\n")
    sink.commit(b"{}\n")
    with pytest.raises(CassetteError, match=r"tape\.jsonl"):
        sink.append(b"{}\n")
    with pytest.raises(CassetteError, match=r"tape\.jsonl"):
        sink.commit(b"{}\n")
    assert sink.discard() is None
    assert lines(store, "tape.jsonl") == [b"{}\n", b"{}\n"]


def test_names_are_listed_in_order_and_deleted(store: Store) -> None:
    """The names of sealed cassettes are sorted, and gone after they are deleted."""
    for name in ("b.jsonl", "a.jsonl", "c/d.jsonl"):
        record(store, name)
    assert store.names() == ["a.jsonl", "b.jsonl", "c/d.jsonl"]
    store.delete("b.jsonl")
    assert store.names() == ["a.jsonl", "c/d.jsonl"]
    with pytest.raises(MissingCassette, match=r"b\.jsonl"):
        store.delete("b.jsonl")


def test_a_missing_cassette_says_which_one_comes_near(store: Store) -> None:
    """The error names the place and the nearest name that there is."""
    record(store, "paris.jsonl")
    with pytest.raises(MissingCassette, match=r"pariss\.jsonl.*did you mean 'paris\.jsonl'\?"):
        store.open("pariss.jsonl")


def test_text_that_databases_dislike_is_kept(store: Store) -> None:
    """Blanks, carriage returns, escaped NUL, and characters beyond the basic plane survive in every store."""
    line = '{ "a":\r"\\u0000\x7f\u2028\U0001f600\u0085" }\n'.encode()
    sink = store.create("tape.jsonl")
    for _ in range(3):
        sink.append(line)
    sink.commit(line)
    assert lines(store, "tape.jsonl") == [line] * 4


def test_a_long_line_is_kept(store: Store) -> None:
    """A line at the limit of 64 MiB is written and read."""
    line = b'"' + b"x" * (MAX_LINE_BYTES - 3) + b'"\n'
    sink = store.create("tape.jsonl")
    sink.append(b"{}\n")
    sink.append(line)
    sink.commit(b"{}\n")
    assert [len(each) for each in lines(store, "tape.jsonl")] == [3, len(line), 3]


def test_a_store_says_what_it_is() -> None:
    """Its representation is short and names its place."""
    assert [repr(store_of(kind, Path("x"))) for kind in STORES] == [
        "JsonlStore('x')",
        "SqliteStore('x/runs.db')",
        "MemoryStore()",
    ]
    assert [store_of(kind, Path("x")).place("") for kind in STORES] == ["x", "x/runs.db", ":memory:"]
    assert MemoryStore().place("tape") == ":memory:::tape"

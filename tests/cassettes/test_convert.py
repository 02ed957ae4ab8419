"""From one store to another and back: the same bytes, or an error and nothing changed."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings

from playhead.cassettes.format import Entry, object_line
from playhead.cassettes.places import Place, convert, copy_prefix
from playhead.cassettes.reading import read
from playhead.errors import CassetteError, CorruptCassette, MissingCassette, TornCassette, UsageError
from tests.cassettes.strategies import ANY_ENTRIES
from tests.cassettes.tapes import ENTRIES, HEADER, STORES, record, sealed_lines, store_of

LINES = sealed_lines()


def places(folder: Path, *, name: str = "tape.jsonl") -> dict[str, Place]:
    """Return a place in a fresh store of each kind."""
    return {kind: Place(store_of(kind, folder), name) for kind in STORES}


def lines(place: Place) -> list[bytes]:
    """Return what is at a place."""
    with place.open() as source:
        return list(source.lines())


def put(place: Place, content: list[bytes]) -> None:
    """Put any lines at a place, right or wrong."""
    sink = place.create()
    for line in content[:-1]:
        sink.append(line)
    sink.commit(content[-1])


@pytest.mark.parametrize("chain", list(itertools.permutations(STORES)))
def test_a_chain_of_conversions_changes_nothing(tmp_path: Path, chain: tuple[str, ...]) -> None:
    """Through every store and back to the first, a cassette is the same byte for byte."""
    stops = [places(tmp_path)[kind] for kind in chain]
    record(stops[0].store, "tape.jsonl")
    for source, target in itertools.pairwise(stops):
        seal = convert(source, target)
        assert lines(target) == LINES
        assert object_line(seal) == LINES[-1]
    convert(stops[-1], Place(stops[0].store, "back.jsonl"))
    assert lines(Place(stops[0].store, "back.jsonl")) == LINES


@given(ANY_ENTRIES)
@settings(max_examples=15)
def test_any_cassette_is_converted_without_loss(tmp_path_factory: pytest.TempPathFactory, entries: list[Entry]) -> None:
    """Whatever the entries hold, file, database and memory have the same lines."""
    stops = places(tmp_path_factory.mktemp("convert"))
    record(stops["memory"].store, "tape.jsonl", entries)
    convert(stops["memory"], stops["sqlite"])
    convert(stops["sqlite"], stops["jsonl"])
    assert lines(stops["jsonl"]) == sealed_lines(entries)


@pytest.mark.parametrize("kind", STORES)
def test_nothing_is_overwritten_unless_asked(tmp_path: Path, kind: str) -> None:
    """A cassette in the way stays, and no half of another is left; on request it is replaced."""
    source, target = places(tmp_path / "a")["jsonl"], places(tmp_path / "b")[kind]
    record(source.store, "tape.jsonl")
    record(target.store, "tape.jsonl", ENTRIES[:1])
    with pytest.raises(CassetteError, match="exists already"):
        convert(source, target)
    assert lines(target) == sealed_lines(ENTRIES[:1])
    with pytest.raises(MissingCassette):
        target.store.open("tape.jsonl.partial")
    convert(source, target, replace=True)
    assert lines(target) == LINES


@pytest.mark.parametrize(("content", "error"), [(LINES[:3], TornCassette), ([*LINES[:2], *LINES[3:]], CorruptCassette)])
def test_what_is_damaged_is_not_converted(tmp_path: Path, content: list[bytes], error: type[Exception]) -> None:
    """A torn or corrupt cassette is refused, and nothing is made."""
    stops = places(tmp_path)
    put(stops["memory"], content)
    with pytest.raises(error):
        convert(stops["memory"], stops["jsonl"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize(
    ("content", "kept", "reason"),
    [
        (LINES[:4], 3, "without a seal"),
        ([*LINES[:3], LINES[3][:20] + b"\n", *LINES[4:]], 2, ":4: "),
        ([*LINES[:2], *LINES[3:]], 4, "lost or doubled"),
        ([LINES[0], LINES[2], LINES[1], *LINES[3:]], 5, "swapped"),
        ([LINES[0], b"{bad}\n"], 0, ":2: "),
    ],
)
def test_the_intact_beginning_is_copied(
    tmp_path: Path, kind: str, content: list[bytes], kept: int, reason: str
) -> None:
    """The copy is sealed, holds the entries before the damage, and says what was lost; the source stays."""
    source, target = places(tmp_path / "a")[kind], places(tmp_path / "b")["jsonl"]
    put(source, content)
    found = copy_prefix(source, target)
    assert lines(source) == content
    assert lines(target)[: kept + 1] == content[: kept + 1]
    lost_bytes = sum(map(len, content[kept + 1 :]))
    assert (found.kept, found.lost_bytes) == (kept, lost_bytes)
    assert reason in found.reason
    with read(target.open()) as cassette:
        assert cassette.header == HEADER
        assert cassette.seal == found.seal
        assert cassette.entry_count == kept
        assert found.seal.end == "unknown"
        assert set(found.seal.runs.values()) <= {"unknown"}
        assert found.seal.model_extra == {"repaired": {"kept": kept, "lost_bytes": lost_bytes}}


def test_what_is_whole_is_not_repaired(tmp_path: Path) -> None:
    """A copy of a whole cassette would lose its end: this is a mistake of the caller."""
    stops = places(tmp_path)
    record(stops["memory"].store, "tape.jsonl")
    with pytest.raises(UsageError, match="is whole, with 5 entries"):
        copy_prefix(stops["memory"], stops["jsonl"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [[b"rubbish\n"], [LINES[1]], [LINES[0][:30]]])
def test_what_has_no_header_is_not_repaired(tmp_path: Path, content: list[bytes]) -> None:
    """Without a header there is nothing to keep: the error of the source is raised."""
    stops = places(tmp_path)
    put(stops["memory"], content)
    with pytest.raises(CassetteError, match=r"tape\.jsonl:1: at byte 0"):
        copy_prefix(stops["memory"], stops["jsonl"])
    assert list(tmp_path.iterdir()) == []


def test_a_repaired_copy_does_not_replace_unless_asked(tmp_path: Path) -> None:
    """A file in the way stays; on request, also the damaged one itself is replaced."""
    place = places(tmp_path)["jsonl"]
    put(place, LINES[:3])
    with pytest.raises(CassetteError, match="exists already"):
        copy_prefix(place, place)
    assert lines(place) == LINES[:3]
    assert copy_prefix(place, place, replace=True).kept == 2
    with place.read() as cassette:
        assert list(cassette.entries()) == list(ENTRIES[:2])

"""What must be true of a folder in which a recorder met a fault, whatever the fault was."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from playhead.cassettes.format import Entry
from playhead.cassettes.reading import read
from playhead.cassettes.store import PARTIAL, Store
from playhead.errors import MissingCassette, TornCassette
from tests.cassettes.tapes import entry, record, store_of
from tests.durability.writer import ENTRIES, NAMES

OLD: Final = (entry(90), entry(91))
"""What the cassette held that was there before."""


def make_old(kind: str, folder: Path) -> None:
    """Record the cassette that the faulty recording is to replace."""
    folder.mkdir(parents=True)
    record(store_of(kind, folder), NAMES[kind], OLD)


def check_outcome(kind: str, folder: Path, *, killed: bool = False) -> str:
    """Check what is left, and return what the recorder said.

    Under the name is the old cassette or the new one, whole; in what is left of a recording is a prefix of it that has
    every acknowledged entry; a recorder that failed took nothing more.
    """
    said = (folder / "said").read_text() if (folder / "said").exists() else ""
    assert "!" not in said, f"{folder}: a recorder that had failed went on: {said!r}"
    assert killed or said[-1:] in ("S", "D"), f"{folder}: the recorder ended without a word: {said!r}"
    check_left(kind, store_of(kind, folder), said)
    return said


def check_left(kind: str, store: Store, said: str, *, old: Sequence[Entry] = OLD) -> None:
    """Check the cassette and what is left of a recording against what was acknowledged."""
    with read(store.open(NAMES[kind])) as cassette:
        entries = tuple(cassette.entries())
        cassette.verify()
    assert entries == ENTRIES or ("S" not in said and entries == tuple(old)), f"{cassette.where}: {entries}"
    if entries == ENTRIES:
        return
    kept = left_entries(store, NAMES[kind] + PARTIAL)
    assert kept == ENTRIES[: len(kept)], f"{store}: no prefix: {kept}"
    assert len(kept) >= said.count("+"), f"{store}: {len(kept)} entries are left, and {said.count('+')} acknowledged"


def left_entries(store: Store, name: str) -> tuple[Entry, ...]:
    """Return the intact entries of an unsealed cassette; none where there is nothing intact."""
    try:
        with read(store.open(name), torn=True) as cassette:
            return tuple(cassette.entries())
    except (MissingCassette, TornCassette):
        return ()

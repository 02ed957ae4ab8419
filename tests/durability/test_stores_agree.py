"""One story, three stores: whatever is recorded, lost, mended and copied, memory, JSON Lines and SQLite agree."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from playhead.cassettes.format import Entry
from playhead.cassettes.places import Place, convert, copy_prefix
from playhead.cassettes.reading import read
from playhead.cassettes.store import PARTIAL, Store
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import CassetteError, MissingCassette, TornCassette, UsageError
from tests.cassettes.strategies import ANY_ENTRIES
from tests.cassettes.tapes import HEADER, STORES, append_all, store_of

NAMES: Final = st.sampled_from(["a.jsonl", "b.jsonl", "c.jsonl"])


class StoresAgree(RuleBasedStateMachine):
    """Do the same to each store, and keep beside them, in a dict, what must be in each."""

    recordings = Bundle("recordings")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="stores-"))
        self.stores: dict[str, Store] = {kind: store_of(kind, self.folder / kind) for kind in STORES}
        self.live: dict[str, list[CassetteWriter]] = {}
        self.left: dict[str, list[Entry]] = {}
        self.sealed: dict[str, list[Entry]] = {}

    def torn(self) -> list[str]:
        """Return the names of what crashes left."""
        return sorted(set(self.left) - set(self.live))

    @rule(target=recordings, name=NAMES)
    def begin(self, name: str) -> str:
        """Begin a recording, where none is under way or was left."""
        if name not in self.left:
            self.live[name] = [CassetteWriter(store.create(name), HEADER) for store in self.stores.values()]
            self.left[name] = []
        return name

    @rule(name=recordings, entries=ANY_ENTRIES)
    def append(self, name: str, entries: list[Entry]) -> None:
        """Append to a recording."""
        for writer in self.live.get(name, ()):
            append_all(writer, entries)
        if name in self.live:
            self.left[name] += entries

    @rule(name=consumes(recordings))
    def seal(self, name: str) -> None:
        """Seal a recording: it takes the place of the cassette, and all seals are the same."""
        if name in self.live:
            seals = [writer.seal("complete") for writer in self.live.pop(name)]
            assert seals[1:] == seals[:-1]
            self.sealed[name] = self.left.pop(name)

    @rule(name=consumes(recordings))
    def crash(self, name: str) -> None:
        """Lose the recorder. What it wrote is left, torn."""
        self.live.pop(name, None)

    @precondition(lambda self: bool(self.torn()))
    @rule(data=st.data())
    def clear(self, data: st.DataObject) -> None:
        """Remove what a crash left."""
        name = data.draw(st.sampled_from(self.torn()))
        for store in self.stores.values():
            store.delete(name + PARTIAL)
        del self.left[name]

    @precondition(lambda self: bool(self.torn()))
    @rule(data=st.data(), target_name=NAMES)
    def repair(self, data: st.DataObject, target_name: str) -> None:
        """Copy what a crash left to a name; nothing is lost."""
        name = data.draw(st.sampled_from(self.torn()))
        if target_name in self.left:
            return
        for store in self.stores.values():
            repaired = copy_prefix(Place(store, name + PARTIAL), Place(store, target_name), replace=True)
            assert (repaired.kept, repaired.lost_bytes) == (len(self.left[name]), 0)
        self.sealed[target_name] = list(self.left[name])

    @precondition(lambda self: bool(self.sealed))
    @rule(data=st.data(), kinds=st.permutations(STORES))
    def convert(self, data: st.DataObject, kinds: list[str]) -> None:
        """Copy a cassette from one store to another, where it is already: it stays the same."""
        name = data.draw(st.sampled_from(sorted(self.sealed)))
        if name in self.left:
            return
        places = Place(self.stores[kinds[0]], name), Place(self.stores[kinds[1]], name)
        with pytest.raises(CassetteError, match="exists already"):
            convert(*places)
        convert(*places, replace=True)

    @precondition(lambda self: bool(self.sealed))
    @rule(data=st.data())
    def refuse_repair(self, data: st.DataObject) -> None:
        """What is whole needs no repair."""
        name = data.draw(st.sampled_from(sorted(self.sealed)))
        for store in self.stores.values():
            with pytest.raises(UsageError, match="needs no repair"):
                copy_prefix(Place(store, name), Place(store, "other.jsonl"))

    @precondition(lambda self: bool(self.sealed))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Remove a cassette."""
        name = data.draw(st.sampled_from(sorted(self.sealed)))
        for store in self.stores.values():
            store.delete(name)
        del self.sealed[name]

    @rule()
    def reopen(self) -> None:
        """Look at the disk with new eyes."""
        for kind in ("jsonl", "sqlite"):
            self.stores[kind] = store_of(kind, self.folder / kind)

    @invariant()
    def all_agree(self) -> None:
        """Every store has what it must have, line by line the same."""
        for name in ("a.jsonl", "b.jsonl", "c.jsonl"):
            found = [self._lines(store, name) for store in self.stores.values()]
            assert found[1:] == found[:-1]
            self._check(name, sealed=True, expected=self.sealed.get(name))
            self._check(name + PARTIAL, sealed=False, expected=self.left.get(name))

    def _check(self, name: str, *, sealed: bool, expected: list[Entry] | None) -> None:
        for store in self.stores.values():
            if expected is None:
                with pytest.raises(MissingCassette):
                    store.open(name)
                continue
            if not sealed:
                with pytest.raises(TornCassette):
                    read(store.open(name))
            with read(store.open(name), torn=not sealed) as cassette:
                assert list(cassette.entries()) == expected
                assert cassette.state == ("sealed" if sealed else "torn")

    @staticmethod
    def _lines(store: Store, name: str) -> list[bytes] | None:
        try:
            with store.open(name) as source:
                return list(source.lines())
        except MissingCassette:
            return None

    def teardown(self) -> None:
        """End what is under way, and remove the files."""
        for writers in self.live.values():
            for writer in writers:
                writer.discard()
        shutil.rmtree(self.folder)


TestStoresAgree = StoresAgree.TestCase
TestStoresAgree.settings = settings(max_examples=15, stateful_step_count=25)

"""The store in memory, where it differs from the others."""

import pytest

from playhead.cassettes.memory import MemoryStore
from playhead.errors import CassetteError
from tests.cassettes.tapes import record


def test_a_second_writer_of_the_same_name_is_refused() -> None:
    """One cassette has one writer, and the next may come when it has ended."""
    store = MemoryStore()
    sink = store.create("tape")
    with pytest.raises(CassetteError, match=":memory:::tape is being recorded already, by this process"):
        store.create("tape")
    sink.discard()
    record(store, "tape")
    assert store.names() == ["tape"]


def test_stores_are_apart() -> None:
    """What is in one store is not in another."""
    record(MemoryStore(), "tape")
    assert MemoryStore().names() == []

"""Small cassettes to break, and the three stores to keep them in."""

from collections.abc import Iterable
from pathlib import Path

from playhead.cassettes.format import Entry, Header, Seal, entry_prefix
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.memory import MemorySource, MemoryStore
from playhead.cassettes.sqlite import SqliteStore
from playhead.cassettes.store import Store
from playhead.cassettes.writing import CassetteWriter

HEADER = Header(name="tests/test_trip.py::test_paris", dialects={"event": "locus"}, made={"playhead": "0.1.0"})

STORES = ("jsonl", "sqlite", "memory")


def store_of(kind: str, folder: Path) -> Store:
    """Return an empty store of a kind."""
    match kind:
        case "jsonl":
            return JsonlStore(folder)
        case "sqlite":
            return SqliteStore(folder / "runs.db")
    return MemoryStore()


def entry(number: int = 0, *, data: bytes | None = None) -> Entry:
    """Return an entry, different for each number."""
    return Entry(1200 + number, "event", "r1", "event", data or b'{"event_type":"think","iteration":%d}' % number)


ENTRIES = (
    entry(0),
    Entry(0, "model", "c1", "request", b'{"messages":["caf\xc3\xa9"]}'),
    Entry(7, "wire", "r1", "bytes", b'"data: x\\n\\n"'),
    entry(1),
    entry(1),
)


def record(store: Store, name: str, entries: Iterable[Entry] = ENTRIES, *, end: str = "complete") -> Seal:
    """Write a sealed cassette."""
    writer = CassetteWriter(store.create(name), HEADER)
    append_all(writer, entries)
    return writer.seal(end, runs={"r1": end})


def append_all(writer: CassetteWriter, entries: Iterable[Entry]) -> None:
    """Write entries."""
    for each in entries:
        writer.append(writer.at_us + each.dt_us, entry_prefix(each.track, each.owner, each.kind), each.data)


def sealed_lines(entries: Iterable[Entry] = ENTRIES) -> list[bytes]:
    """Return the lines of a sealed cassette."""
    store = MemoryStore()
    record(store, "tape", entries)
    return list(store.open("tape").lines())


def source_of(content: bytes) -> MemorySource:
    """Return a source that holds these bytes, whatever they are."""
    return MemorySource("tape", content.splitlines(keepends=True) if content else [])

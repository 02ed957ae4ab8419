"""The conformance suite for stores of cassettes: `playhead.cassettes.store.Store`.

Knows how lines are moved, and how a store fails. What lines say comes from Playhead's own writer.
"""

from collections.abc import Callable
from contextlib import closing
from typing import Final

from playhead.cassettes.format import Header, entry_prefix
from playhead.cassettes.memory import MemoryStore
from playhead.cassettes.store import PARTIAL, REJECTED, Sink, Store
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import CassetteError, MissingCassette
from playhead.testing.outputs import name_of
from playhead.testing.report import Promise, Report
from playhead.testing.suite import Check, broken, check, expect, run_checks

StoreFactory = Callable[[], Store]
"""What makes a new, empty store."""

_NAME: Final = "trips/paris.jsonl"
_OTHER: Final = "trips/a é.jsonl"


def _lines(*texts: str) -> list[bytes]:
    """Return the lines of a small cassette."""
    store = MemoryStore()
    writer = CassetteWriter(store.create("tape"), Header(name="tape", dialects={"event": "locus"}))
    for text in texts or ("Paris", "é雨"):
        data = f'{{"event_type":"think","iteration":1,"reasoning":"{text}"}}'.encode()
        writer.append(writer.at_us + 7, entry_prefix("event", "r1", "event"), data)
    writer.seal("complete", runs={"r1": "complete"})
    return list(store.open("tape").lines())


def _begin(store: Store, name: str, lines: list[bytes]) -> Sink:
    sink = store.create(name)
    for line in lines[:-1]:
        sink.append(line)
    return sink


def _write(store: Store, name: str, *texts: str) -> list[bytes]:
    lines = _lines(*texts)
    _begin(store, name, lines).commit(lines[-1])
    return lines


def _read(store: Store, name: str) -> list[bytes]:
    with store.open(name) as source:
        return list(source.lines())


@check("gives-back-what-it-took", "lines come back byte for byte, however they are read")
def _gives_back(make: StoreFactory) -> None:
    store = make()
    lines = _write(store, _NAME)
    with store.open(_NAME) as source:
        whole = b"".join(lines)
        expect(list(source.lines()) == lines, f"{len(lines)} lines were written, and others came back")
        expect(b"".join(source.blocks()) == whole, "blocks() gives other bytes than lines()")
        expect(source.last_line() == lines[-1], f"last_line() is {source.last_line()!r}")
        expect(source.size() == len(whole), f"size() is {source.size()} of {len(whole)} bytes")


@check("iterators-are-independent", "two iterators over one source do not disturb each other")
def _iterators_are_independent(make: StoreFactory) -> None:
    store = make()
    lines = _write(store, _NAME)
    with store.open(_NAME) as source:
        pairs = list(zip(source.lines(), source.lines(), strict=True))
        expect(pairs == [(line, line) for line in lines], "two iterators side by side gave other lines")


@check("missing-is-missing", "what is not there raises MissingCassette, and nothing else does")
def _missing_is_missing(make: StoreFactory) -> None:
    store = make()
    for what, call in {"open": store.open, "delete": store.delete}.items():
        try:
            call(_NAME)
        except MissingCassette:
            continue
        broken(f"{what}({_NAME!r}) of an empty store raised nothing")
    _write(store, _NAME)
    store.delete(_NAME)
    try:
        store.open(_NAME)
    except MissingCassette:
        return
    broken("a deleted cassette can be opened")


@check("names-are-those-of-the-sealed", "names() lists each sealed cassette, sorted, and nothing else")
def _names(make: StoreFactory) -> None:
    store = make()
    for name in (_NAME, _OTHER):
        _write(store, name)
    sink = _begin(store, "trips/open.jsonl", _lines())
    expect(store.names() == sorted([_NAME, _OTHER]), f"{_NAME}, {_OTHER} are sealed, and the names are {store.names()}")
    sink.discard()


@check("replaces-only-when-sealed", "the old cassette stays until the new one is sealed")
def _replaces_only_when_sealed(make: StoreFactory) -> None:
    store = make()
    old, new = _write(store, _NAME, "old"), _lines("new")
    sink = _begin(store, _NAME, new)
    expect(_read(store, _NAME) == old, "while a new one is recorded, the old cassette is not there as it was")
    sink.commit(new[-1])
    expect(_read(store, _NAME) == new, "after commit() the new cassette is not there")


@check("unfinished-can-be-read", "a recording that goes on can be opened as NAME.partial")
def _unfinished_can_be_read(make: StoreFactory) -> None:
    store = make()
    lines = _lines()
    sink = _begin(store, _NAME, lines)
    found = _read(store, _NAME + PARTIAL)
    sink.discard()
    expect(found == lines[:-1], f"{len(lines) - 1} lines were appended, and {len(found)} can be read")


@check("readers-keep-what-they-opened", "a source gives what was there when it was opened")
def _readers_keep(make: StoreFactory) -> None:
    store = make()
    old = _write(store, _NAME, "old")
    with closing(store.open(_NAME)) as source:
        _write(store, _NAME, "new", "newer")
        expect(list(source.lines()) == old, "a source that was open before gives the new cassette, or parts of it")


@check("does-not-replace-unasked", "commit(replace=False) over another one raises, and changes nothing")
def _does_not_replace(make: StoreFactory) -> None:
    store = make()
    old, new = _write(store, _NAME, "old"), _lines("new")
    sink = _begin(store, _NAME, new)
    try:
        sink.commit(new[-1], replace=False)
    except CassetteError:
        expect(_read(store, _NAME) == old, "commit(replace=False) raised, and the old cassette is gone")
        sink.discard()
        return
    broken("commit(replace=False) replaced the cassette that was there")


@check("discards", "discard() drops a recording, or leaves it under the suffix, and does no harm afterwards")
def _discards(make: StoreFactory) -> None:
    store = make()
    lines = _lines()
    _begin(store, _NAME, lines).discard()
    expect(store.names() == [], f"after discard() there is {store.names()}")
    _begin(store, _NAME, lines).discard(keep_as=REJECTED)
    expect(_read(store, _NAME + REJECTED) == lines[:-1], f"discard(keep_as={REJECTED!r}) left other lines")
    expect(store.names() == [], f"what was discarded is listed: {store.names()}")
    sink = _begin(store, _NAME, lines)
    sink.commit(lines[-1])
    sink.discard()
    expect(_read(store, _NAME) == lines, "discard() after commit() took the cassette away")


_CHECKS: Final[tuple[Check, ...]] = (
    _gives_back,
    _iterators_are_independent,
    _missing_is_missing,
    _names,
    _replaces_only_when_sealed,
    _unfinished_can_be_read,
    _readers_keep,
    _does_not_replace,
    _discards,
)

STORE_PROMISES: Final[tuple[Promise, ...]] = tuple(each.promise for each in _CHECKS)
"""What is expected of every store."""


def check_store(factory: StoreFactory) -> Report:
    """Put a store of cassettes to the test, and report each promise. `factory` makes a new, empty one each time."""
    return run_checks(name_of(factory), factory, _CHECKS)

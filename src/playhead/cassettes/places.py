"""Where cassettes are, as people write it, and how they get from one place to another.

    cassettes/paris.jsonl       a file
    cassettes/paris.jsonl.gz    a compressed file, also .jsonl.zst: read like the others, written by `convert` only
    runs.db::paris              one cassette of a SQLite store
    runs.db                     the whole store
    :memory:::paris             in the memory of this process; `:memory:` alone is the one called `tape`

Knows which store a place belongs to. Does not know what lines say, beyond what makes a cassette whole.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final

from playhead.cassettes.damage import find_damage
from playhead.cassettes.format import Seal, read_data, read_header
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.memory import MEMORY, MemoryStore
from playhead.cassettes.naming import SUFFIX
from playhead.cassettes.packed import PackedStore, is_packed
from playhead.cassettes.reading import Cassette, read
from playhead.cassettes.sqlite import SUFFIXES, SqliteStore
from playhead.cassettes.store import PARTIAL, REJECTED, TORN, Sink, Source, Store
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import CassetteError, CorruptCassette, MissingCassette, UsageError

_SEPARATOR: Final = "::"
_MAGIC: Final = b"SQLite format 3\0"
_IN_STORE: Final = re.compile(rf"(.*?(?:{'|'.join(map(re.escape, SUFFIXES))})){_SEPARATOR}(.*)", re.DOTALL)
_JSONL_NAME: Final = re.compile(rf"{re.escape(SUFFIX)}(?:(?:{PARTIAL}|{TORN}|{REJECTED})(?:\.[0-9]+)?)?\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """Name one cassette of a store, or with `name` None the whole store."""

    store: Store
    name: str | None

    @property
    def where(self) -> str:
        """The place as people write it."""
        return self.store.place(self.name or "")

    def open(self) -> Source:
        """Open the cassette's lines. Raises `MissingCassette` if there is none."""
        return self.store.open(self._one())

    def create(self) -> Sink:
        """Begin the cassette. Raises `CassetteError` where another writer has it."""
        return self.store.create(self._one())

    def take_copy(self) -> Sink:
        """Begin the cassette as a copy of a sealed one: the only way to begin one that is compressed."""
        return self.store.pack(self._one()) if isinstance(self.store, PackedStore) else self.create()

    def read(self, *, torn: bool = False) -> Cassette:
        """Open the cassette, checked. Raises as `playhead.cassettes.reading.read` does."""
        return read(self.open(), torn=torn)

    def _one(self) -> str:
        if self.name is None:
            raise UsageError(f"{self.where} is a whole store: name one of its cassettes, as in {self.where}::NAME")
        return self.name


def locate(place: str | os.PathLike[str]) -> Place:
    """Return what a place that a person wrote means. The suffix decides, or else the content of the file there is.

    Nothing is made, and nothing need exist. Raises `UsageError` where neither tells.
    """
    text = os.fspath(place)
    if text == MEMORY or text.startswith(MEMORY + _SEPARATOR):
        return Place(_memory(), text[len(MEMORY + _SEPARATOR) :] or "tape")
    path, separator, name = _parts(text)
    match _kind(path):
        case "sqlite":
            return Place(SqliteStore(path), name if separator else None)
        case "jsonl" if not separator:
            return Place(JsonlStore(path.parent), path.name)
        case "packed" if not separator:
            return Place(PackedStore(path.parent), path.name)
        case "jsonl" | "packed":
            raise UsageError(f"{text!r}: a {SUFFIX} file is one cassette and holds no others: leave out '::{name}'")
    raise UsageError(
        f"{text!r} does not say what it is: a cassette's file ends with {SUFFIX}, a store of many with "
        f"{' or '.join(SUFFIXES)} (then '::NAME' for one of them)"
    )


def list_places(place: str | os.PathLike[str]) -> list[Place]:
    """Return the places of all sealed cassettes in a folder or a store, sorted; of a single one, that one.

    Stores inside a folder are listed too, one that is damaged as a single place that cannot be opened; other databases
    are passed over. Hidden folders and links to folders are not entered. Raises
    `MissingCassette` where there is nothing of that name.
    """
    path = Path(place)
    if not path.is_dir():
        found = _located(place)
        if found.name is None:
            return [Place(found.store, name) for name in found.store.names()]
        found.open().close()
        return [found]
    kinds: tuple[Store, ...] = (JsonlStore(path), PackedStore(path))
    places = [Place(kind, name) for kind in kinds for name in kind.names()]
    for folder, folders, files in os.walk(path):
        folders[:] = [inner for inner in folders if not inner.startswith(".")]
        for store in (SqliteStore(Path(folder, file)) for file in files if file.endswith(SUFFIXES)):
            places += _stored(store)
    return sorted(places, key=lambda each: each.where)


def _stored(store: SqliteStore) -> list[Place]:
    try:
        return [Place(store, name) for name in store.names()]
    except CassetteError:
        return [Place(store, "*")] if store.is_ours() else []


def _located(place: str | os.PathLike[str]) -> Place:
    try:
        return locate(place)
    except UsageError:
        if os.path.lexists(place):
            raise
        raise MissingCassette(f"{os.fspath(place)!r}: there is no such folder, store or cassette") from None


def convert(source: Place, target: Place, *, replace: bool = False) -> Seal:
    """Copy a sealed cassette, byte for byte, and read the copy back. Returns its seal.

    Raises what reading raises, and `CassetteError` where the target exists and `replace` is false; the target is then
    as it was.
    """
    with source.read() as cassette:
        if cassette.seal is None:
            raise CorruptCassette(f"{cassette.where} has no seal: nothing was copied")
        cassette.verify()
        sink = target.take_copy()
        try:
            _copy(cassette, sink, replace=replace)
        except BaseException:
            sink.discard()
            raise
        sealed = cassette.seal
    with target.read() as copy:
        copy.verify()
        if copy.seal != sealed:
            raise CorruptCassette(f"{copy.where} is not what was written to it: the store is not to be trusted")
    return sealed


def _copy(cassette: Cassette, sink: Sink, *, replace: bool) -> None:
    held = b""
    for line in cassette.lines():
        if held:
            sink.append(held)
        held = line
    sink.commit(held, replace=replace)


@dataclass(frozen=True, slots=True)
class Repaired:
    """Say what `copy_prefix` kept and what it could not keep: how many entries, how many bytes, and why.

    `seal` is the seal of the copy.
    """

    kept: int
    lost_bytes: int
    reason: str
    seal: Seal


def copy_prefix(source: Place, target: Place, *, replace: bool = False) -> Repaired:
    """Copy the intact beginning of a torn or corrupt cassette and seal the copy. Returns what was lost.

    The copy ends `unknown`, as do its runs, and its seal has `"repaired": {"kept": entries, "lost_bytes": bytes}`.
    The source stays as it is. Raises its error where not even its header is intact, and `UsageError` where it is whole.
    """
    with source.open() as damaged:
        damage = find_damage(damaged.where, damaged.lines())
        if damage is None:
            with read(source.open()) as whole:
                raise UsageError(f"{whole.where} is whole, with {whole.entry_count:,} entries: it needs no repair")
        if not damage.lines:
            raise damage.error()
        sink = target.create()
        try:
            lines = islice(damaged.lines(), damage.lines)
            lost_bytes = damaged.size() - damage.size
            seal = _seal_prefix(lines, sink, lost_bytes, replace=replace)
        except BaseException:
            sink.discard()
            raise
    return Repaired(seal.entries, lost_bytes, damage.reason, seal)


def _seal_prefix(lines: Iterator[bytes], sink: Sink, lost_bytes: int, *, replace: bool) -> Seal:
    first = next(lines)
    writer = CassetteWriter.from_line(sink, first, read_header(first))
    runs = {}
    for line in lines:
        _, (track, owner, _), _ = read_data(line)
        if track != "model":
            runs[owner] = "unknown"
        writer.append_line(line)
    repaired = {"kept": writer.entries, "lost_bytes": lost_bytes}
    return writer.seal("unknown", runs=runs, extra={"repaired": repaired}, replace=replace)


@cache
def _memory() -> MemoryStore:
    return MemoryStore()


def _parts(text: str) -> tuple[Path, str, str]:
    # A test's id, which is the usual name, has `::` too, and so may a folder.
    found = _IN_STORE.match(text)
    if found:
        return Path(found[1]), _SEPARATOR, found[2]
    if _JSONL_NAME.search(text) or is_packed(text):
        return Path(text), "", ""
    path, separator, name = text.partition(_SEPARATOR)
    return Path(path), separator, name


def _kind(path: Path) -> str:
    if _JSONL_NAME.search(path.name):
        return "jsonl"
    if is_packed(path.name):
        return "packed"
    return "sqlite" if path.name.endswith(SUFFIXES) or _has_magic(path) else ""


def _has_magic(path: Path) -> bool:
    # Only of a regular file: to open a FIFO would wait for its writer.
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except (OSError, ValueError):
        return False

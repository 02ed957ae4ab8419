"""From what a person wrote to the places of cassettes, with a hint where there is none.

Knows folders, stores and names. Does not read what cassettes say.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from playhead.cassettes.naming import SUFFIX
from playhead.cassettes.packed import without_suffix
from playhead.cassettes.places import Place, list_places, locate
from playhead.cassettes.store import PARTIAL, REJECTED, TORN
from playhead.errors import CassetteError, MissingCassette, UsageError
from playhead.replaying.tape import Tape
from playhead.text import and_more, nearest

_LEFT = (PARTIAL, TORN, REJECTED)


@dataclass(frozen=True, slots=True)
class Choice:
    """Say which part of a tape is wanted: one run or all, and a slice of its events, counted from 0."""

    run: str | None = None
    start: int = 0
    stop: int | None = None
    after: str | None = None


def find(spec: str) -> Place:
    """Return the one cassette that `spec` names; of a folder or a store, the only one that is in it.

    Raises `MissingCassette` with the nearest name there is, and `UsageError` where there are several.
    """
    if os.path.isdir(spec):
        return _only(spec, list_places(spec), "a folder")
    place = _located(spec)
    if place.name is not None:
        return place
    return _only(spec, list_places(spec), "a whole store")


def find_all(specs: Iterable[str]) -> list[Place]:
    """Return the cassettes of files, folders and stores. Raises `MissingCassette` where there is nothing."""
    places: list[Place] = []
    for spec in specs:
        if os.path.isdir(spec):
            places += list_places(spec)
        else:
            place = _located(spec)
            places += [place] if place.name is not None else list_places(spec)
    return places


def open_one(spec: str, *, torn: bool = False) -> Tape:
    """Open the one cassette that `spec` names, for reading."""
    return Tape(find(spec).read(torn=torn))


def target(spec: str, *, source_name: str, force: bool) -> Place:
    """Return where to write. A folder or a store takes the name of the source.

    Raises `CassetteError` where there is a cassette already, unless `force`.
    """
    if os.path.isdir(spec):
        spec = os.path.join(spec, Path(stem(source_name)).name + SUFFIX)
    place = locate(spec)
    if place.name is None:
        place = Place(place.store, Path(stem(source_name)).name)
    if not force and _exists(place):
        raise CassetteError(f"{place.where} exists already: take another name, or replace it with --force")
    return place


def stem(name: str) -> str:
    """Return a cassette's name without the suffixes of its file: `trip` of `trip.jsonl.partial`."""
    for left in _LEFT:
        base, found, number = name.rpartition(left)
        if found and (not number or number[1:].isdigit()):
            name = base
    return without_suffix(name)


def beside(place: Place, word: str) -> str:
    """Return a place beside another one for a copy of it: `trip.repaired.jsonl` for `trip.jsonl`."""
    name = place.name or ""
    suffix = SUFFIX if place.where.partition("::")[0] == place.where else ""
    return place.store.place(f"{stem(name)}.{word}{suffix}")


def _located(spec: str) -> Place:
    if not os.path.lexists(spec):
        path, separator, name = spec.partition("::")
        hint = None if separator and os.path.lexists(path) else nearest_path(path)
        if hint is not None:
            raise MissingCassette(f"there is no {spec!r}; did you mean {hint + separator + name!r}?")
    try:
        return locate(spec)
    except UsageError:
        if os.path.lexists(spec):
            raise
        raise MissingCassette(f"there is no {spec!r}: name a cassette, a folder, or a store of cassettes") from None


def nearest_path(path: str) -> str | None:
    """Return the path in the same folder that looks most like this one, which is not there."""
    folder, name = os.path.split(path)
    try:
        found = nearest(name, os.listdir(folder or "."))
    except OSError:
        above = nearest_path(folder) if folder and folder != path else None
        found_there = os.path.join(above, name) if above else None
        return found_there if found_there and os.path.lexists(found_there) else above
    return os.path.join(folder, found) if found else None


def _only(spec: str, places: list[Place], what: str) -> Place:
    match places:
        case [one]:
            return one
        case []:
            raise MissingCassette(f"{spec!r} is {what} without any cassette")
    names = and_more((place.where for place in places), 5)
    raise UsageError(f"{spec!r} is {what} of {len(places)} cassettes: name one of {names}")


def _exists(place: Place) -> bool:
    try:
        place.open().close()
    except MissingCassette:
        return False
    except CassetteError:
        # Whatever it is, it is there.
        return True
    return True

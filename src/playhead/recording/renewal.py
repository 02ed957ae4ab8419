"""Recording again what has not changed: the old cassette stays, byte for byte.

Two recordings are the same when they differ only in what a dialect calls volatile, in generated ids, in the times of
entries and in the versions that made them. So a cassette under version control changes when the run did.

Knows files only: a database is not looked at line by line in a review.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from playhead.cassettes.format import Failure, Header, Seal
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.places import Place
from playhead.cassettes.reading import Cassette
from playhead.cassettes.store import PARTIAL
from playhead.comparing.streams import compare
from playhead.errors import CassetteError, UsageError
from playhead.events.spans import Dialect

MAX_ENTRIES: Final = 20_000
"""Longer recordings are not compared, for that takes memory for both: they replace the old one."""

_Label = tuple[str, str, str]


def unchanged(
    place: Place,
    header: Header,
    *,
    entries: int,
    runs: Mapping[str, str],
    errors: Mapping[str, Failure],
    dialect: Dialect,
) -> Seal | None:
    """Return the seal of the cassette at a place if what is recorded beside it is the same; else None.

    The recording is still `NAME.partial`, and all its entries are written; the other arguments say what will be in its
    header and seal. A cassette that is missing or damaged is not the same as anything.
    """
    if not isinstance(place.store, JsonlStore) or entries > MAX_ENTRIES:
        return None
    try:
        with place.read() as old:
            if old.seal is None or old.entry_count != entries or _named(old.header) != _named(header):
                return None
            if (dict(runs), dict(errors)) != (old.seal.runs, old.seal.errors):
                return None
            with Place(place.store, f"{place.name}{PARTIAL}").read(torn=True) as new:
                return old.seal if _are_same(old, new, dialect) else None
    except (CassetteError, UsageError):
        return None


def _named(header: Header) -> tuple[object, ...]:
    return header.name, header.dialects, header.redact


def _are_same(old: Cassette, new: Cassette, dialect: Dialect) -> bool:
    (old_events, old_others), (new_events, new_others) = _sorted_out(old), _sorted_out(new)
    return (
        old_others == new_others
        and old_events.keys() == new_events.keys()
        and not any(compare(events, new_events[run], dialect=dialect) for run, events in old_events.items())
    )


def _sorted_out(cassette: Cassette) -> tuple[dict[str, list[bytes]], list[tuple[_Label, bytes]]]:
    """Return the events of each run, and everything in order: whose it is, and what it says unless it is an event."""
    events: defaultdict[str, list[bytes]] = defaultdict(list)
    others: list[tuple[_Label, bytes]] = []
    for entry in cassette.entries():
        is_event = (entry.track, entry.kind) == ("event", "event")
        if is_event:
            events[entry.owner].append(entry.data)
        others.append(((entry.track, entry.owner, entry.kind), b"" if is_event else entry.data))
    return events, others

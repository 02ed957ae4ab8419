"""`playhead diff` and `verify`: whether a tape is what it should be."""

from collections.abc import Iterator, Sequence
from typing import Any

from playhead.cassettes.places import Place
from playhead.cassettes.reading import Cassette
from playhead.cli.errors import FOUND, UNREADABLE
from playhead.cli.finding import find, find_all
from playhead.cli.progress import progress
from playhead.cli.screen import line, number, print_json, said, screen
from playhead.comparing.comparison import ABSENT, Comparison, Difference
from playhead.comparing.streams import compare
from playhead.errors import CassetteError, UsageError
from playhead.events.tagged import loads, tag
from playhead.replaying.tape import Tape


def diff(old_spec: str, new_spec: str, *, run: str | None, any_order: bool, as_json: bool) -> int:
    """Print how two tapes differ, and return the exit code: 1 where they do."""
    with find(old_spec).read() as old, find(new_spec).read() as new:
        old_tape, new_tape = Tape(old), Tape(new)
        if old_tape.dialect.name != new_tape.dialect.name:
            raise UsageError(
                f"{old.where} is of dialect {old_tape.dialect.name!r} and {new.where} of {new_tape.dialect.name!r}: "
                "only tapes of one dialect can be compared"
            )
        ends = (old_tape.end(run), new_tape.end(run))
        found = compare(_values(old, run), _values(new, run), dialect=old_tape.dialect, any_order=any_order)
    if as_json:
        print_json(_comparison(found, ends, old.where, new.where))
    else:
        _print_comparison(found, ends)
    return FOUND if found or ends[0] != ends[1] else 0


def _values(cassette: Cassette, run: str | None) -> Iterator[Any]:
    return (loads(data) for data in cassette.payloads("event", "event", owner=run))


def _comparison(found: Comparison, ends: tuple[str, str], old: str, new: str) -> dict[str, Any]:
    return {
        "old": {"place": old, "events": len(found.old), "end": ends[0]},
        "new": {"place": new, "events": len(found.new), "end": ends[1]},
        "same": not found and ends[0] == ends[1],
        "differences": [_difference(each) for each in found],
    }


def _difference(each: Difference) -> dict[str, Any]:
    described: dict[str, Any] = {
        "kind": str(each.kind),
        "old_index": each.old_index,
        "new_index": each.new_index,
        "path": each.path,
    }
    sides = {"old": each.old, "new": each.new}
    return described | {side: tag(value) for side, value in sides.items() if value is not ABSENT}


def _print_comparison(found: Comparison, ends: tuple[str, str]) -> None:
    console = screen()
    if ends[0] != ends[1]:
        console.print(line(("ends: ", "bold"), said(ends[0], "red"), " -> ", said(ends[1], "green")))
    for text in str(found).splitlines():
        side = text.strip().partition(" ")[0]
        style = {"old": "red", "new": "green"}.get(side, "") if text.startswith("    ") else ""
        console.print(line(said(text, style, max_columns=console.width if console.is_terminal else None)))


def verify_all(specs: Sequence[str], *, as_json: bool) -> int:
    """Check every byte of cassettes, and return the exit code: 2 where one is damaged."""
    console = screen()
    damaged = 0
    for place in find_all(specs):
        problem = ""
        count = 0
        try:
            count = verify(place)
        except CassetteError as error:
            problem = str(error)
            damaged += 1
        if as_json:
            print_json({"place": place.where, "ok": not problem, "entries": count, "problem": problem or None})
        elif problem:
            console.print(line(("damaged  ", "red"), said(problem)))
        else:
            console.print(line(("ok       ", "green"), said(f"{place.where}: {number(count, 'entry', 'entries')}")))
    return UNREADABLE if damaged else 0


def verify(place: Place) -> int:
    """Check a cassette: both digests, each line, each entry's JSON. Returns how many entries it has."""
    with place.open() as source:
        total_bytes = source.size()
    with place.read() as cassette, progress(f"verify {place.name}", total_bytes) as advance:
        cassette.verify()
        for at_line, entry in enumerate(cassette.entries(), 2):
            try:
                entry.value()
            except ValueError as error:
                raise CassetteError(f"{place.where}:{at_line}: its data cannot be read: {error}") from error
            advance(len(entry.data))
        return cassette.entry_count

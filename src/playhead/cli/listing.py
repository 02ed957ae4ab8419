"""`playhead ls`: which cassettes there are, and in which state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from playhead.cassettes.format import Header, Seal
from playhead.cassettes.places import Place
from playhead.cli.errors import UNREADABLE
from playhead.cli.finding import find_all
from playhead.cli.screen import line, number, print_json, print_table, said, screen, size
from playhead.errors import CassetteError, CorruptCassette, TornCassette

_STATES: dict[type[CassetteError], str] = {TornCassette: "torn", CorruptCassette: "corrupt"}
_STATE_STYLES = {"sealed": "green", "torn": "yellow"}


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one cassette. `problem` says why it cannot be read; the rest is missing then."""

    place: str
    state: str
    byte_count: int | None = None
    entries: int | None = None
    header: Header | None = None
    seal: Seal | None = None
    problem: str = ""


def ls(specs: Sequence[str], *, as_json: bool) -> int:
    """List cassettes, and return the exit code: 2 where one of them cannot be read."""
    rows = [look(place) for place in find_all(specs)]
    if as_json:
        for row in rows:
            print_json(_as_json(row))
    elif rows:
        _print(rows)
    else:
        screen(errors=True).print(line(said(f"no cassettes in {', '.join(specs)}")))
    return UNREADABLE if any(row.problem for row in rows) else 0


def look(place: Place) -> Row:
    """Return what is known of the cassette at a place: its checksums are compared, its entries are not read."""
    byte_count = None
    try:
        with place.open() as source:
            byte_count = source.size()
        with place.read() as cassette:
            return Row(place.where, cassette.state, byte_count, cassette.entry_count, cassette.header, cassette.seal)
    except CassetteError as error:
        return Row(place.where, _STATES.get(type(error), "unreadable"), byte_count, problem=str(error))


def _print(rows: list[Row]) -> None:
    console = screen()
    headings = ("state", "end", "dialect", "runs", "entries", "size", "cassette")
    print_table(headings, map(_cells, rows), right=("runs", "entries", "size"))
    problems = [row for row in rows if row.problem]
    for row in problems:
        console.print(line((f"{row.state}: ", "red"), said(row.problem)))
    if len(rows) > 1:
        sound = number(len(rows), "cassette")
        console.print(line((f"{sound}, {len(problems)} unreadable" if problems else sound, "dim")))


def _cells(row: Row) -> list[Text | str]:
    return [
        said(row.state, _STATE_STYLES.get(row.state, "red")),
        row.seal.end if row.seal else "-",
        ", ".join(dict.fromkeys(row.header.dialects.values())) if row.header else "-",
        f"{len(row.seal.runs):,}" if row.seal else "-",
        "-" if row.entries is None else f"{row.entries:,}",
        "-" if row.byte_count is None else size(row.byte_count),
        row.place,
    ]


def _as_json(row: Row) -> dict[str, Any]:
    return {
        "place": row.place,
        "state": row.state,
        "name": row.header.name if row.header else None,
        "dialects": row.header.dialects if row.header else None,
        "made": row.header.made if row.header else None,
        "entries": row.entries,
        "runs": row.seal.runs if row.seal else None,
        "end": row.seal.end if row.seal else None,
        "bytes": row.byte_count,
        "problem": row.problem or None,
    }

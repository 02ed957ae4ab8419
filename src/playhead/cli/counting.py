"""`playhead stats`: tapes in numbers."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from rich.console import Console

from playhead.cli.errors import UNREADABLE, tell
from playhead.cli.finding import find_all
from playhead.cli.progress import progress
from playhead.cli.screen import line, number, print_json, print_table, said, screen, seconds, size
from playhead.cli.tallying import Tally
from playhead.errors import CassetteError
from playhead.events.measuring import Times

_MAX_ROWS = 20


def stats(specs: Sequence[str], *, as_json: bool) -> int:
    """Print the numbers of all cassettes together, and return the exit code: 2 where one cannot be read."""
    tally = Tally()
    unreadable = 0
    for place in find_all(specs):
        try:
            with place.open() as source:
                byte_count = source.size()
            with place.read() as cassette, progress(f"count {place.name}", byte_count) as advance:
                tally.add(cassette, byte_count)
                advance(byte_count)
        except CassetteError as error:
            unreadable += 1
            tell(error)
    if as_json:
        print_json(_as_json(tally))
    else:
        _print(tally)
    return UNREADABLE if unreadable else 0


def _as_json(tally: Tally) -> dict[str, Any]:
    return {
        "cassettes": tally.cassettes,
        "runs": tally.runs,
        "entries": tally.entries,
        "bytes": tally.byte_count,
        "recorded_us": tally.recorded_us,
        "ends": dict(tally.ends),
        "errors": dict(tally.errors),
        "kinds": dict(tally.tracks),
        "event_types": dict(tally.types.most_common()),
        "waits": _times(tally.measures.waits),
        "spans": _times(tally.measures.spans),
        "tools": _times(tally.measures.tools),
    }


def _times(rows: Mapping[Any, Times]) -> dict[str, Any]:
    return {str(name): times.as_json() for name, times in rows.items()}


def _print(tally: Tally) -> None:
    console = screen()
    facts = (
        number(tally.cassettes, "cassette"),
        number(tally.runs, "run"),
        number(tally.entries, "entry", "entries"),
        size(tally.byte_count),
        seconds(tally.recorded_us),
    )
    console.print(line(said(" · ".join(facts), "bold")))
    ends = ", ".join(f"{count:,} {end}" for end, count in tally.ends.most_common())
    if ends:
        console.print(line(("runs ended  ", "dim"), said(ends)))
    if tally.errors:
        console.print(line(("errors      ", "dim"), said(_counts(tally.errors), "red")))
    others = {kind: count for kind, count in tally.tracks.items() if kind != "event.event"}
    if others:
        console.print(line(("also        ", "dim"), said(_counts(others))))
    _print_types(console, tally.types)
    _print_times(console, "wait", tally.measures.waits)
    _print_times(console, "span", tally.measures.spans)
    _print_times(console, "tool", tally.measures.tools)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} × {name}" for name, count in counts.items())


def _print_types(console: Console, types: Mapping[str, int]) -> None:
    if not types:
        return
    ordered = sorted(types.items(), key=lambda item: (-item[1], item[0]))
    most = ordered[0][1]
    rows = ((name, f"{count:,}", "█" * max(1, round(20 * count / most))) for name, count in ordered[:_MAX_ROWS])
    console.print()
    print_table(("event", "count", ""), rows, right=("count",))
    _print_more(console, len(ordered))


def _print_times(console: Console, what: str, rows: Mapping[Any, Times]) -> None:
    if not rows:
        return
    headings = (what, "count", "failed", "unfinished", "min", "median", "max", "total")
    ordered = sorted(rows.items(), key=lambda item: (-item[1].count, item[0]))
    console.print()
    print_table(headings, [_cells(str(name), times) for name, times in ordered[:_MAX_ROWS]], right=headings[1:])
    _print_more(console, len(rows))


def _cells(name: str, times: Times) -> list[str]:
    took = times.took_us
    shown = [seconds(each) for each in (min(took), median(took), max(took), sum(took))] if took else ["-"] * 4
    counts = (f"{count:,}" if count else "-" for count in (times.count, times.failed, times.unfinished))
    return [name, *counts, *shown]


def _print_more(console: Console, count: int) -> None:
    if count > _MAX_ROWS:
        console.print(line((f"and {count - _MAX_ROWS:,} more", "dim")))

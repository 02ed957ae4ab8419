"""`playhead show`: what is on a tape, for people and for programs."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

from rich.console import Console

from playhead.cassettes.format import Entry
from playhead.cassettes.reading import Cassette
from playhead.cli.finding import Choice, find
from playhead.cli.screen import line, number, raw_line, said, screen, seconds
from playhead.cli.timeline import Moment, Timeline
from playhead.errors import UsageError
from playhead.events.tagged import has_mark, loads, tag
from playhead.replaying.tape import Tape

_END_STYLES = {"complete": "green", "error": "red", "cancelled": "yellow", "closed": "yellow", "paused": "cyan"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry that was chosen: its line in the file, its time, and its index among the events (None for others)."""

    line: int
    at_us: int
    index: int | None
    entry: Entry


@dataclass(frozen=True, slots=True)
class Form:
    """Say in which form a tape is shown: as a timeline, unless one of these is wanted.

    `json` has all entries as JSON Lines, `events` the recorded events alone (tagged if `strict`), `raw` the lines as
    they are stored. `every` gives each piece of streamed text a line of its own in the timeline.
    """

    json: bool = False
    events: bool = False
    strict: bool = False
    raw: bool = False
    every: bool = False


def show(spec: str, choice: Choice, form: Form, *, torn: bool) -> None:
    """Print what is on a cassette. Raises `UsageError` where two forms are asked for."""
    if sum((form.json and not form.events, form.events, form.raw)) > 1:
        raise UsageError("a tape is shown in one form: --json, --events or --raw")
    with find(spec).read(torn=torn) as cassette:
        tape = Tape(cassette)
        tape.end(choice.run)
        chosen = entries(cassette, choice)
        if form.raw:
            _print_raw(_stored(cassette, chosen, choice))
        elif form.events:
            _print_raw(_recorded(chosen, strict=form.strict))
        elif form.json:
            _print_raw(map(_json_of, chosen))
        else:
            _print_timeline(tape, cassette, chosen, every=form.every)


def _print_raw(lines: Iterable[bytes]) -> None:
    for each in lines:
        raw_line(each)


def _recorded(chosen: Iterable[Shown], *, strict: bool) -> Iterator[bytes]:
    for shown in chosen:
        if shown.index is not None:
            yield shown.entry.data if strict else untagged(shown.entry.data)


def untagged(data: bytes) -> bytes:
    r"""Return an event's JSON as its framework wrote it: the same bytes, unless something in it was tagged.

    Then it is written anew as Python does: NaN and infinities by name, lone surrogates as `\ud800`. What no JSON can
    carry (bytes, sets) stays tagged.
    """
    if not has_mark(data):
        return data
    return json.dumps(loads(data), default=tag, separators=(",", ":")).encode()


def entries(cassette: Cassette, choice: Choice) -> Iterator[Shown]:
    """Yield the entries that are wanted, of every track.

    Raises `UsageError` for a checkpoint that is not there.
    """
    at_us = index = 0
    behind = choice.after is None
    for number_of_line, entry in enumerate(cassette.entries(), 2):
        at_us += entry.dt_us
        if entry.track == "event" and entry.kind == "checkpoint" and not behind:
            behind = entry.value()["id"] == choice.after
            continue
        if not behind or (choice.run is not None and entry.owner != choice.run):
            continue
        is_event = entry.track == "event" and entry.kind == "event"
        if choice.stop is not None and index >= choice.stop:
            return
        if index >= choice.start:
            yield Shown(number_of_line, at_us, index if is_event else None, entry)
        index += is_event
    if not behind:
        raise UsageError(f"no checkpoint {choice.after!r} in {cassette.where}")


def _json_of(shown: Shown) -> bytes:
    entry = shown.entry
    head: dict[str, Any] = {"line": shown.line, "index": shown.index, "at_us": shown.at_us, "track": entry.track}
    owner = "call" if entry.track == "model" else "run"
    head |= {owner: entry.owner, "kind": entry.kind}
    return json.dumps(head, separators=(",", ":"))[:-1].encode() + b',"data":' + entry.data + b"}"


def _stored(cassette: Cassette, chosen: Iterator[Shown], choice: Choice) -> Iterator[bytes]:
    """Yield the stored lines of what is chosen; of everything, header and seal too."""
    if choice == Choice():
        yield from (stored.rstrip(b"\n") for stored in cassette.lines())
        return
    lines = enumerate(cassette.lines(), 1)
    for shown in chosen:
        yield next(stored for number_of_line, stored in lines if number_of_line == shown.line).rstrip(b"\n")


def _print_timeline(tape: Tape, cassette: Cassette, chosen: Iterator[Shown], *, every: bool) -> None:
    # What cannot be shown at all is an error before anything is printed.
    first = list(islice(chosen, 1))
    console = screen()
    _print_head(console, tape, cassette)
    _print_rows(console, tape, chain(first, chosen), every=every)
    _print_end(console, tape)


def _print_head(console: Console, tape: Tape, cassette: Cassette) -> None:
    name = tape.header.name
    parts = [said(tape.where, "bold")]
    if name and name not in tape.where:
        parts.append(said(f"  {name}"))
    console.print(line(*parts))
    dialects = ", ".join(dict.fromkeys(tape.header.dialects.values())) or "no dialect"
    facts = (dialects, number(cassette.entry_count, "entry", "entries"), number(len(tape.runs), "run"))
    console.print(line(said(" · ".join(facts), "dim")))


def _print_end(console: Console, tape: Tape) -> None:
    if tape.seal is None:
        console.print(line(("torn: the recording breaks off here", "red")))
        return
    for run, end in tape.runs.items():
        failure = tape.seal.errors.get(run)
        why = said(f": {failure.type}: {failure.message}") if failure else ""
        console.print(line(said(f"{run} ended "), said(end, _END_STYLES.get(end, "")), why))


def _print_rows(console: Console, tape: Tape, chosen: Iterator[Shown], *, every: bool) -> None:
    timeline = Timeline(tape.dialect)
    has_runs = len(tape.runs) > 1
    pieces = 0
    last: Moment | None = None
    for shown in chosen:
        moment = _moment(timeline, shown)
        if last is not None and not every and _goes_on(last, moment):
            pieces += 1
            if len(last.text) < console.width:
                last = replace(last, text=last.text + moment.text)
            continue
        if last is not None:
            _print_row(console, last, pieces, has_runs=has_runs)
        last, pieces = moment, 1
    if last is not None:
        _print_row(console, last, pieces, has_runs=has_runs)


def _goes_on(last: Moment, moment: Moment) -> bool:
    """Say whether a moment adds to the same thing as the last one did."""
    return (
        last.feeds and moment.feeds and (last.label, last.run, last.lanes) == (moment.label, moment.run, moment.lanes)
    )


def _moment(timeline: Timeline, shown: Shown) -> Moment:
    entry = shown.entry
    value = entry.value()
    if shown.index is not None and isinstance(value, dict):
        return timeline.feed(value, at_us=shown.at_us, run=entry.owner, index=shown.index)
    label = f"{entry.track}.{entry.kind}"
    detail = f"{len(value):,} bytes {value!r}" if entry.kind == "bytes" else json.dumps(value, default=tag)[:200]
    return Moment(shown.at_us, entry.owner, -1, label, "◦", fields=detail)


def _print_row(console: Console, moment: Moment, pieces: int, *, has_runs: bool) -> None:
    index = f"{moment.index:>5}" if moment.index >= 0 else "     "
    start = line((index, "dim"), f" {moment.at_us / 1e6:>9.3f}  ", (f"{moment.run:<4}" if has_runs else "", "dim"))
    start.append(moment.lanes + " ", "blue")
    start.append_text(said(moment.label, "cyan"))
    if pieces > 1:
        start.append(f" ×{pieces}", "dim")
    if moment.took_us is not None:
        start.append(f" {seconds(moment.took_us)}", "yellow")
    room = console.width - start.cell_len - 2
    console.print(line(start, "  ", said(moment.detail, max_columns=room)))

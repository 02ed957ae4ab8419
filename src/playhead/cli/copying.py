"""`playhead import`, `convert`, `repair` and `scrub`: making one cassette of something else.

None of them changes its source, or replaces a cassette unless it is told to.
"""

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from playhead.cassettes.packed import PackedStore
from playhead.cassettes.places import Place, convert, copy_prefix
from playhead.cassettes.resealing import find_edits
from playhead.cli.finding import beside, find, nearest_path, stem, target
from playhead.cli.progress import progress, waiting
from playhead.cli.screen import line, number, print_json, said, screen, size
from playhead.errors import CassetteError, PlayheadError, UsageError
from playhead.recording.logs import Imported, import_log
from playhead.recording.scrubbing import scrub

STDIN = "-"
"""What stands for standard input where a log is named."""


def rules(redact: Sequence[str] | None, *, no_redact: bool) -> Sequence[str] | None:
    """Return which rules are on: None for the usual ones. Raises `UsageError` where some are wanted and none, too."""
    if redact and no_redact:
        raise UsageError("--redact and --no-redact contradict each other: give one of them")
    return () if no_redact else redact or None


def import_plain(
    log: str,
    output: str | None,
    *,
    dialect: str,
    name: str | None,
    end: str,
    redact: Sequence[str] | None,
    force: bool,
    as_json: bool,
) -> None:
    """Make a cassette of a log of events."""
    if output is None:
        if log == STDIN:
            raise UsageError("a log from standard input has no name: say with --out where the cassette goes")
        output = os.path.splitext(log)[0] + ".cassette.jsonl"
    with _opened(log) as (file, where, total_bytes):
        place = target(output, source_name=log, force=force)
        _refuse_same_file(log, place)
        with progress(f"import {os.path.basename(where)}", total_bytes) as advance:
            imported = import_log(
                file,
                place,
                dialect=dialect,
                where=where,
                name=name,
                end=end,
                redact=redact,
                replace=force,
                on_bytes=advance,
            )
    _tell_imported(imported, where, place, dialect=dialect, as_json=as_json)


@contextmanager
def _opened(log: str) -> Generator[tuple[BinaryIO, str, int]]:
    if log == STDIN:
        yield sys.stdin.buffer, "<stdin>", 0
        return
    if not os.path.exists(log):
        hint = nearest_path(log)
        raise CassetteError(f"there is no log {log!r}" + (f"; did you mean {hint!r}?" if hint else ""))
    if os.path.isdir(log):
        raise CassetteError(f"{log!r} is a folder, not a log: name a file of JSON Lines")
    with open(log, "rb") as file:
        yield file, log, os.fstat(file.fileno()).st_size


def _refuse_same_file(log: str, place: Place) -> None:
    if log != STDIN and os.path.exists(place.where) and os.path.samefile(log, place.where):
        raise UsageError(f"{place.where} is the log itself: give the cassette another name")


def _tell_imported(imported: Imported, where: str, place: Place, *, dialect: str, as_json: bool) -> None:
    seal, unread = imported.seal, sum(imported.opaque.values())
    if as_json:
        found = {"place": place.where, "entries": seal.entries, "end": seal.end, "dialect": dialect}
        print_json(found | {"opaque": imported.opaque, "better": imported.better, "redacted": seal.redacted})
    else:
        told = f"{number(seal.entries, 'event')} of {where} are in {place.where} (dialect {dialect}, end {seal.end})"
        screen().print(line(said(told)))
        _tell_redacted(seal.redacted)
    if unread:
        warn = screen(errors=True)
        shown = ", ".join(f"{name!r}" for name in list(imported.opaque)[:5])
        more = f" and {len(imported.opaque) - 5} more" if len(imported.opaque) > 5 else ""
        told = f"dialect {dialect!r} cannot read {number(unread, 'event')} of {seal.entries:,}: {shown}{more}"
        hint = f"; `--dialect {imported.better}` knows more of them" if imported.better else "; they are kept whole"
        warn.print(line(("warning: ", "bold yellow"), said(told + hint)))


def _tell_redacted(hits: dict[str, int]) -> None:
    if hits:
        screen().print(line("redacted: ", said(", ".join(f"{count} × {kind}" for kind, count in hits.items()))))


def convert_one(source_spec: str, target_spec: str, *, force: bool, as_json: bool) -> None:
    """Copy a cassette into another store, byte for byte."""
    source = find(source_spec)
    place = target(target_spec, source_name=source.name or "", force=force)
    with waiting(f"convert {source.name}", source):
        seal = convert(source, place, replace=force)
    if as_json:
        print_json({"from": source.where, "to": place.where, "entries": seal.entries, "sha256": seal.sha256})
        return
    told = f"{source.where} -> {place.where}: {number(seal.entries, 'entry', 'entries')}, the same bytes"
    screen().print(line(said(told)))


def repair(spec: str, output: str | None, *, force: bool, as_json: bool) -> None:
    """Copy the intact beginning of a damaged cassette."""
    source = find(spec)
    place = target(output or beside(source, "repaired"), source_name=stem(source.name or ""), force=force)
    with waiting(f"repair {source.name}", source):
        repaired = copy_prefix(source, place, replace=force)
    by_hand = _was_edited(source)
    if as_json:
        found = {"from": source.where, "to": place.where, "kept": repaired.kept, "lost_bytes": repaired.lost_bytes}
        print_json(found | {"reason": repaired.reason, "edited": by_hand})
        return
    console = screen()
    console.print(line(said(repaired.reason)))
    kept = number(repaired.kept, "entry", "entries")
    console.print(line(said(f"kept {kept} in {place.where}, lost {size(repaired.lost_bytes)} behind them")))
    if by_hand:
        told = f"if it was edited by hand, nothing need be lost: playhead reseal {source.where}"
        console.print(line(said(told)))


def _was_edited(source: Place) -> bool:
    """Say whether all that is wrong with a cassette is what a hand can have done: then it can be sealed again."""
    try:
        edits = find_edits(source)
    except PlayheadError:
        return False
    return edits.sealed_entries is not None and not isinstance(source.store, PackedStore)


def scrub_one(spec: str, output: str | None, *, redact: Sequence[str] | None, force: bool, as_json: bool) -> None:
    """Take the secrets out of a cassette, into a copy."""
    source = find(spec)
    place = target(output or beside(source, "scrubbed"), source_name=source.name or "", force=force)
    with waiting(f"scrub {source.name}", source):
        hits = scrub(source, place, redact=redact, replace=force).redacted
    if as_json:
        print_json({"from": source.where, "to": place.where, "redacted": hits})
        return
    console = screen()
    found = number(sum(hits.values()), "secret") if hits else "no secrets"
    console.print(line(said(f"{found} found in {source.where}; the copy is {place.where}")))
    for kind, count in sorted(hits.items()):
        console.print(line(said(f"  {count:>6,}  {kind}")))

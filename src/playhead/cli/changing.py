"""The commands that write a cassette: import, convert, repair, scrub. None overwrites one without `--force`."""

import sys
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from playhead.cassettes.format import ENDS, MAX_LINE_BYTES
from playhead.cassettes.naming import SUFFIX
from playhead.cassettes.places import convert as convert_cassette
from playhead.cassettes.places import copy_prefix, locate
from playhead.cli.options import AsJson, Cassette, Force, Out, Redact
from playhead.cli.output import print_json, progress, say, warn
from playhead.errors import CassetteError, MissingCassette, UsageError
from playhead.events.dialects import get_dialect
from playhead.recording.logs import Imported, import_log
from playhead.recording.scrubbing import scrub as scrub_cassette
from playhead.text import nearest


def import_(
    log: Annotated[str, typer.Argument(help="A log: JSON Lines, one event a line; - for standard input.")],
    dialect: Annotated[str, typer.Option(help="What the events are: locus, shipit or turns.", show_default=False)],
    out: Out = None,
    end: Annotated[str, typer.Option(metavar="END", help=f"How the run ended: {', '.join(ENDS)}.")] = "unknown",
    name: Annotated[str | None, typer.Option(help="The cassette's own name.", show_default=False)] = None,
    redact: Redact = None,
    no_redact: Annotated[bool, typer.Option("--no-redact", help="Leave secrets as they are.")] = False,
    force: Force = False,
    json: AsJson = False,
) -> None:
    """Make a cassette of a plain log of events.

    The log has one event a line, as the framework's own JSON. The cassette is LOG with the suffix .jsonl changed to
    .cassette.jsonl, unless --out says where.
    """
    if end not in ENDS:
        raise UsageError(f"no run ends {end!r}: give one of {', '.join(ENDS)}")
    target = locate(out or _beside(log))
    chosen = get_dialect(dialect)
    rules = () if no_redact else redact or None
    made = {"playhead": version("playhead")}
    with _opened(log) as file:
        lines = progress(_lines(file), log, total=_size(log), size=len)
        found = import_log(lines, target, chosen, log=log, end=end, name=name, redact=rules, made=made, replace=force)
    _report(found, target.where, chosen.name, end, as_json=json)


def _report(found: Imported, where: str, dialect: str, end: str, *, as_json: bool) -> None:
    if found.better:
        warn(f"{found.unknown} of {found.events} events are not of dialect {dialect!r}: try --dialect {found.better}")
    if as_json:
        said = {"cassette": where, "events": found.events, "unknown": found.unknown, "end": end}
        print_json(said | {"redacted": found.seal.redacted})
        return
    unknown = f", {found.unknown} of unknown type" if found.unknown else ""
    say(f"{where}: {_count(found.events, 'event')}{unknown}, end {end}{_hits(found.seal.redacted)}")


def convert(
    source: Cassette, target: Annotated[str, typer.Argument()], force: Force = False, json: AsJson = False
) -> None:
    """Copy a cassette into another store, byte for byte: trip.jsonl to runs.db::trip, or back."""
    place = locate(target)
    seal = convert_cassette(locate(source), place, replace=force)
    if json:
        print_json({"cassette": place.where, "entries": seal.entries, "sha256": seal.sha256})
    else:
        say(f"{place.where}: {_count(seal.entries, 'entry')}, SHA-256 {seal.sha256[:16]} as before")


def repair(source: Cassette, out: Out = None, force: Force = False, json: AsJson = False) -> None:
    """Copy the intact beginning of a torn or damaged cassette, and say what was lost.

    The damaged one stays as it is. The copy ends `unknown`.
    """
    place = locate(out or _named(source, "repaired"))
    found = copy_prefix(locate(source), place, replace=force)
    if json:
        said = {"cassette": place.where, "kept": found.kept, "lost_bytes": found.lost_bytes, "reason": found.reason}
        print_json(said)
    else:
        say(f"{place.where}: kept {_count(found.kept, 'entry')}, lost {found.lost_bytes:,} bytes: {found.reason}")


def scrub(source: Cassette, out: Out = None, redact: Redact = None, force: Force = False, json: AsJson = False) -> None:
    """Copy a cassette without its secrets, and say what was found."""
    place = locate(out or _named(source, "scrubbed"))
    seal = scrub_cassette(locate(source), place, redact=redact or None, replace=force)
    if json:
        print_json({"cassette": place.where, "entries": seal.entries, "redacted": seal.redacted})
    else:
        say(f"{place.where}: {_count(seal.entries, 'entry')}{_hits(seal.redacted) or ', nothing secret found'}")


def _count(number: int, noun: str) -> str:
    many = noun.removesuffix("y") + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,} {noun if number == 1 else many}"


def _hits(redacted: dict[str, int]) -> str:
    return f", redacted: {', '.join(f'{count} x {rule}' for rule, count in redacted.items())}" if redacted else ""


def _beside(log: str) -> str:
    return _named("stdin" if log == "-" else log, "cassette")


def _named(source: str, what: str) -> str:
    """Return the place of a new file beside `source`: `trip.jsonl` gives `trip.repaired.jsonl`."""
    head, separator, name = source.partition("::")
    if separator:
        return f"{head}::{name}.{what}"
    path = Path(source)
    stem = path.name.partition(SUFFIX)[0] if SUFFIX in path.name else path.stem
    return str(path.with_name(f"{stem}.{what}{SUFFIX}"))


def _opened(log: str) -> BinaryIO:
    if log == "-":
        return sys.stdin.buffer
    try:
        return open(log, "rb")
    except FileNotFoundError:
        raise MissingCassette(f"there is no log {log!r}{_meant(log)}") from None
    except OSError as error:
        raise CassetteError(f"{log!r} cannot be read: {error.strerror}") from error


def _meant(log: str) -> str:
    folder = Path(log).parent
    names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    hint = nearest(Path(log).name, names)
    return f"; did you mean {str(folder / hint)!r}?" if hint else ""


def _lines(file: BinaryIO) -> Iterator[bytes]:
    try:
        yield from iter(partial(file.readline, MAX_LINE_BYTES + 2), b"")
    except OSError as error:
        raise CassetteError(f"{file.name!r} cannot be read: {error.strerror}") from error


def _size(log: str) -> int | None:
    return None if log == "-" else Path(log).stat().st_size

"""`playhead check` and `playhead rule`: streams against the rules, and what the rules say.

Knows what a person can name: cassettes, files of bytes, standard input, an endpoint. Does not know the rules.
"""

import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from http.client import IncompleteRead
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from playhead.cassettes.places import Place
from playhead.cli.errors import FOUND, UNREADABLE, tell
from playhead.cli.fetching import fetch, is_url
from playhead.cli.finding import find_all
from playhead.cli.reports import REPORTS, Checked, severity
from playhead.cli.screen import line, number, print_json, said, screen, width
from playhead.contracts.check import check
from playhead.contracts.limits import Limits
from playhead.contracts.rule import Example, Rule, Severity
from playhead.contracts.rules import RULES, find_rule, selected
from playhead.contracts.violation import Violation
from playhead.contracts.wire import WireWatch
from playhead.errors import PlayheadError, UsageError
from playhead.events.dialects import get_dialect
from playhead.replaying.tape import Tape
from playhead.text import did_you_mean, safe

T = TypeVar("T")

_BLOCK_BYTES: Final = 64 * 1024
_WIRE: Final = ".sse"
_FAIL_ON: Final[Mapping[str, tuple[Severity, ...]]] = {
    "error": (Severity.ERROR,),
    "warning": (Severity.ERROR, Severity.WARNING),
    "never": (),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of streams: rules, limits, the dialect of bytes, and how long an endpoint is read, in seconds."""

    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)
    dialect: str | None = None
    limit_s: float = 30.0


def check_all(specs: Sequence[str], options: Options, *, form: str, fail_on: str) -> int:
    """Print what breaks a rule, and return the exit code: 1 for findings, 2 where a stream is unreadable."""
    report = _choice("format", form, REPORTS)
    fatal = _choice("fail-on", fail_on, _FAIL_ON)
    options = replace(options, select=_split(options.select), ignore=_split(options.ignore))
    _wire(options)
    checked = [_checked(stream) for spec in specs for stream in _streams(spec, options)]
    report(checked)
    found = [violation for stream in checked for violation in stream.found]
    # What is on standard output is for programs: findings, and nothing where there are none.
    told = number(len(found), "violation") if found else "nothing found"
    screen(errors=True).print(line((f"{number(len(checked), 'stream')} checked, {told}", "dim")))
    if any(stream.problem for stream in checked):
        return UNREADABLE
    return FOUND if any(severity(violation) in fatal for violation in found) else 0


def _choice(name: str, word: str, known: Mapping[str, T]) -> T:
    if word in known:
        return known[word]
    raise UsageError(f"--{name} {word!r}: it is one of {', '.join(known)}{did_you_mean(word, known)}")


def _split(words: Iterable[str]) -> list[str]:
    return [code for word in words for code in word.split(",") if code]


Stream = tuple[str, Callable[[], Iterator[Violation]]]
"""A stream's name, and what reads it to its end and yields what it finds."""


def _checked(stream: Stream) -> Checked:
    place, read = stream
    found: list[Violation] = []
    try:
        # What was found before a failure stays found.
        found.extend(read())
    except (PlayheadError, OSError) as error:
        tell(error)
        return Checked(place, _in_order(found), str(error))
    return Checked(place, _in_order(found))


def _in_order(found: list[Violation]) -> list[Violation]:
    return sorted(found, key=lambda each: (each.line or 0, each.offset or 0))


def _streams(spec: str, options: Options) -> Iterator[Stream]:
    """Yield the streams that a person named: an endpoint, standard input, bytes in a file, cassettes."""
    if is_url(spec):
        yield spec, lambda: _live(spec, options)
    elif spec == "-":
        yield "-", lambda: _bytes(sys.stdin.buffer, options)
    elif os.path.isfile(spec) and spec.endswith(_WIRE):
        yield spec, lambda: _file(spec, options)
    else:
        if os.path.isdir(spec):
            for path in sorted(map(str, Path(spec).rglob(f"*{_WIRE}"))):
                yield path, partial(_file, path, options)
        for place in find_all([spec]):
            yield place.where, partial(_cassette, place, options)


def _cassette(place: Place, options: Options) -> Iterator[Violation]:
    with place.read() as cassette:
        yield from check(Tape(cassette), select=options.select, ignore=options.ignore, limits=options.limits)


def _file(path: str, options: Options) -> Iterator[Violation]:
    with open(path, "rb") as file:
        for violation in _bytes(file, options):
            yield replace(violation, file=path)


def _bytes(file: BinaryIO, options: Options) -> Iterator[Violation]:
    watch = _wire(options)
    while chunk := file.read(_BLOCK_BYTES):
        yield from watch.feed(chunk)
    yield from watch.close("complete")


def _live(url: str, options: Options) -> Iterator[Violation]:
    """Read an endpoint until it ends, or we leave: then the stream is `closed` and promised no end."""
    watch, end = _wire(options), "complete"
    fetched = fetch(url, limit_s=options.limit_s)
    yield from watch.headers(fetched.headers)
    try:
        for at_us, chunk in fetched.chunks:
            yield from watch.feed(chunk, at_us=at_us)
    except TimeoutError:
        end = "closed"
        screen(errors=True).print(line((f"{safe(url)}: left after {options.limit_s:g} s, while it went on", "dim")))
    except (IncompleteRead, ConnectionError):
        end = "error"
        screen(errors=True).print(line((f"{safe(url)}: the connection was cut", "dim")))
    yield from watch.close(end)


def _wire(options: Options) -> WireWatch:
    dialect = get_dialect(options.dialect) if options.dialect else None
    return WireWatch(dialect, codes=selected(options.select, options.ignore, options.limits), limits=options.limits)


def rule(code: str | None, *, as_json: bool) -> int:
    """Print one rule with its examples, or all of them, a line each."""
    if code is not None:
        one = find_rule(code)
        print_json(_described(one)) if as_json else _print_rule(one)
        return 0
    for each in RULES.values():
        if as_json:
            print_json(_described(each))
        else:
            word = "" if each.severity is Severity.ERROR else f" ({each.severity})"
            screen().print(line((f"{each.code}  ", "bold"), each.meaning, (word, "dim")))
    return 0


def _described(each: Rule) -> dict[str, object]:
    described = {"code": each.code, "severity": each.severity, "meaning": each.meaning, "why": each.why}
    return described | {"breaks": _shown(each.breaks), "keeps": _shown(each.keeps)}


def _print_rule(each: Rule) -> None:
    console = screen()
    console.print(line((f"{each.code} ", "bold"), each.meaning, (f"  [{each.severity}]", "dim")))
    console.print(line())
    for told in textwrap.wrap(each.why, min(88, width())):
        console.print(line(told))
    for title, example in (("breaks it", each.breaks), ("keeps it", each.keeps)):
        console.print(line())
        console.print(line((f"{title}{_conditions(example)}:", "bold")))
        for text in _shown(example):
            console.print(line("    ", said(text)))


def _conditions(example: Example) -> str:
    limits = example.limits or Limits()
    asked = {field: value for field, value in asdict(limits).items() if value}
    known = {"dialect": example.dialect, "end": example.end, **asked}
    return " (" + ", ".join(f"{name}={value}" for name, value in known.items() if value is not None) + ")"


def _shown(example: Example) -> list[str]:
    """Return an example as lines: an event each, or the lines on the wire with what cannot be seen made visible."""
    if example.events:
        return [json.dumps(event, ensure_ascii=False) for event in example.events]
    headers = [f"{name}: {value}" for name, value in (example.headers or {}).items()]
    wire = example.wire.decode("utf-8", "backslashreplace").splitlines(keepends=True)
    return headers + [text.replace("\r", "\\r").replace("\n", "\\n").replace("\ufeff", "\\ufeff") for text in wire]

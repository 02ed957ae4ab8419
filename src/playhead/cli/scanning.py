"""`playhead scan`: secrets in cassettes, and in any other file of text, told as a linter tells them.

Knows the codes. Does not know what a secret looks like. No finding shows the secret itself.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from playhead.cassettes.format import MAX_LINE_BYTES, named_version
from playhead.cassettes.naming import SUFFIX
from playhead.cassettes.packed import is_packed
from playhead.cassettes.places import Place
from playhead.cassettes.redact.patterns import ROWS
from playhead.cli.errors import FOUND, UNREADABLE, tell
from playhead.cli.finding import find_all
from playhead.cli.screen import line, number, print_json, said, screen
from playhead.errors import CassetteError, PlayheadError, UsageError
from playhead.recording.scrubbing import Found, find_in_bytes, find_in_lines, find_secrets
from playhead.recording.secrets import local_redactor
from playhead.text import did_you_mean, safe

_WIRE: Final = ".sse"
_HAS_MESSAGES: Final = re.compile(rb"^data:", re.MULTILINE)
# What gzip, Zstandard, xz, bzip2 and zip begin with.
_COMPRESSED: Final = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh", b"PK\x03\x04")


@dataclass(frozen=True, slots=True)
class Code:
    """Name a finding: its code, the rule of redaction that finds it, and what it means."""

    code: str
    rule: str
    meaning: str


CODES: Final[tuple[Code, ...]] = (
    Code("SEC001", "keys", "a key of a provider"),
    Code("SEC002", "jwt", "a JSON web token"),
    Code("SEC003", "private-keys", "a private key"),
    Code("SEC004", "bearer", "a bearer token"),
    Code("SEC005", "entropy", "a random value or a password beside a telling name"),
    Code("SEC006", "headers", "a header that holds credentials"),
    Code("SEC007", "urls", "credentials in a URL"),
    Code("SEC008", "home", "the name of a person in a path"),
    Code("SEC009", "email", "an e-mail address"),
    Code("SEC010", "cards", "the number of a card"),
)
"""What can be found. The last two are looked for on request: `--redact email`."""

_BY_RULE: Final = {each.rule: each for each in CODES}
# A kind that is in no row is the name of a header, or the home folder of whoever runs this.
_RULE_OF: Final = {row.kind: row.group for row in ROWS} | {"home": "home"}


@dataclass(frozen=True, slots=True)
class Finding:
    """Say where a secret begins, and which."""

    file: str
    line: int
    code: Code
    kind: str
    placeholder: str

    @property
    def message(self) -> str:
        """What is told to people: never the secret, but what would stand in its place, so equal ones look equal."""
        return f"{self.code.meaning} ({self.kind}), {self.placeholder}"


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked: rules of redaction, and the beginnings of codes to tell, or not to."""

    redact: Sequence[str] | None = None
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()

    def wants(self, code: str) -> bool:
        """Say whether a finding with this code is told."""
        return code.startswith(_split(self.select) or ("",)) and not code.startswith(_split(self.ignore))


def scan_all(specs: Sequence[str], options: Options, *, form: str) -> int:
    """Print what is secret, and return the exit code: 1 for findings, 2 where a file is unreadable."""
    if form not in _FORMS:
        raise UsageError(f"--format {form!r}: it is one of {', '.join(_FORMS)}{did_you_mean(form, _FORMS)}")
    _check_codes((*options.select, *options.ignore))
    local_redactor(options.redact)
    found, files, failed = 0, set[str](), False
    streams = 0
    for stream in _streams(specs, options):
        streams += 1
        try:
            for each in stream():
                if options.wants(each.code.code):
                    found += 1
                    files.add(each.file)
                    _FORMS[form](each)
        except (PlayheadError, OSError) as error:
            failed = True
            tell(error)
    told = number(found, "secret") + f" in {number(len(files), 'file')}" if found else "nothing found"
    hint = "; `playhead scrub CASSETTE` makes a copy without" if found else ""
    screen(errors=True).print(line((f"{number(streams, 'file')} scanned, {told}{hint}", "dim")))
    return UNREADABLE if failed else FOUND if found else 0


def _check_codes(words: Iterable[str]) -> None:
    known = [each.code for each in CODES]
    for word in _split(words):
        if not any(code.startswith(word) for code in known):
            raise UsageError(f"no code begins with {word!r}: there are {known[0]} to {known[-1]}")


def _split(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(code for word in words for code in word.split(",") if code)


Stream = Callable[[], Iterator[Finding]]
"""What reads one file or cassette, and yields what it finds."""


def _streams(specs: Sequence[str], options: Options) -> Iterator[Stream]:
    for spec in specs:
        if os.path.isfile(spec) and not _is_cassette(spec):
            yield partial(_in_text, spec, options)
            continue
        if os.path.isdir(spec):
            for path in sorted(map(str, Path(spec).rglob(f"*{_WIRE}"))):
                yield partial(_in_text, path, options)
        for place in find_all([spec]):
            is_other = os.path.isfile(place.where) and not _is_cassette(place.where)
            yield partial(_in_text, place.where, options) if is_other else partial(_in_cassette, place, options)


def _is_cassette(path: str) -> bool:
    """Tell a cassette, damaged or not, or a store of them, from any other file."""
    if is_packed(path):
        return True
    with open(path, "rb") as file:
        first = file.read(64)
    return first.startswith(b"SQLite format 3\0") or named_version(first) is not None


def _in_cassette(place: Place, options: Options) -> Iterator[Finding]:
    with place.read() as cassette:
        for each in find_secrets(cassette, redact=options.redact):
            yield _finding(place.where, each)


def _in_text(path: str, options: Options) -> Iterator[Finding]:
    """Yield what is secret in a file of another kind: a log with JSON in its lines, or text of any encoding."""
    redactor = local_redactor(options.redact)
    with open(path, "rb") as file:
        data = file.read(MAX_LINE_BYTES + 1)
    if data.startswith(_COMPRESSED):
        raise CassetteError(f"{path} is compressed, so its text was not scanned: decompress it first")
    if len(data) > MAX_LINE_BYTES:
        raise CassetteError(f"{path} is larger than {MAX_LINE_BYTES:,} bytes, and no cassette: it was not scanned")
    if path.endswith(SUFFIX):
        for each in find_in_lines(data.splitlines(), redactor):
            yield _finding(path, each)
        return
    if path.endswith(_WIRE) or _HAS_MESSAGES.search(data):
        for each in find_in_bytes(data, redactor):
            yield _finding(path, each)
        return
    text = data.decode("utf-8", "surrogateescape")
    for span in redactor.spans(text):
        told = redactor.placeholder(text[span.start : span.end], kind=span.kind)
        yield _finding(path, Found(text.count("\n", 0, span.start) + 1, span.kind, told))


def _finding(file: str, found: Found) -> Finding:
    code = _BY_RULE[_RULE_OF.get(found.kind, "headers")]
    return Finding(file, found.line, code, found.kind, found.placeholder)


def _text(found: Finding) -> None:
    screen().print(line(said(f"{found.file}:{found.line}: "), (f"{found.code.code} ", "bold"), said(found.message)))


def _json(found: Finding) -> None:
    told = {"file": found.file, "line": found.line, "code": found.code.code, "kind": found.kind}
    print_json(told | {"rule": found.code.rule, "placeholder": found.placeholder, "message": found.message})


def _github(found: Finding) -> None:
    values = {"file": found.file, "line": str(found.line), "title": found.code.code}
    told = ",".join(f"{name}={_escaped(value, also=':,')}" for name, value in values.items())
    sys.stdout.write(f"::error {told}::{_escaped(found.message)}\n")


def _escaped(text: str, *, also: str = "") -> str:
    """Return text as a value of GitHub's workflow commands."""
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return safe(text)


_FORMS: Final[Mapping[str, Callable[[Finding], None]]] = {"text": _text, "json": _json, "github": _github}

r"""Where the secrets are in a text, and whether there can be any.

Knows how to run the table of patterns: literals first, then one Rust automaton for all rows, and Python's engine only
where both have said yes. Does not know JSON, placeholders or streams.

Almost all text is clean, so the way to "clean" is what counts. It is two calls of a `SchemaValidator` with a
`pattern`, which pydantic-core runs on the `regex` crate: about half a microsecond for a kilobyte, where Python's own
engine takes a hundred times that.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from pydantic_core import SchemaValidator, core_schema

from playhead.cassettes.redact.patterns import HEADER_ANCHORS, HEADER_GATE, ROWS, RULES, directory, person
from playhead.cassettes.redact.rows import Row
from playhead.errors import UsageError
from playhead.text import did_you_mean

Tell = Callable[[str | bytes], bool]
"""Tells whether a text has something."""

# What a word begins behind, besides anything but a letter or digit: escapes that were not decoded (the `n` of `\n`, the
# `D` of `%3D`, the `m` that ends a terminal's colour belong to no word), and the roots under which homes lie. Each has
# a fixed width, as Python's look-behind wants it.
_BEHIND = (
    r"\\[nrtbf]",
    "%[0-9A-Fa-f]{2}",
    "[0-9]m",
    r"\\x[0-9A-Fa-f]{2}",
    r"\\u[0-9A-Fa-f]{4}",
    "/var",
    "/export",
    "/mnt/[a-z]",
    "[^A-Za-z0-9]/[a-z]",
)
_RUST_STARTS = f"(?:^/[a-z]|^|[^A-Za-z0-9]|{'|'.join(_BEHIND)})"

_ATOM = re.compile(r"\[[^\]]*\]|.")
MAX_LITERALS: Final = 64
"""How many literals the `regex` crate looks for with vector instructions: with one more it takes five times as long."""

_BLANK = re.compile("[ \t\r\n]")

# JSON may spell any character as an escape, and then no pattern would see it.
_ESCAPED = r"\\u00(?:[2-7]|0[9aAdD])|\\/"
_ESCAPED_ANCHORS = (r"\u00",)


@dataclass(frozen=True, slots=True)
class Span:
    """Say that `text[start:end]` is a secret, and of which kind. `rest` finds its end where it goes on."""

    start: int
    end: int
    order: int
    kind: str
    group: str
    rest: str


class _Finder:
    """Compile the expressions of one row, each when it is first needed: most never are."""

    def __init__(self, order: int, row: Row) -> None:
        self.row = row
        self.order = order

    @cached_property
    def find(self) -> re.Pattern[str]:
        return re.compile(_begun(self.row, self.row.secret, self.row.head) + self.row.ends, re.ASCII)

    @cached_property
    def names(self) -> re.Pattern[str]:
        return re.compile(rf"{self.row.unless}{self.row.before}\Z", re.ASCII)

    @cached_property
    def run(self) -> re.Pattern[str] | None:
        return re.compile(f"{self.row.run}*") if self.row.run else None

    @cached_property
    def opening(self) -> re.Pattern[str]:
        row = self.row
        first = _ATOM.match(row.head)
        head = row.head if row.before or not first else first[0]
        return re.compile(_begun(row, row.opening, head) + r"\Z", re.ASCII)

    @cached_property
    def is_suspect(self) -> Tell:
        return tell(_factored([(self.row.starts, self.row.gate)]))

    @cached_property
    def may_open(self) -> Tell:
        return tell(rf"(?:{_factored([(self.row.starts, f'{self.row.before}(?:{self.row.opening})')])})\z")


class Scanner:
    """Find the secrets of some rules. Holds no state: one scanner serves any number of redactors and threads."""

    def __init__(self, rows: Sequence[Row], *, headers: bool) -> None:
        self._finders = tuple(_Finder(order, row) for order, row in enumerate(rows))
        anchors = [*_ESCAPED_ANCHORS, *(HEADER_ANCHORS if headers else ())]
        anchors += [anchor for row in rows for anchor in row.anchors]
        self.literals: list[str] = [] if any(not row.anchors for row in rows) else _shortest(anchors)
        gates = [(row.starts, row.gate) for row in rows] + [(False, _ESCAPED)] + [(False, HEADER_GATE)] * headers
        openings = [(row.starts, f"{row.before}(?:{row.opening})") for row in rows]
        self.has_anchor: Tell = tell("|".join(map(re.escape, self.literals))) if self.literals else _always
        self.is_suspect: Tell = tell(_factored(gates))
        self.may_open: Tell = tell(rf"(?:{_factored(openings)})\z")
        self.may_open_string: Tell = tell(rf"(?:{_factored(openings)})(?:\"|\z)|{_ESCAPED}")

    def spans(self, text: str, start: int = 0) -> list[Span]:
        """Return where the secrets lie that begin at `start` or later, in order, none over another.

        What stands before `start` counts as what stands before a secret.
        """
        found: list[Span] = []
        plain = readable(text)
        for finder in self._finders:
            if finder.is_suspect(plain):
                found += _found(finder, text, start)
        return _merged(found) if len(found) > 1 else found

    def kind_beside(self, name: str, value: str) -> str | None:
        """Return the kind of secret that a whole value is by its name, or None where the name does not say."""
        if _BLANK.search(value) is None:
            for finder in self._finders:
                if finder.row.group == "entropy" and finder.names.search(f"{name}:") and finder.row.is_secret(value):
                    return finder.row.kind
        return None

    def opening(self, text: str, start: int = 0) -> int:
        """Return where the first secret may begin whose end is not known yet, at `start` or later; else the length."""
        first = len(text)
        plain = readable(text)
        if not self.may_open(plain):
            return first
        for finder in self._finders:
            if finder.may_open(plain):
                match = finder.opening.search(text)
                while match and match.start("secret") < start:
                    match = finder.opening.search(text, match.start("secret") + 1)
                if match:
                    first = min(first, match.start("secret"))
        return first


@lru_cache(maxsize=32)
def scanner(rules: tuple[str, ...], home: tuple[str, ...], names: tuple[str, ...]) -> Scanner:
    """Return the scanner of some rules, made once. Raises `UsageError` for a rule that there is not."""
    for rule in rules:
        if rule not in RULES:
            known = ", ".join(RULES)
            raise UsageError(f"no redaction rule is called {rule!r}: there are {known}{did_you_mean(rule, RULES)}")
    rows = [row for row in ROWS if row.group in rules]
    if "home" in rules:
        own = [*map(directory, sorted(home, key=len, reverse=True)), *map(person, names)]
        rows = own + rows
    return Scanner(rows, headers="headers" in rules)


def tell(pattern: str) -> Tell:
    """Return a function that tells whether a pattern of the `regex` crate matches anywhere in a text.

    It takes str, or bytes of UTF-8. To anything else it says no: its callers make the text `readable` first.
    """
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")).isinstance_python


def is_unicode(text: str) -> bool:
    """Tell whether a text has UTF-8: whether it has no lone surrogates."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def readable(text: str) -> str:
    """Return a text that Rust can read: lone surrogates become question marks, one for one."""
    return text if is_unicode(text) else text.encode("utf-8", "replace").decode()


def _always(_text: str | bytes) -> bool:
    return True


def _shortest(anchors: Iterable[str]) -> list[str]:
    """Leave out the literals that have another one inside: fewer literals are found faster."""
    kept: list[str] = []
    for anchor in sorted(set(anchors), key=lambda text: (len(text), text)):
        if not any(shorter in anchor for shorter in kept):
            kept.append(anchor)
    return kept


def _begun(row: Row, secret: str, head: str) -> str:
    """Return the pattern of a secret behind what stands before it.

    The test for a word's beginning looks back from behind the head, so that Python's engine can leap from head to
    head. A head is the beginning of what stands before the secret or, where nothing does, of the secret.
    """
    starts = _starts(head) if row.starts else ""
    if row.before:
        return f"{row.unless}{head}{starts}{row.before[len(head) :]}(?P<secret>{secret})"
    return f"{row.unless}(?P<secret>{head}{starts}{secret[len(head) :]})"


def _starts(head: str) -> str:
    """Return the look-behind that asks, behind a head, whether a word begins with it."""
    behind = "|".join(f"(?<={before}{head})" for before in (*_BEHIND, r"\A/[a-z]"))
    return f"(?:(?<![A-Za-z0-9]{head})|{behind})"


def _factored(patterns: Iterable[tuple[bool, str]]) -> str:
    """Join patterns by `or`; those that begin a word share the test for it."""
    starting: list[str] = []
    others: list[str] = []
    for starts, pattern in patterns:
        (starting if starts else others).append(pattern)
    return "|".join(([f"{_RUST_STARTS}(?:{'|'.join(starting)})"] if starting else []) + others)


def _found(finder: _Finder, text: str, start: int) -> list[Span]:
    row, found = finder.row, list[Span]()
    match = finder.find.search(text)
    while match:
        begin, end = match.span("secret")
        good = begin >= start and row.is_secret(text[begin:end])
        more = finder.run.match(text, end) if good and finder.run else None
        end = more.end() if more else end
        if good:
            found.append(Span(begin, end, finder.order, row.kind, row.group, row.rest))
        # What only looked like the name of a secret may be followed by one.
        match = finder.find.search(text, end if good or begin == match.start() else begin)
    return found


def _merged(found: list[Span]) -> list[Span]:
    """Order the spans and unite those that overlap, under the kind whose row stands first in the table."""
    merged: list[Span] = []
    for span in sorted(found, key=lambda one: (one.start, one.order)):
        last = merged[-1] if merged else None
        if last and span.start < last.end:
            first = min(last, span, key=lambda one: one.order)
            merged[-1] = Span(last.start, max(last.end, span.end), first.order, first.kind, first.group, first.rest)
        else:
            merged.append(span)
    return merged

"""Making a cassette of a plain log of events: JSON Lines, one event a line, as programs write them for themselves.

Knows lines, a dialect's times, and what to say of a line that is no event. Does not know where the log comes from, nor
who shows progress. A log does not say where one run ends and the next begins, nor how it ended: all is one run, and its
end is what the caller says.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, BinaryIO, Final

from playhead.cassettes.format import ENDS, MAX_LINE_BYTES, Seal, check_limits, entry_prefix, named_version
from playhead.cassettes.places import Place
from playhead.cassettes.redact import Redactor
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import CassetteError, UsageError
from playhead.events.base import OpaqueEvent
from playhead.events.canonical import Path
from playhead.events.codec import decode_json, strict_json
from playhead.events.dialects import DIALECTS, get_dialect
from playhead.events.paths import at
from playhead.events.spans import Dialect
from playhead.events.tagged import loads
from playhead.recording.copying import Copy
from playhead.recording.runs import FIRST_RUN
from playhead.recording.secrets import header_of, local_redactor
from playhead.recording.texts import EventTexts

_BOM: Final = b"\xef\xbb\xbf"
_WIDE_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_MAX_UNIX_S: Final = 253_402_300_800
"""Where the year 9999 ends."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Say what became of a log.

    `opaque` counts, by type, the events that the dialect could not read: they are kept whole, and mean nothing.
    `better` names a dialect that knows more of the types than the one that was asked for, if there is one.
    """

    seal: Seal
    opaque: Mapping[str, int]
    better: str | None


def import_log(
    log: BinaryIO,
    target: Place,
    *,
    dialect: str | Dialect,
    where: str,
    name: str | None = None,
    end: str = "unknown",
    redact: Sequence[str] | None = None,
    replace: bool = False,
    on_bytes: Callable[[int], None] = lambda size: None,
) -> Imported:
    """Write the events of a log into a cassette, line by line and in constant memory, and seal it with `end`.

    `where` is the log's name for messages, `name` the cassette's own. `redact` is as in `record`. An entry's `dt` is
    taken from the events' own times where the dialect knows them, and is never negative. `on_bytes` is told the size of
    each line. Blank lines are skipped.

    Raises `CassetteError` for a line that is no event, naming log and line, and where the target exists unless
    `replace`; `UsageError` for an unknown dialect, rule or end. No target is left behind then.
    """
    if end not in ENDS:
        raise UsageError(f"a run does not end as {end!r}: it is one of {', '.join(ENDS)}")
    chosen = get_dialect(dialect)
    redactor = local_redactor(redact)
    header = header_of(name or target.name or "", chosen, redactor, clock=None)
    sink = target.create()
    try:
        importer = _Importer(CassetteWriter(sink, header), chosen, redactor)
        for number, line in _lines(log, where):
            event = line.strip()
            if event:
                importer.take(event, f"{where}:{number}")
            on_bytes(len(line))
        if not importer.count:
            raise CassetteError(f"{where} has no events: there is nothing to make a cassette of")
        return importer.seal(end, replace=replace)
    except BaseException:
        sink.discard()
        raise


def _lines(log: BinaryIO, where: str) -> Iterator[tuple[int, bytes]]:
    """Yield number and text of each line."""
    for number in count(1):
        line = log.readline(MAX_LINE_BYTES + 1)
        if not line:
            return
        if len(line) > MAX_LINE_BYTES:
            raise CassetteError(f"{where}:{number}: the line is longer than {MAX_LINE_BYTES:,} bytes: no event is")
        if number == 1:
            line = line.removeprefix(_BOM)
            _refuse_what_is_no_log(line, where)
        yield number, line


def _refuse_what_is_no_log(first: bytes, where: str) -> None:
    if first.startswith(_WIDE_BOMS):
        raise CassetteError(f"{where}:1: the log is UTF-16: convert it to UTF-8")
    if named_version(first) is not None:
        raise CassetteError(f"{where} is a cassette already: copy it with `playhead convert`")


class _Importer:
    """Write the events of one log."""

    def __init__(self, writer: CassetteWriter, dialect: Dialect, redactor: Redactor) -> None:
        self.count = 0
        self._dialect = dialect
        self._copy = Copy(writer, redactor, lambda run: EventTexts(dialect, run))
        self._prefix = entry_prefix("event", FIRST_RUN, "event")
        self._times = _Times(dialect.time)
        self._opaque: Counter[str] = Counter()
        self._fitting: Counter[str] = Counter()

    def take(self, line: bytes, where: str) -> None:
        """Take a line. Raises `CassetteError`, beginning with `where`, for one that is no event."""
        try:
            check_limits(line)
            data = strict_json(line)
            value = self._checked(data)
            self._copy.put(self._times.feed(value), self._prefix, data, run=FIRST_RUN, item=value)
        except UsageError as error:
            raise CassetteError(f"{where}: {error}") from error
        self.count += 1

    def seal(self, end: str, *, replace: bool) -> Imported:
        """Write what waits, and the seal."""
        seal = self._copy.seal(end, runs={FIRST_RUN: end}, replace=replace)
        return Imported(seal, dict(self._opaque.most_common()), self._better())

    def _checked(self, data: bytes) -> Any:
        """Return an event's JSON value, and count what the dialect cannot read."""
        value = loads(data)
        if not isinstance(value, dict):
            raise UsageError(f"an event is a JSON object, and this is {_article(value)}")
        if isinstance(decode_json(data, self._dialect), OpaqueEvent):
            self._opaque[self._dialect.type_of(value)] += 1
            self._fitting.update(name for name, other in DIALECTS.items() if other.type_of(value) in other.ops)
        return value

    def _better(self) -> str | None:
        unread = self._opaque.total()
        found = next(iter(self._fitting.most_common(1)), ("", 0))
        return (
            found[0] if 2 * unread > self.count and 2 * found[1] > unread and found[0] != self._dialect.name else None
        )


class _Times:
    """Read the time off each event, in microseconds since the first one. An event without one has the last one's."""

    def __init__(self, where: Path) -> None:
        self._where = where
        self._first_us: int | None = None
        self._last_us = 0

    def feed(self, event: Mapping[str, Any]) -> int:
        """Return when an event came. A clock that was set back makes no event come before the one before it."""
        found = _microseconds(at(event, self._where))
        if found is not None:
            if self._first_us is None:
                self._first_us = found - self._last_us
            self._last_us = max(self._last_us, found - self._first_us)
        return self._last_us


def _microseconds(value: Any) -> int | None:
    """Return a time, which is ISO 8601 text or Unix seconds, as microseconds since 1970; None for what is neither."""
    match value:
        case bool():
            return None
        case str():
            return _from_text(value)
        case int() | float() if math.isfinite(value) and abs(value) < _MAX_UNIX_S:
            return round(value * 1_000_000)
    return None


def _from_text(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _article(value: Any) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")

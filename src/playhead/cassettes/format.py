"""Version 1 of the cassette, as lines of text: a header, entries, a seal.

    {"playhead":1,"name":"...","dialects":{"event":"locus"},"made":{...},"redact":[...],"crc":"5b0a7c11"}
    {"dt":1204,"track":"event","run":"r1","kind":"event","data":{...},"crc":"9f3c01aa"}
    {"end":"complete","entries":1,"runs":{"r1":"complete"},...,"crc32":"...","sha256":"...","crc":"..."}

Every line is strict JSON in UTF-8 and ends with its own checksum: the CRC-32 of all bytes before `,"crc":`. The seal's
`crc32` and `sha256` cover every byte before the seal. Unknown keys are allowed and kept.

Knows lines, not files: values in, values out. What reads and writes them, and in which order things are checked, is in
the stores.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, TypeVar
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticSerializationError

from playhead.errors import CassetteError, CorruptCassette, UsageError
from playhead.events.tagged import loads

VERSION: Final = 1
MAX_LINE_BYTES: Final = 64 * 1024 * 1024
MAX_END_BYTES: Final = 1024 * 1024
"""How long a header or a seal may be. They are read as a whole, and objects take far more memory than their text."""

MAX_DEPTH: Final = 190
MAX_DIGITS: Final = 4000
SURELY_FINE_BYTES: Final = 2 * MAX_DEPTH
"""Data of this length is within all limits: every level costs two brackets."""

TRACKS: Final = frozenset({"model", "event", "wire"})
ENDS: Final = ("complete", "error", "cancelled", "paused", "closed", "unknown")
"""How a run can end; `unknown` is for imported logs that do not say."""

CRC_BYTES: Final = len(b',"crc":"00000000"}\n')
"""How many bytes at the end of a line are its checksum."""

_TAIL = re.compile(rb',"crc":"([0-9a-f]{8})"\}\n\Z')
_VERSION = re.compile(rb'\s*\{\s*"playhead"\s*:\s*([0-9]{1,9})\s*[,}]')
_LABELS = re.compile(rb'"track":"(\w+)","(run|call)":"([\w.-]+)","kind":"(\w+)"')
# Digits become zeros and all else blanks, so that a long number is found in linear time.
_DIGITS_ONLY = bytes(ord("0") if 48 <= byte <= 57 else 32 for byte in range(256))
_LONG_NUMBER = b"0" * (MAX_DIGITS + 1)


class Header(BaseModel):
    """What a cassette says of itself before its first entry. Keys that this version does not know are kept."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="allow", strict=True)

    playhead: int = VERSION
    name: str
    dialects: dict[str, str]
    made: dict[str, str] = Field(default_factory=dict)
    redact: list[str] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the tape.

    `dt_us` is microseconds since the entry before; `owner` the run (`r1`) or, on the model track, the call (`c1`);
    `data` strict JSON, tagged where it must be; `extra` holds the keys that this version does not know.
    """

    dt_us: int
    track: str
    owner: str
    kind: str
    data: bytes
    extra: Mapping[str, Any] = field(default_factory=dict)

    def value(self) -> Any:
        """Return the data as a Python value, tags undone."""
        return loads(self.data)


class Failure(BaseModel):
    """The exception that ended a run: its class's name and its message."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="allow", strict=True)

    type: str
    message: str


class Seal(BaseModel):
    """What a cassette says of itself after its last entry: how the tape and each of its runs ended, and its digest.

    `end` and the values of `runs` are of `ENDS`. `errors` has the exception of each run that failed, `redacted` how
    often a secret of each kind was taken out. Keys that this version does not know are kept.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="allow", strict=True)

    end: str
    entries: int
    runs: dict[str, str] = Field(default_factory=dict)
    errors: dict[str, Failure] = Field(default_factory=dict)
    redacted: dict[str, int] = Field(default_factory=dict)
    crc32: Annotated[str, Field(pattern=r"\A[0-9a-f]{8}\z")]
    sha256: Annotated[str, Field(pattern=r"\A[0-9a-f]{64}\z")]


def object_line(value: Header | Seal) -> bytes:
    """Return a header or a seal as a line, its checksum added.

    Raises `UsageError` for one that JSON cannot carry, or that is longer than `MAX_END_BYTES`.
    """
    name = type(value).__name__.lower()
    try:
        body = value.model_dump_json().encode()[:-1]
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        raise UsageError(f"the {name} cannot be written as JSON: {error}") from None
    if len(body) > MAX_END_BYTES - CRC_BYTES:
        raise UsageError(f"a {name} of {len(body):,} bytes is too long: it may have {MAX_END_BYTES:,}")
    return with_crc(body)


def with_crc(body: bytes) -> bytes:
    """Return a line of the text of a JSON object without its last bracket: the checksum and that are added."""
    return b'%b,"crc":"%08x"}\n' % (body, crc32(body))


def entry_prefix(track: str, owner: str, kind: str) -> bytes:
    """Return the part of an entry's line between its time and its data. It is the same for most entries of a run."""
    labels = b'"track":"%b","%b":"%b","kind":"%b"' % (
        track.encode(),
        b"call" if track == "model" else b"run",
        owner.encode(),
        kind.encode(),
    )
    if _read_labels(labels) is None:
        raise UsageError(
            f"an entry of track {track!r}, owner {owner!r}, kind {kind!r}: a track is one of "
            f"{', '.join(sorted(TRACKS))}; owner and kind are letters, digits and '_'"
        )
    return b',%b,"data":' % labels


def entry_line(dt_us: int, prefix: bytes, data: bytes) -> bytes:
    """Return an entry's line. `data` is strict JSON on one line, within the limits of `check_limits`."""
    # As `with_crc` does, without its call.
    body = b'{"dt":%d%b%b' % (dt_us, prefix, data)
    return b'%b,"crc":"%08x"}\n' % (body, crc32(body))


def prefix_of(entry: Entry) -> bytes:
    """Return the part of an entry's line between its time and its data, unknown keys included.

    Raises `UsageError` for labels or unknown keys that a line cannot carry.
    """
    prefix = entry_prefix(entry.track, entry.owner, entry.kind)
    if not entry.extra:
        return prefix
    try:
        extra = json.dumps(entry.extra, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as error:
        raise UsageError(f"the unknown keys {sorted(entry.extra)} of an entry: {error}") from None
    return b'%b,%b,"data":' % (prefix.removesuffix(b',"data":'), extra[1:-1])


def encode_entry(entry: Entry) -> bytes:
    """Return any entry's line, unknown keys included: they stand before the data. Raises as `prefix_of` does."""
    return entry_line(entry.dt_us, prefix_of(entry), entry.data)


def check_limits(data: bytes) -> None:
    """Refuse data that no reader would take: too long, nested too deep, a number of too many digits.

    Raises `UsageError`. The bounds are 64 MiB a line, 190 levels, 4,000 digits.
    """
    if len(data) > MAX_LINE_BYTES - 1024:
        raise UsageError(f"an entry of {len(data):,} bytes is too long: a line holds {MAX_LINE_BYTES:,} bytes")
    if len(data) > MAX_DIGITS and _has_long_number(data) and _has_long_number(_STRING.sub(b"", data)):
        raise UsageError(f"an entry holds a number of more than {MAX_DIGITS:,} digits")
    if (depth := nesting(data)) > MAX_DEPTH:
        raise UsageError(f"an entry is nested {depth:,} levels deep: a line holds {MAX_DEPTH}")


# An unfinished string goes to the end, so that text which is no JSON takes linear time too.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACE, _LIST = b"{["
_BRACKET = re.compile(rb"[][{}]")


def nesting(data: bytes) -> int:
    """Return how many brackets of JSON text are open at once, at the most; 0 where they are too few to matter."""
    if len(data) <= SURELY_FINE_BYTES or (_LIST not in data and data.rfind(_BRACE) <= 0):
        return 0
    if data.count(_BRACE) + data.count(_LIST) <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", data)):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _has_long_number(data: bytes) -> bool:
    return _LONG_NUMBER in data.translate(_DIGITS_ONLY)


def line_crc(line: bytes) -> int | None:
    """Return the checksum that a line names; None where it is no whole line with a checksum."""
    found = _TAIL.search(line, max(0, len(line) - CRC_BYTES))
    return int(found[1], 16) if found else None


def is_intact(line: bytes) -> bool:
    """Say whether a line is whole and its checksum right."""
    return line_crc(line) == true_crc(line)


def true_crc(line: bytes) -> int:
    """Return the checksum that a line should name."""
    return crc32(line[:-CRC_BYTES])


def named_version(line: bytes) -> int | None:
    """Return the format version that a first line names, damaged or not; None where it looks like no cassette."""
    found = _VERSION.match(line)
    return int(found[1]) if found else None


def read_header(line: bytes) -> Header:
    """Return what a cassette's first line says.

    Raises `CorruptCassette` for a line that is no header, and `CassetteError` for a version that is newer than ours.
    """
    version = _object(_bounded(line)).get("playhead")
    if not isinstance(version, int) or isinstance(version, bool):
        raise CorruptCassette("not a cassette: its first line does not say the version")
    if version != VERSION:
        raise CassetteError(
            f"format version {version} is not known: this Playhead reads version {VERSION}. Install a newer one"
        )
    return _read(Header, line)


def read_seal(line: bytes) -> Seal:
    """Return what a cassette's last line says. Raises `CorruptCassette` for a line that is no seal."""
    return _read(Seal, line)


_ModelT = TypeVar("_ModelT", bound=BaseModel)


def _read(model: type[_ModelT], line: bytes) -> _ModelT:
    try:
        return model.model_validate(_object(_bounded(line)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise CorruptCassette(f"not a {model.__name__.lower()}: {where}: {first['msg']}") from None


def _bounded(line: bytes) -> bytes:
    if len(line) > MAX_END_BYTES:
        raise CorruptCassette(f"a header or seal of {len(line):,} bytes is too long: it may have {MAX_END_BYTES:,}")
    return line


def is_seal(line: bytes) -> bool:
    """Say whether a line claims to be a seal."""
    return line.startswith(b'{"end":')


def read_entry(line: bytes) -> Entry:
    """Return the entry of a line whose checksum was checked. Raises `CorruptCassette` for a line that is no entry."""
    found = _split(line)
    if found is None:
        return _read_odd_entry(line)
    dt_us, names, data = found
    return Entry(dt_us, *names, data)


def read_data(line: bytes) -> tuple[int, tuple[str, str, str], bytes]:
    """Return `(dt_us, (track, owner, kind), data)`: what `read_entry` does, in less time."""
    found = _split(line)
    if found is None:
        entry = _read_odd_entry(line)
        return entry.dt_us, (entry.track, entry.owner, entry.kind), entry.data
    return found


NO_LABELS: Final = b"\0"
"""What no intact line has behind its time."""


def labels_of(line: bytes) -> bytes:
    """Return what stands between an entry's time and its data, or `NO_LABELS` where the line is laid out otherwise."""
    start = line.find(b",")
    labels = line[start : line.find(b',"data":', start) + len(b',"data":')]
    return labels if _read_labels(labels[1 : -len(b',"data":')]) else NO_LABELS


# More digits than a time has, and `int` would refuse thousands of them.
_MAX_DT_DIGITS: Final = 18
_MAX_LABELS_BYTES: Final = 512
_labels: dict[bytes, tuple[str, str, str]] = {}


def _split(line: bytes) -> tuple[int, tuple[str, str, str], bytes] | None:
    """Return the parts of a line that is laid out as we do. What is before the data varies little: it is read once."""
    stop = line.find(b',"data":')
    dt, _, labels = line[:stop].partition(b",")
    dt_us = dt[6:]
    names = _labels.get(labels) or _read_labels(labels)
    if names is None or not dt_us.isdigit() or len(dt_us) > _MAX_DT_DIGITS or dt[:6] != b'{"dt":':
        return None
    data = line[stop + 8 : -CRC_BYTES]
    if len(data) > SURELY_FINE_BYTES and nesting(data) > MAX_DEPTH:
        raise _too_deep()
    return int(dt_us), names, data


def _read_labels(labels: bytes) -> tuple[str, str, str] | None:
    found = _LABELS.fullmatch(labels) if len(labels) <= _MAX_LABELS_BYTES else None
    if not found or found[1].decode() not in TRACKS or (found[1] == b"model") != (found[2] == b"call"):
        return None
    if len(_labels) > 1000:
        _labels.clear()
    names = (found[1].decode(), found[3].decode(), found[4].decode())
    _labels[labels] = names
    return names


def _read_odd_entry(line: bytes) -> Entry:
    """Return the entry of a line that is not laid out as we do: by another writer, or a newer one."""
    found = _object(line)
    try:
        dt_us, track, kind, _ = (found.pop(key) for key in ("dt", "track", "kind", "data"))
        owner = found.pop("call" if track == "model" else "run")
    except KeyError as error:
        raise CorruptCassette(f"not an entry: it has no {error.args[0]!r}") from None
    timed = type(dt_us) is int and 0 <= dt_us < 10**_MAX_DT_DIGITS
    if not timed or track not in TRACKS or not isinstance(owner, str) or not isinstance(kind, str):
        raise CorruptCassette(f"not an entry: dt {dt_us!r}, track {track!r}, owner {owner!r}, kind {kind!r}"[:500])
    data = _member(line, "data")
    if nesting(data) > MAX_DEPTH:
        raise _too_deep()
    return Entry(dt_us, track, owner, kind, data, found)


_decoder = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def _member(line: bytes, key: str) -> bytes:
    """Return the very text of a member of a JSON object: reading and writing it again could change its spelling."""
    text = line.decode()
    at = text.index("{") + 1
    while True:
        name, at = _decoder.raw_decode(text, _skip_space(text, at))
        start = _skip_space(text, text.index(":", at) + 1)
        _, at = _decoder.raw_decode(text, start)
        if name == key:
            return text[start:at].encode()
        at = text.index(",", at) + 1


def _skip_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _too_deep() -> CorruptCassette:
    return CorruptCassette(f"its data is nested more than {MAX_DEPTH} levels deep: no recorder writes that")


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode(), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise CorruptCassette(f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise CorruptCassette(f"not a JSON object but {type(found).__name__}")
    found.pop("crc", None)
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not strict JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found

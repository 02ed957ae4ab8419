"""Taking the secrets out of a cassette that has them already, or only telling where they are.

Knows a cassette's tracks. Does not know what a secret looks like, nor how findings are told.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from playhead.cassettes.format import Entry, Seal, object_line, prefix_of
from playhead.cassettes.places import Place
from playhead.cassettes.reading import Cassette
from playhead.cassettes.redact import Redactor
from playhead.cassettes.redact.ledger import PLACEHOLDER
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import UsageError
from playhead.events.dialects import DIALECTS, foreign_dialect
from playhead.events.tagged import dumps, has_mark, loads
from playhead.recording.copying import Copy
from playhead.recording.holding import Holding
from playhead.recording.secrets import clean_header, local_redactor
from playhead.recording.texts import NOTHING, ChunkTexts, EventTexts, LeafTexts, Piece, Stream, Texts


def scrub(source: Place, target: Place, *, redact: Sequence[str] | None = None, replace: bool = False) -> Seal:
    """Copy a sealed cassette without its secrets, and return the copy's seal, which counts what was replaced.

    `redact` chooses the rules; None takes the usual ones. Times, ends and unknown keys stay as they are. Raises what
    reading raises, and `CassetteError` where the target exists and `replace` is false.
    """
    redactor = local_redactor(redact)
    with source.read() as cassette:
        rules = dict.fromkeys((*cassette.header.redact, *redactor.rules))
        sink = target.create()
        try:
            header = clean_header(cassette.header, redactor).model_copy(update={"redact": list(rules)})
            writer = CassetteWriter(sink, header)
            return _copy(cassette, Copy(writer, redactor, lambda run: _texts(cassette, run)), replace=replace)
        except BaseException:
            sink.discard()
            raise


def _copy(cassette: Cassette, copy: Copy, *, replace: bool) -> Seal:
    at_us = 0
    for entry in cassette.entries():
        at_us += entry.dt_us
        run = f"{entry.track} {entry.owner}"
        copy.put(at_us, prefix_of(entry), entry.data, run=run, item=_item(entry))
    seal = cassette.seal
    assert seal is not None
    return copy.seal(seal.end, runs=seal.runs, errors=seal.errors, extra=seal.model_extra, replace=replace)


@dataclass(frozen=True, slots=True)
class Found:
    """Say that a secret begins in a line, counted from 1, what it is called, and what would stand in its place."""

    line: int
    kind: str
    placeholder: str


def find_secrets(cassette: Cassette, *, redact: Sequence[str] | None = None) -> Iterator[Found]:
    """Yield what `scrub` would replace, in the order of the lines. Equal secrets have equal placeholders.

    Text that runs over several entries is looked at together; the line is where the secret begins. Raises what reading
    raises.
    """
    redactor = local_redactor(redact)
    finder = _Finder(redactor)
    yield from _new(1, object_line(cassette.header), redactor.json(object_line(cassette.header)))
    known: dict[str, Texts] = {}
    for number, entry in enumerate(cassette.entries(), 2):
        run = f"{entry.track} {entry.owner}"
        texts = known.get(run) or known.setdefault(run, _texts(cassette, run))
        item = _item(entry)
        piece, ended = NOTHING if item is None else texts.look(item, entry.data)
        yield from finder.put(number, entry.data, piece, ended)
    yield from finder.close()
    if cassette.seal is not None:
        yield from _in_seal(cassette.seal, redactor, number=cassette.entry_count + 2)


def find_in_bytes(data: bytes, redactor: Redactor) -> Iterator[Found]:
    """Yield what is secret in the bytes of one response, such as a file of SSE, as in those on a cassette."""
    finder, texts = _Finder(redactor), ChunkTexts("")
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        piece, ended = texts.look(line, b"")
        yield from finder.put(number, dumps(line), piece, ended)
    yield from finder.close()


def find_in_lines(lines: Iterable[bytes], redactor: Redactor) -> Iterator[Found]:
    """Yield what is secret in a log of JSON, a value a line. A line that is not UTF-8 is looked at as text."""
    for number, line in enumerate(lines, 1):
        try:
            new = redactor.json(line)
        except UsageError:
            new = redactor.bytes(line)
        yield from _new(number, line, new)


def _in_seal(seal: Seal, redactor: Redactor, *, number: int) -> Iterator[Found]:
    """Yield what is secret in the messages of failures. What was taken out before is no secret."""
    for failure in seal.errors.values():
        old = failure.message.encode("utf-8", "replace")
        yield from _new(number, old, redactor.text(failure.message).encode("utf-8", "replace"))


class _Finder:
    """Put lines through what a recorder puts them through, and tell what comes out otherwise."""

    def __init__(self, redactor: Redactor) -> None:
        self._waiting = deque[tuple[int, bytes]]()
        self._found: list[Found] = []
        self._holding = Holding(redactor, self._write)

    def put(self, number: int, data: bytes, piece: Piece | None, ended: Collection[Stream]) -> list[Found]:
        """Take a line with its piece of text and the streams that end with it, and return what is known by now."""
        self._waiting.append((number, data))
        self._holding.put(0, b"", data, piece)
        self._holding.flush(ended)
        found, self._found = self._found, []
        return found

    def close(self) -> list[Found]:
        """Return the rest."""
        self._holding.close()
        return self._found

    def _write(self, _at_us: int, _prefix: bytes, data: bytes) -> None:
        self._found += _new(*self._waiting.popleft(), data)


def _new(number: int, old: bytes, new: bytes) -> list[Found]:
    if old is new:
        return []
    before, after = (Counter(PLACEHOLDER.findall(_said(line))) for line in (old, new))
    return [Found(number, kind, f"<{kind}-{count}>") for kind, count in (after - before).elements()]


def _said(line: bytes) -> str:
    """Return a line as text; of bytes that are in it as base64, those bytes."""
    value = loads(line) if has_mark(line) else line
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _item(entry: Entry) -> object:
    """Return what may carry a piece of text, bytes as bytes; None for an entry that is no part of a stream."""
    if entry.kind not in _STREAMED:
        return None
    value = loads(entry.data)
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) and entry.kind != "event" else value


_STREAMED = frozenset({"event", "bytes", "chunk"})


def _texts(cassette: Cassette, run: str) -> Texts:
    if run.startswith("wire "):
        return ChunkTexts(run)
    if run.startswith("model "):
        return LeafTexts(run)
    name = cassette.header.dialects.get("event", "")
    return EventTexts(DIALECTS.get(name) or foreign_dialect(name), run)

"""Where events carry pieces of a stream of text, and when such a stream ends.

A secret may be cut over several events, so its pieces must be looked at together before they are written. Knows a
dialect's table. Does not know what a secret is, nor what is held back for how long.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from pydantic import BaseModel

from playhead.cassettes.redact.strings import respell
from playhead.events.canonical import Path
from playhead.events.paths import at, getter
from playhead.events.spans import POINT, Dialect, Op, Span, Verb
from playhead.events.tagged import dumps, has_mark, loads


class Piece(NamedTuple):
    """One piece of a stream of text, and where it stands in an entry's data.

    `is_all` says that the data are bytes, a character each, and that there is nothing else. `more` are the other pieces
    of the entry, in their order, where it has several: one event may say something and call a tool.
    """

    stream: tuple[Hashable, ...]
    text: str
    where: tuple[str | int, ...] = ()
    is_all: bool = False
    more: tuple["Piece", ...] = ()


Place = tuple[str | int, ...]
"""Where a text stands in an event: keys, and the numbers of items."""

Stream = tuple[Hashable, ...]
"""What tells a stream of text from the others of a cassette."""

Change = tuple[Place, str]
"""A place, and the text that shall stand there."""

Look = tuple[Piece | None, Collection[Stream]]
"""What an item means for streams: the piece that it adds to one, and those that it ends."""

NOTHING: Final[Look] = (None, ())
"""What nearly all items mean for streams."""


class Texts(Protocol):
    """Know the streams of text of one run."""

    def look(self, item: Any, data: bytes) -> Look:
        """Return the piece that an item adds to a stream, and the streams that it ends."""
        ...

    def close(self) -> Collection[Stream]:
        """Return the streams that are open at the end of the run, and forget them."""
        ...


class EventTexts:
    """Find the pieces in the events of one run, and notice which streams an event ends.

    Events that carry no text cost no more than a look at their type, unless a stream is `open`.
    """

    __slots__ = ("_dialect", "_run", "_table", "open")

    def __init__(self, dialect: Dialect, run: Hashable) -> None:
        self._dialect = dialect
        self._table = _table_of(dialect)
        self._run = run
        self.open: set[Stream] = set()

    def look(self, item: Any, data: bytes) -> Look:
        """Return the piece that an event adds to a stream, and the streams that it ends: mostly neither."""
        table = self._table
        is_named = table.tag and isinstance(item, BaseModel)
        kind = getattr(item, table.tag, None) if is_named else self._kind(item, data)
        if kind not in table.feeding and not (self.open and kind in table.ending):
            return NOTHING
        pieces, ended = self._find(kind, loads(data))
        return _together(pieces), ended

    def find(self, event: dict[str, Any]) -> tuple[list[Piece], Collection[Stream]]:
        """Do as `look` for an event that is read already, and return its pieces one by one."""
        kind = self._dialect.type_of(event)
        if kind not in self._table.feeding and not (self.open and kind in self._table.ending):
            return [], ()
        return self._find(kind, event)

    def close(self) -> Collection[Stream]:
        """Return the streams that are open at the end of the run, and forget them."""
        streams, self.open = self.open, set()
        return streams

    def _find(self, kind: Any, event: Any) -> tuple[list[Piece], set[Stream]]:
        pieces: list[Piece] = []
        ended: set[Stream] = set()
        owner: tuple[str, ...] = ()
        where: Place = ()
        while isinstance(event, dict):
            for op in self._table.ops.get(kind, POINT):
                for place, part, outer in _parts(event, op.each):
                    if not _holds(op, part):
                        continue
                    stream = self._stream(owner, event, op, part, outer)
                    if op.verb is Verb.FEED:
                        pieces += self._pieces(stream, where + place, part, op)
                    else:
                        ended |= self._within(stream, wide=op.span in _WIDE)
            if kind not in self._table.carrying:
                break
            owner, where, event = self._inner(owner, where, event)
            kind = self._dialect.type_of(event or {})
        self.open -= ended
        return pieces, ended

    def _inner(self, owner: tuple[str, ...], where: Place, event: dict[str, Any]) -> tuple[tuple[str, ...], Place, Any]:
        """Return the event inside an event: whose it is, where it is, and it itself, or None."""
        nested = _find(event, self._dialect.nested)[1]
        tool = next((touch.key for touch in self._dialect.touches(event) if touch.span is Span.TOOL), None)
        return (*owner, f"in {tool!r}"), where + self._dialect.nested, nested

    def _kind(self, item: Any, data: bytes) -> Any:
        """Return the type of an event. Where events do not name theirs it is told by what is in them."""
        if not self._dialect.shapes:
            return read_field(item, self._dialect.tag)
        return self._dialect.type_of(item if isinstance(item, Mapping) else loads(data))

    def _pieces(self, stream: Stream, where: Place, part: dict[str, Any], op: Op) -> list[Piece]:
        path, text = _find(part, op.text)
        if not isinstance(text, str) or not text:
            return []
        self.open.add(stream)
        return [Piece(stream, text, where + path)]

    def _stream(self, owner: tuple[str, ...], event: dict[str, Any], op: Op, part: Any, outer: Any) -> Stream:
        agent = _find(event, self._dialect.group)[1]
        key = _reader(op.key)(part)
        return (self._run, *owner, repr(agent), op.span, repr((_reader(op.of)(outer), key) if op.of else key))

    def _within(self, stream: Stream, *, wide: bool) -> set[Stream]:
        begin = stream[:-2] if wide else stream
        return {each for each in self.open if each[: len(begin)] == begin}


class _Table(NamedTuple):
    """Hold what of a dialect's table is about text: the operations, and the types of event that do each kind of thing.

    `carrying` are those that have another event in them, `feeding` those that have a piece of text, there or there.
    `tag` is the field that names the type, where one does.
    """

    tag: str
    ops: Mapping[Any, tuple[Op, ...]]
    carrying: frozenset[Any]
    feeding: frozenset[Any]
    ending: frozenset[Any]


@lru_cache(maxsize=64)
def _table_of(dialect: Dialect) -> _Table:
    ops = {kind: tuple(op for op in ops if _feeds_text(op) or _ends(op)) for kind, ops in dialect.ops.items()}
    carrying = frozenset(kind for kind, ops in dialect.ops.items() if dialect.nested and _only_feeds(ops))
    feeding = carrying | {kind for kind, ops in ops.items() if any(map(_feeds_text, ops))}
    ending = frozenset(kind for kind, ops in ops.items() if any(map(_ends, ops)))
    return _Table("" if dialect.shapes else dialect.tag, ops, carrying, feeding, ending)


class ChunkTexts:
    """Take the chunks of bytes of one run as pieces of one stream. Latin-1 gives each byte its own character."""

    def __init__(self, run: Hashable) -> None:
        self._stream: Stream = (run, "bytes")

    def look(self, item: Any, data: bytes) -> Look:
        """Return a chunk as text. It ends nothing: no chunk says that it is the last one."""
        if not isinstance(item, bytes | bytearray | memoryview):
            return NOTHING
        return Piece(self._stream, str(item, "latin-1"), is_all=True), ()

    def close(self) -> Collection[Stream]:
        """Return the stream."""
        return [self._stream]


class CallTexts:
    """Find the pieces in the chunks of one call of a model: bytes as they are, JSON at one of `paths`."""

    def __init__(self, call: Hashable, *, paths: Collection[Path] = ()) -> None:
        self._call = call
        self._paths = paths
        self._chunks = ChunkTexts(call)
        self._open: set[Stream] = set()

    def look(self, item: Any, data: bytes) -> Look:
        """Return the first piece of text in a chunk. It ends nothing: the call says when it is over."""
        piece, _ = self._chunks.look(item, data)
        if piece is None and self._paths:
            value = loads(data)
            for path in self._paths:
                text = at(value, path)
                if isinstance(text, str) and text:
                    piece = Piece((self._call, *path), text, path)
                    break
        if piece is not None:
            self._open.add(piece.stream)
        return piece, ()

    def close(self) -> Collection[Stream]:
        """Return the streams that had text."""
        streams, self._open = self._open, set()
        return streams


class LeafTexts:
    """Take whatever is text in the chunks of one call as pieces of streams, one for each place in them.

    For a cassette that is there already: nobody says any more where in its chunks the text is.
    """

    def __init__(self, call: Hashable) -> None:
        self._call = call
        self._chunks = ChunkTexts(call)

    def look(self, item: Any, data: bytes) -> Look:
        """Return a chunk's pieces of text. They end nothing."""
        piece, _ = self._chunks.look(item, data)
        if piece is None:
            piece = _together([Piece((self._call, *where), text, where) for where, text in leaves(item) if text])
        return piece, ()

    def close(self) -> Collection[Stream]:
        """Return nothing: there is no end of a call before that of the cassette."""
        return ()


def read_field(event: Any, name: str) -> Any:
    """Return a field of an event that is a mapping or any object; None if it has none of that name."""
    # To ask whether something is a mapping takes long, and nearly all events are models.
    if not isinstance(event, BaseModel) and isinstance(event, Mapping):
        return event.get(name)
    return getattr(event, name, None)


def leaves(value: Any, where: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield every text in an object, and where it is."""
    match value:
        case str() if where:
            yield where, value
        case dict():
            for key, item in value.items():
                yield from leaves(item, (*where, key))
        case list() if where:
            for number, item in enumerate(value):
                yield from leaves(item, (*where, number))


def put_back(data: bytes, changes: Sequence[Change]) -> bytes:
    """Return the JSON of an event with other texts in their places; all else keeps its spelling."""
    value = changed(loads(data), changes)
    new = None if has_mark(data) else respell(data.decode(), value)
    return dumps(value) if new is None else new.encode()


def changed(value: Any, changes: Iterable[Change]) -> Any:
    """Return a JSON value with other texts in their places, and in every field of it that says the same."""
    for where, text in changes:
        if not where:
            return text
        holder = value
        for step in where[:-1]:
            holder = holder[step]
        old, holder[where[-1]] = holder[where[-1]], text
        if isinstance(value, dict):
            value |= {name: text for name, item in value.items() if item == old}
    return value


_WIDE = frozenset({Span.RUN, Span.STEP})
"""Spans that end everything of their agent."""


def _ends(op: Op) -> bool:
    return op.verb is Verb.CLOSE or (op.verb is Verb.OPEN and op.span is Span.STEP)


def _feeds_text(op: Op) -> bool:
    return op.verb is Verb.FEED and bool(op.text)


def _only_feeds(ops: tuple[Op, ...]) -> bool:
    """Say whether an event with these operations feeds a span with something else than text: with another event."""
    return any(op.verb is Verb.FEED and not op.text for op in ops)


def _together(pieces: list[Piece]) -> Piece | None:
    """Return the pieces of one event as one, or None where there are none."""
    if len(pieces) < 2:
        return pieces[0] if pieces else None
    return pieces[0]._replace(more=tuple(pieces[1:]))


def _holds(op: Op, part: dict[str, Any]) -> bool:
    """Tell whether an operation is done: whether its condition, if it has one, holds."""
    if not op.when:
        return True
    told = _reader(op.when)(part)
    return told in op.among if op.among else bool(told)


_reader = lru_cache(maxsize=512)(getter)


def _parts(value: dict[str, Any], each: Path, where: Place = (), outer: Any = None) -> Iterator[tuple[Place, Any, Any]]:
    """Yield what an operation is done to: its place, itself, and what holds its list. Without `each`, the event."""
    if "*" not in each:
        part = at(value, each) if each else value
        if isinstance(part, dict):
            yield where + each, part, outer
        return
    star = each.index("*")
    items = at(value, each[:star])
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield from _parts(item, each[star + 1 :], (*where, *each[:star], number), value)


def _find(event: dict[str, Any], where: Path) -> tuple[Path, Any]:
    """Return what stands at a path that names keys, and the path, of two keys the one that is there; else None.

    What is only a part of a text stands nowhere.
    """
    if len(where) == 1 and where[0] in event:
        return where, event[where[0]]
    found: Path = ()
    value: Any = event
    for step in where:
        if not isinstance(value, dict):
            return (), None
        key = step if step in value else next((key for key in step.split("|") if value.get(key) is not None), "")
        value = value.get(key)
        found = (*found, key)
    return (found, value) if where else ((), None)

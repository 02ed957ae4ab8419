"""Runs with one fault: a healthy run, and one change that breaks one rule and no other.

Knows for each fault where a run can have it, by the span table alone. Does not ask the rules: whether just the one that
is named speaks is what the tests of both show.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json

from playhead.events.paths import is_plain, replaced
from playhead.events.spans import Dialect, Op, Span, Touch, Verb

Row = dict[str, Any]
"""An event as JSON."""

_PAST: Final[Mapping[type, Any]] = {str: "2001-01-01T00:00:00Z", float: 5.0}


@dataclass(frozen=True, slots=True)
class Changed:
    """A run after a change: its events, the place of the change, and how its source ended, as `check` takes it."""

    rows: list[Row]
    index: int
    end: str | None = None


class Book:
    """A healthy run that ended well, and what each of its events does."""

    def __init__(self, dialect: Dialect, rows: list[Row]) -> None:
        self.dialect = dialect
        self.rows = rows
        self.kinds: list[str] = [dialect.type_of(row) for row in rows]
        self.touches: list[tuple[Touch, ...]] = [dialect.touches(row) for row in rows]
        self.last: int = len(rows) - 1

    def middle(self) -> Iterator[int]:
        """Yield the places of events that neither open nor end the run."""
        for index in range(self.last):
            if not any(touch.span is Span.RUN for touch in self.touches[index]):
                yield index

    def strict(self, verb: Verb) -> Iterator[tuple[int, Touch]]:
        """Yield each event of the middle that does so to a span that is opened and closed, and must do it in time."""
        for index in self.middle():
            for touch in self.touches[index]:
                if touch.verb is verb and touch.span in self.dialect.paired and not touch.loose:
                    if not self.is_whole(index):
                        yield index, touch
                    break

    def is_whole(self, index: int) -> bool:
        """Say whether an event both opens spans and closes them: nothing is left of it."""
        return {Verb.OPEN, Verb.CLOSE} <= {touch.verb for touch in self.touches[index]}

    def is_sole(self, touch: Touch) -> bool:
        """Say whether no other span of the run has the kind and the key of this one."""
        return sum(_is(each, Verb.OPEN, touch) for touches in self.touches for each in touches) <= 1

    def without(self, index: int) -> Changed:
        """Return the run without one event."""
        return Changed(self.rows[:index] + self.rows[index + 1 :], index)

    def twice(self, index: int) -> Changed:
        """Return the run with one event doubled."""
        return Changed(self.rows[: index + 1] + self.rows[index:], index + 1)

    def changed(self, index: int, row: Row) -> Changed:
        """Return the run with another event in a place."""
        return Changed([*self.rows[:index], row, *self.rows[index + 1 :]], index)

    def op(self, index: int, touch: Touch) -> Op:
        """Return the cell of the table that a touch of an event comes from."""
        row = self.dialect.ops[self.kinds[index]]
        return next(op for op in row if (op.verb, op.span, op.loose) == (touch.verb, touch.span, touch.loose))


def _is(touch: Touch, verb: Verb, other: Touch) -> bool:
    return (touch.verb, touch.span, touch.key) == (verb, other.span, other.key)


Change = Callable[[Book], Iterator[Changed]]
"""What yields every run that a healthy one becomes when it is broken in one way."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fault:
    """A way to break one rule: what happens, the code of the rule, and all the places where a run can have it."""

    name: str
    code: str
    changes: Change

    def __repr__(self) -> str:
        return f"Fault({self.name!r}, {self.code!r})"


FAULTS: Final[list[Fault]] = []
"""All faults. The first one fits every run."""


def _breaks(code: str, name: str) -> Callable[[Change], Change]:
    def enter(change: Change) -> Change:
        FAULTS.append(Fault(name, code, change))
        return change

    return enter


@_breaks("TRM001", "cut off")
def _cut(book: Book) -> Iterator[Changed]:
    for length in range(book.last, 0, -1):
        yield Changed(book.rows[:length], length)
    if book.last == 0:
        yield Changed([], 0)


@_breaks("TRM002", "event after the end")
def _go_on(book: Book) -> Iterator[Changed]:
    for index in book.middle():
        begins = any(touch.span is Span.STEP for touch in book.touches[index])
        if not begins and book.kinds[index] not in book.dialect.after:
            yield Changed([*book.rows, _at(book, index, book.last)], book.last + 1)


def _at(book: Book, index: int, other: int) -> Row:
    """Return an event with the time of another one."""
    row, time = book.rows[index], book.dialect.time
    return {**row, time[0]: book.rows[other][time[0]]} if time else row


@_breaks("TRM003", "two ends")
def _end_twice(book: Book) -> Iterator[Changed]:
    yield book.twice(book.last)


@_breaks("TRM004", "never closed")
def _leave_open(book: Book) -> Iterator[Changed]:
    for index, touch in _closes(book):
        if touch.span not in {*book.dialect.tacit, *book.dialect.within}:
            yield book.without(index)


@_breaks("ORD005", "outlives what it lies in")
def _outlive(book: Book) -> Iterator[Changed]:
    for index, touch in _closes(book):
        if touch.span in book.dialect.within:
            yield book.without(index)


def _closes(book: Book) -> Iterator[tuple[int, Touch]]:
    """Yield the events without which a span is left open: strict ends, and loose ones where nothing else ends it."""
    strict = dict(book.strict(Verb.CLOSE))
    for index in book.middle():
        loose = (touch for touch in book.touches[index] if touch.verb is Verb.CLOSE and touch.loose)
        touch = strict.get(index) or next(loose, None)
        if touch is not None and not book.is_whole(index):
            yield index, touch


@_breaks("ORD001", "closed twice")
def _close_twice(book: Book) -> Iterator[Changed]:
    for index, touch in book.strict(Verb.CLOSE):
        if book.is_sole(touch):
            yield book.twice(index)


@_breaks("ORD001", "closed but never opened")
def _never_open(book: Book) -> Iterator[Changed]:
    yield from _unopened(book, Verb.CLOSE)


@_breaks("ORD002", "fed but never opened")
def _feed_unopened(book: Book) -> Iterator[Changed]:
    yield from _unopened(book, Verb.FEED)


def _unopened(book: Book, verb: Verb) -> Iterator[Changed]:
    """Yield the run without an opening that is missed first by an event which does so to the span."""
    for index in book.middle():
        for touch in book.touches[index]:
            if touch.verb is Verb.OPEN and touch.span in book.dialect.paired and book.is_sole(touch):
                later = (each for touches in book.touches[index + 1 :] for each in touches)
                missed = (each.verb for each in later if not each.loose and _is(each, each.verb, touch))
                if next(missed, None) is verb:
                    yield book.without(index)
                break


@_breaks("ORD003", "opened twice")
def _open_twice(book: Book) -> Iterator[Changed]:
    if any(touch.span is Span.RUN for touch in book.touches[0]) and book.last:
        yield book.twice(0)
    for index, touch in book.strict(Verb.OPEN):
        if touch.span in book.dialect.unique and touch.key is not None:
            yield book.twice(index)


@_breaks("ORD004", "closed under another name")
def _rename(book: Book) -> Iterator[Changed]:
    for index, touch in book.strict(Verb.CLOSE):
        op = book.op(index, touch)
        named = touch.name is not None and op.name and not op.each and all(is_plain((step,)) for step in op.name)
        if named and op.name != op.key and book.is_sole(touch):
            yield book.changed(index, replaced(book.rows[index], op.name, "another"))


@_breaks("ORD006", "step again")
def _step_again(book: Book) -> Iterator[Changed]:
    for index in book.middle():
        if any(touch.span is Span.STEP and type(touch.key) is int for touch in book.touches[index]):
            yield book.twice(index)


@_breaks("ORD007", "result and error, or neither")
def _both(book: Book) -> Iterator[Changed]:
    for index, touch in book.strict(Verb.CLOSE):
        op = book.op(index, touch)
        if op.result and op.status:
            empty, full = (op.result, op.status) if touch.result is None else (op.status, op.result)
            yield book.changed(index, {**book.rows[index], empty[-1]: "boom"})
            yield book.changed(index, {**book.rows[index], full[-1]: None})


@_breaks("ORD008", "clock set back")
def _set_back(book: Book) -> Iterator[Changed]:
    for index in range(1, len(book.rows)):
        told = book.rows[index].get(book.dialect.time[0]) if book.dialect.time else None
        if told is not None:
            yield book.changed(index, {**book.rows[index], book.dialect.time[0]: _PAST[type(told)]})


@_breaks("ORD009", "no beginning")
def _behead(book: Book) -> Iterator[Changed]:
    if book.last and any(touch.span is Span.RUN for touch in book.touches[0]):
        needed = {touch.span for touch in book.touches[0]} - {Span.RUN}
        if book.kinds[1] not in book.dialect.first and needed <= {
            touch.span for touch in book.touches[1] if _opens(touch)
        }:
            yield book.without(0)


def _opens(touch: Touch) -> bool:
    return touch.verb is Verb.OPEN


@_breaks("TRM005", "exception after a good end")
def _raise(book: Book) -> Iterator[Changed]:
    if book.dialect.raises:
        yield Changed(book.rows, len(book.rows), "error")


@_breaks("WIR009", "number left out")
def _skip(book: Book) -> Iterator[Changed]:
    if book.dialect.sequence:
        for index in book.middle():
            if not book.touches[index]:
                yield book.without(index)


@_breaks("WIR017", "piece of arguments lost")
def _lose_piece(book: Book) -> Iterator[Changed]:
    for index in book.middle():
        for touch in book.touches[index] if book.kinds[index] in book.dialect.arguments else ():
            if touch.span is Span.TOOL and touch.verb is Verb.FEED and touch.text and not _opens_too(book, index):
                others = [
                    each.text or "" for at in range(len(book.rows)) if at != index for each in _feeds(book, at, touch)
                ]
                if others and not _is_json("".join(others)):
                    yield book.without(index)


def _opens_too(book: Book, index: int) -> bool:
    return any(map(_opens, book.touches[index]))


def _feeds(book: Book, index: int, touch: Touch) -> Iterator[Touch]:
    return (each for each in book.touches[index] if _is(each, Verb.FEED, touch))


def _is_json(text: str) -> bool:
    """Say whether a text is JSON, or nothing at all."""
    try:
        return not text or from_json(text) is not from_json
    except ValueError:
        return False

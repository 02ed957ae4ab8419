"""Numbers that only grow: the ids of messages, the numbers of events, and texts that add up.

Knows counting. Does not know what is counted.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any, ClassVar, Final

from pydantic_core import from_json

from playhead.contracts.monitor import NOTHING, Finding, Findings, Moment, hashable, span_name
from playhead.events.paths import getter
from playhead.events.spans import Dialect, Span, Verb
from playhead.sse.message import SSEMessage

WINDOW: Final = 1024
"""How many ids are remembered at least, to notice one that comes again; twice as many at most."""
MAX_ARGUMENTS: Final = 1024 * 1024
"""How much of a tool's arguments is kept, in characters, to see whether they add up."""

_NUMBERED = re.compile(r"(.*?)(0|[1-9][0-9]{0,17})", re.DOTALL)


class Ids:
    """Follow the ids of a stream's messages.

    `any` says that there were some, `numbered` that the first one ended with a number and its message had a name, as
    handlers send them, and `before` how many messages came before that, by this number. `again` says that the last id
    came again with the message that it had, and `late` is the last id that was missed before it came.
    """

    def __init__(self) -> None:
        self.any: bool = False
        self.numbered: bool = False
        self.before: int = 0
        self.again: bool = False
        self.late: str | None = None
        # The highest number, what stands before it, the id that is one more, and the numbers that were missed.
        self._prefix = ""
        self._number: int | None = None
        self._next: str | None = None
        self._gap = range(0)
        self._unnumbered = 0
        self._known: dict[str, int] = {}

    def look(self, message: SSEMessage, *, counted: bool) -> Iterable[tuple[str, str]]:
        """Return what is wrong with a message's id: codes and what to say. Ids that are `counted` leave none out."""
        id = message.id
        if not id or message.id_inherited:
            return self._miss() if self.any else ()
        if id in self._known:
            self.again = self._known[id] == hash(message.data)
            return (("WIR008", f"the id {id!r} comes again" + ", with the same message" * self.again),)
        self._known[id] = hash(message.data)
        if len(self._known) == 2 * WINDOW:
            # One by one would cost more.
            self._known = dict(islice(self._known.items(), WINDOW, None))
        if id == self._next and self._number is not None:
            # Nearly all ids are the next one.
            self._number += 1
            self._next = self._prefix + str(self._number + 1)
            return ()
        return self._jump(message, id, counted=counted)

    def _miss(self) -> Iterable[tuple[str, str]]:
        """Say that an id is missing. Whether it has used up a number shows the next one."""
        self._unnumbered += 1
        self._next = None
        return (("WIR007", "the message has no id, and those before it have"),)

    def _jump(self, message: SSEMessage, id: str, *, counted: bool) -> Iterable[tuple[str, str]]:
        """Return what is wrong with an id that is not one more than the last. One fault is told once."""
        found = _NUMBERED.fullmatch(id)
        is_first, self.any = not self.any, True
        unnumbered, self._unnumbered = self._unnumbered, 0
        if found is None:
            self._number = self._next = None
            return ()
        prefix, number = found[1], int(found[2])
        last = self._number if prefix == self._prefix else None
        if last is not None and number < last:
            if number in self._gap:
                self.late = id
                return ()
            self._gap = range(number + 1, last)
            return (("WIR009", f"the id {id!r} comes after {prefix}{last}"),)
        self._prefix, self._number, self._next = prefix, number, f"{prefix}{number + 1}"
        if is_first:
            self.numbered = message.event != "message"
            self.before = max(0, number - 1)
        elif counted and last is not None and number > last + 1 + unnumbered:
            self._gap = range(last + 1, number)
            return (("WIR009", f"the id {id!r} comes right after {prefix}{last}: messages are missing"),)
        return ()


class Sequence:
    """Watch the numbers that a dialect gives its events: each is one more than the last.

    Told at the end, for `Watch` tells it only where no other rule has seen the same fault.
    """

    codes: ClassVar[tuple[str, ...]] = ("WIR009",)

    def __init__(self, dialect: Dialect) -> None:
        self._number_of = getter(dialect.sequence)
        self._last: int | None = None
        self._found: Finding | None = None

    @staticmethod
    def hears(dialect: Dialect, kind: str, *, inside: bool) -> bool:
        """Say that all events matter."""
        return True

    def feed(self, moment: Moment) -> Findings:
        """Notice an event that is not the next one."""
        number = self._number_of(moment.fields)
        if type(number) is not int:
            return NOTHING
        last, self._last = self._last, number
        if last is not None and number != last + 1 and not moment.late and self._found is None:
            what = "events are missing" if number > last else "it comes again or too late"
            self._found = moment.finding("WIR009", f"{moment.kind} is number {number}, after {last}: {what}")
        return NOTHING

    def close(self, end: str | None, last: Moment) -> Findings:
        """Return the first event that was not the next one."""
        return (self._found,) if self._found else NOTHING


class Arguments:
    """Watch the pieces of a tool's arguments: when the tool is closed, they are JSON."""

    codes: ClassVar[tuple[str, ...]] = ("WIR017",)

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._open: dict[Any, _Pieces] = {}

    @staticmethod
    def hears(dialect: Dialect, kind: str, *, inside: bool) -> bool:
        """Say that tools matter, and the ends of runs."""
        return any(op.span in (Span.TOOL, Span.RUN) for op in dialect.ops.get(kind, ()))

    def feed(self, moment: Moment) -> Findings:
        """Return that the arguments of a tool do not add up to JSON."""
        findings: list[Any] = []
        for touch in moment.touches:
            if touch.span is Span.TOOL:
                key = (moment.agent, hashable(touch.key))
                if touch.verb is Verb.FEED and moment.kind in self._dialect.arguments:
                    if key not in self._open:
                        self._open[key] = _Pieces(moment, span_name(touch))
                    self._open[key].add(touch.text)
                elif touch.verb is Verb.CLOSE and key in self._open:
                    findings += self._judge(self._open.pop(key))
            elif touch.verb is Verb.CLOSE and touch.span is Span.RUN:
                if self._dialect.is_normal(moment.kind, touch.status):
                    findings += [finding for pieces in self._open.values() for finding in self._judge(pieces)]
                self._open.clear()
        return findings

    def close(self, end: str | None, last: Moment) -> Findings:
        """Return nothing: who was cut short promised nothing."""
        return NOTHING

    def _judge(self, pieces: "_Pieces") -> Findings:
        text = pieces.text()
        if not text:
            return NOTHING
        try:
            from_json(text)
        except ValueError as error:
            shown = repr(text[:40]) + ("..." if len(text) > 40 else "")
            told = f"the arguments of {pieces.told} are not JSON: {error}: {shown}"
            return (replace(pieces.finding, message=told),)
        return NOTHING


class _Pieces:
    """Pieces of text, up to a limit; beyond it nothing is said of them."""

    __slots__ = ("_pieces", "_size", "finding", "told")

    def __init__(self, moment: Moment, told: str) -> None:
        self.finding = moment.finding("WIR017", told)
        self.told = told
        self._pieces: list[str] = []
        self._size = 0

    def add(self, text: Any) -> None:
        if isinstance(text, str) and self._size <= MAX_ARGUMENTS:
            self._size += len(text)
            self._pieces.append(text)
            if self._size > MAX_ARGUMENTS:
                self._pieces.clear()

    def text(self) -> str:
        return "".join(self._pieces)

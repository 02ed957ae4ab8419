"""Order: spans are opened, fed and closed as they should be.

Pairs openings and closings first in, first out, by agent, kind and key, and by name where keys are empty or repeated.
One fault is told once: a span that was fed or closed without its opening is taken for open, or for paid, so that what
follows from the same fault says nothing more.
"""

from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, ClassVar

from playhead.contracts.monitor import NOTHING, Finding, Findings, Moment, hashable, span_name
from playhead.events.spans import Dialect, Span, Touch, Verb

# To look up a member of an enumeration takes longer than to compare it.
_RUN = Span.RUN
_OPEN = Verb.OPEN
_FEED = Verb.FEED
_MAX_ORPHANS = 64


class _Open:
    """A span that is open. One that is excused need not be closed."""

    __slots__ = ("ended", "excused", "implied", "moment", "name", "touch")

    def __init__(self, moment: Moment, touch: Touch, *, excused: bool = False, implied: bool = False) -> None:
        self.name = touch.name
        self.moment = moment
        self.touch = touch
        self.implied = implied
        self.excused = excused or implied
        self.ended = False

    @property
    def told(self) -> str:
        return span_name(self.touch)


class Ordering:
    """Watch the spans inside a run, and those that are left open at its end."""

    codes: ClassVar[tuple[str, ...]] = ("ORD001", "ORD002", "ORD003", "ORD004", "ORD005", "ORD007", "TRM004")
    hears_all: ClassVar[bool] = False

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._paired = dialect.paired
        # The keys that must not come again, by agent and kind of span.
        self._past: dict[tuple[Any, Span], set[Any]] = {}
        # By agent and kind of span, then by key.
        self._open: dict[tuple[Any, Span], dict[Any, list[_Open]]] = {}
        self._orphans: deque[tuple[Any, ...]] = deque(maxlen=_MAX_ORPHANS)
        self._ended = False
        self._left: list[Finding] = []
        self._outcomes, self._parents = _outcomes(dialect), _parents(dialect)

    def feed(self, moment: Moment) -> Findings:
        """Return what is wrong with what an event does to spans."""
        if not moment.touches:
            if moment.kind in self._dialect.pauses:
                self._excuse(moment.group)
            return NOTHING
        found: list[Finding] = []
        for touch in moment.touches:
            if touch.span is _RUN:
                if touch.verb is _OPEN:
                    self._forget(moment.group)
                elif not moment.late:
                    self._end(moment, touch)
            elif touch.span in self._paired:
                if touch.verb is _OPEN:
                    found += self._opened(moment, touch)
                elif touch.verb is _FEED:
                    found += () if touch.loose else self._fed(moment, touch)
                else:
                    found += self._ended_loosely(moment, touch) if touch.loose else self._closed(moment, touch)
        return NOTHING if moment.late else found

    def close(self, end: str | None) -> Findings:
        """Return the spans that a run left open which ended normally."""
        return [*self._left, *self._left_open()] if end in (None, "complete", "unknown") else NOTHING

    def _left_open(self) -> list[Finding]:
        return [
            left.moment.finding("TRM004", f"{left.told} is left open at a normal end")
            for (_, span), kept in self._open.items()
            if self._ended and span not in self._dialect.tacit
            for records in kept.values()
            for left in records
            if not left.excused
        ]

    def _opened(self, moment: Moment, touch: Touch) -> Findings:
        key = touch.key if type(touch.key) is str else hashable(touch.key)
        if self._orphans and (paid := (moment.group, touch.span, key, touch.name)) in self._orphans:
            self._orphans.remove(paid)
            return NOTHING
        spans = self._of(moment, touch)
        records = spans.get(key)
        if records and records[0].implied:
            records[0].implied = False
            records[0].name = touch.name
            return NOTHING
        past = bool(self._past) and key in self._past.get((moment.group, touch.span), ())
        if touch.loose and (records or past):
            return NOTHING
        if records and touch.span in self._dialect.unique and touch.key is not None:
            # Both may be closed, and neither need be twice.
            records.append(_Open(moment, touch, excused=True))
            return (moment.finding("ORD003", f"{moment.kind} opens {span_name(touch)}, which is open already"),)
        opened = _Open(moment, touch, excused=moment.late)
        if records:
            records.append(opened)
        else:
            spans[key] = [opened]
        return (moment.finding("ORD003", f"{moment.kind} opens {span_name(touch)} again"),) if past else NOTHING

    def _fed(self, moment: Moment, touch: Touch) -> Findings:
        key = hashable(touch.key)
        own = self._of(moment, touch)
        records = own.get(key)
        if records and not records[0].ended:
            return NOTHING
        # A sub-agent's news come under its own name, and its tool is open under its parent's.
        if records or any(key in spans for (_, span), spans in self._open.items() if span is touch.span):
            return self._fed_late(moment, touch) if touch.span in self._dialect.once else NOTHING
        own[key] = [_Open(moment, touch, implied=True)]
        return (moment.finding("ORD002", f"{moment.kind} feeds {span_name(touch)}, which is not open"),)

    def _fed_late(self, moment: Moment, touch: Touch) -> Findings:
        """Return that a span whose end was loose is fed after it, once."""
        for record in self._of(moment, touch).get(hashable(touch.key), ()):
            if record.ended:
                record.ended = False
                return (moment.finding("ORD002", f"{moment.kind} feeds {span_name(touch)}, which has ended"),)
        return NOTHING

    def _closed(self, moment: Moment, touch: Touch) -> Findings:
        spans = self._of(moment, touch)
        key = touch.key if type(touch.key) is str else hashable(touch.key)
        records = spans.get(key)
        found: list[Finding] = []
        if moment.kind in self._outcomes and (touch.status is None) == (touch.result is None):
            found.append(self._outcome(moment, touch))
        if records is None:
            return [*found, self._orphan(moment, touch)]
        if len(records) == 1 and records[0].name == touch.name:
            records.clear()
        else:
            found += self._take_out(records, moment, touch)
        if not records:
            del spans[key]
            if touch.span in self._dialect.once:
                self._past.setdefault((moment.group, touch.span), set()).add(key)
        if touch.span in self._parents:
            found += self._outlived(moment, touch)
        return found

    def _take_out(self, records: list[_Open], moment: Moment, touch: Touch) -> Findings:
        """Take the span that is closed out of those of its key, and return what is wrong with its name."""
        # One that is excused was perhaps closed under another key.
        alike = [each for each in records if _alike(each.name, touch.name)]
        fitting = next((each for each in alike if not each.excused), alike[0] if alike else records[0])
        records.remove(fitting)
        if alike:
            return NOTHING
        told = f"{moment.kind} closes {span_name(touch)}, which was opened as {fitting.name!r}"
        return (moment.finding("ORD004", told),)

    def _ended_loosely(self, moment: Moment, touch: Touch) -> Findings:
        for record in self._of(moment, touch).get(hashable(touch.key), ())[:1]:
            record.excused = record.ended = True
        return NOTHING

    def _orphan(self, moment: Moment, touch: Touch) -> Finding:
        """Return that nothing is open to be closed. One of its name is perhaps what was meant: all are excused."""
        self._orphans.append((moment.group, touch.span, hashable(touch.key), touch.name))
        kept = (records for (_, span), spans in self._open.items() if span is touch.span for records in spans.values())
        meant = [each for records in kept for each in records if each.name == touch.name is not None]
        for each in meant:
            each.excused = True
        hint = f"; {meant[0].told} is" if meant else ""
        return moment.finding("ORD001", f"{moment.kind} closes {span_name(touch)}, which is not open{hint}")

    def _outlived(self, moment: Moment, touch: Touch) -> Iterator[Finding]:
        for child, parent in self._dialect.within.items():
            if parent is not touch.span or self._of(moment, touch):
                continue
            for kept in self._open.get((moment.group, child), {}).values():
                for left in kept:
                    if not left.excused:
                        left.excused = True
                        told = f"{moment.kind} closes {span_name(touch)} while {left.told} is open"
                        yield moment.finding("ORD005", told)

    def _outcome(self, moment: Moment, touch: Touch) -> Finding:
        both = "neither a result nor an error" if touch.status is None else "both a result and an error"
        return moment.finding("ORD007", f"{moment.kind} of {span_name(touch)} has {both}")

    def _of(self, moment: Moment, touch: Touch) -> dict[Any, list[_Open]]:
        place = (moment.group, touch.span)
        spans = self._open.get(place)
        if spans is None:
            spans = self._open[place] = {}
        return spans

    def _end(self, moment: Moment, touch: Touch) -> None:
        if self._dialect.is_normal(moment.kind, touch.status):
            self._ended = True
        else:
            self._excuse(moment.group)

    def _forget(self, group: Any) -> None:
        """Take a run for new: what the one before it left open, and the keys that it had, are nothing to it."""
        self._left += self._left_open()
        for (owner, span), spans in self._open.items():
            if owner == group:
                self._past.pop((owner, span), None)
                for key in [key for key, records in spans.items() if self._ended or records[0].excused]:
                    del spans[key]
        self._ended = False

    def _excuse(self, group: Any) -> None:
        for (owner, _), spans in self._open.items():
            if owner == group:
                for records in spans.values():
                    for record in records:
                        record.excused = True


def _alike(opened: Any, closed: Any) -> bool:
    return opened is None or closed is None or opened == closed


@lru_cache(maxsize=64)
def _outcomes(dialect: Dialect) -> frozenset[str]:
    return frozenset(kind for kind, ops in dialect.ops.items() if any(op.result for op in ops))


@lru_cache(maxsize=64)
def _parents(dialect: Dialect) -> frozenset[Span]:
    return frozenset(dialect.within.values())

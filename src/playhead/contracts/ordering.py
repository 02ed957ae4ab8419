"""Order: spans are opened, fed and closed as they should be.

Pairs openings and closings first in, first out, by agent, kind and key, and by name where keys are empty or repeated.
One fault is told once: a span that was fed or closed without its opening is taken for open, or for paid, so that what
follows from the same fault says nothing more.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, ClassVar

from playhead.contracts.monitor import NOTHING, Agent, Finding, Findings, Moment, hashable, span_name
from playhead.events.spans import Dialect, Span, Touch, Verb

# To look up a member of an enumeration takes longer than to compare it.
_RUN = Span.RUN
_OPEN = Verb.OPEN
_FEED = Verb.FEED
_CLOSE = Verb.CLOSE
_MAX_ORPHANS = 64


class _Open:
    """A span that is open, and the event that opened it. One that is excused need not be closed."""

    __slots__ = ("ended", "event", "excused", "implied", "index", "name", "place", "touch")

    def __init__(self, moment: Moment, touch: Touch, *, excused: bool) -> None:
        self.name = touch.name
        self.index, self.event, self.place = moment.index, moment.kind, moment.place
        self.touch = touch
        self.excused = excused
        self.implied = self.ended = False

    @property
    def told(self) -> str:
        return span_name(self.touch)


_Spans = dict[Any, list[_Open]]
"""The spans of a kind that are open, by key."""


class Ordering:
    """Watch the spans inside a run, and those that are left open at its end."""

    codes: ClassVar[tuple[str, ...]] = ("ORD001", "ORD002", "ORD003", "ORD004", "ORD005", "ORD007", "TRM004")

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._open: defaultdict[tuple[Agent, Span], _Spans] = defaultdict(dict)
        # The keys that must not come again, by agent and kind of span.
        self._past: dict[tuple[Agent, Span], set[Any]] = {}
        # What was closed without being open, and may be opened too late.
        self._orphans: deque[tuple[Any, ...]] = deque(maxlen=_MAX_ORPHANS)
        self._left: list[Finding] = []
        self._ended = False

    @staticmethod
    def hears(dialect: Dialect, kind: str, *, inside: bool) -> bool:
        """Say that paired spans matter, and runs: what cuts one short or makes it wait excuses the spans in it."""
        ops = dialect.ops.get(kind, ())
        return kind in dialect.pauses or any(op.span is _RUN or op.span in dialect.paired for op in ops)

    def feed(self, moment: Moment) -> Findings:
        """Return what is wrong with what an event does to spans."""
        found: list[Finding] = []
        for touch in moment.touches:
            verb, span, key, _, _, _, _, is_loose, _ = touch
            if span is _RUN:
                self._run(moment, touch)
            elif span in self._dialect.paired and not (is_loose and verb is _FEED):
                spans = self._open[moment.agent, span]
                if type(key) is not str:
                    key = hashable(key)
                if verb is _CLOSE:
                    found += self._ended_loosely(spans, key) if is_loose else self._closed(moment, touch, spans, key)
                elif verb is _FEED:
                    found += self._fed(moment, touch, spans, key)
                elif key in spans or self._past or self._orphans:
                    found += self._opened_again(moment, touch, spans, key)
                else:
                    spans[key] = [_Open(moment, touch, excused=moment.late)]
        if not moment.touches and moment.kind in self._dialect.pauses:
            self._excuse(moment.agent)
        return NOTHING if moment.late else found

    def close(self, end: str | None, last: Moment) -> Findings:
        """Return the spans that a run left open which ended normally."""
        return (*self._left, *self._left_open()) if end in (None, "complete", "unknown") else NOTHING

    def _left_open(self) -> Iterator[Finding]:
        for (_, span), spans in self._open.items():
            if self._ended and spans and span not in self._dialect.tacit:
                for left in chain.from_iterable(spans.values()):
                    if not left.excused:
                        told = f"{left.told} is left open at a normal end"
                        yield Finding("TRM004", told, left.index, left.event, left.place)

    def _opened_again(self, moment: Moment, touch: Touch, spans: _Spans, key: Any) -> Findings:
        """Open a span whose key was met before, or perhaps was: the opening may pay for a finding."""
        if (paid := (moment.agent, touch.span, key, touch.name)) in self._orphans:
            self._orphans.remove(paid)
            return NOTHING
        records = spans.get(key)
        if records and records[0].implied:
            records[0].implied = False
            records[0].name = touch.name
            return NOTHING
        past = key in self._past.get((moment.agent, touch.span), ())
        if touch.loose and (records or past):
            return NOTHING
        # Where a key must not come again both may be closed, and neither need be twice.
        is_double = bool(records) and touch.span in self._dialect.unique and touch.key is not None
        spans.setdefault(key, []).append(_Open(moment, touch, excused=is_double or moment.late))
        if not (is_double or past):
            return NOTHING
        told = f"{moment.kind} opens {span_name(touch)}" + (", which is open already" if is_double else " again")
        return (moment.finding("ORD003", told),)

    def _fed(self, moment: Moment, touch: Touch, spans: _Spans, key: Any) -> Findings:
        records = spans.get(key)
        if records and not records[0].ended:
            return NOTHING
        # A sub-agent's news come under its own name, and its tool is open under its parent's.
        if records or any(key in others for (_, span), others in self._open.items() if span is touch.span):
            return self._fed_late(moment, touch, records) if touch.span in self._dialect.once else NOTHING
        implied = _Open(moment, touch, excused=True)
        implied.implied = True
        spans[key] = [implied]
        return (moment.finding("ORD002", f"{moment.kind} feeds {span_name(touch)}, which is not open"),)

    def _fed_late(self, moment: Moment, touch: Touch, records: list[_Open] | None) -> Findings:
        """Return that a span whose end was loose is fed after it, once."""
        for record in records or ():
            if record.ended:
                record.ended = False
                return (moment.finding("ORD002", f"{moment.kind} feeds {span_name(touch)}, which has ended"),)
        return NOTHING

    def _closed(self, moment: Moment, touch: Touch, spans: _Spans, key: Any) -> Findings:
        _, span, _, name, status, _, result, _, _ = touch
        found: Findings = NOTHING
        if (status is None) == (result is None) and moment.kind in _outcomes(self._dialect):
            found = self._outcome(moment, touch)
        records = spans.get(key)
        if records is None:
            return (*found, self._orphan(moment, touch, key))
        record, *others = records
        if others or record.name != name:
            found = (*found, *self._take_out(records, moment, touch))
        if not others:
            del spans[key]
            if span in self._dialect.once:
                self._past.setdefault((moment.agent, span), set()).add(key)
        if self._dialect.within and not spans:
            found = (*found, *self._outlived(moment, touch))
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

    def _ended_loosely(self, spans: _Spans, key: Any) -> Findings:
        for record in spans.get(key, ())[:1]:
            record.excused = record.ended = True
        return NOTHING

    def _orphan(self, moment: Moment, touch: Touch, key: Any) -> Finding:
        """Return that nothing is open to be closed. One of its name is perhaps what was meant: all are excused."""
        self._orphans.append((moment.agent, touch.span, key, touch.name))
        kept = (records for (_, span), spans in self._open.items() if span is touch.span for records in spans.values())
        meant = [each for records in kept for each in records if each.name == touch.name is not None]
        for each in meant:
            each.excused = True
        hint = f"; {meant[0].told} is" if meant else ""
        return moment.finding("ORD001", f"{moment.kind} closes {span_name(touch)}, which is not open{hint}")

    def _outlived(self, moment: Moment, touch: Touch) -> Iterator[Finding]:
        for child, parent in self._dialect.within.items():
            kept = self._open.get((moment.agent, child), {}) if parent is touch.span else {}
            for left in chain.from_iterable(kept.values()):
                if not left.excused:
                    left.excused = True
                    told = f"{moment.kind} closes {span_name(touch)} while {left.told} is open"
                    yield moment.finding("ORD005", told)

    def _outcome(self, moment: Moment, touch: Touch) -> Findings:
        both = "neither a result nor an error" if touch.status is None else "both a result and an error"
        return (moment.finding("ORD007", f"{moment.kind} of {span_name(touch)} has {both}"),)

    def _run(self, moment: Moment, touch: Touch) -> None:
        """Take the beginning or the end of a run. A run that is cut short may leave spans open."""
        if touch.verb is _OPEN:
            self._forget(moment.agent)
        elif not moment.late:
            if self._dialect.is_normal(moment.kind, touch.status):
                self._ended = True
            else:
                self._excuse(moment.agent)

    def _forget(self, agent: Agent) -> None:
        """Take a run for new: what the one before it left open, and the keys that it had, are nothing to it."""
        self._left += self._left_open()
        for (owner, span), spans in self._open.items():
            if owner is agent:
                self._past.pop((owner, span), None)
                for key in [key for key, records in spans.items() if self._ended or records[0].excused]:
                    del spans[key]
        self._ended = False

    def _excuse(self, agent: Agent) -> None:
        for (owner, _), spans in self._open.items():
            if owner is agent:
                for record in chain.from_iterable(spans.values()):
                    record.excused = True


def _alike(opened: Any, closed: Any) -> bool:
    return opened is None or closed is None or opened == closed


@lru_cache(maxsize=64)
def _outcomes(dialect: Dialect) -> frozenset[str]:
    return frozenset(kind for kind, ops in dialect.ops.items() if any(op.result for op in ops))

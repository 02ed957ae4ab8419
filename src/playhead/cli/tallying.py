"""What is on tapes, in numbers: events, spans, tools, times.

Knows a dialect's table. Holds a number for each span that was closed, so that medians can be told. Does not print.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from playhead.cassettes.reading import Cassette
from playhead.events.lasting import Lasted, Lasting
from playhead.events.spans import Span
from playhead.replaying.tape import Tape


@dataclass(slots=True)
class Times:
    """How long spans of one kind, or of one name, lasted: each in microseconds of recorded time."""

    took_us: list[int] = field(default_factory=list)
    failed: int = 0
    unfinished: int = 0

    @property
    def count(self) -> int:
        """How many were opened."""
        return len(self.took_us) + self.unfinished

    def as_json(self) -> dict[str, Any]:
        """Return the numbers for programs."""
        took = self.took_us
        times = {"total_us": sum(took), "median_us": median(took), "max_us": max(took)} if took else {}
        return {"count": self.count, "failed": self.failed, "unfinished": self.unfinished, **times}


_ANSWERS = frozenset({Span.MODEL, Span.MESSAGE})


class Tally:
    """Add tapes up."""

    def __init__(self) -> None:
        self.cassettes: int = 0
        self.runs: int = 0
        self.entries: int = 0
        self.byte_count: int = 0
        self.recorded_us: int = 0
        self.ends: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.tracks: Counter[str] = Counter()
        self.types: Counter[str] = Counter()
        self.spans: defaultdict[Span, Times] = defaultdict(Times)
        self.tools: defaultdict[str, Times] = defaultdict(Times)
        self.first_text: Times = Times()

    def add(self, cassette: Cassette, byte_count: int) -> None:
        """Add a cassette. Raises what reading its entries raises."""
        tape = Tape(cassette)
        self.cassettes += 1
        self.byte_count += byte_count
        self.runs += len(tape.runs)
        self.ends.update(tape.runs.values())
        if tape.seal is not None:
            self.errors.update(failure.type for failure in tape.seal.errors.values())
        runs: dict[str, _Run] = {}
        at_us = 0
        for entry in cassette.entries():
            at_us += entry.dt_us
            self.entries += 1
            self.tracks[f"{entry.track}.{entry.kind}"] += 1
            value = entry.value() if (entry.track, entry.kind) == ("event", "event") else None
            if isinstance(value, dict):
                self.types[tape.dialect.type_of(value) or "(no type)"] += 1
                if entry.owner not in runs:
                    # A run begins when it is asked for, not with its first event.
                    runs[entry.owner] = _Run(Lasting(tape.dialect), at_us - entry.dt_us)
                self._add_event(runs[entry.owner], value, at_us)
        self.recorded_us += at_us
        for run in runs.values():
            self.first_text.unfinished += run.waits
            for left in run.lasting.close():
                self._count(left)

    def _add_event(self, run: "_Run", event: Mapping[str, Any], at_us: int) -> None:
        for changed in run.lasting.feed(event, at_us):
            if changed.until_us is not None:
                self._count(changed)
        if run.waits and any(touch.text and touch.span in _ANSWERS for touch in run.lasting.dialect.touches(event)):
            self.first_text.took_us.append(at_us - run.since_us)
            run.waits = False

    def _count(self, lasted: Lasted) -> None:
        tables = [self.spans[lasted.span]]
        if lasted.span is Span.TOOL:
            tables.append(self.tools[lasted.name])
        for times in tables:
            if lasted.until_us is None:
                times.unfinished += 1
            else:
                times.took_us.append(lasted.until_us - lasted.since_us)
                times.failed += lasted.span is Span.TOOL and bool(lasted.status)


@dataclass(slots=True)
class _Run:
    lasting: Lasting
    since_us: int
    waits: bool = True

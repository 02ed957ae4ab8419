"""How long things took: spans by kind, tools by name, and what one waited for.

Knows a dialect's table. Holds a number for each span that ended, so that medians can be told. Does not print.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from playhead.events.lasting import Lasted, Lasting
from playhead.events.spans import Dialect, Span, Verb

_ANSWERS = frozenset({Span.MODEL, Span.MESSAGE})


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

    def add(self, lasted: Lasted) -> None:
        """Add a span that ended."""
        if lasted.until_us is None or not lasted.finished:
            self.unfinished += 1
        else:
            self.took_us.append(lasted.until_us - lasted.since_us)
            self.failed += lasted.failed

    def as_json(self) -> dict[str, Any]:
        """Return the numbers for programs. Times that nobody measured are left out."""
        counts = {"count": self.count, "failed": self.failed, "unfinished": self.unfinished}
        took = self.took_us
        if not took:
            return counts
        return counts | {"total_us": sum(took), "min_us": min(took), "median_us": median(took), "max_us": max(took)}


@dataclass(slots=True)
class Measures:
    """How long everything took in some runs. `waits` has a number for each run: see `Meter`."""

    spans: defaultdict[Span, Times] = field(default_factory=lambda: defaultdict(Times))
    tools: defaultdict[str, Times] = field(default_factory=lambda: defaultdict(Times))
    waits: defaultdict[str, Times] = field(default_factory=lambda: defaultdict(Times))


class Meter:
    """Measure one run, which began at `since_us`, and add what is found to `measures`.

    Of waits it tells `first event`, `first text` (of an answer, not of a sub-agent's) and `longest silence`, from the
    beginning of the run on. A run that never said a word has an unfinished wait for it.
    """

    def __init__(self, dialect: Dialect, measures: Measures, *, since_us: int = 0) -> None:
        self._lasting = Lasting(dialect)
        self._dialect = dialect
        self._measures = measures
        self._since_us = self._last_us = since_us
        self._first_us: int | None = None
        self._text_us: int | None = None
        self._silence_us = 0

    def feed(self, event: Mapping[str, Any], at_us: int) -> None:
        """Take an event, as a JSON object, and its time on the tape."""
        for verb, lasted in self._lasting.feed(event, at_us):
            if verb is Verb.CLOSE:
                self._add(lasted)
        self._silence_us = max(self._silence_us, at_us - self._last_us)
        self._last_us = at_us
        if self._first_us is None:
            self._first_us = at_us
        if self._text_us is None and any(
            touch.text and touch.span in _ANSWERS for touch in self._dialect.touches(event)
        ):
            self._text_us = at_us

    def close(self) -> None:
        """End the run: what is open now is unfinished."""
        for left in self._lasting.close():
            self._add(left)
        waits = self._measures.waits
        for name, until_us in (("first event", self._first_us), ("first text", self._text_us)):
            if until_us is None:
                waits[name].unfinished += 1
            else:
                waits[name].took_us.append(until_us - self._since_us)
        waits["longest silence"].took_us.append(self._silence_us)

    def _add(self, lasted: Lasted) -> None:
        self._measures.spans[lasted.span].add(lasted)
        if lasted.span is Span.TOOL:
            self._measures.tools[lasted.name or "?"].add(lasted)


def measure(events: Iterable[tuple[int, Mapping[str, Any]]], dialect: Dialect) -> Measures:
    """Return how long everything took in one run, of its events as JSON objects, each with its time in microseconds."""
    measures = Measures()
    meter = Meter(dialect, measures)
    for at_us, event in events:
        meter.feed(event, at_us)
    meter.close()
    return measures

"""Driving a stream handler: the deliveries of its conformance suite first, then random runs.

Knows how a delivery is drawn, made small and spelled as a test. Does not know the promises.
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Final

from playhead.errors import UsageError
from playhead.events.base import OpaqueEvent
from playhead.events.codec import encode_event
from playhead.events.dialects import get_dialect
from playhead.fuzzing.campaign import Broken
from playhead.fuzzing.drawing import draw_delivery
from playhead.fuzzing.finding import Finding, spelled_rows
from playhead.fuzzing.shrinking import fewer, fewest, simpler
from playhead.testing.deliveries import Delivery, How, deliver
from playhead.testing.handler_promises import judge
from playhead.testing.handlers import deliveries, know
from playhead.testing.report import Promise
from playhead.testing.samples import events_of, sample_runs

_IMPORTS: Final = ("from playhead.testing import assert_handler",)
_PLACED: Final = (How.LEAVE, How.CANCEL, How.REFUSE)
# What breaks only with many events mostly breaks with any, so many times.
_MANY: Final = 20
_MAX_TRIED: Final = 4


class HandlerDriver:
    """Drive the handlers that a factory makes. Raises `UsageError` where it makes none."""

    def __init__(self, factory: Callable[..., Any], dialect: str = "locus") -> None:
        self._factory = factory
        self._dialect = get_dialect(dialect)
        self._samples = sample_runs(self._dialect.name)
        self._types: set[str] = set()
        self._known = know(factory, self._dialect, self._samples)

    def trials(self) -> Iterable[Delivery]:
        """Return the deliveries of the conformance suite."""
        return deliveries(self._samples)

    def draw(self, random: Random) -> Delivery:
        """Return a random delivery."""
        return draw_delivery(random, self._dialect)

    def judge(self, trial: Delivery) -> list[Broken]:
        """Make a delivery, and return the promises that it shows to be broken."""
        return judge(deliver(self._factory, trial), self._known)

    def shrink(self, trial: Delivery, breaks: Callable[[Delivery], bool]) -> Delivery:
        """Return the smallest delivery that still breaks: fewer and simpler events, and the simplest way."""
        best = trial

        def tried(rows: list[Any], how: How, at: int) -> bool:
            nonlocal best
            candidate = self._delivery(rows, how, at)
            if candidate is None or not breaks(candidate):
                return False
            best = candidate
            return True

        rows = [encode_event(event) for event in trial.events]
        self._types = {self._dialect.type_of(row) for row in rows}
        for how in (How.COMPLETE, How.ERROR) if trial.how in _PLACED else ():
            if tried(rows, how, 0):
                break
        alike = next(
            (row for row in rows[:_MAX_TRIED] if len(rows) > _MANY and tried([row] * len(rows), best.how, 0)), None
        )
        if alike is not None:
            count = fewest(len(rows), lambda count: tried([alike] * count, best.how, 0))
            simpler([alike], lambda one: tried(one * count, best.how, 0))
            return best
        rows = fewer(rows, lambda some: tried(some, best.how, min(best.at, len(some))))
        for at in range(best.at):
            if tried(rows, best.how, at):
                break
        if len(rows) > 1 and tried([rows[0]] * len(rows), best.how, best.at):
            rows = [rows[0]] * len(rows)
            simpler(rows[:1], lambda one: tried(one * len(rows), best.how, best.at))
        else:
            simpler(rows, lambda some: tried(some, best.how, best.at))
        return best

    def finding(self, trial: Delivery, promise: Promise, why: str) -> Finding:
        """Return what is handed over of a delivery."""
        rows = tuple(encode_event(event) for event in trial.events)
        how = f'how="{trial.how}", ' * (trial.how is not How.COMPLETE)
        at = f"at={trial.at}, " * (trial.how in _PLACED)
        dialect = f', dialect="{self._dialect.name}"' * (self._dialect.name != "locus")
        call = f'assert_handler({{factory}}, {{items}}, {how}{at}keeps="{promise.name}"{dialect})'
        return Finding(promise, why, spelled_rows(rows), call, rows, _IMPORTS)

    def _delivery(self, rows: list[Any], how: How, at: int) -> Delivery | None:
        """Return the delivery of these rows; None where one is no longer an event of a type that there was."""
        try:
            events = events_of(rows, self._dialect.name)
        except UsageError:
            return None
        types = [self._dialect.type_of(row) for row in rows]
        unfit = any(
            isinstance(event, OpaqueEvent) and kind in self._dialect.ops
            for event, kind in zip(events, types, strict=True)
        )
        return None if unfit or not self._types.issuperset(types) else Delivery(tuple(events), how, min(at, len(rows)))

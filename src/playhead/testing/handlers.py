"""The conformance suite for stream handlers, and the assertion for one delivery.

Knows which deliveries put the promises to the test. Does not know how a delivery is made, nor judged.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from playhead.errors import UsageError
from playhead.events.codec import event_json
from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect
from playhead.testing.deliveries import Delivery, How, deliver
from playhead.testing.handler_promises import PROMISES, Knowledge, judge
from playhead.testing.outputs import name_of, type_of
from playhead.testing.report import Promise, Report, Result, State
from playhead.testing.samples import events_of, sample_runs
from playhead.text import did_you_mean

HANDLER_PROMISES: Final[tuple[Promise, ...]] = tuple(promise for promise, _ in PROMISES)
"""What is expected of every stream handler."""

Factory = Callable[..., Any]
"""What makes a handler: see `playhead.testing.Subject` for what it may take and return."""

_MAX_LEARNED: Final = 3
_MAX_EVERY_INDEX: Final = 12
_MAX_SHOWN: Final = 10


def check_handler(
    factory: Factory,
    *,
    dialect: str | Dialect = "locus",
    runs: Iterable[Sequence[Any]] | None = None,
    backend: str = "asyncio",
) -> Report:
    """Put a handler to the test, and report each promise.

    `factory` makes a new handler each time. `runs` are healthy runs, small ones first: events, or JSON objects of
    `dialect`; without them, the samples of that dialect. Each is delivered to its end and to an error, and with every
    event closed, cancelled, stalled and refused. Time is virtual: nothing of this waits.

    Raises `UsageError` where the factory makes no handler.
    """
    table = get_dialect(dialect)
    given = [events_of(list(run), table.name) for run in runs] if runs is not None else sample_runs(table.name)
    known = know(factory, table, given, backend=backend)
    broken: dict[str, tuple[str, str]] = {}
    asked: set[str] = set()
    for delivery in deliveries(given):
        seen = deliver(factory, delivery, backend=backend)
        for promise, ask in PROMISES:
            why = ask(seen, known)
            asked |= {promise.name} if why is not None else set()
            if why and promise.name not in broken:
                broken[promise.name] = why, spelled(delivery)
    return Report(name_of(factory), tuple(_result(promise, asked, broken) for promise in HANDLER_PROMISES))


def assert_handler(
    factory: Factory,
    events: Sequence[Any],
    *,
    how: str = "complete",
    at: int = 0,
    keeps: str = "",
    dialect: str | Dialect = "locus",
) -> None:
    """Fail if a handler breaks a promise on this one run.

    `events` are events, or JSON objects of `dialect`. `how` is one of `complete`, `error`, `leave`, `cancel`, `stall`
    and `refuse`, at the event or piece `at`: see `Delivery`. `keeps` is the name of the promise; without it, all are
    asked. Raises `AssertionError`, and `UsageError` for a name that there is not.
    """
    __tracebackhide__ = True
    names = [promise.name for promise in HANDLER_PROMISES]
    if keeps not in ("", *names):
        raise UsageError(f"there is no promise {keeps!r}: there are {', '.join(names)}{did_you_mean(keeps, names)}")
    table = get_dialect(dialect)
    run = events_of(events, table.name)
    known = know(factory, table, healthy_runs(table, [run]))
    found = judge(deliver(factory, Delivery(tuple(run), How(how), at)), known, only=keeps)
    if found:
        raise AssertionError("\n".join(f"{promise.name}: {why}" for promise, why in found))


def healthy_runs(dialect: Dialect, otherwise: list[list[Any]]) -> list[list[Any]]:
    """Return the sample runs of a dialect, or other ones where there are none."""
    try:
        return sample_runs(dialect.name)
    except UsageError:
        return otherwise


def know(factory: Factory, dialect: Dialect, runs: Sequence[Sequence[Any]], *, backend: str = "asyncio") -> Knowledge:
    """Return what healthy runs tell of a handler."""
    known = Knowledge(dialect)
    for run in runs[:_MAX_LEARNED]:
        for how in (How.COMPLETE, How.ERROR):
            known.learn(deliver(factory, Delivery(tuple(run), how), backend=backend))
    if not known.shown.is_carrier:
        # One event alone shows which of its fields come out.
        for event in {type_of(event): event for run in runs[:_MAX_LEARNED] for event in run}.values():
            known.learn(deliver(factory, Delivery((event,)), backend=backend))
    return known


def deliveries(runs: Iterable[Sequence[Any]]) -> Iterator[Delivery]:
    """Yield the deliveries of these runs: whole, broken off, and with each event as the place where things go wrong."""
    whole = [tuple(run) for run in runs]
    for run in whole:
        yield from (Delivery(run, how) for how in (How.COMPLETE, How.ERROR, How.STALL))
    for run in whole:
        for at in range(len(run) + 1) if len(run) <= _MAX_EVERY_INDEX else [len(run) // 2]:
            yield from (Delivery(run[:at], how) for how in (How.COMPLETE, How.ERROR))
            yield from (Delivery(run, how, at) for how in (How.LEAVE, How.CANCEL, How.REFUSE))


def spelled(delivery: Delivery) -> str:
    """Return a delivery as people read it: its events, one a line, and how it ends."""
    lines = [event_json(event).decode("utf-8", "replace") for event in delivery.events[:_MAX_SHOWN]]
    cut = [f"{line[:100]}..." if len(line) > 100 else line for line in lines]
    more = len(delivery.events) - len(cut)
    place = "" if delivery.how in (How.COMPLETE, How.ERROR, How.STALL) else f" at {delivery.at}"
    return "\n".join([*cut, *([f"and {more} more"] * (more > 0)), f"then {delivery.how}{place}"])


def _result(promise: Promise, asked: set[str], broken: dict[str, tuple[str, str]]) -> Result:
    if promise.name in broken:
        return Result(promise, State.BROKEN, *broken[promise.name])
    if promise.name not in asked:
        return Result(promise, State.SKIPPED, "it has nothing that could show it")
    return Result(promise, State.KEPT)

"""The suite for handlers: our own keep every promise, and each promise is broken by a handler made for it."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from playhead.errors import UsageError
from playhead.handlers.async_sse import AsyncSSEHandler
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.console import ConsoleHandler
from playhead.handlers.filtering import FilteringHandler
from playhead.handlers.minimal import MinimalConsoleHandler
from playhead.handlers.sse import SSEHandler
from playhead.testing import Sink, State, Subject, assert_handler, check_handler, running
from playhead.testing.handlers import HANDLER_PROMISES
from playhead.testing.samples import sample_runs
from tests.fuzzing.seeded import right
from tests.testing.faulty import FAULTS


def buffered(sink: Sink) -> CompositeHandler:
    return CompositeHandler([BufferingHandler(), sink])


def filtered(sink: Sink) -> Subject:
    handler = FilteringHandler(sink, exclude_types={"model_chunk"})
    return Subject(handler, passes=lambda event: event.event_type != "model_chunk")


def pushing(sink: Sink) -> SSEHandler:
    return SSEHandler(on_message=sink)


# Without the longest one.
RUNS = sample_runs("locus")[:-1]
OURS: dict[str, tuple[Callable[..., Any], int]] = {
    "sse": (SSEHandler, 14),
    "async": (AsyncSSEHandler, 14),
    "pushing": (pushing, 14),
    "buffering": (BufferingHandler, 7),
    "console": (lambda sink: ConsoleHandler(sink), 9),
    "minimal": (lambda sink: MinimalConsoleHandler(sink), 9),
    "composite": (buffered, 7),
    "filtering": (filtered, 7),
    "sample": (right, 14),
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", OURS)
def test_our_own_handlers_keep_every_promise(name: str) -> None:
    """Nothing is broken, and so many promises were really put to the test."""
    factory, least = OURS[name]
    report = check_handler(factory)
    report.raise_if_broken()
    assert len(report.kept) >= least


@pytest.mark.parametrize("dialect", ["shipit", "turns", "agui"])
def test_events_of_other_dialects_are_given_too(dialect: str) -> None:
    """A handler that takes any event keeps the same promises with all of them."""
    report = check_handler(SSEHandler, dialect=dialect)
    report.raise_if_broken()
    assert report["carries-every-event"].state is State.KEPT


def test_trio_is_a_backend() -> None:
    """What keeps its promises on asyncio keeps them on trio."""
    check_handler(AsyncSSEHandler, backend="trio").raise_if_broken()


def test_each_promise_has_a_fault() -> None:
    """No promise is without a handler that breaks it."""
    assert {name for name, _ in FAULTS} == {promise.name for promise in HANDLER_PROMISES}


@pytest.mark.parametrize(("name", "factory"), FAULTS)
def test_a_fault_breaks_its_promise(name: str, factory: Callable[..., Any]) -> None:
    """The report names the promise, says why, and shows the smallest delivery."""
    result = check_handler(factory, runs=RUNS)[name]
    assert result.state is State.BROKEN, str(result)
    assert result.why
    assert "then " in result.example


class Spins(SSEHandler):
    """Turn in circles."""

    async def on_event(self, event: Any) -> None:
        while True:
            await anyio.lowlevel.checkpoint()


def test_what_turns_in_circles_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time does not pass there, so real time is the limit."""
    monkeypatch.setattr(running, "REAL_LIMIT_S", 0.2)
    with pytest.raises(AssertionError, match="calls-return: it was still running"):
        assert_handler(Spins, [{"event_type": "think", "iteration": 1}], keeps="calls-return")


def test_what_is_no_handler_is_refused() -> None:
    """The message says what is missing."""
    with pytest.raises(UsageError, match="returned dict, which is no handler: it has no on_event, on_complete"):
        check_handler(dict)


def test_an_unknown_promise_is_refused() -> None:
    """The message names the one that was meant."""
    with pytest.raises(UsageError, match="did you mean 'ends-once'"):
        assert_handler(SSEHandler, [], keeps="end-once")


def test_one_delivery_passes_or_fails() -> None:
    """The assertion is about the promise that it names."""
    events = [{"event_type": "think", "iteration": 1}]
    assert_handler(right, events, how="error", keeps="tells-errors")
    broken = dict(FAULTS)["tells-errors"]
    assert_handler(broken, events, keeps="tells-errors")
    with pytest.raises(AssertionError, match=r"^tells-errors: the run failed, and what came out is the same"):
        assert_handler(broken, events, how="error", keeps="tells-errors")

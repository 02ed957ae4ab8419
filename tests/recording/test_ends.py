"""How an end is read off events and exceptions."""

import asyncio
from typing import Any

import pytest
import trio
import trio.lowlevel

from playhead.events.dialects import get_dialect
from playhead.recording.ends import comes_from, end_of_events, end_of_exception, failure, is_cancellation


@pytest.mark.parametrize(
    ("dialect", "last", "end"),
    [
        ("locus", None, "complete"),
        ("shipit", None, "cancelled"),
        ("locus", b'{"event_type":"terminate","reason":"complete"}', "complete"),
        ("locus", b'{"event_type":"terminate","reason":"cancelled"}', "cancelled"),
        ("locus", b'{"event_type":"interrupt"}', "paused"),
        ("locus", b'{"event_type":"think"}', "complete"),
        ("locus", b'{"no":"type"}', "complete"),
        ("locus", b"[1]", "complete"),
        ("shipit", b'{"type":"tool_called"}', "cancelled"),
        ("shipit", b'{"type":"run_cancelled"}', "cancelled"),
        ("turns", b'{"type":"Complete","turn_id":"t","final_text":""}', "complete"),
    ],
)
def test_the_last_event_says_how_a_run_ended(dialect: str, last: bytes | None, end: str) -> None:
    """A terminal event or a pause tells; a stream without either ended as its dialect's silence says."""
    assert end_of_events(last, get_dialect(dialect)) == end


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (ValueError(), "error"),
        (ExceptionGroup("g", [ValueError()]), "error"),
        (GeneratorExit(), "closed"),
        (asyncio.CancelledError(), "cancelled"),
        (KeyboardInterrupt(), "cancelled"),
    ],
)
def test_an_exception_says_how_a_run_ended(error: BaseException, end: str) -> None:
    """An error is an error, leaving is closing, and what only stops a task is a cancellation."""
    assert end_of_exception(error) == end


def trio_cancelled() -> BaseException:
    """Return what trio raises in a cancelled task."""
    caught: list[BaseException] = []

    async def main() -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.lowlevel.checkpoint()
            except trio.Cancelled as error:
                caught.append(error)
                raise

    trio.run(main)
    return caught[0]


def test_cancellations_are_known() -> None:
    """Both loops' cancellations are told from errors, also in groups that hold nothing else."""
    cancelled: Any = asyncio.CancelledError()
    for error in (cancelled, trio_cancelled(), BaseExceptionGroup("g", [cancelled])):
        assert is_cancellation(error)
    mixed = BaseExceptionGroup("g", [cancelled, ValueError()])
    for error in (None, ValueError(), GeneratorExit(), KeyboardInterrupt(), mixed):
        assert not is_cancellation(error)


def test_where_an_error_comes_from() -> None:
    """An error is the source's if it is that very object, alone or in groups; one raised from it is not."""
    cause, other = ValueError("a"), ValueError("a")
    made = RuntimeError()
    made.__cause__ = cause
    assert comes_from(cause, [other, cause])
    assert comes_from(ExceptionGroup("g", [ExceptionGroup("h", [cause]), other]), [cause, other])
    assert not comes_from(ExceptionGroup("g", [cause, other]), [cause])
    assert not comes_from(made, [cause])


def test_a_failure_keeps_names_alone() -> None:
    """The class is kept by name, with the message; what cannot be written is made visible or cut."""
    assert failure(ValueError("no")).model_dump() == {"type": "ValueError", "message": "no"}
    assert failure(ValueError("\udc80")).message == "\\udc80"
    assert len(failure(ValueError("x" * 9000)).message) == 4000

"""What counts as a handler."""

from typing import Any

import pytest

from playhead.handlers.base import BaseStreamHandler, OnceHandler, StreamHandler


class Listed(BaseStreamHandler):
    """Keep events in a list."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    async def on_event(self, event: Any) -> None:
        self.events.append(event)


class Incomplete:
    """Have two of the three calls."""

    async def on_event(self, event: Any) -> None:
        """Do nothing."""

    async def on_complete(self) -> None:
        """Do nothing."""


def test_protocol_is_checked_at_run_time() -> None:
    """Anything with the three calls is a handler, and two of them are not enough."""
    assert isinstance(Listed(), StreamHandler)
    assert not isinstance(Incomplete(), StreamHandler)


def test_on_event_must_be_written() -> None:
    """The base class cannot be used as it is: what it would do with an event is not known."""
    with pytest.raises(TypeError, match="on_event"):
        BaseStreamHandler()  # type: ignore[abstract]


@pytest.mark.anyio
async def test_both_ends_do_nothing_unless_overridden() -> None:
    """A handler with `on_event` alone can be used."""
    handler = Listed()
    await handler.on_event("x")
    await handler.on_complete()
    await handler.on_error(ValueError("planted"))
    assert handler.events == ["x"]


def test_late_calls_are_counted() -> None:
    """The life of a shipped handler: the first end counts, what comes later is late, and clear begins anew."""

    class Once(OnceHandler):
        async def on_event(self, event: Any) -> None:
            """Do nothing."""

    once = Once()
    assert (once._is_late(), once._ends_now(), once.late) == (False, True, 0)
    assert (once._ends_now(), once._is_late(), once.late) == (False, True, 2)
    once.clear()
    assert (once._is_late(), once.late) == (False, 0)

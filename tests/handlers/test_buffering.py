"""What a buffering handler keeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.clocks.running import run
from playhead.errors import UsageError
from playhead.handlers.buffering import BufferingHandler
from tests.handlers.conformance import event, number_of


@given(max_size=st.none() | st.integers(0, 5), count=st.integers(0, 12))
def test_the_newest_are_kept(max_size: int | None, count: int) -> None:
    """Of any number of events the newest `max_size` stay, in order, and the others are counted."""
    handler = BufferingHandler(max_size)

    async def feed() -> None:
        for number in range(count):
            await handler.on_event(event(number))

    run(feed)
    kept = list(range(count))[max(0, count - max_size) :] if max_size is not None else list(range(count))
    assert [number_of(kept_event) for kept_event in handler.get_events()] == kept
    assert handler.dropped == count - len(kept)


def test_a_negative_size_is_refused() -> None:
    """There is no such buffer."""
    with pytest.raises(UsageError, match="max_size=-1"):
        BufferingHandler(-1)


@pytest.mark.anyio
async def test_events_are_kept_as_they_are() -> None:
    """What comes out is the very object that went in, in a list that is nobody else's."""
    handler = BufferingHandler()
    given_event = event(1)
    await handler.on_event(given_event)
    assert handler.get_events()[0] is given_event
    handler.get_events().clear()
    assert len(handler.get_events()) == 1


@pytest.mark.anyio
async def test_an_error_is_kept_and_no_completion() -> None:
    """An error ends the stream and can be had; the stream is not complete."""
    handler, error = BufferingHandler(), ValueError("x")
    await handler.on_error(error)
    handler.get_errors().clear()
    assert (handler.get_errors(), handler.is_complete) == ([error], False)


@pytest.mark.anyio
async def test_clear_forgets_everything() -> None:
    """A cleared buffer is as good as new."""
    handler = BufferingHandler(1)
    for number in (1, 2):
        await handler.on_event(event(number))
    await handler.on_complete()
    handler.clear()
    assert (handler.get_events(), handler.get_errors(), handler.is_complete, handler.dropped) == ([], [], False, 0)
    assert handler.max_size == 1

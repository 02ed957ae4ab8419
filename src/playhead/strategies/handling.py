"""Strategies for handlers: trees of those that Playhead ships, and of ones that fail.

Knows how handlers are put together. Does not know what they promise: `playhead.testing` does.
"""

from typing import Any, Final

from hypothesis import strategies as st

from playhead.errors import UsageError
from playhead.handlers.async_sse import AsyncSSEHandler
from playhead.handlers.base import BaseStreamHandler, StreamHandler
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.filtering import FilteringHandler
from playhead.handlers.sse import SSEHandler

_TYPES: Final = ("think", "tool_start", "tool_complete", "model_chunk", "terminate", "interrupt", "subagent", "custom")
_PLACES: Final = ("on_event", "on_complete", "on_error")
_MAX_CHILDREN: Final = 4
_MAX_LEAVES: Final = 8


class FailingHandler(BaseStreamHandler):
    """Fail in one of the three calls with a `ValueError`: in `on_event` from the event of index `after` on.

    `seen` holds the events that came, those that it failed at included.
    """

    def __init__(self, where: str = "on_event", *, after: int = 0) -> None:
        if where not in _PLACES:
            raise UsageError(f"FailingHandler({where!r}) must fail in one of {', '.join(_PLACES)}.")
        self.where = where
        self.after = after
        self.seen: list[Any] = []

    def __repr__(self) -> str:
        return f"FailingHandler({self.where!r}, after={self.after})"

    async def on_event(self, event: Any) -> None:
        """Keep the event, and fail if it is time."""
        self.seen.append(event)
        if len(self.seen) > self.after:
            self._fail("on_event")

    async def on_complete(self) -> None:
        """Fail if this is the place."""
        self._fail("on_complete")

    async def on_error(self, error: Exception) -> None:
        """Fail if this is the place."""
        self._fail("on_error")

    def _fail(self, where: str) -> None:
        if self.where == where:
            raise ValueError(f"{self!r} fails")


def handlers(*, failing: bool = True, max_leaves: int = _MAX_LEAVES) -> st.SearchStrategy[StreamHandler]:
    """Return a strategy for new handlers: buffers, SSE handlers of both kinds, filters over them, and compositions.

    With `failing`, some leaves raise `ValueError`. The async ones never wait for a consumer: what does not fit is
    dropped. `max_leaves` is about how large a tree becomes. A falsifying example shows how the tree is built.
    """
    leaves: list[st.SearchStrategy[StreamHandler]] = [
        st.builds(BufferingHandler, st.none() | st.integers(1, 5)),
        st.builds(SSEHandler, include_id=st.booleans(), max_messages=st.none() | st.integers(0, 5)),
        st.builds(AsyncSSEHandler, max_buffer=st.integers(1, 5), on_full=st.just("drop_oldest")),
    ]
    if failing:
        leaves.append(st.builds(FailingHandler, st.sampled_from(_PLACES), after=st.integers(0, 5)))
    return st.recursive(st.one_of(leaves), _above, max_leaves=max_leaves)


def _above(inner: st.SearchStrategy[StreamHandler]) -> st.SearchStrategy[StreamHandler]:
    """Return a strategy for handlers that have other ones under them."""
    some_types = st.sets(st.sampled_from(_TYPES), max_size=3)
    return st.builds(CompositeHandler, st.lists(inner, max_size=_MAX_CHILDREN)) | st.builds(
        FilteringHandler, inner, event_types=st.none() | some_types, exclude_types=some_types
    )

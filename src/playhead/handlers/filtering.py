"""A handler that lets through what is wanted.

Knows three filters and their order. Does not know what it filters for.
"""

from collections.abc import Callable, Iterable, Set
from typing import Any

from playhead.errors import UsageError
from playhead.handlers.base import OnceHandler, StreamHandler
from playhead.handlers.composite import clear_if_it_can


class FilteringHandler(OnceHandler):
    """Pass on only some events; completion and error always pass.

    First `exclude_types` blocks, then `event_types` must name the type (None names all, an empty set none), then
    `filter_fn(event)` must be true. What `filter_fn` raises goes to whoever feeds the handler. Sets are used live: what
    is added to them counts from the next event on.
    """

    late: int

    def __init__(
        self,
        delegate: StreamHandler,
        event_types: Iterable[str] | None = None,
        exclude_types: Iterable[str] | None = None,
        filter_fn: Callable[[Any], object] | None = None,
    ) -> None:
        super().__init__()
        self.delegate = delegate
        self.event_types: Set[str] | None = None if event_types is None else _types("event_types", event_types)
        self.exclude_types: Set[str] = _types("exclude_types", () if exclude_types is None else exclude_types)
        self.filter_fn = filter_fn

    async def on_event(self, event: Any) -> None:
        """Pass the event on if all three filters let it through."""
        event_type = event.event_type
        if self._ended:
            self.late += 1
        elif (
            event_type not in self.exclude_types
            and (self.event_types is None or event_type in self.event_types)
            and (self.filter_fn is None or self.filter_fn(event))
        ):
            await self.delegate.on_event(event)

    async def on_complete(self) -> None:
        """Pass the completion on."""
        if self._ends_now():
            await self.delegate.on_complete()

    async def on_error(self, error: Exception) -> None:
        """Pass the error on."""
        if self._ends_now():
            await self.delegate.on_error(error)

    def clear(self) -> None:
        """Make this handler, and its delegate if it has a `clear`, ready for another stream."""
        super().clear()
        clear_if_it_can(self.delegate)


def _types(name: str, event_types: Iterable[str]) -> Set[str]:
    if isinstance(event_types, str):
        raise UsageError(
            f"FilteringHandler({name}={event_types!r}): that is one name where a set of names belongs, and would be "
            f"taken letter by letter. Write {{{event_types!r}}}."
        )
    return event_types if isinstance(event_types, Set) else set(event_types)

"""What the handlers that send an event stream have in common: their options, and how a stream ends.

Does not know who holds the messages, nor how they are made (`drafts`).
"""

from abc import abstractmethod

from playhead.handlers.base import OnceHandler
from playhead.handlers.drafts import Draft, Drafter, Serializer


class MessageHandler(OnceHandler):
    """Turn the events of a stream into messages, and its end into the last one.

    The options are fixed when the handler is made: some messages may have been read already.
    """

    late: int

    def __init__(self, drafter: Drafter) -> None:
        super().__init__()
        self._drafter = drafter
        self._kept = drafter.kept
        self._has_error = False

    async def on_complete(self) -> None:
        """End the stream with the message `done`."""
        if self._ends_now():
            await self._end(self._drafter.done(self._sent()))

    async def on_error(self, error: Exception) -> None:
        """End the stream with the message `error`."""
        if self._ends_now():
            self._has_error = True
            await self._end(self._drafter.error(error))

    @property
    def include_timestamp(self) -> bool:
        """Say whether the data of messages has the events' times."""
        return self._drafter.include_timestamp

    @property
    def include_id(self) -> bool:
        """Say whether messages have ids."""
        return self._drafter.include_id

    @property
    def id_prefix(self) -> str:
        """Return what stands before the number in each id."""
        return self._drafter.id_prefix

    @property
    def custom_serializer(self) -> Serializer | None:
        """Return what makes the data of messages, or None: that is the events' own JSON."""
        return self._drafter.custom_serializer

    @property
    def is_complete(self) -> bool:
        """Say whether the stream has ended, well or badly. Its messages may still have to be read."""
        return self._ended

    @property
    def has_error(self) -> bool:
        """Say whether the stream ended with an error."""
        return self._has_error

    def clear(self) -> None:
        """Forget that the stream ended, and what was counted."""
        super().clear()
        self._has_error = False

    @abstractmethod
    def _sent(self) -> int:
        """Return how many messages the events have made so far."""

    @abstractmethod
    async def _end(self, last: Draft) -> None:
        """Send the last message, and let every reader know that none follows."""

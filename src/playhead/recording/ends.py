"""How a run ended, in a cassette's words.

Knows how to read an end off the last event, off the exception that the source raised, and off what the consumer did.
"""

import asyncio
from typing import Final

from playhead.cassettes.format import Failure
from playhead.events.spans import Dialect
from playhead.events.tagged import loads

MAX_MESSAGE: Final = 4000
"""How many characters of an exception's message are kept: a seal is bounded."""


def end_of_events(last: bytes | None, dialect: Dialect) -> str:
    """Return how a run ended whose source ran dry: `complete`, `paused` or `cancelled`.

    `last` is the JSON of its last telling event: one that the dialect does not allow after a terminal event.
    """
    if last is None:
        return dialect.silent_end
    event = loads(last)
    event_type = dialect.type_of(event)
    telling = dialect.is_terminal(event_type) or event_type in dialect.pauses
    return dialect.end_of(event) if telling else dialect.silent_end


def end_of_exception(error: BaseException) -> str:
    """Return how a run ended that an exception cut short: `error`, `cancelled` or `closed`."""
    if isinstance(error, GeneratorExit):
        return "closed"
    return "error" if isinstance(error, Exception) else "cancelled"


def is_cancellation(error: BaseException | None) -> bool:
    """Say whether an exception means that a task was cancelled, under asyncio or trio, or stopped from the keyboard."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_cancellation(inner) for inner in error.exceptions)
    kinds = (asyncio.CancelledError, KeyboardInterrupt)
    return isinstance(error, kinds) or (type(error).__name__ == "Cancelled" and not isinstance(error, Exception))


def failure(error: BaseException) -> Failure:
    """Return an exception as the seal keeps it: the class's name and the message, never the class.

    The message is cut to 4,000 characters, and made visible where it is no whole Unicode.
    """
    try:
        message = str(error)
    except Exception as second:
        message = f"its message cannot be read: {type(second).__name__}"
    if len(message) > MAX_MESSAGE:
        message = message[: MAX_MESSAGE - 1] + "…"
    return Failure(type=type(error).__qualname__, message=message.encode("utf-8", "backslashreplace").decode())


def comes_from(error: BaseException, causes: list[BaseException]) -> bool:
    """Say whether an exception is one of `causes`, or a group that holds nothing else.

    One that was merely raised from a cause is not: what the code around a run made of its failure is that code's own.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(comes_from(inner, causes) for inner in error.exceptions)
    return any(error is cause for cause in causes)

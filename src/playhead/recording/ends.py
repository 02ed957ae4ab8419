"""How a run ended, in a cassette's words.

Knows how to read an end off the last event, off the exception that the source raised, and off what the consumer did.
"""

import asyncio
from typing import Final

from playhead.cassettes.format import Failure
from playhead.errors import RecordedError
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
    telling = event_type in dialect.terminals or event_type in dialect.pauses
    return dialect.end_of(event) if telling else dialect.silent_end


def end_of_exception(error: BaseException) -> str:
    """Return how a run ended that an exception cut short: `error`, `cancelled` or `closed`.

    A `RecordedError` says how the run ended that it was replayed from.
    """
    if isinstance(error, RecordedError):
        return error.end
    if isinstance(error, GeneratorExit):
        return "closed"
    return "error" if isinstance(error, Exception) else "cancelled"


def is_cancellation(error: BaseException | None) -> bool:
    """Say whether an exception means that a task was cancelled, under asyncio or trio.

    An interrupt from the keyboard is none: nobody who stops a recording wants it in the place of the last one.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(is_cancellation(inner) for inner in error.exceptions)
    is_trio = type(error).__name__ == "Cancelled" and not isinstance(error, Exception)
    return isinstance(error, asyncio.CancelledError) or is_trio


def failure(error: BaseException) -> Failure:
    """Return an exception as the seal keeps it: the class's name and the message, never the class.

    A replayed error is named as the original one was.

    The message is cut to 4,000 characters, and made visible where it is no whole Unicode.
    """
    try:
        message = str(error)
    except Exception as second:
        message = f"its message cannot be read: {type(second).__name__}"
    if len(message) > MAX_MESSAGE:
        message = message[: MAX_MESSAGE - 1] + "…"
    kind = error.type_name if isinstance(error, RecordedError) else None
    return Failure(type=kind or type(error).__qualname__, message=message.encode("utf-8", "backslashreplace").decode())


def comes_from(error: BaseException, causes: list[BaseException]) -> bool:
    """Say whether an exception is one of `causes`, or a group that holds nothing else.

    One that was merely raised from a cause is not: what the code around a run made of its failure is that code's own.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(comes_from(inner, causes) for inner in error.exceptions)
    return any(error is cause for cause in causes)

"""A handler that writes a run to the log.

Knows the standard library's logging and nothing of where its records go.
"""

import logging
from typing import Any

from playhead.errors import UsageError
from playhead.handlers.base import OnceHandler
from playhead.handlers.drafts import event_text
from playhead.handlers.failures import describe, safe_traceback
from playhead.text import clip, safe, safe_json

_MAX_MESSAGE_COLUMNS = 400


class LoggingHandler(OnceHandler):
    """Log one structured record an event, and one for the end.

    The message is the event's type and the beginning of its JSON. The record's extra fields are `event_type`,
    `event_number` (from 1), `agent_name` and `event_json`, the whole JSON text; all of it is safe for a terminal. The
    end is logged as `complete`, or at level ERROR as `error` with `error_type`; `event_number` then counts the events.

    `logger` None is the logger `playhead.events`. Nothing is formatted where the level is off.
    """

    def __init__(self, logger: logging.Logger | None = None, level: int = logging.INFO) -> None:
        super().__init__()
        if isinstance(level, bool) or not isinstance(level, int):
            raise UsageError(f"LoggingHandler(level={level!r}) must be a number, such as logging.INFO.")
        self.logger: logging.Logger = logging.getLogger("playhead.events") if logger is None else logger
        self.level = level
        self._count = 0

    async def on_event(self, event: Any) -> None:
        """Log the event. Raises `UsageError` for one that has no JSON form."""
        if self._is_late():
            return
        self._count += 1
        if not self.logger.isEnabledFor(self.level):
            return
        event_type = safe(event.event_type, keep="")
        agent_name = getattr(event, "agent_name", None)
        text = safe_json(event_text(event))
        self._log(
            self.level,
            f"{event_type} {clip(text, _MAX_MESSAGE_COLUMNS)}",
            event_type=event_type,
            agent_name=None if agent_name is None else safe(str(agent_name), keep=""),
            event_json=text,
        )

    async def on_complete(self) -> None:
        """Log that the stream is complete."""
        if self._ends_now():
            self._log(self.level, f"complete after {self._count} events", event_type="complete")

    async def on_error(self, error: Exception) -> None:
        """Log the error with its traceback, at level ERROR."""
        if self._ends_now():
            kind, text = describe(error)
            message = f"error after {self._count} events: {kind}: {safe(text, keep='')}\n{safe_traceback(error)}"
            self._log(logging.ERROR, message, event_type="error", error_type=kind)

    def clear(self) -> None:
        """Count from 1 again, and be ready for another stream."""
        super().clear()
        self._count = 0

    def _log(self, level: int, message: str, **fields: object) -> None:
        self.logger.log(level, "%s", message, extra={**fields, "event_number": self._count})

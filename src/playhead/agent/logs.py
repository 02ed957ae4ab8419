"""A hook that writes what happens in a run to the log.

Knows the standard library's logging, and what of each moment is content. Does not know where records go.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from traceback import print_exc
from typing import Any, Final

from pydantic_core import to_json

from playhead.agent.hooks import (
    MOMENTS,
    AfterInvocation,
    AfterIteration,
    AfterModelCall,
    AfterToolCall,
    BeforeInvocation,
    BeforeIteration,
    BeforeModelCall,
    BeforeToolCall,
    HookEvent,
    HookProvider,
    RunInfo,
)
from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import UsageError
from playhead.text import clip, safe, safe_json

FIELDS: Final[Mapping[type[HookEvent], tuple[str, ...]]] = {
    BeforeInvocation: ("is_resumed",),
    AfterInvocation: ("reason", "iterations", "usage"),
    BeforeIteration: ("iteration",),
    AfterIteration: ("iteration",),
    BeforeModelCall: ("iteration", "attempt"),
    AfterModelCall: ("iteration", "attempt", "model", "stop_reason", "fault", "usage"),
    BeforeToolCall: ("number", "tool_name", "tool_call_id"),
    AfterToolCall: ("number", "tool_name", "tool_call_id", "paused"),
}
"""What a record tells of each moment, beside the run, the duration and the type of an error."""

CONTENT: Final[Mapping[type[HookEvent], Mapping[str, str]]] = {
    BeforeInvocation: {"prompt": "prompt"},
    AfterInvocation: {"answer": "message", "error": "error"},
    AfterModelCall: {"answer": "answer", "calls": "calls", "error": "error"},
    BeforeToolCall: {"arguments": "arguments"},
    AfterToolCall: {"arguments": "arguments", "result": "result", "error": "error"},
}
"""What a record tells of a moment only on request, and which field of the event it is. Errors often repeat content."""

OTHER_ERROR: Final = "_OTHER"
"""The type of an error whose text does not begin with one."""

_MAX_VALUE_COLUMNS = 200
_TYPED = re.compile(r"([A-Za-z_][\w.]*): ")


def json_text(value: Any) -> str:
    """Return a value as JSON text; as Python tells it, where it has no JSON form."""
    try:
        return to_json(value, inf_nan_mode="strings").decode()
    except (ValueError, RecursionError):
        return repr(value)


def error_type(error: str) -> str:
    """Return the exception's name that the text of an error begins with, as in `ValueError: no luck`, or `_OTHER`."""
    found = _TYPED.match(error)
    return found[1] if found else OTHER_ERROR


@dataclass(slots=True)
class _Run:
    """Hold when what is open in a run began, by the event that ends it."""

    since_ns: dict[type[HookEvent], int] = field(default_factory=dict)


_ENDS: Final[Mapping[type[HookEvent], type[HookEvent]]] = {
    BeforeInvocation: AfterInvocation,
    BeforeIteration: AfterIteration,
    BeforeModelCall: AfterModelCall,
}


class LoggingHook(HookProvider):
    """Log one structured record for each moment of a run.

    The record's extra fields are `moment` (the method that is told of it, without `on_`), `run_id`, `agent_name`,
    `thread_id` and those that `FIELDS` lists; at the end of anything also `duration_ms`, and `error_type` if it failed.
    The message is the moment with those of them that say something. What the model and the tools were told and said is
    left out, unless `record_content` is true: then the fields of `CONTENT` are there, as text. All text is safe for a
    terminal.

    Where the model or a tool failed, the level is at least WARNING; where the run did, at least ERROR. A record tells
    what this hook was told: what hooks that come later make of it is not in there. `logger` None is the logger
    `playhead.agent`. A failure to log never fails the run: as in `logging`, it is written to standard error if
    `logging.raiseExceptions` is true.
    """

    def __init__(
        self,
        logger: logging.Logger | None = None,
        level: int = logging.INFO,
        *,
        record_content: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if isinstance(level, bool) or not isinstance(level, int):
            raise UsageError(f"LoggingHook(level={level!r}) must be a number, such as logging.INFO.")
        self.logger: logging.Logger = logging.getLogger("playhead.agent") if logger is None else logger
        self.level = level
        self._records_content = record_content
        self._clock = clock
        self._runs: dict[RunInfo, _Run] = {}

    async def on_before_invocation(self, event: BeforeInvocation) -> None:
        """Log that a run begins."""
        self._runs[event.run] = _Run()
        self._tell(event)

    async def on_after_invocation(self, event: AfterInvocation) -> None:
        """Log how a run ended."""
        self._tell(event, failed=logging.ERROR)
        self._runs.pop(event.run, None)

    async def on_before_iteration(self, event: BeforeIteration) -> None:
        """Log that an iteration begins."""
        self._tell(event)

    async def on_after_iteration(self, event: AfterIteration) -> None:
        """Log that an iteration is over."""
        self._tell(event)

    async def on_before_model_call(self, event: BeforeModelCall) -> None:
        """Log that the model is asked."""
        self._tell(event)

    async def on_after_model_call(self, event: AfterModelCall) -> None:
        """Log that the model has answered, or failed."""
        self._tell(event)

    async def on_before_tool_call(self, event: BeforeToolCall) -> None:
        """Log that a tool is about to run."""
        self._tell(event)

    async def on_after_tool_call(self, event: AfterToolCall) -> None:
        """Log how a tool ended."""
        self._tell(event)

    def _tell(self, event: HookEvent, *, failed: int = logging.WARNING) -> None:
        try:
            error = getattr(event, "error", None)
            duration_ms = self._duration_ms(event)
            level = self.level if error is None else max(self.level, failed)
            if self.logger.isEnabledFor(level):
                self._log(level, event, {"duration_ms": duration_ms, "error_type": error and _kind(event, error)})
        except Exception:
            if logging.raiseExceptions:
                print_exc()

    def _duration_ms(self, event: HookEvent) -> float | None:
        """Note when something began, or return how long it took."""
        if isinstance(event, AfterToolCall):
            return event.duration_ms
        run, now_ns = self._runs.get(event.run), self._clock.monotonic_ns()
        if run is None:
            return None
        if type(event) in _ENDS:
            run.since_ns[_ENDS[type(event)]] = now_ns
        since_ns = run.since_ns.get(type(event))
        return None if since_ns is None else (now_ns - since_ns) / 1e6

    def _log(self, level: int, event: HookEvent, fields: Mapping[str, Any]) -> None:
        moment = MOMENTS[type(event)].removeprefix("on_")
        told = {name: _plain(getattr(event, name)) for name in FIELDS[type(event)]}
        told |= {name: value for name, value in fields.items() if value is not None}
        if self._records_content:
            named = CONTENT.get(type(event), {})
            told |= {name: _text(getattr(event, source)) for name, source in named.items()}
        run = event.run
        about = {"run_id": run.run_id, "thread_id": _plain(run.thread_id)}
        told = {"agent_name": _plain(run.agent_name), **told}
        shown = [f"{name}={_shown(value)}" for name, value in told.items() if not (value is None or value is False)]
        self.logger.log(level, "%s", " ".join([moment, *shown]), extra={"moment": moment, **about, **told})


def _kind(event: HookEvent, error: str) -> str:
    """Return the type of an error, which is no content."""
    match event:
        case AfterModelCall(fault=str(fault)):
            return fault
        case AfterInvocation(reason=reason):
            return reason
    return error_type(error)


def _plain(value: Any) -> Any:
    """Return a value of a record: text safe for a terminal, and of counts those that are numbers."""
    if isinstance(value, Mapping):
        return {safe(str(name), keep=""): count for name, count in value.items() if isinstance(count, int)}
    return safe(value, keep="") if isinstance(value, str) else value


def _text(value: Any) -> str | None:
    """Return content as text: text as it is, all else as JSON."""
    if value is None or isinstance(value, str):
        return value and safe(value)
    return safe_json(json_text(value))


def _shown(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else clip(repr(value), _MAX_VALUE_COLUMNS)

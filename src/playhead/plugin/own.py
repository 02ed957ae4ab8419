"""Models of no framework, through a tap: Playhead's own, and plain functions that ask one.

Knows the pieces that Playhead's models answer with, and how functions are called. Does not know agents.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction, signature
from typing import Any, Final

from playhead.clock import SYSTEM_CLOCK
from playhead.errors import ModelFailure
from playhead.events.codec import decode_event, encode_event
from playhead.events.locus import ModelChunkEvent, ModelCompleteEvent
from playhead.models.base import SteppingModel, Tools
from playhead.models.tap import Codec, Tap


def model(real: Any, tap: Tap) -> Any:
    """Return a model whose questions go through a tap: one of Playhead's, or a function that is called to ask one.

    A function's question is its arguments by name; it may be a coroutine function or a generator, asynchronous or not,
    and what it returns or yields must have a JSON form. In a replay `real` may be None, for one of Playhead's.
    """
    if real is None or isinstance(real, SteppingModel):
        return TappedModel(real, tap)
    return _function(real, tap)


class TappedModel:
    """Ask one of Playhead's models through a tap. Made by `model`."""

    def __init__(self, real: SteppingModel | None, tap: Tap) -> None:
        self._real = real
        self._tap = tap

    def stream(
        self, messages: Sequence[Mapping[str, Any]], tools: Tools = (), **options: Any
    ) -> AsyncIterator[ModelChunkEvent]:
        """Return an iterator over the native pieces of the answer."""
        question = {**_question(messages, tools, options), "stream": True}
        return self._tap.stream(question, lambda: self._live.stream(messages, tools, **options), _EVENTS)

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], tools: Tools = (), **options: Any
    ) -> ModelCompleteEvent:
        """Return the answer as a whole."""
        question = _question(messages, tools, options)
        answer: ModelCompleteEvent = await self._tap.ask(
            question, lambda: self._live.complete(messages, tools, **options), _EVENTS
        )
        return answer

    @property
    def _live(self) -> SteppingModel:
        assert self._real is not None, "a replay asks nobody"
        return self._real


def _question(messages: Sequence[Any], tools: Tools, options: Mapping[str, Any]) -> dict[str, Any]:
    return {"messages": list(messages), "tools": list(tools), **options}


def _revive(fault: Mapping[str, Any]) -> Exception | None:
    if fault.get("type") != ModelFailure.__name__:
        return None
    facts = {name: fault[name] for name in ("kind", "status", "retry_after_s") if name in fault}
    return ModelFailure(str(fault.get("message", "")), **facts)


def _dump(event: ModelChunkEvent | ModelCompleteEvent) -> dict[str, Any]:
    # When it was said is on the tape already, and a recording of the same answers stays the same.
    return {name: value for name, value in encode_event(event).items() if name != "timestamp"}


def _load(value: Mapping[str, Any]) -> Any:
    return decode_event({**value, "timestamp": SYSTEM_CLOCK.now().isoformat()})


_EVENTS: Final[Codec[Any]] = Codec(dump=_dump, load=_load, text_at=(("content",), ("reasoning",)), revive=_revive)


def _function(ask: Callable[..., Any], tap: Tap) -> Callable[..., Any]:
    """Return a function that asks through a tap, of the same kind."""
    called = ask if hasattr(ask, "__code__") else type(ask).__call__
    told = signature(ask)
    name = getattr(ask, "__name__", type(ask).__name__)

    def question(args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        return {"function": name, **told.bind(*args, **kwargs).arguments}

    through: Callable[..., Any] = tap.ask_now
    if isasyncgenfunction(called):
        through = tap.stream
    elif isgeneratorfunction(called):
        through = tap.stream_now
    elif iscoroutinefunction(called):
        through = tap.ask

    @wraps(ask, updated=())
    def asked(*args: Any, **kwargs: Any) -> Any:
        return through(question(args, kwargs), lambda: ask(*args, **kwargs))

    return asked

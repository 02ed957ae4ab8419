"""Instances of a schema out of a stream of events, while the model is still writing them.

Knows events and model turns. Does not know how an instance is read out of unfinished text (`partials`).
"""

from collections.abc import AsyncIterable
from typing import Any, TypeVar

from pydantic import BaseModel

from playhead.handlers.base import ClosableStream
from playhead.handlers.partials import Partials

Schema = TypeVar("Schema", bound=BaseModel)

_ENDS_OF_TURN = frozenset({"think", "model_complete", "model_retry", "tool_start", "terminate"})


class StructuredStream(ClosableStream[Schema]):
    """Iterate over what is there so far of the instance of `schema` that an agent's answer is going to be.

    Every partial is a valid instance. It is made of the fields that have come: the unfinished tail of the JSON is left
    out as far as it does not validate, so text grows as it is written, and a list of objects by whole objects. Give
    fields a default to see an instance before they have come; `model_fields_set` tells which have. Equal partials are
    given once, unless `emit_unchanged`: then each piece of text gives one.

    The answer is the first JSON object in the `content` of the `model_chunk` events of one model turn (or the first
    array, for a `RootModel`) which, once complete, validates. Prose and code fences around it are skipped. Each model
    turn begins anew.

    The text is read at every piece up to 2,048 characters, then whenever it has grown by a sixteenth, and at the end of
    the turn: the cost grows linearly, and partials come more slowly in a long answer.
    """

    def __init__(self, events: AsyncIterable[Any], schema: type[Schema], *, emit_unchanged: bool = False) -> None:
        self._events = aiter(events)
        self._schema = schema
        self._emit_unchanged = emit_unchanged
        self._turn = Partials(schema)
        self._turn_is_over = False
        self._last: Schema | None = None
        self._final: Schema | None = None
        self._terminate_reason: str | None = None
        self._over = False

    @property
    def final(self) -> Schema | None:
        """Return the validated answer, or None: there is none yet, or none that validates.

        It is the `final_message` of the event `terminate` if that validates, else the answer of the last model turn.
        """
        return self._final

    @property
    def terminate_reason(self) -> str | None:
        """Return the `reason` of the event `terminate`, or None if there was none."""
        return self._terminate_reason

    async def __anext__(self) -> Schema:
        while not self._over:
            try:
                event = await anext(self._events)
            except StopAsyncIteration:
                self._over = True
                self._final = self._final or self._turn.whole
                partial = self._turn.read()
            except BaseException:
                self._over = True
                raise
            else:
                partial = self._take(event)
            if partial is not None and (self._emit_unchanged or self._is_new(partial)):
                self._last = partial
                return partial
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop, and close the stream of events. It has cleaned up when this returns."""
        self._over = True
        aclose = getattr(self._events, "aclose", None)
        if aclose is not None:
            await aclose()

    def _is_new(self, partial: Schema) -> bool:
        # Most are the same object, and comparing a long answer with itself takes long.
        return partial is not self._last and partial != self._last

    def _take(self, event: Any) -> Schema | None:
        kind = event.event_type
        if kind == "model_chunk":
            return self._take_chunk(event)
        if kind == "terminate":
            self._terminate_reason = getattr(event, "reason", None)
            self._final = self._whole_of(getattr(event, "final_message", None)) or self._turn.whole
        return self._end_turn() if kind in _ENDS_OF_TURN else None

    def _take_chunk(self, event: Any) -> Schema | None:
        content = getattr(event, "content", None)
        partial = self._feed(content) if isinstance(content, str) and content else None
        ended = self._end_turn() if getattr(event, "done", False) else None
        return partial if ended is None else ended

    def _feed(self, text: str) -> Schema | None:
        if self._turn_is_over:
            self._turn = Partials(self._schema)
            self._turn_is_over = False
        return self._turn.feed(text)

    def _end_turn(self) -> Schema | None:
        self._turn_is_over = True
        return self._turn.read()

    def _whole_of(self, message: object) -> Schema | None:
        partials = Partials(self._schema)
        if isinstance(message, str):
            partials.feed(message)
        return partials.whole


def stream_structured(
    events: AsyncIterable[Any], schema: type[Schema], *, emit_unchanged: bool = False
) -> StructuredStream[Schema]:
    """Make a `StructuredStream`, as a verb for `async for`."""
    return StructuredStream(events, schema, emit_unchanged=emit_unchanged)

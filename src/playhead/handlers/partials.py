"""Instances of a schema out of one text that is still growing.

Knows when reading is worth it, and what of an unfinished value validates. Does not know events or turns, nor how JSON
is found in a model's text (`answer`).
"""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import to_json

from playhead.handlers.answer import Answer

Schema = TypeVar("Schema", bound=BaseModel)

_READ_ALWAYS_UP_TO = 2048
_READ_AFTER_GROWTH = 1 / 16
_MAX_PRUNINGS = 32


class Partials(Generic[Schema]):
    """Read the first JSON value in a growing text that, once complete, validates as `schema`.

    The text is read at every piece up to 2,048 characters, and then whenever it has grown by a sixteenth: the cost is
    linear in its length. `whole` is the validated value, or None until it is complete.
    """

    def __init__(self, schema: type[Schema]) -> None:
        self.whole: Schema | None = None
        self._schema = schema
        self._partial: Schema | None = None
        self._read_at = 0
        self._answer = self._begin()

    def feed(self, text: str) -> Schema | None:
        """Take a piece of text, and return the newest instance, be it old. None: nothing validates yet."""
        while text and self.whole is None:
            text = self._answer.feed(text)
            if self._answer.complete:
                self._partial = self.whole = _validated(self._schema, self._answer.read())
                # A value that does not fit was part of the prose: the answer is yet to come.
                self._answer = self._begin()
        length = self._answer.length
        growth = length - self._read_at
        if growth and (length <= _READ_ALWAYS_UP_TO or growth >= self._read_at * _READ_AFTER_GROWTH):
            self.read()
        return self._partial

    def read(self) -> Schema | None:
        """Read what has come since the last reading. Return the instance; None if nothing came or does not validate."""
        if self._answer.length == self._read_at:
            return None
        self._read_at = self._answer.length
        try:
            value = self._answer.read()
        except ValueError:
            return None
        partial = _partially_validated(self._schema, value)
        self._partial = self._partial if partial is None else partial
        return partial

    def _begin(self) -> Answer:
        self._read_at = 0
        return Answer(arrays=issubclass(self._schema, RootModel))


def _validated(schema: type[Schema], value: Any) -> Schema | None:
    try:
        return schema.model_validate_json(to_json(value))
    except ValidationError:
        return None


def _partially_validated(schema: type[Schema], value: Any) -> Schema | None:
    """Return an instance made of a value whose end is missing: without so much of its tail as does not validate."""
    tail = _tail(value)
    for _ in range(_MAX_PRUNINGS):
        try:
            return schema.model_validate_json(to_json(value))
        except Exception:
            # A validator of the schema's own may raise anything when it is shown half a value.
            if not tail:
                return None
        container, key = tail.pop()
        del container[key]
    return None


def _tail(value: Any) -> list[tuple[Any, Any]]:
    """Return the places of the last items, from the outside in: all that can be unfinished."""
    tail: list[tuple[Any, Any]] = []
    while isinstance(value, dict | list) and value:
        key = next(reversed(value)) if isinstance(value, dict) else len(value) - 1
        tail.append((value, key))
        value = value[key]
    return tail

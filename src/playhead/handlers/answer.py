"""The JSON value inside the text of a model's answer, while that text is still coming.

Knows prose around the value, code fences, and where a value ends. Does not know schemas or events. Reading costs time
in proportion to the text; how often to read is up to the caller.
"""

import io
import re
from typing import Any

from pydantic_core import from_json

_SIGNIFICANT = re.compile(r'["\\{}\[\]]')
_OPENERS = {
    # A brace that begins an object is followed by a key or by its end, others belong to the prose.
    "object": re.compile(r'\{(?=\s*(?:["}]|\Z))'),
    "any": re.compile(r'\{(?=\s*(?:["}]|\Z))|\['),
}
_OPEN_NUMBER = re.compile(r"[-+.0-9eE]+\Z")


class Answer:
    """Collect the text of one answer and read the first JSON value in it that is an object, or also an array.

    Text before the value, such as the opening of a code fence, and text after it is skipped. Strings may hold anything.
    """

    def __init__(self, *, arrays: bool = False) -> None:
        self._opener = _OPENERS["any" if arrays else "object"]
        self._text = io.StringIO()
        self._carry = ""
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self.length: int = 0
        self.complete: bool = False

    def feed(self, text: str) -> str:
        """Take the next piece of text, and return what comes after the value, once that is complete."""
        if self.complete:
            return text
        if not self.length:
            text = self._value_begins(self._carry + text)
        end = self._value_ends(text) if text else None
        self._text.write(text[:end])
        self.length += len(text[:end])
        self.complete = end is not None
        return "" if end is None else text[end:]

    def read(self) -> Any:
        """Return the value, or as much of it as is there. Raises `ValueError` if that is nothing, or no JSON.

        An unfinished string is given as far as it goes; an unfinished number, whose digits would mislead, is not.
        """
        text = self._text.getvalue()
        if self.complete:
            return from_json(text)
        if not self._in_string:
            text = _OPEN_NUMBER.sub("", text)
        return from_json(text, allow_partial="trailing-strings")

    def _value_begins(self, text: str) -> str:
        found = self._opener.search(text)
        if found is None:
            self._carry = ""
            return ""
        text = text[found.start() :]
        if text.rstrip() == "{":
            # The next piece decides. Space does not matter in JSON, so a long one need not be kept.
            self._carry = "{"
            return ""
        return text

    def _value_ends(self, text: str) -> int | None:
        position = int(self._escaped)
        self._escaped = False
        while found := _SIGNIFICANT.search(text, position):
            character, position = found.group(), found.end()
            if character == "\\":
                # Whatever is escaped means nothing here; it may come with the next piece.
                self._escaped = self._in_string and position == len(text)
                position += self._in_string
            elif character == '"':
                self._in_string = not self._in_string
            elif not self._in_string:
                self._depth += 1 if character in "{[" else -1
                if self._depth == 0:
                    return position
        return None

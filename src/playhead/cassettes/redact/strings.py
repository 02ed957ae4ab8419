"""Editing the strings of a JSON text in place.

Knows enough of JSON's grammar to find strings and what each of them is called. Does not know secrets. All that is not
an edited string stays as it is, byte for byte: the spelling of numbers, blanks, the order of keys, doubled keys.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

Edit = Callable[[str, str | None], str]
"""Takes a string and its name, and returns what shall stand in its place."""

_STRING = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"([ \t\r\n]*:)?', re.DOTALL)
_LONE = re.compile("[\ud800-\udfff]")
_CLOSES = re.compile(r"[ \t\r\n]*\]")
_NAMING_KEYS = frozenset(("name", "key", "header"))
_VALUE_KEY = "value"


def edit_strings(text: str, edit: Edit) -> str:
    """Return a JSON text with `edit` applied to its strings, keys included; the same object where nothing changed.

    A string's name is the key of which it is the value, or of whose list it is an item; in a list of two strings the
    first (`["cookie", "a=b"]`); in an object of a name and a value that name (`{"name": "cookie", "value": "a=b"}`).
    A key has none. What is not JSON is taken as far as it has strings.
    """
    names = _Names()
    pieces: list[str] = []
    done = 0
    for match in _STRING.finditer(text):
        gap = text[names.end : match.start()].strip(" \t\r\n")
        raw = match[1]
        old = _decoded(raw)
        names.end = match.end()
        if match[2]:
            names.take_key(old, gap)
            name = None
        else:
            name = names.name_of(old, gap, closes=_CLOSES.match(text, match.end()) is not None)
        new = edit(old, name)
        if new != old:
            pieces += [text[done : match.start(1)], _encoded(new, ascii_only=raw.isascii())]
            done = match.end(1)
    if not pieces:
        return text
    return "".join((*pieces, text[done:]))


def respell(text: str, value: Any) -> str | None:
    """Return the text of a JSON value that has other strings now, all else as it was.

    Returns None where the text has not as many strings as the value: a key that comes twice is there once.
    """
    new = list(_strings(value))
    found = list(_STRING.finditer(text))
    if len(found) != len(new):
        return None
    pieces: list[str] = []
    done = 0
    for match, string in zip(found, new, strict=True):
        if _decoded(match[1]) != string:
            pieces += [text[done : match.start(1)], _encoded(string, ascii_only=match[1].isascii())]
            done = match.end(1)
    return "".join((*pieces, text[done:]))


def string_spans(text: str) -> list[tuple[int, int]]:
    """Return where the strings of a JSON text are, keys included, without their quotation marks."""
    return [match.span(1) for match in _STRING.finditer(text)]


class _Names:
    """Follow which name belongs to the next string."""

    def __init__(self) -> None:
        self.end = 0
        self._key: str | None = None
        self._listed: str | None = None
        self._first: str | None = None
        self._named: str | None = None

    def take_key(self, text: str, gap: str) -> None:
        """Take a key, which has no name itself."""
        if gap != ",":
            self._named = None
        self._key, self._listed, self._first = text, None, None

    def name_of(self, text: str, gap: str, *, closes: bool) -> str | None:
        """Take a value, which may close its list, and return its name."""
        key, self._key = self._key, None
        first, self._first = self._first, text if gap.endswith("[") else None
        if gap != ",":
            self._listed = key if gap == "[" else None
        if key is not None and gap == "":
            name = self._named if key == _VALUE_KEY and self._named else key
            self._named = text if key in _NAMING_KEYS else self._named
            return name
        return self._listed or (first if closes and gap == "," else None)


def _strings(value: Any) -> Iterator[str]:
    """Yield the strings of a JSON value as its text has them, keys included."""
    match value:
        case str():
            yield value
        case dict():
            for key, item in value.items():
                yield key
                yield from _strings(item)
        case list():
            for item in value:
                yield from _strings(item)


def _decoded(raw: str) -> str:
    if "\\" not in raw:
        return raw
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw


def _encoded(text: str, *, ascii_only: bool) -> str:
    # A lone surrogate has no UTF-8, so it stays an escape.
    return json.dumps(text, ensure_ascii=ascii_only or _LONE.search(text) is not None)[1:-1]

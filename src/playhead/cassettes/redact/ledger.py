"""Which placeholder stands for which secret, and how often each kind was found.

Knows the secrets of one cassette, in memory only. Does not know how they were found.
"""

import re

PLACEHOLDER = re.compile(r"<([a-z][a-z0-9-]{0,60})-([1-9][0-9]{0,5})>")
"""A placeholder: the kind of what it stands for, and its number."""

# Of these a value may also be a secret, and then it is another thing: a user may be called like his password.
_OWN_NUMBERS = frozenset(("card", "email", "home", "user"))


class Ledger:
    """Number the secrets of one cassette, in the order in which they are first met.

    Equal secrets get equal placeholders, whatever kind they are met as: the first kind gives the name.
    """

    def __init__(self) -> None:
        self._placeholders: dict[tuple[str, str], str] = {}
        self._last: dict[str, int] = {}
        self.hits: dict[str, int] = {}

    def placeholder(self, secret: str, *, kind: str) -> str:
        """Return what to write in place of a secret, and count it."""
        self.hits[kind] = self.hits.get(kind, 0) + 1
        key = (kind if kind in _OWN_NUMBERS else "", secret)
        known = self._placeholders.get(key)
        if known is None:
            self._last[kind] = number = self._last.get(kind, 0) + 1
            known = self._placeholders[key] = f"<{kind}-{number}>"
        return known

    def reserve(self, text: str) -> None:
        """Leave out the numbers of placeholders that a text has already: they stand for secrets nobody knows here."""
        for kind, number in PLACEHOLDER.findall(text):
            self._last[kind] = max(self._last.get(kind, 0), int(number))

    def __repr__(self) -> str:
        return f"Ledger({self.hits!r})"

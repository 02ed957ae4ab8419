"""What makes ids, and the two makers that everybody needs.

Nothing else in Playhead draws randomness. A replay takes `SequenceIds`, so that its output is the same every time.
"""

import hashlib
import itertools
import uuid
from typing import Protocol, runtime_checkable


@runtime_checkable
class Ids(Protocol):
    """Make ids that do not repeat."""

    def new(self) -> str:
        """Return the next id: 32 lower-case hexadecimal digits."""
        ...


class SystemIds:
    """Make random ids."""

    def new(self) -> str:
        """Return 32 random hexadecimal digits."""
        return uuid.uuid4().hex

    def __repr__(self) -> str:
        return "SystemIds()"


class SequenceIds:
    """Make the ids 1, 2, 3 and so on, as 32 hexadecimal digits: the same in every run."""

    def __init__(self, start: int = 1) -> None:
        self._numbers = itertools.count(start)

    def new(self) -> str:
        """Return the next number as 32 hexadecimal digits."""
        return f"{next(self._numbers):032x}"


def derived_id(text: str) -> str:
    """Return an id that is always the same for the same text: 32 lower-case hexadecimal digits."""
    return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


SYSTEM_IDS = SystemIds()
"""The ids that everything takes unless it is given others."""

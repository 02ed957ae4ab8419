"""Cassettes in memory: gone with the process, and otherwise like the others.

Knows lines. Does not know files.
"""

from collections.abc import Iterator
from typing import Final, Self

from playhead.cassettes.store import PARTIAL
from playhead.errors import CassetteError, MissingCassette
from playhead.text import did_you_mean

MEMORY: Final = ":memory:"
"""How people write the store in memory."""


class MemoryStore:
    """Hold cassettes in a dict. Safe to share between threads as long as each cassette has one."""

    def __init__(self) -> None:
        self._cassettes: dict[str, list[bytes]] = {}

    def open(self, name: str) -> "MemorySource":
        """Open a cassette as it is now. Raises `MissingCassette` if there is none of that name."""
        if name not in self._cassettes:
            raise _missing(self.place(name), name, self.names())
        return MemorySource(self.place(name), list(self._cassettes[name]))

    def create(self, name: str) -> "MemorySink":
        """Begin a cassette. Raises `CassetteError` if it is being recorded already."""
        if name + PARTIAL in self._cassettes:
            raise CassetteError(f"{self.place(name)} is being recorded already, by this process: wait for its end")
        return MemorySink(self.place(name), name, self._cassettes)

    def names(self) -> list[str]:
        """Return the names of all sealed cassettes, sorted."""
        return sorted(name for name, lines in self._cassettes.items() if isinstance(lines, _Sealed))

    def delete(self, name: str) -> None:
        """Remove a cassette. Raises `MissingCassette` if there is none of that name."""
        if self._cassettes.pop(name, None) is None:
            raise _missing(self.place(name), name, self.names())

    def place(self, name: str) -> str:
        """Return `:memory:::NAME`, or `:memory:` where the name is empty."""
        return f"{MEMORY}::{name}" if name else MEMORY

    def __repr__(self) -> str:
        return "MemoryStore()"


class _Sealed(list[bytes]):
    """The lines of a cassette that was sealed, to tell it from what recorders left."""


def _missing(where: str, name: str, known: list[str]) -> MissingCassette:
    return MissingCassette(f"{where}: there is no such cassette{did_you_mean(name, known)}")


class MemorySink:
    """Take the lines of one cassette. See `Sink`."""

    def __init__(self, where: str, name: str, cassettes: dict[str, list[bytes]]) -> None:
        self.where = where
        self._name = name
        self._cassettes = cassettes
        self._lines: list[bytes] | None = []
        cassettes[name + PARTIAL] = self._lines

    def append(self, line: bytes) -> None:
        """Add a line, newline included."""
        self._open_lines().append(line)

    def commit(self, seal: bytes, *, replace: bool = True) -> None:
        """Add the last line and put the cassette in its place."""
        lines = self._open_lines()
        if not replace and self._name in self._cassettes:
            raise CassetteError(f"{self.where} exists already: replace it on purpose, or take another name")
        self._cassettes[self._name] = _Sealed([*lines, seal])
        del self._cassettes[self._name + PARTIAL]
        self._lines = None

    def discard(self, *, keep_as: str | None = None) -> str | None:
        """Drop the recording, or leave it under its name with a suffix."""
        if self._lines is None:
            return None
        del self._cassettes[self._name + PARTIAL]
        if keep_as:
            self._cassettes[self._name + keep_as] = self._lines
        self._lines = None
        return self.where + keep_as if keep_as else None

    def _open_lines(self) -> list[bytes]:
        if self._lines is None:
            raise CassetteError(f"{self.where}: its recording has ended: begin another one")
        return self._lines


class MemorySource:
    """Give the lines of one cassette. See `Source`."""

    def __init__(self, where: str, lines: list[bytes]) -> None:
        self.where = where
        self._lines = lines

    def lines(self) -> Iterator[bytes]:
        """Yield each line."""
        return iter(self._lines)

    def blocks(self) -> Iterator[bytes]:
        """Yield each line."""
        return iter(self._lines)

    def last_line(self) -> bytes:
        """Return the last line; empty if there is none."""
        return self._lines[-1] if self._lines else b""

    def size(self) -> int:
        """Return how many bytes there are."""
        return sum(map(len, self._lines))

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

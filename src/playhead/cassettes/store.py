"""What a store of cassettes is: it moves lines, and knows nothing of what they say.

JSON Lines files, a SQLite database and memory keep this protocol; compressed files keep it for reading, and are written
as copies only. Because all of them hold the very same lines, a cassette can be converted from any one to any other
without loss.

A name may carry the suffix of a recording that was never sealed: `NAME.partial` is one that is still being made, or
whose recorder died; `NAME.torn` is such a one that a later recorder moved aside; `NAME.rejected` was left by a failing
test. They are opened by that name and never listed.
"""

from collections.abc import Iterator
from typing import Final, Protocol, Self

PARTIAL: Final = ".partial"
"""The suffix of a recording that is still being made, or whose recorder died."""

TORN: Final = ".torn"
"""The suffix of a recording whose recorder died, once another one has begun."""

REJECTED: Final = ".rejected"
"""The suffix of a recording that a failing test made."""


class Sink(Protocol):
    """Take the lines of one cassette while it is recorded. One task or thread at a time.

    `append` returns when the line would survive the death of the process, `commit` when the cassette would survive the
    loss of power; until then the cassette that had the name before stays in place. After one failed write the sink is
    dead: every later call raises `CassetteError` naming the first cause, and what was written stays as `NAME.partial`.
    """

    @property
    def where(self) -> str:
        """The place of the cassette, for messages."""
        ...

    def append(self, line: bytes) -> None:
        """Add a line, newline included, in one write."""
        ...

    def commit(self, seal: bytes, *, replace: bool = True) -> None:
        """Add the last line and put the cassette in the place of the one that had its name before.

        Raises `CassetteError` and leaves both as they are where `replace` is false and there is such a one.
        """
        ...

    def discard(self, *, keep_as: str | None = None) -> str | None:
        """Give the recording up: drop it, or leave it beside the cassette with the suffix `keep_as`.

        Returns the place where it was left. Does nothing after `commit`, or when called again. What a dead sink
        wrote can be discarded too.
        """
        ...


class Source(Protocol):
    """Give the lines of one cassette, in constant memory, as they were when it was opened.

    Iterators are independent of each other. Every method may raise `CassetteError` for a failure to read.
    """

    @property
    def where(self) -> str:
        """The place of the cassette, for messages."""
        ...

    def lines(self) -> Iterator[bytes]:
        """Yield each line from the first on, newline included; only the last may lack it.

        Raises `CorruptCassette` for a line that is longer than `MAX_LINE_BYTES`.
        """
        ...

    def blocks(self) -> Iterator[bytes]:
        """Yield the same bytes in pieces of any size: the fast way to a digest."""
        ...

    def last_line(self) -> bytes:
        """Return the last line; empty if there is none. Reads little more than that line, and is bounded."""
        ...

    def size(self) -> int:
        """Return how many bytes there are."""
        ...

    def close(self) -> None:
        """Let go of the file. Iterators that were handed out must not be used any more."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...


class Store(Protocol):
    """Hold cassettes by name. Each method raises `CassetteError` where the store itself cannot be read or written."""

    def open(self, name: str) -> Source:
        """Open a cassette. Raises `MissingCassette` if there is none of that name."""
        ...

    def create(self, name: str) -> Sink:
        """Begin a cassette. Raises `CassetteError` at once where another writer has it and the store takes only one."""
        ...

    def names(self) -> list[str]:
        """Return the names of all sealed cassettes, sorted."""
        ...

    def delete(self, name: str) -> None:
        """Remove a cassette. Raises `MissingCassette` if there is none of that name."""
        ...

    def place(self, name: str) -> str:
        """Return how people write the place of a cassette of that name, or, where it is empty, of the whole store."""
        ...

"""The checkpoints of one cassette: which there are, whatever the cassette is kept in.

Knows what saving and deleting mean for the list of checkpoints, and that nothing secret is written. Does not know
where lines go: a `Tape` does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from playhead.cassettes.format import read_data
from playhead.errors import CorruptCassette, UsageError
from playhead.recording.checkpoints.states import Mark, encode_deleted, read_mark, renamed
from playhead.recording.runs import FIRST_RUN

Spot = tuple[int, int, int]
"""Where a line is: which one it is, counted from 0 with the header, its offset in bytes, and its length."""

_PLACEHOLDER_BEGINS: Final = b"<"


class Cleaner(Protocol):
    """Take the secrets out of JSON. A `Redactor` does."""

    @property
    def hits(self) -> Mapping[str, int]:
        """How often a secret of each kind was replaced."""
        ...

    def json(self, data: bytes) -> bytes:
        """Return the same JSON without secrets."""
        ...

    def reserve(self, text: str) -> None:
        """Do not use the placeholders again that a text has."""
        ...


class Reader(Protocol):
    """Be told what is on a tape, line by line."""

    @property
    def run(self) -> str:
        """The run that the next checkpoint goes into."""
        ...

    @property
    def redacted(self) -> Mapping[str, int]:
        """How many secrets of each kind were taken out of what was saved here."""
        ...

    def clear(self) -> None:
        """Forget everything: it is another tape now."""
        ...

    def take(self, spot: Spot, line: bytes) -> None:
        """Take the next line of the tape, whose checksum was compared."""
        ...


class Tape(Protocol):
    """Keep one cassette that grows. One thread at a time.

    Each method raises `CassetteError` where the cassette cannot be read or written.
    """

    @property
    def where(self) -> str:
        """The place of the cassette, for messages."""
        ...

    def refresh(self) -> None:
        """Tell the reader what others wrote since the last time."""
        ...

    def append(self, make: Callable[[], Sequence[bytes]]) -> None:
        """Add checkpoints, and tell the reader. Returns when they would survive the death of the process.

        `make` is called once the reader knows all that is there, and nobody else can add to it.
        """
        ...

    def read(self, spot: Spot) -> bytes:
        """Return a line again."""
        ...

    def close(self) -> None:
        """Leave the cassette sealed, and let go of it. It is opened again when it is needed."""
        ...

    def delete(self) -> None:
        """Remove the cassette."""
        ...


class Log:
    """Save, find and delete checkpoints on one tape. `make_tape` makes the tape, which tells the log what is on it."""

    def __init__(self, make_tape: Callable[["Log"], Tape], cleaner: Cleaner) -> None:
        self.run: str = FIRST_RUN
        self.threads: dict[str, dict[str, Spot]] = {}
        self._cleaner = cleaner
        self._tape = make_tape(self)

    @property
    def redacted(self) -> Mapping[str, int]:
        """How many secrets of each kind were taken out of what was saved here."""
        return self._cleaner.hits

    def clear(self) -> None:
        """Forget everything: it is another tape now."""
        self.run = FIRST_RUN
        self.threads.clear()

    def take(self, spot: Spot, line: bytes) -> None:
        """Take the next line of the tape."""
        _, (track, owner, kind), data = read_data(line)
        if _PLACEHOLDER_BEGINS in data:
            self._cleaner.reserve(data.decode())
        if track == "event":
            self.run = owner
        if (track, kind) != ("event", "checkpoint"):
            return
        try:
            mark = read_mark(data)
        except ValueError as error:
            raise CorruptCassette(f"{self._tape.where}:{spot[0] + 1}: this is no checkpoint: {error}") from error
        self._note(mark, spot)

    def refresh(self) -> None:
        """Look what others saved."""
        self._tape.refresh()

    def save(self, names: bytes, body: bytes) -> None:
        """Save a checkpoint whose JSON is `names + body`. Raises `UsageError` where its names hold a secret."""
        clean = self._cleaner.json(names + b"}")
        if clean != names + b"}":
            raise UsageError(
                f"the id of a thread or checkpoint looks like a secret, which is not written: {clean.decode()} would "
                "be left of it. Take another id, or keep secrets on purpose: redact=()"
            )
        self._tape.append(lambda: [self._cleaner.json(names + body)])

    def delete(self, mark: Mark) -> None:
        """Take a checkpoint back, or all of a thread."""
        self._tape.append(lambda: [encode_deleted(mark)])

    def read(self, thread: str, checkpoint_id: str | None) -> bytes | None:
        """Return a checkpoint's JSON, the newest without an id; None where there is none."""
        saved = self.threads.get(thread)
        spot = saved.get(next(reversed(saved)) if checkpoint_id is None else checkpoint_id) if saved else None
        return None if spot is None else read_data(self._tape.read(spot))[2]

    def copies(self, source: str, target: str, *, until: str | None = None) -> list[bytes]:
        """Return the checkpoints of a thread as those of another, oldest first, up to and with `until`."""
        copies = []
        for checkpoint_id in self.threads.get(source, ()):
            data = self.read(source, checkpoint_id)
            assert data is not None
            copies.append(renamed(data, target))
            if checkpoint_id == until:
                break
        return copies

    def add(self, data: Sequence[bytes]) -> None:
        """Save checkpoints that were on a tape before."""
        self._tape.append(lambda: data)

    def close(self) -> None:
        """Leave the cassette sealed."""
        self._tape.close()

    def remove(self) -> None:
        """Remove the cassette."""
        self._tape.delete()
        self.clear()

    def _note(self, mark: Mark, spot: Spot) -> None:
        saved = self.threads.setdefault(mark.thread, {})
        if mark.id is None:
            saved.clear()
        else:
            # Saved again it is the newest.
            saved.pop(mark.id, None)
            if not mark.deleted:
                saved[mark.id] = spot
        if not saved:
            del self.threads[mark.thread]

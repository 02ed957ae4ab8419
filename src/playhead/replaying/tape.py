"""A cassette that is open for reading, as the events and bytes that are on it.

Knows dialects, runs, slices and paces. Does not know handlers: `playhead.replaying.replay` does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import PathLike, fspath
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from anyio.lowlevel import checkpoint

from playhead.cassettes.format import Entry, Header, Seal
from playhead.cassettes.places import locate
from playhead.cassettes.reading import Cassette
from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import CassetteError, UsageError
from playhead.events.codec import decode_json
from playhead.events.dialects import DIALECTS, foreign_dialect
from playhead.events.spans import Dialect
from playhead.events.tagged import loads
from playhead.replaying.pace import Pace, Pacer, to_speed
from playhead.text import nearest

T = TypeVar("T")
_YIELD_EVERY = 256
"""An instant replay lets other tasks run, and can be cancelled, once in so many items."""


def open_tape(place: str | PathLike[str], *, torn: bool = False, dialect: Dialect | None = None) -> "Tape":
    """Open a cassette for reading, and check it: a file, `runs.db::name`, or `:memory:`.

    `torn=True` reads what a crashed recording left, up to where it breaks off. `dialect` replaces the one that the
    cassette names; a name that is unknown here gives `OpaqueEvent`s.

    Raises `MissingCassette`, `TornCassette`, `CorruptCassette` or `CassetteError`; each says where and why.
    """
    where = locate(fspath(place))
    return Tape(where.read(torn=torn), dialect)


class Tape:
    """Read a cassette, as often as you like. Use it as a context manager, or `close` it, to let go of the file."""

    def __init__(self, cassette: Cassette, dialect: Dialect | None = None) -> None:
        self._cassette = cassette
        named = cassette.header.dialects.get("event", "locus")
        self.dialect = dialect or DIALECTS.get(named) or foreign_dialect(named)

    @property
    def header(self) -> Header:
        """Return what the cassette says of itself."""
        return self._cassette.header

    @property
    def seal(self) -> Seal | None:
        """Return how the cassette was sealed; None if it is torn."""
        return self._cassette.seal

    @property
    def where(self) -> str:
        """Return where the cassette is, for messages."""
        return self._cassette.where

    @property
    def runs(self) -> dict[str, str]:
        """Return how each run ended, by its name, in the order in which they began. Empty for a torn cassette."""
        return dict(self.seal.runs) if self.seal else {}

    def end(self, run: str | None = None) -> str:
        """Return how a run ended, or the whole tape: `complete`, `error`, `cancelled`, `paused`, `closed`, `unknown`.

        Raises `UsageError` for a run that is not on the tape.
        """
        if self.seal is None:
            return "unknown"
        return self.seal.end if run is None else self.runs[self._known(run)]

    @property
    def size(self) -> int:
        """Return how many bytes the cassette has."""
        return self._cassette.size

    def verify(self) -> None:
        """Check the SHA-256 of a large cassette too. Raises `CorruptCassette`; see `Cassette.verify`."""
        self._cassette.verify()

    def lines(self) -> Iterator[bytes]:
        """Yield the cassette's lines as they stand."""
        return self._cassette.lines()

    def entries(self) -> Iterator[Entry]:
        """Yield every entry of every track, in order."""
        return self._cassette.entries()

    def events(
        self,
        *,
        run: str | None = None,
        start: int = 0,
        stop: int | None = None,
        after: str | None = None,
        pace: Pace = "instant",
        clock: Clock = SYSTEM_CLOCK,
        decode: Callable[[bytes], Any] | None = None,
    ) -> "Playback[Any]":
        """Return the events of the tape, or of one `run`, to iterate over with `for` or `async for`.

        `start` and `stop` count events as in a slice; `after` names a checkpoint, and begins behind it. `decode` makes
        an event of its JSON bytes; by default events are typed by the tape's dialect and keep their bytes. An event
        that cannot be decoded raises `CassetteError`.
        """
        make = decode or (lambda raw: decode_json(raw, self.dialect))
        return self._play("event", "event", run, slice(start, stop), after, pace=pace, clock=clock, decode=make)

    def chunks(
        self, *, run: str | None = None, pace: Pace = "instant", clock: Clock = SYSTEM_CLOCK
    ) -> "Playback[bytes]":
        """Return the chunks of bytes that were sent to the client, cut as they were, for `for` or `async for`."""
        return self._play("wire", "bytes", run, slice(0, None), None, pace=pace, clock=clock, decode=chunk)

    def close(self) -> None:
        """Let go of the file."""
        self._cassette.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.events())

    def __repr__(self) -> str:
        return f"Tape({self.where!r}, end={self.end()!r})"

    def _known(self, run: str) -> str:
        if self.seal is not None and run not in self.seal.runs:
            hint = nearest(run, self.seal.runs)
            meant = f"did you mean {hint!r}? " if hint else ""
            raise UsageError(f"no run {run!r} in {self.where}: {meant}it has {', '.join(self.seal.runs) or 'none'}")
        return run

    def _play(
        self,
        track: str,
        kind: str,
        run: str | None,
        part: slice,
        after: str | None,
        *,
        pace: Pace,
        clock: Clock,
        decode: Callable[[bytes], T],
    ) -> "Playback[T]":
        chosen = None if run is None else self._known(run)
        return Playback(
            self._cassette, Choice(track, kind, chosen, part, after), decode, speed=to_speed(pace), clock=clock
        )


def chunk(data: bytes) -> bytes:
    """Return the chunk of bytes that an entry of kind `bytes` holds."""
    value = loads(data)
    return value if isinstance(value, bytes) else str(value).encode()


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries are played: of one kind, of one run or all, a slice of them, behind a checkpoint or not."""

    track: str
    kind: str
    run: str | None
    part: slice
    after: str | None

    def of(self, cassette: Cassette) -> Iterator[tuple[int, int, bytes]]:
        """Yield position, time in microseconds since the first one chosen or the checkpoint, and JSON of each."""
        start, stop, _ = self.part.indices(2**62)
        position = 0
        zero_us: int | None = None
        behind = self.after is None
        for at_us, owner, kind, data in cassette.data(self.track):
            if not behind:
                behind = kind == "checkpoint" and loads(data)["id"] == self.after
                zero_us = at_us
            elif kind == self.kind and (self.run is None or owner == self.run):
                if position >= stop:
                    return
                if position >= start:
                    zero_us = at_us if zero_us is None else zero_us
                    yield position, at_us - zero_us, data
                position += 1
        if not behind:
            raise UsageError(f"no checkpoint {self.after!r} in {cassette.where}")


class Playback(Generic[T]):
    """Iterate over what was chosen from a tape, as often as you like, with `for` (at once) or `async for` (in time)."""

    def __init__(
        self, cassette: Cassette, choice: Choice, decode: Callable[[bytes], T], *, speed: float | None, clock: Clock
    ) -> None:
        self._cassette = cassette
        self._choice = choice
        self._decode = decode
        self._speed = speed
        self._clock = clock

    def __iter__(self) -> Iterator[T]:
        if self._speed is not None:
            raise UsageError("a plain `for` cannot wait: play with pace='instant', or use `async for`")
        decode = self._decode
        for position, _, data in self._choice.of(self._cassette):
            try:
                item = decode(data)
            except UsageError as error:
                raise self._undecodable(position, error) from error
            yield item

    def __aiter__(self) -> "Playing[T]":
        pacer = Pacer(self._speed, self._clock) if self._speed is not None else None
        return Playing(self._choice.of(self._cassette), self._decode, pacer, self._undecodable)

    def _undecodable(self, position: int, error: UsageError) -> CassetteError:
        return CassetteError(f"{self._cassette.where}: {self._choice.kind} {position}: {error}")


class Playing(Generic[T]):
    """Play what was chosen from a tape once, in time.

    No async generator: one that is left half-read would have to be closed, and this one need not be.
    """

    def __init__(
        self,
        entries: Iterator[tuple[int, int, bytes]],
        decode: Callable[[bytes], T],
        pacer: Pacer | None,
        undecodable: Callable[[int, UsageError], CassetteError],
    ) -> None:
        self._next = entries.__next__
        self._decode = decode
        self._pacer = pacer
        self._undecodable = undecodable

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            position, at_us, data = self._next()
        except StopIteration:
            raise StopAsyncIteration from None
        try:
            item = self._decode(data)
        except UsageError as error:
            raise self._undecodable(position, error) from error
        if self._pacer is not None:
            await self._pacer.wait(at_us)
        elif not position % _YIELD_EVERY:
            await checkpoint()
        return item

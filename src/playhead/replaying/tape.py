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
from playhead.errors import CassetteError, PlayheadError, UsageError
from playhead.events.codec import decoder
from playhead.events.dialects import DIALECTS, foreign_dialect
from playhead.events.spans import Dialect
from playhead.events.tagged import loads
from playhead.replaying.pace import Pace, Pacer, to_speed
from playhead.text import did_you_mean

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
        self.dialect: Dialect = dialect or DIALECTS.get(named) or foreign_dialect(named)

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

        `start` and `stop` count events from 0, `stop` not included; `after` names a checkpoint, and begins behind it.
        `decode` makes an event of its JSON bytes; by default events are typed by the tape's dialect and keep their
        bytes. An event that cannot be decoded raises `CassetteError`.
        """
        make = decode or decoder(self.dialect)
        return self._play("event", "event", run, slice(start, stop), after, pace=pace, clock=clock, decode=make)

    def chunks(
        self, *, run: str | None = None, pace: Pace = "instant", clock: Clock = SYSTEM_CLOCK
    ) -> "Playback[bytes]":
        """Return the chunks of bytes that were sent to the client, cut as they were, for `for` or `async for`."""
        return self._play("wire", "bytes", run, slice(0, None), None, pace=pace, clock=clock, decode=chunk)

    def calls(self) -> Iterator[tuple[int, str, str, bytes]]:
        """Yield `(at_us, call, kind, data)` of each entry of the calls of models and tools, in order."""
        return self._cassette.data("model")

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
            known = ", ".join(self.seal.runs) or "none"
            raise UsageError(f"no run {run!r} in {self.where}: it has {known}{did_you_mean(run, self.seal.runs)}")
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
        check_counts(part.start, part.stop)
        return Playback(
            self._cassette, Choice(track, kind, chosen, part, after), decode, speed=to_speed(pace), clock=clock
        )


def check_counts(start: object, stop: object) -> None:
    """Refuse counts that are no whole numbers, or below 0: Python would read them as something else."""
    for name, count in (("start", start), ("stop", stop)):
        if count is not None and (not isinstance(count, int) or count < 0):
            raise UsageError(f"{name}={count!r}: events are counted from 0; give a whole number, not below 0")


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

    def data(self, cassette: Cassette) -> Iterator[bytes]:
        """Yield the JSON of each."""
        if self.after is None and self.part == slice(0, None):
            return cassette.payloads(self.track, self.kind, owner=self.run)
        return (data for _, _, data in self.of(cassette))

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
        try:
            yield from map(self._decode, self._choice.data(self._cassette))
        except UsageError as error:
            raise self._located(error) from error

    def __aiter__(self) -> "AtOnce[T] | InTime[T]":
        if self._speed is None:
            return AtOnce(iter(self))
        return InTime(self._timed(), Pacer(self._speed, self._clock))

    def _timed(self) -> Iterator[tuple[int, T]]:
        try:
            for _, at_us, data in self._choice.of(self._cassette):
                yield at_us, self._decode(data)
        except UsageError as error:
            raise self._located(error) from error

    def _located(self, error: UsageError) -> PlayheadError:
        """Return the error that says which item cannot be decoded; the error itself where all can."""
        for position, _, data in self._choice.of(self._cassette):
            try:
                self._decode(data)
            except UsageError as found:
                return CassetteError(f"{self._cassette.where}: {self._choice.kind} {position}: {found}")
        return error


class AtOnce(Generic[T]):
    """Hand out items without waiting, but let other tasks run now and then.

    No async generator, nor is the other one: one that is left half-read would have to be closed, and this need not be.
    """

    def __init__(self, items: Iterator[T]) -> None:
        self._next = items.__next__
        self._count = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if not self._count % _YIELD_EVERY:
            await checkpoint()
        self._count += 1
        try:
            return self._next()
        except StopIteration:
            raise StopAsyncIteration from None


class InTime(Generic[T]):
    """Hand out items, each when it is due."""

    def __init__(self, items: Iterator[tuple[int, T]], pacer: Pacer) -> None:
        self._next = items.__next__
        self._pacer = pacer

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            at_us, item = self._next()
        except StopIteration:
            raise StopAsyncIteration from None
        await self._pacer.wait(at_us)
        return item

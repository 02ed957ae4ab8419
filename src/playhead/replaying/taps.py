"""The tap that replays: it answers from a tape, and never asks anybody.

Knows recorded calls, whose turn it is, and when. Does not know what an answer is: codecs do.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from threading import Lock
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from anyio.lowlevel import checkpoint

from playhead.cassettes.redact import Redactor
from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import CassetteError, ReplayMismatch, UsageError
from playhead.events.tagged import dumps, loads
from playhead.matching.exchange import Exchange, exchanges
from playhead.matching.matcher import Matcher
from playhead.matching.normalise import Normaliser
from playhead.models.tap import PLAIN, Codec, Request, Tap
from playhead.recording.making import RECORDED
from playhead.recording.secrets import local_redactor
from playhead.replaying.failures import revived
from playhead.replaying.order import PATIENCE_S, Order
from playhead.replaying.pace import Pace, Pacer, to_speed
from playhead.replaying.tape import Tape, open_tape

T = TypeVar("T")

_YIELD_EVERY = 64


class ReplayingTap(Tap):
    """Answer from a tape. Use it as a context manager: on leaving, what was not asked for is an error.

    `ignore` names what may vary in a question (`playhead.matching.normalise`), `pace` says when chunks come, on
    `clock`. `tools="live"` lets tools run. `max_age_days` refuses a tape that is older, and one that does not say.
    `partly` allows calls that are not made. `patience_s` is how long a tool's result waits for those that were
    recorded before it, should the tools no longer run at once.

    A mismatch that the code under test caught is raised again on leaving. Safe for several tasks and threads.

    Raises `UsageError` for options that there are not, `CassetteError` for a tape that is too old or has no calls.
    """

    def __init__(
        self,
        tape: Tape,
        *,
        ignore: Sequence[str | Normaliser] = (),
        pace: Pace = "instant",
        clock: Clock = SYSTEM_CLOCK,
        tools: Literal["recorded", "live"] = "recorded",
        max_age_days: float | None = None,
        partly: bool = False,
        patience_s: float = PATIENCE_S,
    ) -> None:
        if tools not in ("recorded", "live"):
            raise UsageError(f"tools={tools!r}: tools are 'recorded' or 'live'")
        check_age(tape, max_age_days, clock=clock)
        self._recorded = exchanges(tape.calls())
        self._speed = to_speed(pace)
        self.clock = clock
        self._tools = tools
        self._partly = partly
        self._order = Order(self._recorded, patience_s=patience_s)
        self._lock = Lock()
        played = [exchange for exchange in self._recorded if tools == "recorded" or exchange.kind == "request"]
        self._matcher = Matcher(played, where=tape.where, ignore=ignore, redact=_redact(tape))

    @property
    def mismatches(self) -> Sequence[ReplayMismatch]:
        """Return what was asked in vain."""
        return tuple(self._matcher.mismatches)

    def take(self, request: Request, kind: str = "request") -> Exchange:
        """Return the recorded call that answers a question, and use it up. Raises `ReplayMismatch`."""
        with self._lock:
            return self._matcher.take(request, kind)

    def assert_complete(self) -> None:
        """Raise the first mismatch again, or `ReplayMismatch` for calls that were not made."""
        if not self._partly or self._matcher.mismatches:
            self._matcher.assert_complete()

    async def ask(
        self, request: Request, live: Callable[[], Awaitable[T]], codec: Codec[T] = PLAIN, *, kind: str = "request"
    ) -> T:
        """Return the recorded answer."""
        if self._is_live(kind):
            return await live()
        exchange = self.take(request, kind)
        try:
            pacer = self.pacer()
            if pacer is None:
                await checkpoint()
            else:
                await pacer.wait(exchange.end_at_us - exchange.at_us)
            await self._order.wait(exchange)
            return self.answer(exchange, codec)
        finally:
            self._order.end(exchange)

    def ask_now(self, request: Request, live: Callable[[], T], codec: Codec[T] = PLAIN, *, kind: str = "request") -> T:
        """Return the recorded answer, without an event loop. It comes at once: a plain call cannot wait."""
        if self._is_live(kind):
            return live()
        exchange = self.take(request, kind)
        try:
            self._order.wait_now(exchange)
            return self.answer(exchange, codec)
        finally:
            self._order.end(exchange)

    async def stream(
        self, request: Request, live: Callable[[], AsyncIterable[T]], codec: Codec[T] = PLAIN
    ) -> AsyncIterator[T]:
        """Yield the recorded chunks, each when it is due."""
        exchange = self.take(request)
        pacer = self.pacer()
        for count, (at_us, data) in enumerate(exchange.chunks):
            if pacer is not None:
                await pacer.wait(at_us - exchange.at_us)
            elif not count % _YIELD_EVERY:
                await checkpoint()
            yield codec.load(loads(data))
        if pacer is not None:
            await pacer.wait(exchange.end_at_us - exchange.at_us)
        self.end(exchange, codec)

    def stream_now(self, request: Request, live: Callable[[], Iterable[T]], codec: Codec[T] = PLAIN) -> Iterator[T]:
        """Yield the recorded chunks, all at once."""
        exchange = self.take(request)
        for _, data in exchange.chunks:
            yield codec.load(loads(data))
        self.end(exchange, codec)

    def pacer(self) -> Pacer | None:
        """Return what waits for the chunks of a call that begins now; None where nothing is waited for."""
        return None if self._speed is None else Pacer(self._speed, self.clock)

    def _is_live(self, kind: str) -> bool:
        return kind == "tool_call" and self._tools == "live"

    def answer(self, exchange: Exchange, codec: Codec[T]) -> T:
        """Return a recorded answer, or raise what it failed with."""
        if exchange.fault is not None:
            raise codec.revive(exchange.fault) or revived(exchange.fault)
        if not exchange.has_reply:
            raise self._latched(f"{exchange.call} was left before it was answered ({exchange.how or 'torn'})")
        return codec.load(exchange.reply)

    def end(self, exchange: Exchange, codec: Codec[Any]) -> None:
        """End a stream as it ended: raise what it failed with, or a mismatch where it was left."""
        if exchange.fault is not None:
            raise codec.revive(exchange.fault) or revived(exchange.fault)
        if exchange.how != "complete":
            left = f"{exchange.call} was left after {len(exchange.chunks)} chunks in the recording"
            raise self._latched(f"{left} ({exchange.how or 'torn'}), and now it is read further")

    def _latched(self, message: str) -> ReplayMismatch:
        mismatch = ReplayMismatch(message)
        self._matcher.mismatches.append(mismatch)
        return mismatch

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.assert_complete()
        elif self._matcher.mismatches and error not in self._matcher.mismatches:
            error.add_note(f"Before that, a question did not match its recording: {self._matcher.mismatches[0]}")


def rerun(place: Any, **options: Any) -> ReplayingTap:
    """Open a cassette and answer from it: `ReplayingTap` has the options, and says what is raised."""
    return ReplayingTap(open_tape(place), **options)


def check_age(tape: Tape, max_age_days: float | None, *, clock: Clock) -> None:
    """Raise `CassetteError` for a tape that was recorded more than so many days ago, or does not say when."""
    if max_age_days is None:
        return
    try:
        recorded = datetime.fromisoformat(tape.header.made[RECORDED])
    except (KeyError, ValueError):
        raise CassetteError(
            f"{tape.where} does not say when it was recorded, and may be {max_age_days} days old"
        ) from None
    age = clock.now() - recorded
    if age > timedelta(days=max_age_days):
        raise CassetteError(
            f"{tape.where} was recorded {age.days} days ago, and may be {max_age_days:g} days old: record it again"
        )


def _redact(tape: Tape) -> Callable[[Any], Any]:
    """Return what takes out of a live question what the recorder took out of the recorded one."""
    redactor: Redactor = local_redactor(tape.header.redact)
    if not redactor.rules:
        return lambda request: loads(dumps(request))
    return lambda request: loads(redactor.json(dumps(request)))

"""The recorder: what puts runs on a tape.

Knows time, runs and when a cassette is sealed. Does not know files (a store does), frameworks (a dialect's table does)
or what is secret (the redactor does). It never changes what the consumer sees: when it cannot go on it says so at the
end.
"""

from collections.abc import AsyncIterable, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from os import PathLike, fspath
from threading import Lock
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from playhead.cassettes.format import Failure, Seal, entry_prefix
from playhead.cassettes.places import Place, locate
from playhead.cassettes.redact import Redactor
from playhead.cassettes.store import REJECTED
from playhead.cassettes.writing import CassetteWriter
from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import PlayheadError, UsageError
from playhead.events.canonical import Path
from playhead.events.codec import event_json
from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect
from playhead.events.tagged import dumps
from playhead.matching.conversation import Conversations
from playhead.recording.calls import ModelCall
from playhead.recording.ends import comes_from, end_of_events, failure, is_cancellation
from playhead.recording.holding import Holding
from playhead.recording.renewal import unchanged
from playhead.recording.runs import Run
from playhead.recording.secrets import header_of, local_redactor
from playhead.recording.taps import RecordingTap
from playhead.recording.tee import AsyncTee, Tee
from playhead.recording.texts import CallTexts, ChunkTexts, EventTexts, Piece, Stream, read_field

T = TypeVar("T")


def record(
    place: str | PathLike[str],
    *,
    dialect: str | Dialect = "locus",
    name: str | None = None,
    redact: Sequence[str] | None = None,
    made: Mapping[str, str] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> "Recorder":
    """Begin a recording, and return the recorder: a context manager that seals the cassette at the end.

    `place` is a file (`trip.jsonl`), a database and a name (`runs.db::trip`) or `:memory:`. `name` is the cassette's
    own name, by default where it is. `redact` chooses the rules that take secrets out; None takes the usual ones, `()`
    none. `made` adds to what the header says of how it was made: the time, and the versions of Python, of Playhead and
    of the libraries of the field that the program has imported.

    Raises `UsageError` for a place, dialect or rule that is unknown, `CassetteError` where another writer is at work.
    """
    chosen = get_dialect(dialect)
    where = locate(fspath(place))
    name = name or where.name or ""
    return begin(where, chosen, name=name, redact=redact, made=made, clock=clock, renews=True)


def begin(
    where: Place,
    dialect: Dialect,
    *,
    name: str,
    redact: Sequence[str] | None = None,
    made: Mapping[str, str] | None = None,
    clock: Clock = SYSTEM_CLOCK,
    renews: bool = False,
) -> "Recorder":
    """Begin a recording at a place in a store, as `record` does. One that `renews` keeps an old cassette that is equal.

    Raises as `record`.
    """
    redactor = local_redactor(redact)
    header = header_of(name, dialect, redactor, made=made, clock=clock)
    sink = where.create()
    try:
        writer = CassetteWriter(sink, header)
    except BaseException:
        sink.discard()
        raise
    return Recorder(writer, dialect, redactor=redactor, clock=clock, place=where if renews else None)


class Recorder:
    """Tape runs into one cassette: as a tee for iterators, or as a stream handler. Made by `record`.

    Use it as a context manager. On leaving, the cassette is sealed with how its last run ended. When the body raised an
    exception of its own, the cassette that was there before stays, and the recording is left beside it with the suffix
    `.rejected`. Runs and calls may be taped by several tasks and threads at a time, each by one.

    A recording that fails (a full disk, an event with no JSON form) stops at once and leaves the consumer alone; the
    error is raised on leaving, and is there as `failure` before.
    """

    def __init__(
        self,
        writer: CassetteWriter,
        dialect: Dialect,
        *,
        redactor: Redactor,
        clock: Clock = SYSTEM_CLOCK,
        place: Place | None = None,
    ) -> None:
        self.dialect = dialect
        self.failure: PlayheadError | None = None
        self.seal: Seal | None = None
        self._writer = writer
        self._place = place
        self._redactor = redactor
        self._holding = Holding(redactor, writer.append)
        self._append = writer.append
        self._clean = redactor.json if redactor.rules else None
        self._now_ns = clock.monotonic_ns
        self._start_ns = clock.monotonic_ns()
        self._runs: list[Run] = []
        self._lock = Lock()
        self._calls: list[ModelCall] = []
        self._conversations = Conversations()
        self._handled: Run | None = None

    @property
    def held(self) -> int:
        """Return how many entries were taken and wait to be written, because a secret may begin in them."""
        return self._holding.held

    @overload
    def events(self, source: AsyncIterable[T]) -> AsyncTee[T]: ...
    @overload
    def events(self, source: Iterable[T]) -> Tee[T]: ...
    def events(self, source: AsyncIterable[T] | Iterable[T]) -> AsyncTee[T] | Tee[T]:
        """Return an iterator over `source`, a run's events, that tapes them as they pass. Each call is a run."""
        return _tee(source, self._event_run())

    @overload
    def chunks(self, source: AsyncIterable[bytes]) -> AsyncTee[bytes]: ...
    @overload
    def chunks(self, source: Iterable[bytes]) -> Tee[bytes]: ...
    def chunks(self, source: AsyncIterable[bytes] | Iterable[bytes]) -> AsyncTee[bytes] | Tee[bytes]:
        """Return an iterator over `source`, the bytes that go to a client, that tapes each chunk as it passes."""
        return _tee(source, self.response())

    def response(self) -> Run:
        """Return a run that takes the chunks of one response: `take` tapes one, and `finish` says how it ended.

        For whoever is told of each chunk, and cannot iterate over them. Neither raises, as with a tee.
        """
        return Run(
            self,
            "wire",
            "bytes",
            encode=dumps,
            end_of=lambda last: "complete",
            # No chunk tells how its run ended, so none is kept for that.
            telling=lambda chunk: False,
            texts=ChunkTexts if self._redactor.rules else None,
        )

    def head(self, run: Run, head: Mapping[str, Any]) -> None:
        """Put the head of a response on the tape: status and headers. Raises nothing, as `response`."""
        run.note("head", head)

    def input(self, run: Run, answer: object) -> None:
        """Put on the event track what a person answered to an interrupt, in the run that it leads to.

        An answer with no JSON form stops the recording, as an event would. Raises nothing.
        """
        run.note("input", answer, track="event")

    def call(
        self,
        request: Mapping[str, Any],
        *,
        kind: str = "request",
        dump: Callable[[Any], Any] | None = None,
        text_at: Sequence[Path] = (),
    ) -> ModelCall:
        """Put a question to a model on the tape, and return the call, which takes what is answered.

        `request` is a mapping with a JSON form. The messages that it shares with an earlier call are stored once.
        `kind` is `request`, or `tool_call` where a tool is asked. `dump` makes JSON values of answers and chunks.
        `text_at` says where in a chunk's JSON the text is over which a secret may be cut; chunks of bytes are text.
        Raises nothing: a failure stops the recording.
        """
        texts = partial(CallTexts, paths=text_at) if self._redactor.rules else None
        with self._lock:
            call = ModelCall(self, f"c{len(self._calls) + 1}", dump=dump, texts=texts)
            self._calls.append(call)
            folded = self._conversations.fold(request, call.name)
        call.ask(folded, kind)
        return call

    @property
    def tap(self) -> RecordingTap:
        """Return the tap that tapes what is asked of models and tools: for adapters, and for `tap.tools`."""
        return RecordingTap(self)

    def checkpoint(self, state: object, *, checkpoint_id: str) -> None:
        """Put a checkpoint on the tape, in the run of events that began last: a replay can start behind it.

        Raises `UsageError` before the first event of the first run and for a state with no JSON form, and what stopped
        the recording if anything did.
        """
        self._raise_failure()
        if self._last_event_run() is None:
            raise UsageError(f"checkpoint {checkpoint_id!r} comes before the first event: there is no run to put it in")
        try:
            data = dumps({"id": checkpoint_id, "state": state})
        except ValueError as error:
            raise UsageError(f"checkpoint {checkpoint_id!r} has a state with no JSON form: {error}") from error
        self.put_checkpoint(data)

    def put_checkpoint(self, data: bytes) -> None:
        """Put the JSON of a checkpoint on the tape, in the run of events that began last, or that is to begin next.

        Raises what stopped the recording.
        """
        self._raise_failure()
        run = self._last_event_run()
        name = self._next_name() if run is None else run.name
        self.put(entry_prefix("event", name, "checkpoint"), data)

    def redacted(self, data: bytes) -> bytes:
        """Return JSON as this recording would have it: without secrets."""
        with self._lock:
            return self._redactor.json(data)

    async def on_event(self, event: object) -> None:
        """Tape an event. The first one, and the first after an end, begins a run. Raises what stopped the recording."""
        if self._handled is None:
            self._handled = self._event_run()
        self._handled.take(event)
        self._raise_failure()

    async def on_complete(self) -> None:
        """Note that the run ended as its last event says."""
        self._finish_handled(None)

    async def on_error(self, error: Exception) -> None:
        """Note that the run failed. The exception's class is kept by name, with its message."""
        self._finish_handled(error)

    def close(self) -> Seal:
        """Seal the cassette and return the seal. A run that has no end yet is `closed`: its consumer went away.

        A file that held the same run already stays as it is, byte for byte, and it is its seal that is returned: see
        `playhead.recording.renewal`.

        Raises what stopped the recording, if anything did; the recording is then left as `.rejected`.
        """
        return self.seal or self._seal_as("closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.seal is not None:
            return
        if error is None or self._is_of_a_run(error):
            self._seal_as("closed")
        elif is_cancellation(error):
            self._seal_as("cancelled")
        else:
            left = self._reject()
            error.add_note(f"Playhead sealed no cassette, for the run did not raise this. What was taped: {left}")
            if self.failure is not None:
                error.add_note(f"The recording had stopped before: {self.failure}")

    def open_run(self, run: Run) -> str:
        """Begin a run and return its name: `r1`, `r2` and so on."""
        name = self._next_name()
        self._runs.append(run)
        return name

    def put(self, prefix: bytes, data: bytes, piece: Piece | None = None) -> None:
        """Write an entry, stamped with the time. `piece` is the text in it that a secret may be cut over."""
        with self._lock:
            at_us = (self._now_ns() - self._start_ns) // 1000
            holding = self._holding
            if piece is None and not holding.held:
                # What `holding` would do with it, without two calls: nearly all entries go this way.
                self._append(at_us, prefix, self._clean(data) if self._clean else data)
            else:
                holding.put(at_us, prefix, data, piece)

    def flush(self, streams: Collection[Stream]) -> None:
        """Note that streams of text have ended: what waits for more of them is written."""
        with self._lock:
            self._holding.flush(streams)

    def describe(self, error: BaseException) -> Failure:
        """Return an exception as the seal keeps it, redacted like everything else."""
        plain = failure(error)
        return plain.model_copy(update={"message": self._redactor.text(plain.message)})

    def _event_run(self) -> Run:
        after, tag = self.dialect.after, self.dialect.tag
        return Run(
            self,
            "event",
            "event",
            encode=event_json,
            end_of=lambda last: end_of_events(last, self.dialect),
            telling=(lambda event: read_field(event, tag) not in after) if after else None,
            texts=(lambda name: EventTexts(self.dialect, name)) if self._redactor.rules else None,
        )

    def _next_name(self) -> str:
        return f"r{len(self._runs) + 1}"

    def _last_event_run(self) -> Run | None:
        return next((run for run in reversed(self._runs) if run.track == "event"), None)

    def _finish_handled(self, error: Exception | None) -> None:
        run, self._handled = self._handled or self._event_run(), None
        run.finish(error)
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _is_of_a_run(self, error: BaseException) -> bool:
        """Say whether a run raised this, or nobody did: whoever iterates over the code around a run went away."""
        ends = (*(run.error for run in self._runs), *(call.error for call in self._calls))
        causes = [error for error in ends if error is not None]
        return isinstance(error, GeneratorExit) or comes_from(error, causes)

    def _reject(self) -> str:
        """Leave what was taped beside the cassette, and say where it is. What cannot even be left hides no error."""
        if self.failure is None:
            self._settle()
        try:
            return self._writer.discard(keep_as=REJECTED) or "nothing"
        except PlayheadError as error:
            return f"could not be left there: {error}"

    def _settle(self) -> None:
        for call in self._calls:
            # Whoever leaves a stream without closing it says nothing.
            call.finish(GeneratorExit())
        try:
            self._holding.close()
        except PlayheadError as error:
            self.failure = error

    def _seal_as(self, open_end: str) -> Seal:
        """Seal with `open_end` as the end of each run that has none yet."""
        if self.failure is None:
            self._settle()
        if self.failure is not None:
            self.failure.add_note(f"The recording stopped there. What was taped until then: {self._reject()}")
            raise self.failure
        ends = {run.name: run.end or open_end for run in self._runs}
        errors = {run.name: run.failure for run in self._runs if run.failure is not None}
        self.seal = self._unchanged(ends, errors)
        if self.seal is None:
            end = next(reversed(ends.values()), "complete" if self._calls else open_end)
            self.seal = self._writer.seal(end, runs=ends, errors=errors, redacted=self._redactor.hits)
        return self.seal

    def _unchanged(self, ends: dict[str, str], errors: dict[str, Failure]) -> Seal | None:
        """Drop the recording and return the old cassette's seal, if they are the same."""
        writer = self._writer
        if self._place is None:
            return None
        count, dialect = writer.entries, self.dialect
        seal = unchanged(self._place, writer.header, entries=count, runs=ends, errors=errors, dialect=dialect)
        if seal is not None:
            writer.discard()
        return seal


def _tee(source: AsyncIterable[T] | Iterable[T], run: Run) -> AsyncTee[T] | Tee[T]:
    if isinstance(source, AsyncIterable):
        return AsyncTee(source, run)
    if isinstance(source, Iterable):
        return Tee(source, run)
    raise UsageError(f"there is nothing to iterate over in {type(source).__name__}: give an iterator, sync or async")

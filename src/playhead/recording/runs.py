"""One run as it is taped: its name, what it writes, and how it ended."""

from collections.abc import Callable, Collection
from typing import Any, Final, Protocol

from playhead.cassettes.format import Failure, entry_prefix
from playhead.errors import PlayheadError, UsageError
from playhead.events.tagged import dumps
from playhead.recording.ends import end_of_exception
from playhead.recording.texts import Piece, Stream, Texts

FIRST_RUN: Final = "r1"
"""The name of the run that begins first, and of the only one where nothing else says what runs there are."""


class Tape(Protocol):
    """What a run needs of the recorder that it belongs to."""

    failure: PlayheadError | None

    def open_run(self, run: "Run") -> str:
        """Begin a run and return its name: `r1`, `r2` and so on."""
        ...

    def put(self, prefix: bytes, data: bytes, piece: Piece | None = None) -> None:
        """Write an entry, stamped with the time. `piece` is the text in it that a secret may be cut over."""
        ...

    def flush(self, streams: Collection[Stream]) -> None:
        """Note that streams of text have ended."""
        ...

    def describe(self, error: BaseException) -> Failure:
        """Return an exception as the seal keeps it."""
        ...


class Run:
    """Take what a tee sees of one run. It gets its name with its first entry, or with its end if it had none.

    `track` is where its items go, as entries of `kind`. `encode` makes JSON of an item. `end_of` says how a run ended
    whose source ran dry, from the JSON of its last `telling` item; every item is telling unless the caller knows
    better.
    """

    def __init__(
        self,
        tape: Tape,
        track: str,
        kind: str,
        *,
        encode: Callable[[Any], bytes],
        end_of: Callable[[bytes | None], str],
        telling: Callable[[Any], bool] | None = None,
        texts: Callable[[str], Texts] | None = None,
    ) -> None:
        self.name: str = ""
        self.track = track
        self.end: str | None = None
        self.error: BaseException | None = None
        self.failure: Failure | None = None
        self._tape = tape
        self._kind = kind
        self._prefix = b""
        self._last: bytes | None = None
        self._encode = encode
        self._end_of = end_of
        self._telling = telling
        self._make_texts = texts
        self._texts: Texts | None = None

    def take(self, item: Any) -> None:
        """Put an item on the tape. Raises nothing: a failure stops the recording and is kept.

        An item after an end takes that back: a step was cancelled, say by a timeout, and the source went on.
        """
        tape = self._tape
        if tape.failure is not None:
            return
        try:
            data = self._encode(item)
            if not self.name:
                self.open()
            if self._texts is None:
                tape.put(self._prefix, data)
            else:
                piece, ended = self._texts.look(item, data)
                tape.put(self._prefix, data, piece)
                if ended:
                    tape.flush(ended)
            if self._telling is None or self._telling(item):
                self._last = data
        except Exception as error:
            tape.failure = untaped(error, item)
        if self.end is not None:
            self.end = self.error = self.failure = None

    def note(self, kind: str, value: object, *, track: str | None = None) -> None:
        """Put a JSON value on the tape as an entry of another kind than the run's own. Raises nothing, as `take`.

        It goes to the run's own track unless another one is named.
        """
        tape = self._tape
        if tape.failure is not None:
            return
        try:
            data = dumps(value)
            if not self.name:
                self.open()
            tape.put(entry_prefix(track or self.track, self.name, kind), data)
        except Exception as error:
            tape.failure = untaped(error, value)

    def open(self) -> None:
        """Begin the run."""
        self.name = self._tape.open_run(self)
        self._prefix = entry_prefix(self.track, self.name, self._kind)
        self._texts = self._make_texts(self.name) if self._make_texts else None

    def finish(self, error: BaseException | None = None) -> None:
        """Note how the run ended: its source ran dry, or raised. Only the first end counts."""
        if self.end is not None:
            return
        if not self.name:
            self.open()
        self.end = self._end_of(self._last) if error is None else end_of_exception(error)
        if self.end == "error" and error is not None:
            self.error = error
            self.failure = self._tape.describe(error)
        if self._texts is not None and self._tape.failure is None:
            try:
                self._tape.flush(self._texts.close())
            except PlayheadError as failed:
                self._tape.failure = failed


def untaped(error: Exception, item: object) -> PlayheadError:
    """Return the error of a recording that an item stopped: what is not one of ours is explained."""
    if isinstance(error, PlayheadError):
        return error
    failed = UsageError(f"{type(item).__qualname__} could not be taped: {type(error).__name__}: {error}")
    failed.__cause__ = error
    return failed

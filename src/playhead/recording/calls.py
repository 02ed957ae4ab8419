"""One call of a model, or of a tool, as it is taped: the question, what came back in which pieces, and how it ended.

    request     the question                                     or tool_call
    reply       the whole answer, or over HTTP its head          or tool_result
    chunk       a piece of a stream: bytes, or JSON
    fault       what it failed with
    end         a stream that did not fail: complete, closed or cancelled

Knows the kinds of entry of the track `model`. Does not know what a question looks like, nor who asks.
"""

from collections.abc import Callable
from typing import Any

from playhead.cassettes.format import entry_prefix
from playhead.events.tagged import dumps
from playhead.recording.ends import end_of_exception, failure
from playhead.recording.runs import Tape, untaped
from playhead.recording.texts import Texts

MAX_ARGUMENTS = 8
"""An exception is described by its arguments too, if there are no more than so many and all are plain."""


class ModelCall:
    """Take what comes back from one call. Nothing here raises: a failure stops the recording and is kept there.

    A `Track` for a tee: `take` tapes a chunk, `finish` the end. Only the first end counts, and nothing comes after it.
    """

    def __init__(
        self,
        tape: Tape,
        name: str,
        *,
        dump: Callable[[Any], Any] | None = None,
        texts: Callable[[str], Texts] | None = None,
    ) -> None:
        self.name = name
        self.end: str | None = None
        self.error: BaseException | None = None
        self._tape = tape
        self._dump = dump
        self._texts = texts(name) if texts else None
        self._prefixes: dict[str, bytes] = {}

    def ask(self, request: Any, kind: str = "request") -> None:
        """Write the question."""
        self._put(kind, request)

    def reply(self, value: Any, kind: str = "reply") -> None:
        """Write a whole answer, or the head of one that comes in chunks."""
        self._put(kind, value, dump=self._dump)

    def take(self, item: Any) -> None:
        """Write a chunk: bytes, or a value with a JSON form."""
        self._put("chunk", item, dump=self._dump, joined=True)

    def finish(self, error: BaseException | None = None) -> None:
        """Note that the stream ran dry, or what it was ended by: `GeneratorExit` is a consumer that went away."""
        self._finish(error, says_end=True)

    def close(self, error: BaseException | None = None) -> None:
        """Note that a call is over whose reply was whole, or which failed."""
        self._finish(error, says_end=error is not None)

    def _finish(self, error: BaseException | None, *, says_end: bool) -> None:
        if self.end is not None:
            return
        self.end = "complete" if error is None else end_of_exception(error)
        if self._texts is not None and self._tape.failure is None:
            self._guarded(lambda streams: self._tape.flush(streams), self._texts.close())
        if self.end == "error" and error is not None:
            self.error = error
            self._put("fault", fault_of(error))
        elif says_end:
            self._put("end", {"how": self.end})

    def _put(self, kind: str, value: Any, *, dump: Callable[[Any], Any] | None = None, joined: bool = False) -> None:
        if self._tape.failure is None:
            self._guarded(lambda value: self._write(kind, dump(value) if dump else value, joined=joined), value)

    def _write(self, kind: str, value: Any, *, joined: bool) -> None:
        prefix = self._prefixes.get(kind) or self._prefixes.setdefault(kind, entry_prefix("model", self.name, kind))
        data = dumps(value)
        piece = self._texts.look(value, data)[0] if joined and self._texts is not None else None
        self._tape.put(prefix, data, piece)

    def _guarded(self, write: Callable[[Any], None], value: Any) -> None:
        try:
            write(value)
        except Exception as error:
            self._tape.failure = untaped(error, value)


def fault_of(error: BaseException) -> dict[str, Any]:
    """Return an exception as an entry keeps it: the class's name, the message, and its arguments where they are plain.

    The class itself is not kept: a cassette is data, and data does not choose what is loaded.
    """
    plain = failure(error)
    found: dict[str, Any] = {"type": plain.type, "message": plain.message}
    arguments = error.args
    if len(arguments) <= MAX_ARGUMENTS and all(isinstance(each, str | int | float | None) for each in arguments):
        found["args"] = list(arguments)
    facts = {name: getattr(error, name, None) for name in FACTS}
    return found | {name: value for name, value in facts.items() if isinstance(value, str | int | float)}


FACTS = ("status_code", "status", "code", "kind", "retry_after_s")
"""Attributes by which exceptions of providers are told apart; they are kept where they are plain."""

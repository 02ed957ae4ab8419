"""Writing what is not live: the events of a log, or of another cassette, on a new tape.

Knows redaction and order, as the recorder does. Does not know runs that are under way, nor clocks: who copies says when
each entry was.
"""

from collections.abc import Callable, Mapping
from typing import Any

from playhead.cassettes.format import Failure, Seal
from playhead.cassettes.redact import Redactor
from playhead.cassettes.writing import CassetteWriter
from playhead.recording.holding import Holding
from playhead.recording.texts import Texts


class Copy:
    """Write entries that were taped before, redacted. `texts` makes, for a run, what finds its pieces of text."""

    def __init__(self, writer: CassetteWriter, redactor: Redactor, texts: Callable[[str], Texts]) -> None:
        self._writer = writer
        self._redactor = redactor
        self._holding = Holding(redactor, writer.append)
        self._texts = texts
        self._known: dict[str, Texts] = {}

    def put(self, at_us: int, prefix: bytes, data: bytes, *, run: str = "", item: Any = None) -> None:
        """Write an entry of a run, `at_us` after the start. `item` is what may carry a piece of text."""
        if item is None or not self._redactor.rules:
            self._holding.put(at_us, prefix, data)
            return
        texts = self._known.get(run) or self._known.setdefault(run, self._texts(run))
        piece, ended = texts.look(item, data)
        self._holding.put(at_us, prefix, data, piece)
        if ended:
            self._holding.flush(ended)

    def seal(
        self,
        end: str,
        *,
        runs: Mapping[str, str],
        errors: Mapping[str, Failure] | None = None,
        extra: Mapping[str, Any] | None = None,
        replace: bool = False,
    ) -> Seal:
        """Write what waits, and the seal. The messages of `errors` are redacted too."""
        self._holding.close()
        clean = {run: self._clean(failure) for run, failure in (errors or {}).items()}
        hits = self._redactor.hits
        return self._writer.seal(end, runs=runs, errors=clean, redacted=hits, extra=extra, replace=replace)

    def _clean(self, failure: Failure) -> Failure:
        return failure.model_copy(update={"message": self._redactor.text(failure.message)})

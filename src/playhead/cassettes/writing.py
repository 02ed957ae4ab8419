"""Write a cassette into any store: header, entries, seal.

Knows the order of lines, the limits of an entry and the running digest. Does not know what a run is, when an entry
happened, or where the lines go.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from playhead.cassettes.digest import BLOCK_BYTES, Digest
from playhead.cassettes.format import (
    ENDS,
    MAX_LINE_BYTES,
    SURELY_FINE_BYTES,
    Failure,
    Header,
    Seal,
    check_limits,
    entry_line,
    object_line,
)
from playhead.cassettes.store import Sink
from playhead.errors import CassetteError, PlayheadError, UsageError

_NEWLINE: Final = 10


class CassetteWriter:
    """Write one cassette. One task or thread at a time.

    The header is written at once. Whatever goes wrong while a line is written (a full disk, an interrupt) makes the
    writer dead: every later call but `discard` raises `CassetteError` naming the cause, so that no cassette is sealed
    with a hole in it. `at_us` is when the last entry was.
    """

    def __init__(self, sink: Sink, header: Header) -> None:
        self.header = header
        self._begin(sink, object_line(header))

    @classmethod
    def from_line(cls, sink: Sink, header_line: bytes, header: Header) -> "CassetteWriter":
        """Begin a cassette with the header line of another one, kept byte for byte."""
        writer = cls.__new__(cls)
        writer.header = header
        writer._begin(sink, header_line)
        return writer

    def _begin(self, sink: Sink, line: bytes) -> None:
        self.at_us: int = 0
        self._sink = sink
        self._digest = Digest()
        # What was written and is not digested yet. One buffer that grows is cheaper than all the lines, kept.
        self._undigested = bytearray()
        self._lines = 0
        self._put: Callable[[bytes], None] = sink.append
        self._write(line)

    @property
    def where(self) -> str:
        """The place of the cassette, for messages."""
        return self._sink.where

    @property
    def entries(self) -> int:
        """How many entries were written."""
        return self._lines - 1

    def append(self, at_us: int, prefix: bytes, data: bytes) -> None:
        """Write an entry: `at_us` after the start, with a prefix from `entry_prefix` and strict JSON on one line.

        Returns when the entry would survive the death of the process. Raises `UsageError`, and writes nothing, for
        data that no reader would take (see `check_limits`), and for a time before that of the last entry.
        """
        if len(data) > SURELY_FINE_BYTES:
            check_limits(data)
        if _NEWLINE in data:
            raise UsageError("the data of an entry is JSON on one line: this has a newline")
        if at_us < self.at_us:
            raise UsageError(f"an entry at {at_us:,} µs cannot follow one at {self.at_us:,} µs: time does not go back")
        line = entry_line(at_us - self.at_us, prefix, data)
        self.at_us = at_us
        self._write(line)

    def append_line(self, line: bytes) -> None:
        """Write the line of an entry of another cassette, byte for byte. It was checked when it was read."""
        self._write(line)

    def seal(
        self,
        end: str,
        *,
        runs: Mapping[str, str] | None = None,
        errors: Mapping[str, Failure] | None = None,
        redacted: Mapping[str, int] | None = None,
        extra: Mapping[str, Any] | None = None,
        replace: bool = True,
    ) -> Seal:
        """Write the seal and put the cassette in its place. Returns the seal.

        `end` and the values of `runs` are of `ENDS`, else `UsageError`. `extra` has further keys for the seal. When
        this returns, the cassette would survive the loss of power.
        """
        for word in (end, *(runs or {}).values()):
            if word not in ENDS:
                raise UsageError(f"a run does not end as {word!r}: it is one of {', '.join(ENDS)}")
        self._digest_it()
        values: dict[str, Any] = {
            "end": end,
            "entries": self.entries,
            "runs": dict(runs or {}),
            "errors": dict(errors or {}),
            "redacted": dict(redacted or {}),
            "crc32": f"{self._digest.crc32:08x}",
            "sha256": self._digest.hexdigest(),
        }
        seal = Seal.model_validate({**(extra or {}), **values})
        self.commit(object_line(seal), replace=replace)
        return seal

    def commit(self, seal_line: bytes, *, replace: bool = True) -> None:
        """Write a seal that was made elsewhere, byte for byte, and put the cassette in its place."""
        if len(seal_line) > MAX_LINE_BYTES:
            raise UsageError(f"a seal of {len(seal_line):,} bytes is too long: a line holds {MAX_LINE_BYTES:,}")
        if self._put == self._refuse:
            self._refuse(seal_line)
        try:
            self._sink.commit(seal_line, replace=replace)
        except BaseException as error:
            self._die(error)
            raise
        self._end("it is sealed")

    def discard(self, *, keep_as: str | None = None) -> str | None:
        """Give the recording up, or leave it beside the cassette with the suffix `keep_as`. Returns where it is.

        Does nothing to a sealed cassette.
        """
        self._digest.close()
        self._end("it was discarded")
        return self._sink.discard(keep_as=keep_as)

    def _write(self, line: bytes) -> None:
        try:
            self._put(line)
            self._lines += 1
            self._undigested += line
            if len(self._undigested) >= BLOCK_BYTES:
                self._digest_it()
        except BaseException as error:
            self._die(error)
            raise

    def _digest_it(self) -> None:
        self._digest.update(bytes(self._undigested))
        self._undigested.clear()

    def _die(self, error: BaseException) -> None:
        if self._put == self._refuse:
            return
        self._digest.close()
        cause = str(error) if isinstance(error, PlayheadError) else f"{type(error).__name__}: {error}"
        self._end(f"an earlier write failed ({cause})")

    def _end(self, why: str) -> None:
        self._why = why
        self._put = self._refuse

    def _refuse(self, line: bytes) -> NoReturn:
        raise CassetteError(f"{self.where}: nothing more can be written: {self._why}. Begin another recording")

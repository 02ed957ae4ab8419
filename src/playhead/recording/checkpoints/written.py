"""A tape of checkpoints in a JSON Lines file, or in memory.

While it grows it is `NAME.partial`, which is whole from its first moment, and which any crash leaves to the next one
who saves. It is sealed as `NAME` when it is closed. Knows the two names. Does not know what checkpoints say.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from zlib import crc32

from playhead.cassettes.format import Seal, entry_prefix
from playhead.cassettes.jsonl import JsonlSource, JsonlStore
from playhead.cassettes.memory import MemoryStore
from playhead.cassettes.reading import Cassette, read
from playhead.cassettes.store import PARTIAL, Sink, Source
from playhead.cassettes.writing import CassetteWriter
from playhead.clock import Clock
from playhead.errors import CassetteError, MissingCassette, UsageError
from playhead.recording.checkpoints.growing import GrowingSink
from playhead.recording.checkpoints.log import Reader, Spot
from playhead.recording.checkpoints.sealing import Purpose, ending


class WrittenTape:
    """Keep one cassette in a file or in memory. See `Tape`. One process at a time can add to it; any can read.

    `purpose` is what the cassette is for: what makes the header of a new one.
    """

    def __init__(
        self,
        store: JsonlStore | MemoryStore,
        name: str,
        reader: Reader,
        *,
        purpose: Purpose,
        clock: Clock,
    ) -> None:
        self.where: str = store.place(name)
        self._store = store
        self._name = name
        self._reader = reader
        self._purpose = purpose
        self._clock = clock
        self._seen: tuple[str, int, bytes] | None = None
        self._sink: Sink | None = None
        self._writer: CassetteWriter | None = None
        self._seal: Seal | None = None
        self._hits_before: Counter[str] = Counter()
        self._start_ns = 0
        self._lines = self._bytes = 0

    def refresh(self) -> None:
        """Tell the reader what others wrote. Where this tape is being written, nobody else can have."""
        if self._writer is not None:
            return
        source = self._newest()
        if source is None:
            self._forget()
            return
        with source:
            found = source.where, source.size(), source.last_line()
            if found == self._seen:
                return
            self._forget()
            cassette = self._checked(source)
            for line in islice(cassette.lines(), 1 + cassette.entry_count):
                self._take(line)
        self._seen = found

    def append(self, make: Callable[[], Sequence[bytes]]) -> None:
        """Add checkpoints, and tell the reader."""
        writer = self._writer or self._open()
        prefix = entry_prefix("event", self._reader.run, "checkpoint")
        for each in make():
            at_us = (self._clock.monotonic_ns() - self._start_ns) // 1000
            try:
                writer.append(at_us, prefix, each)
            except UsageError:
                raise
            except BaseException:
                # What was written stays, and whoever saves next goes on from there.
                self._let_go()
                raise

    def read(self, spot: Spot) -> bytes:
        """Return a line again."""
        number, offset, length = spot
        if isinstance(self._sink, GrowingSink):
            return self._sink.read_at(offset, length)
        source = self._newest()
        if source is None:
            raise MissingCassette(f"{self.where} was removed while it was read")
        with source:
            if isinstance(source, JsonlSource):
                return source.read_at(offset, length)
            return next(islice(source.lines(), number, None))

    def close(self) -> None:
        """Seal the cassette if it was added to, and let go of it."""
        if self._writer is None:
            return
        try:
            hits = Counter(self._reader.redacted) - self._hits_before
            self._writer.seal(**ending(self._seal, self._reader.run, hits))
        finally:
            self._let_go()

    def delete(self) -> None:
        """Remove the cassette. Raises `CassetteError` where another process writes it."""
        sink = self._sink or self._new_sink()
        if isinstance(sink, GrowingSink):
            sink.remove()
        else:
            sink.discard()
            with suppress(MissingCassette):
                self._store.delete(self._name)
        self._let_go()

    def _open(self) -> CassetteWriter:
        """Begin to write: what is there is copied, and told to the reader on its way."""
        self._sink = self._new_sink()
        self._forget()
        try:
            source = self._newest()
            self._start_ns = self._clock.monotonic_ns()
            self._hits_before = Counter(self._reader.redacted)
            if source is None:
                writer = CassetteWriter(_Told(self._sink, self._take), self._purpose.header(self._clock))
            else:
                with source:
                    writer = self._copy(self._checked(source), self._sink)
            if isinstance(self._sink, GrowingSink):
                self._sink.publish()
        except BaseException:
            self._let_go()
            raise
        self._writer = writer
        return writer

    def _copy(self, cassette: Cassette, sink: Sink) -> CassetteWriter:
        self._purpose.check_rules(self.where, cassette.header)
        lines = cassette.lines()
        writer = CassetteWriter.from_line(_Told(sink, self._take), next(lines), cassette.header)
        for line in islice(lines, cassette.entry_count):
            writer.append_line(line)
        return writer

    def _new_sink(self) -> Sink:
        return GrowingSink(self.where) if isinstance(self._store, JsonlStore) else self._store.create(self._name)

    def _newest(self) -> Source | None:
        """Return what is there: the one that grows, or else the sealed one."""
        for name in (self._name + PARTIAL, self._name):
            if isinstance(self._store, JsonlStore) and not os.path.lexists(self._store.place(name)):
                # To open what is missing takes long in a large folder: the error names the nearest file.
                continue
            with suppress(MissingCassette):
                source = self._store.open(name)
                if source.size():
                    return source
                source.close()
        return None

    def _checked(self, source: Source) -> Cassette:
        """Return the cassette of a source. One that is unsealed must go on from the sealed one, where there is one."""
        cassette = read(source, torn=True)
        self._purpose.check(source.where, cassette.header)
        self._seal = cassette.seal
        if cassette.seal is None:
            with suppress(MissingCassette), read(self._store.open(self._name)) as sealed:
                self._seal = sealed.seal
                self._check_beginning(source, sealed)
        return cassette

    def _check_beginning(self, source: Source, sealed: Cassette) -> None:
        crc, left = 0, sum(map(len, islice(sealed.lines(), 1 + sealed.entry_count)))
        for block in source.blocks():
            crc = crc32(block[:left], crc)
            left -= min(left, len(block))
        if sealed.seal is None or f"{crc:08x}" != sealed.seal.crc32:
            raise CassetteError(
                f"{source.where} is another recording than {sealed.where}, and it is not clear which one to go on "
                "with: remove one of them, or move it away"
            )

    def _take(self, line: bytes) -> None:
        spot = self._lines, self._bytes, len(line)
        self._lines += 1
        self._bytes += len(line)
        if spot[0]:
            self._reader.take(spot, line)

    def _forget(self) -> None:
        self._seen = None
        self._lines = self._bytes = 0
        self._reader.clear()

    def _let_go(self) -> None:
        if self._sink is not None:
            self._sink.discard()
        self._sink = self._writer = None
        self._forget()


class _Told:
    """Write to a sink, and tell of each line that was written."""

    def __init__(self, sink: Sink, tell: Callable[[bytes], None]) -> None:
        self.where: str = sink.where
        self.commit = sink.commit
        self.discard = sink.discard
        self._append = sink.append
        self._tell = tell

    def append(self, line: bytes) -> None:
        """Write a line."""
        self._append(line)
        self._tell(line)

"""A tape of checkpoints beside the events of a recording that is under way.

Knows the recorder. What is saved here is also kept in memory, for a recording cannot be read before its end.
"""

from collections.abc import Callable, Mapping, Sequence

from playhead.cassettes.format import entry_line, entry_prefix
from playhead.recording.checkpoints.log import Reader, Spot
from playhead.recording.recorder import Recorder


class RecordedTape:
    """Put checkpoints into a recording. See `Tape`. The recorder's owner seals it."""

    def __init__(self, recorder: Recorder, reader: Reader) -> None:
        self.where: str = "the recording"
        self._recorder = recorder
        self._reader = reader
        self._lines: list[bytes] = []

    def refresh(self) -> None:
        """Do nothing: nobody else writes here."""

    def append(self, make: Callable[[], Sequence[bytes]]) -> None:
        """Put checkpoints on the tape, and tell the reader. Raises what stopped the recording."""
        prefix = entry_prefix("event", self._reader.run, "checkpoint")
        for each in make():
            self._recorder.put_checkpoint(each)
            line = entry_line(0, prefix, each)
            self._lines.append(line)
            self._reader.take((len(self._lines) - 1, 0, len(line)), line)

    def read(self, spot: Spot) -> bytes:
        """Return a line again."""
        return self._lines[spot[0]]

    def close(self) -> None:
        """Do nothing: the recording goes on."""

    def delete(self) -> None:
        """Do nothing: a recording is its owner's."""


class RecorderCleaner:
    """Take out of JSON what the recording would. See `Cleaner`."""

    hits: Mapping[str, int] = {}

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def json(self, data: bytes) -> bytes:
        """Return the same JSON without secrets."""
        return self._recorder.redacted(data)

    def reserve(self, text: str) -> None:
        """Do nothing: the recording knows its own placeholders."""

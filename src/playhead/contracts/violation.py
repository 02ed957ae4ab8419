"""What a rule found, and where.

Knows how a finding is told to people. Does not know the rules.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """Say which rule a stream broke, and where.

    `index` counts the events of the run, or the messages of the wire, from 0; for one that is missing it is their
    number. `event` is its type. `file`, `line` (from 1) and `offset` (in bytes, from 0) say where it stands in a
    cassette or on the wire, `run` which run of a cassette it is in.
    """

    code: str
    message: str
    index: int
    event: str = ""
    file: str = ""
    line: int | None = None
    offset: int | None = None
    run: str = ""

    @property
    def where(self) -> str:
        """Return the place as linters spell it: `trip.jsonl:14`, `byte 512` or `event 3`."""
        if self.file:
            return self.file if self.line is None else f"{self.file}:{self.line}"
        if self.line is not None:
            return f"line {self.line}"
        return f"event {self.index}"

    def __str__(self) -> str:
        return f"{self.where}: {self.code} {self.message}"

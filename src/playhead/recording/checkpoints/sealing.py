"""What a cassette says at its end, when checkpoints are added to one that may have been sealed before.

Knows seals and headers. Does not know where they are written.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from playhead.cassettes.format import Header, Seal
from playhead.clock import Clock
from playhead.errors import UsageError
from playhead.events.tagged import tag, untag
from playhead.recording.making import made_with

THREAD: Final = "thread"
"""The key of a header that says whose checkpoints a cassette holds, where each thread has one of its own."""

# A thread is never over: whoever has it can go on.
_NEW_END: Final = "paused"


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a cassette of checkpoints is for: what it is called, and whose it is if it is one thread's.

    `rules` are the redaction rules that hold for what is added.
    """

    name: str
    thread: str | None
    rules: tuple[str, ...]

    def header(self, clock: Clock) -> Header:
        """Return the header of a new cassette."""
        keys: dict[str, Any] = {} if self.thread is None else {THREAD: tag(self.thread)}
        name = self.name.encode("utf-8", "backslashreplace").decode()
        return Header(name=name, dialects={}, made=made_with(clock=clock), redact=list(self.rules), **keys)

    def check(self, where: str, header: Header) -> None:
        """Refuse a cassette that is not what it is looked for as."""
        if self.thread is not None and thread_of(header) != self.thread:
            raise UsageError(
                f"{where} is the cassette of something else, and thread {self.thread!r} would have the same name: "
                "keep checkpoints in a place of their own"
            )

    def check_rules(self, where: str, header: Header) -> None:
        """Refuse to add what was not redacted to a cassette that says it was."""
        missing = [rule for rule in header.redact if rule not in self.rules]
        if missing:
            raise UsageError(
                f"{where} was made with the redaction rules {', '.join(header.redact)}, and what is added now would be "
                f"without {', '.join(missing)}: leave out redact=, or take another place"
            )


def thread_of(header: Header) -> str | None:
    """Return the thread that a cassette belongs to; None where it is no thread's."""
    found = untag((header.model_extra or {}).get(THREAD))
    return found if isinstance(found, str) else None


def ending(old: Seal | None, run: str, redacted: Mapping[str, int]) -> dict[str, Any]:
    """Return what the seal says beside its digests: what the old one said, and how many more secrets were taken out."""
    hits = Counter(old.redacted if old else ()) + Counter(redacted)
    if old is None:
        return {"end": _NEW_END, "runs": {run: _NEW_END}, "redacted": dict(hits)}
    kept = {"end": old.end, "runs": old.runs, "errors": old.errors, "extra": old.model_extra}
    return {**kept, "redacted": dict(hits)}

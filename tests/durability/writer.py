"""The program that faults hit: children of one process, each of which records a cassette and meets one fault.

    python -m tests.durability.writer KIND FOLDER CALL COUNT

Each child records in `FOLDER/<number>` and writes there into `said`: `+` for each entry whose `append` returned, `S`
once `seal` has, `D` when the recorder refused to go on, `!` where it took anything more after that.

A tracer makes the COUNT-th system call of the name CALL fail in each child, counting for each child anew. Child number
n makes COUNT - n idle calls first, so that the fault hits the n-th that the recorder makes.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from playhead.cassettes.writing import CassetteWriter
from playhead.errors import CassetteError
from tests.cassettes.tapes import HEADER, append_all, entry, store_of

NAMES: Final = {"jsonl": "tape.jsonl", "sqlite": "tape"}
"""What the cassette is called in each kind of store."""

ENTRIES: Final = tuple(entry(number) for number in range(6))
"""What each child records."""

_CALLS: Final[dict[str, Callable[[int], object]]] = {
    "write": lambda fd: os.write(fd, b"."),
    "pwrite64": lambda fd: os.pwrite(fd, b".", 0),
    "fsync": os.fsync,
    "fdatasync": os.fdatasync,
}


def main(kind: str, folder: str, call: str, count: str) -> None:
    """Run the children one after the other."""
    for number in range(1, int(count) + 1):
        child = os.fork()
        if not child:
            _be_idle(call, int(count) - number)
            record_and_say(kind, Path(folder, str(number)))
            os._exit(0)
        os.waitpid(child, 0)


def _be_idle(call: str, times: int) -> None:
    fd = os.open(os.devnull, os.O_WRONLY)
    for _ in range(times):
        with suppress(OSError):
            _CALLS[call](fd)
    os.close(fd)


def record_and_say(kind: str, folder: Path) -> None:
    """Record and seal the entries; after a failure try both again, which must fail too."""
    said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    writer = None

    def say(word: bytes) -> None:
        # A system call that no fault is injected into.
        os.writev(said, [word])

    try:
        writer = CassetteWriter(store_of(kind, folder).create(NAMES[kind]), HEADER)
        for each in ENTRIES:
            append_all(writer, [each])
            say(b"+")
        writer.seal("complete", runs={"r1": "complete"})
        say(b"S")
    except CassetteError:
        say(b"D")
        if writer is not None and _takes_more(writer):
            say(b"!")


def _takes_more(writer: CassetteWriter) -> bool:
    for attempt in (lambda: append_all(writer, ENTRIES[:1]), lambda: writer.seal("complete")):
        with suppress(CassetteError):
            attempt()
            return True
    return False


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The program that disks fail and that is killed at random: it records one entry for each line on standard input.

    python -m tests.durability.recorder KIND FOLDER

It answers each line on standard output: `+` for an entry that was acknowledged, `S` when the line was `seal` and the
cassette is sealed, `D` once the recorder refused. With `free` as a third argument it asks for no lines.
"""

import sys
from collections.abc import Iterator
from itertools import count, repeat
from pathlib import Path

from playhead.cassettes.writing import CassetteWriter
from playhead.errors import CassetteError
from tests.cassettes.tapes import HEADER, append_all, entry, store_of
from tests.durability.writer import NAMES


def main(kind: str, folder: str, *free: str) -> None:
    """Record until standard input ends, or until the recorder refuses."""
    try:
        writer = CassetteWriter(store_of(kind, Path(folder)).create(NAMES[kind]), HEADER)
        _say("+")
        for number, wish in zip(count(), _wishes(free), strict=False):
            if wish == "seal":
                writer.seal("complete", runs={"r1": "complete"})
                _say("S")
                return
            append_all(writer, [entry(number)])
            _say("+")
    except CassetteError as error:
        _say(f"D {error}")


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def _wishes(free: tuple[str, ...]) -> Iterator[str]:
    return repeat("") if free else (line.strip() for line in sys.stdin)


if __name__ == "__main__":
    main(*sys.argv[1:])

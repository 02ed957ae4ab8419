"""Damage to what lies on the disk: cut, flipped, doubled, swapped, filled with rubbish. Never a wrong entry."""

import itertools
import os
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from playhead.cassettes.format import Entry
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.reading import read
from playhead.cassettes.sqlite import SqliteStore
from playhead.errors import CassetteError, CorruptCassette, MissingCassette, TornCassette
from tests.cassettes.tapes import ENTRIES, record, sealed_lines
from tests.durability.faults import FaultLog

RECORDED: Final = ENTRIES[:3]
LINES: Final = tuple(sealed_lines(RECORDED))
WHOLE: Final = b"".join(LINES)
FLIPS: Final = 250
"""How many bits of a database are flipped, one at a time."""

_TEST: Final = "test_every_damage"


def cuts() -> Iterator[bytes]:
    """Yield every beginning."""
    return (WHOLE[:end] for end in range(len(WHOLE)))


def flips() -> Iterator[bytes]:
    """Yield the cassette with each bit flipped."""
    for at, bit in itertools.product(range(len(WHOLE)), range(8)):
        yield WHOLE[:at] + bytes([WHOLE[at] ^ 1 << bit]) + WHOLE[at + 1 :]


def deletions() -> Iterator[bytes]:
    """Yield the cassette without each of its lines."""
    return (b"".join(LINES[:at] + LINES[at + 1 :]) for at in range(len(LINES)))


def doublings() -> Iterator[bytes]:
    """Yield the cassette with each of its lines twice."""
    return (b"".join(LINES[: at + 1] + LINES[at:]) for at in range(len(LINES)))


def swaps() -> Iterator[bytes]:
    """Yield the cassette with each two of its lines swapped that are not the same."""
    for first, second in itertools.combinations(range(len(LINES)), 2):
        lines = list(LINES)
        lines[first], lines[second] = lines[second], lines[first]
        if lines != list(LINES):
            yield b"".join(lines)


def zeros() -> Iterator[bytes]:
    """Yield every beginning, filled with zero bytes to its length and beyond."""
    for end in range(len(WHOLE)):
        yield WHOLE[:end].ljust(len(WHOLE), b"\0")
    yield WHOLE + bytes(512)


def rubbish() -> Iterator[bytes]:
    """Yield the beginnings at each line with other bytes behind them."""
    for end, tail in itertools.product(range(len(LINES) + 1), (b"\xff" * 40, b"x\n", b"{}\n", b"\n", LINES[1][:-3])):
        yield b"".join(LINES[:end]) + tail


DAMAGES: Final[dict[str, Callable[[], Iterable[bytes]]]] = {
    "cut at every byte": cuts,
    "every bit flipped": flips,
    "every line deleted": deletions,
    "every line doubled": doublings,
    "every two lines swapped": swaps,
    "tail of zero bytes at every byte": zeros,
    "tail of rubbish behind every line": rubbish,
}
"""Each kind of damage, and the damaged cassettes."""


def entries_of(path: Path, *, torn: bool) -> tuple[Entry, ...]:
    """Return all entries of a file, every checksum compared."""
    with read(JsonlStore(path.parent).open(path.name), torn=torn) as cassette:
        cassette.verify()
        return tuple(cassette.entries())


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_is_seen(tmp_path: Path, faults: FaultLog, damage: str) -> None:
    """A damaged file is refused; asked for, what is intact of a torn one is a prefix; it is never missing."""
    path = tmp_path / "tape.jsonl"
    fired = 0
    for content in DAMAGES[damage]():
        assert content != WHOLE
        # A file that is cut and written again is forced to the disk by some file systems: a new one is not.
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        fired += 1
        try:
            kept = entries_of(path, torn=True)
        except MissingCassette:
            raise
        except CassetteError:
            continue
        assert kept == RECORDED[: len(kept)], f"{damage}: {content!r}"
        with pytest.raises(TornCassette):
            entries_of(path, torn=False)
    faults.add(f"{damage}, jsonl", _TEST + "_is_seen", fired=fired)


def test_what_is_not_damaged_is_read(tmp_path: Path) -> None:
    """The same check lets the whole cassette through."""
    path = tmp_path / "tape.jsonl"
    path.write_bytes(WHOLE)
    assert entries_of(path, torn=False) == RECORDED


def test_a_database_with_flipped_bits(tmp_path: Path, faults: FaultLog) -> None:
    """Bits drawn at random from the file of a database: the right entries are read, or an error is raised."""
    store = SqliteStore(tmp_path / "whole.db")
    record(store, "tape", RECORDED)
    store.finish()
    whole = store.path.read_bytes()
    chance = random.Random(int(os.environ.get("PLAYHEAD_FAULT_SEED", "3")))
    for number, at in enumerate(chance.sample(range(len(whole) * 8), FLIPS)):
        damaged = bytearray(whole)
        damaged[at // 8] ^= 1 << at % 8
        path = tmp_path / f"{number}.db"
        path.write_bytes(damaged)
        try:
            with read(SqliteStore(path).open("tape")) as cassette:
                cassette.verify()
                assert tuple(cassette.entries()) == RECORDED, f"bit {at}"
        except CassetteError as error:
            # The name may be what was hit: then there is no such cassette in what is still a store.
            assert not isinstance(error, MissingCassette) or "tape" not in SqliteStore(path).names(), f"bit {at}"  # noqa: PT017
        path.unlink()
    faults.add("a bit flipped at random, sqlite", "test_a_database_with_flipped_bits", fired=FLIPS)


def test_rows_of_a_database(tmp_path: Path, faults: FaultLog) -> None:
    """Every row deleted, doubled, swapped and changed, with SQL that `integrity_check` is content with."""
    changes = [
        change.format(number)
        for number in range(1, len(RECORDED) + 1)
        for change in (
            "DELETE FROM entries WHERE n = {}",
            "INSERT INTO entries SELECT run, 90 + n, line FROM entries WHERE n = {}",
            "UPDATE entries SET n = 100 - n WHERE n = {}",
            "UPDATE entries SET line = replace(line, 'dt', 'td') WHERE n = {}",
        )
        if not (change.startswith("UPDATE entries SET n") and number == len(RECORDED))
    ]
    changes += ["UPDATE runs SET seal = replace(seal, 'complete', 'error')", "UPDATE runs SET header = ''"]
    for number, change in enumerate(changes):
        store = SqliteStore(tmp_path / f"{number}.db")
        record(store, "tape", RECORDED)
        with closing(sqlite3.connect(store.path)) as connection, connection:
            assert connection.execute(change).rowcount == 1
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with pytest.raises(CorruptCassette):
            read(store.open("tape"))
    faults.add("a row deleted, doubled, moved or changed, sqlite", "test_rows_of_a_database", fired=len(changes))

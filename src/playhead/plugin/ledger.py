"""What became of the cassettes of a session: what each test did, and what lies there that no test used.

Knows how ledgers of several workers are put together. Does not know pytest. Looks at folders, and at nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from playhead.cassettes.naming import SUFFIX

OUTCOMES: Final = ("recorded", "unchanged", "replayed", "missing", "rejected")
"""What can become of a cassette, in the order in which it is told."""

_BEGINNING: Final = b'{"playhead":'


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say what one test did with its cassette. `outcome` is one of `OUTCOMES`."""

    test: str
    cassette: str
    outcome: str


@dataclass(slots=True)
class File:
    """Count the tests of one file: how many there are, and how many ran. `folder` is that of its cassettes."""

    folder: str
    collected: int = 0
    ran: int = 0
    is_partial: bool = False

    @property
    def is_whole(self) -> bool:
        """Say whether all of its tests ran."""
        return not self.is_partial and self.ran >= self.collected > 0


@dataclass(slots=True)
class Ledger:
    """Hold what is known. `spared` are the cassettes of tests that ran into something before they used theirs."""

    tested: list[Outcome] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    spared: set[str] = field(default_factory=set)

    def merge(self, other: Mapping[str, Any]) -> None:
        """Add what `as_json` of a worker's ledger returned. Every worker knows all tests, and ran some."""
        self.tested += [Outcome(**each) for each in other["tested"]]
        self.spared |= set(other["spared"])
        for name, told in other["files"].items():
            mine = self.files.setdefault(name, File(told["folder"]))
            mine.collected = max(mine.collected, told["collected"])
            mine.ran += told["ran"]
            mine.is_partial |= told["is_partial"]

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {**asdict(self), "spared": sorted(self.spared)}

    def by_outcome(self) -> dict[str, list[str]]:
        """Return the cassettes by what became of them, sorted."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for each in self.tested:
            found[each.outcome].add(each.cassette)
        return {outcome: sorted(found[outcome]) for outcome in OUTCOMES}

    def unused(self) -> list[str]:
        """Return the cassettes that lie in the folders of files all of whose tests ran, and that none of them used."""
        used = {each.cassette for each in self.tested} | self.spared
        folders = {file.folder for file in self.files.values() if file.is_whole}
        folders -= {file.folder for file in self.files.values() if not file.is_whole}
        return sorted(str(path) for path in _cassettes(folders) if str(path) not in used)


def _cassettes(folders: Iterable[str]) -> Iterable[Path]:
    """Yield what is a cassette in folders: other tools keep files of this suffix, too."""
    for folder in map(Path, folders):
        for path in folder.glob(f"*{SUFFIX}") if folder.is_dir() else ():
            try:
                with path.open("rb") as file:
                    is_ours = file.read(len(_BEGINNING)) == _BEGINNING
            except OSError:
                continue
            if is_ours:
                yield path

"""`playhead reseal` and `playhead upgrade`: files that a hand changed, and files of another version.

Knows how to tell and to ask. Does not know what a checksum covers.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playhead.cassettes.format import VERSION
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.places import Place
from playhead.cassettes.resealing import Edits, find_edits, merged_seal, reseal, split_seal
from playhead.cli.errors import FOUND
from playhead.cli.finding import find, find_all
from playhead.cli.screen import line, number, print_json, said, screen, width
from playhead.errors import CassetteError, UsageError

_SHOWN_EDITS = 20


def reseal_one(spec: str, *, yes: bool, as_json: bool) -> int:
    """Show what was changed by hand, ask, and seal it again. Returns the exit code."""
    place = find(spec)
    edits = find_edits(place)
    if edits.is_whole:
        _tell(
            f"{place.where} is whole: there is nothing to seal again",
            {"place": place.where, "edited": 0},
            as_json=as_json,
        )
        return 0
    if not as_json:
        _show(place.where, edits)
    if not yes and not _agreed(as_json=as_json):
        return FOUND
    seal = reseal(place, crc=edits.crc32)
    found = {"place": place.where, "edited": len(edits.edited), "entries": seal.entries, "end": seal.end}
    _tell(
        f"sealed {place.where} again: {number(seal.entries, 'entry', 'entries')}, end {seal.end}",
        found,
        as_json=as_json,
    )
    return 0


def merge(ours: str, base: str, theirs: str) -> int:
    """Merge as a driver of git does: the outcome takes the place of `ours`. Returns 1 where a person has to choose."""
    content = [Path(side).read_bytes() for side in (ours, base, theirs)]
    (our_text, our_seal), (base_text, _), (their_text, their_seal) = map(split_seal, content)
    merged, conflicts = _merged(our_text, base_text, their_text)
    Path(ours).write_bytes(merged + merged_seal(our_seal, their_seal))
    if conflicts:
        told = f"{number(conflicts, 'conflict')}: choose one side of each by hand, then: playhead reseal CASSETTE"
        screen(errors=True).print(line(said(told)))
        return FOUND
    # The files that git hands over have no suffix.
    place = Place(JsonlStore(Path(ours).parent), Path(ours).name)
    reseal(place, crc=find_edits(place).crc32)
    return 0


def _merged(*texts: bytes) -> tuple[bytes, int]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, label) for label in ("ours", "base", "theirs")]
        for path, text in zip(paths, texts, strict=True):
            path.write_bytes(text)
        labels = [part for path in paths for part in ("-L", path.name)]
        done = subprocess.run(["git", "merge-file", "-p", *labels, *paths], capture_output=True, check=False)
    if not 0 <= done.returncode < 128:
        raise CassetteError(f"git merge-file failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout, done.returncode


def upgrade(specs: Sequence[str], *, as_json: bool) -> None:
    """Say that every cassette is of the newest version. Raises `CassetteError` for one that is newer, or damaged."""
    places = find_all(specs)
    for place in places:
        place.read().close()
        if as_json:
            print_json({"place": place.where, "version": VERSION, "upgraded": False})
    if not as_json:
        told = f"{number(len(places), 'cassette')} of version {VERSION}, the newest there is: nothing to upgrade"
        screen().print(line(said(told)))


def _show(where: str, edits: Edits) -> None:
    console = screen()
    for each in edits.edited[:_SHOWN_EDITS]:
        console.print(line(said(f"{where}:{each.line}: {each.reason}: {each.text}", max_columns=width())))
    if len(edits.edited) > _SHOWN_EDITS:
        console.print(line(said(f"and {len(edits.edited) - _SHOWN_EDITS:,} more lines")))
    if edits.sealed_entries is None:
        console.print(line(said(f"{where} has no seal: its runs end unknown")))
    elif edits.sealed_entries != edits.entries:
        told = f"the seal says {number(edits.sealed_entries, 'entry', 'entries')}, there are {edits.entries:,}"
        console.print(line(said(told)))
    elif not edits.edited:
        console.print(line(said("each line is as it was, but not all together: some were moved or replaced")))


def _agreed(*, as_json: bool) -> bool:
    if as_json or not sys.stdin.isatty():
        raise UsageError("nothing was written: look at the difference, then seal it again with --yes")
    console = screen()
    console.print(line("Seal it as it is now? [y/N] "), end="")
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    console.print(line("nothing was written"))
    return False


def _tell(told: str, found: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        screen().print(line(said(told)))

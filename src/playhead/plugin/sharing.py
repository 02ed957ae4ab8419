"""One cassette that several tests record: each has its own part of it, and replays no other.

The seal says whose the runs and calls are: `"tests": {"test_trip.py::test_paris": {"owners": ["r1", "c1"], ...}}`. A
test that has recorded puts its part in the place of its old one, while others wait. Parts stand in the order of the
tests' ids, so it does not show which test came first, nor how many processes there were.

Knows parts. Does not know pytest, nor what a mode keeps of a part.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from playhead.cassettes.format import Header, Seal
from playhead.cassettes.locking import WaitingLock
from playhead.cassettes.memory import MemoryStore
from playhead.cassettes.places import Place, locate
from playhead.cassettes.reading import Cassette
from playhead.cassettes.store import REJECTED
from playhead.errors import CassetteError, MissingCassette, UsageError
from playhead.plugin.merging import Merge
from playhead.recording.secrets import local_redactor

TESTS: Final = "tests"
"""The key of the seal under which the parts of a shared cassette are."""

_LOCK: Final = ".lock"
_PART: Final = "part"


class Share:
    """Stand for the part of one test in the cassette at a path. `test` is the id under which it is kept."""

    def __init__(self, path: Path, test: str) -> None:
        self._path = path
        self._test = test
        self._place = locate(path)

    def is_recorded(self) -> bool:
        """Say whether there is something to replay for this test: its part, or a cassette that is not in parts."""
        try:
            with self._place.read() as cassette:
                parts = parts_of(cassette)
        except MissingCassette:
            return False
        return not parts or self._test in parts

    def own_part(self, cassette: Cassette) -> Cassette:
        """Return the test's part of a cassette, as a cassette; the whole where it has none. Closes what it leaves."""
        parts = parts_of(cassette)
        if self._test not in parts:
            return cassette
        place = Place(MemoryStore(), _PART)
        part = parts[self._test]
        with cassette:
            merge = Merge(place, cassette.header)
            merge.add(cassette, frozenset(part["owners"]).__contains__, redacted=part["redacted"])
            merge.seal()
        return place.read()

    def put(self, part: Cassette) -> str:
        """Put a part in the place of the test's old one, and return what became of the cassette.

        Waits until no other test does the same. Raises `UsageError` where the other parts were recorded otherwise, and
        where the test's name holds a secret.
        """
        clean = local_redactor(part.header.redact).text(self._test)
        if clean != self._test:
            # Taken out, it would be the same as another test's.
            raise UsageError(
                f"{clean}: the name of this test holds a secret, and what tests share is kept by their names: "
                "give the parameter an id of its own, pytest.param(..., id=...)"
            )
        with _Turn(self._path):
            try:
                whole = self._place.read()
            except MissingCassette:
                self._join(part, None)
                return "recorded"
            with whole:
                sealed = whole.seal
                return "unchanged" if self._join(part, whole) == sealed else "recorded"

    def reject(self, part: Cassette) -> None:
        """Leave a part beside the cassette."""
        with _Turn(self._path):
            sink = self._place.create()
            for line in part.lines():
                sink.append(line)
            sink.discard(keep_as=REJECTED)

    def _join(self, part: Cassette, whole: Cassette | None) -> Seal:
        olds = {} if whole is None else parts_of(whole)
        if whole is not None and olds:
            _check_alike(part.header, whole)
        merge = Merge(self._place, part.header.model_copy(update={"name": self._path.stem}))
        tests: dict[str, Any] = {}
        for test in sorted({*olds, self._test}):
            if test == self._test or whole is None:
                redacted: Mapping[str, int] = part.seal.redacted if part.seal else {}
                owners = merge.add(part)
            else:
                redacted = olds[test]["redacted"]
                owners = merge.add(whole, frozenset(olds[test]["owners"]).__contains__, redacted=redacted)
            tests[test] = {"owners": owners, "redacted": redacted}
        return merge.seal({TESTS: tests})


class _Turn:
    """Wait for one's turn with a cassette; the file that stands for it is gone when nobody waits."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = WaitingLock(f"{path}{_LOCK}")

    def __enter__(self) -> None:
        self._lock.__enter__()

    def __exit__(self, *exc_info: object) -> None:
        self._lock.remove()
        self._lock.__exit__()
        self._lock.close()


def is_in_parts(path: Path) -> bool:
    """Say whether there is a cassette at a path that tests share. One that is damaged is told of when it is used."""
    try:
        with locate(path).read() as cassette:
            return bool(parts_of(cassette))
    except (CassetteError, UsageError):
        return False


def parts_of(cassette: Cassette) -> dict[str, Any]:
    """Return the parts of a cassette by the ids of their tests; none where one test recorded it."""
    extra = cassette.seal.model_extra if cassette.seal else None
    parts = (extra or {}).get(TESTS)
    return {test: part for test, part in parts.items() if _is_part(part)} if isinstance(parts, dict) else {}


def _is_part(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("owners"), list) and isinstance(part.get("redacted"), dict)


def _check_alike(header: Header, whole: Cassette) -> None:
    for what in ("dialects", "redact"):
        mine, theirs = getattr(header, what), getattr(whole.header, what)
        if mine != theirs:
            raise UsageError(
                f"{whole.where} is shared, and other tests recorded it with {what} {theirs!r}, this one with {mine!r}: "
                "tests that share a cassette have the same options"
            )

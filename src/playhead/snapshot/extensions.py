"""Golden files of streams for syrupy: one binary file per assertion.

Knows where syrupy wants files read, named and compared; its base demands classes. What is stored, and how differences
are told, is in the modules beside it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from syrupy.data import Snapshot, SnapshotCollection
from syrupy.extensions.single_file import SingleFileSnapshotExtension
from syrupy.location import PyTestLocation

from playhead.comparing.streams import compare
from playhead.errors import CassetteError, CorruptCassette, UsageError
from playhead.events.locus import LOCUS
from playhead.events.spans import Dialect
from playhead.snapshot.naming import owner, shown, stem
from playhead.snapshot.telling import event_differences, sse_differences
from playhead.snapshot.values import event_lines, sse_bytes

Matcher = Callable[..., Any]
"""syrupy's `matcher(data=..., path=...)`, and its `exclude` and `include`, which take `prop` and `path`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold what an assertion asks of its extension, beyond what syrupy passes on."""

    dialect: str | Dialect | None = None
    is_update: bool = False
    command: str = "pytest --snapshot-update"


class StreamExtension(SingleFileSnapshotExtension):
    """Keep one file per assertion in `__snapshots__/<module>/`, under a name that no other assertion has."""

    asked: Asked = Asked()

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: int | str = 0) -> str:
        """Return the name for reports."""
        return shown(cls.get_file_basename(test_location=test_location, index=index))

    @classmethod
    def get_file_basename(cls, *, test_location: PyTestLocation, index: int | str) -> str:
        """Return the name of the file."""
        return stem(test_location.nodeid, index, suffix=f".{cls.file_extension}")

    @classmethod
    def matches_test_location(cls, *, test_location: PyTestLocation, snapshot_location: str) -> bool:
        """Say whether a file may belong to a test: it lies in its module's folder, and a parameter is the test's own.

        For other tests syrupy asks about the name besides, and must see those that belong to no test any more.
        """
        path = Path(snapshot_location)
        if path.parent != Path(cls.dirname(test_location=test_location)):
            return False
        own = cls.get_file_basename(test_location=test_location, index=0)
        return not test_location.is_item_parametrized or owner(path.stem) == own

    def read_snapshot_collection(self, *, snapshot_location: str) -> SnapshotCollection:
        """Return the one snapshot of a file, by name."""
        collection = SnapshotCollection(location=snapshot_location)
        name = Path(snapshot_location).name.removesuffix(f".{self.file_extension}")
        collection.add(Snapshot(name=shown(name)))
        return collection

    def read_snapshot_data_from_location(
        self, *, snapshot_location: str, snapshot_name: str, session_id: str
    ) -> bytes | None:
        """Return what is stored; None if there is no such file. Raises `CassetteError` for one that cannot be read."""
        try:
            return Path(snapshot_location).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CassetteError(f"the snapshot {snapshot_location} cannot be read: {error.strerror}") from error

    def diff_snapshots(self, serialized_data: Any, snapshot_data: Any) -> NoReturn:
        """Refuse to store a difference."""
        raise UsageError("a snapshot of a stream is the stream: diff= and diff_data= are not for it")

    def diff_lines(self, serialized_data: Any, snapshot_data: Any) -> Iterator[str]:
        """Yield how what was received differs from the snapshot, and what to do if that is right."""
        if isinstance(snapshot_data, bytes):
            yield from self.differences(snapshot_data, serialized_data)
            yield f"If the change is right: {self.asked.command}"
        else:
            yield f"To write it: {self.asked.command}"

    def differences(self, old: bytes, new: bytes) -> list[str]:
        """Return how two stored forms differ, for a person."""
        raise NotImplementedError


class SSEExtension(StreamExtension):
    """Store the very bytes that an endpoint sent."""

    file_extension = "sse"

    def serialize(
        self,
        data: Any,
        *,
        exclude: Matcher | None = None,
        include: Matcher | None = None,
        matcher: Matcher | None = None,
    ) -> bytes:
        """Return the bytes to store. A `matcher` is given them whole, with an empty path, and returns what to store."""
        if exclude or include:
            raise UsageError("an event stream has no properties: mask it with dialect=, or change bytes with a matcher")
        found = sse_bytes(data, dialect=self.asked.dialect)
        return sse_bytes(matcher(data=found, path=())) if matcher else found

    def differences(self, old: bytes, new: bytes) -> list[str]:
        """Return how two event streams differ."""
        return sse_differences(old, new)


class EventsExtension(StreamExtension):
    """Store canonical JSON Lines: an event a line, volatile fields masked, ids numbered.

    The files end with `.ndjson`, since `.jsonl` is what cassettes are told by.
    """

    file_extension = "ndjson"
    _dialect: Dialect = LOCUS

    def serialize(
        self,
        data: Any,
        *,
        exclude: Matcher | None = None,
        include: Matcher | None = None,
        matcher: Matcher | None = None,
    ) -> bytes:
        """Return the lines to store. Filters and matcher see each event as a JSON object, its position before it."""

        def shape(index: int, event: Any) -> Any:
            shaped = _shaped(event, ((index, type(event)),), (exclude, include, matcher))
            if not isinstance(shaped, dict):
                raise UsageError(f"the matcher made {shaped!r} of event {index}: an event is a JSON object")
            return shaped

        lines, self._dialect = event_lines(data, dialect=self.asked.dialect, shape=shape)
        return "".join(f"{line}\n" for line in lines).encode()

    def matches(self, *, serialized_data: Any, snapshot_data: Any) -> bool:
        """Say whether two runs are the same: tools that ran at the same time may have ended in any order."""
        old, new = _lines(snapshot_data), _lines(serialized_data)
        return old == new or (all(not _fault(line) for line in old) and not compare(old, new, dialect=self._dialect))

    def read_snapshot_data_from_location(
        self, *, snapshot_location: str, snapshot_name: str, session_id: str
    ) -> bytes | None:
        """Return what is stored. Raises `CorruptCassette` for what are no events, unless it is to be written anew."""
        found = super().read_snapshot_data_from_location(
            snapshot_location=snapshot_location, snapshot_name=snapshot_name, session_id=session_id
        )
        for number, line in enumerate(_lines(found or b""), 1):
            if not self.asked.is_update and (fault := _fault(line)):
                raise CorruptCassette(
                    f"{snapshot_location}:{number}: the snapshot is damaged, its line is {fault}. "
                    f"Restore the file, or write it again: {self.asked.command}"
                )
        return found

    def differences(self, old: bytes, new: bytes) -> list[str]:
        """Return how two streams of events differ."""
        return event_differences(_lines(old), _lines(new), self._dialect)


EXTENSIONS: tuple[type[StreamExtension], ...] = (SSEExtension, EventsExtension)
"""Every kind of golden file."""


def _lines(stored: bytes) -> list[str]:
    # What str.splitlines takes for the end of a line may stand inside JSON.
    return [line.decode("utf-8", "surrogateescape") for line in stored.splitlines()]


def _fault(line: str) -> str | None:
    """Return why a line is no event, None if it is one."""
    try:
        line.encode()
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"not JSON ({str(error).partition(chr(10))[0]})"
    return None if isinstance(found, dict) else f"a JSON {type(found).__name__}, not an object"


def _shaped(value: Any, path: tuple[tuple[Any, type], ...], filters: tuple[Matcher | None, ...]) -> Any:
    """Return a JSON value with syrupy's filters and matcher applied to it, from the outside in."""
    exclude, include, matcher = filters
    if matcher and (made := matcher(data=value, path=path)) is not value:
        # syrupy's own matchers put in what stands for a value, and has a text only.
        value = made if isinstance(made, str | int | float | list | dict | None) else repr(made)
    if isinstance(value, dict):
        kept = {
            key: item
            for key, item in value.items()
            if not (exclude and exclude(prop=key, path=path)) and (not include or include(prop=key, path=path))
        }
        return {key: _shaped(item, (*path, (key, type(item))), filters) for key, item in kept.items()}
    if isinstance(value, list):
        return [_shaped(item, (*path, (index, type(item))), filters) for index, item in enumerate(value)]
    return value

"""The assertion that tests compare streams with: syrupy's, but for what it swallows, and with a dialect.

Knows syrupy's assertion, which demands a class. Does not know what is stored.
"""

import os
import shlex
from typing import Any

from syrupy.assertion import SnapshotAssertion
from syrupy.location import PyTestLocation

from playhead.errors import PlayheadError
from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect
from playhead.snapshot.extensions import EXTENSIONS, Asked, StreamExtension


class OwnLocation(PyTestLocation):
    """Stand for the test of an assertion, which asks about its own files only: they are the test's, however spelled."""

    def matches_snapshot_name(self, snapshot_name: str) -> bool:
        """Say yes."""
        return True

    def matches_snapshot_location(self, snapshot_location: str) -> bool:
        """Say yes."""
        return True


class StreamSnapshot(SnapshotAssertion):
    """Compare a stream with its golden file by `==`.

    It takes what every assertion of syrupy takes, and `dialect`, for one assertion or with `with_defaults`. Whatever
    goes wrong while comparing is raised: an unreadable file, a matcher that fails, a value that is no stream. All
    assertions of a test share one count, so none of them gets the file of another.
    """

    dialect: str | Dialect | None = None
    _counter: list[int]

    def __post_init__(self) -> None:
        super().__post_init__()
        self._counter = [0]
        self._dialect = self.dialect

    @property
    def index(self) -> int | str:
        """Return the name of this assertion, or its number in the test."""
        return self._custom_index or self._counter[0]

    def __call__(
        self, *, dialect: str | Dialect | None = None, name: int | str | None = None, **options: Any
    ) -> "StreamSnapshot":
        """Set options for the next comparison, and return the assertion."""
        if dialect is not None:
            before, self._dialect = self._dialect, get_dialect(dialect)
            self._post_assert_actions.append(lambda: setattr(self, "_dialect", before))
        super().__call__(name=None if name is None else str(name), **options)
        return self

    def with_defaults(self, *, dialect: str | Dialect | None = None, **options: Any) -> "StreamSnapshot":
        """Return an assertion for the same test that has these options always."""
        made = super().with_defaults(**options)
        # The base makes one of its own class, and says less.
        assert isinstance(made, StreamSnapshot)
        made._dialect = made.dialect = self.dialect if dialect is None else get_dialect(dialect)
        made._counter = self._counter
        return made

    def _assert(self, data: Any) -> bool:
        __tracebackhide__ = True
        if isinstance(self.extension, StreamExtension):
            self.extension.asked = Asked(self._dialect, self.update_snapshots, self._command())
        is_same = super()._assert(data)
        self._counter[0] += 1
        failure = self.executions[self.num_executions - 1].exception
        if isinstance(failure, PlayheadError):
            # It says all there is to say: how we came to it tells a user nothing.
            raise failure.with_traceback(None)
        if failure is not None:
            raise failure
        return is_same

    def _command(self) -> str:
        """Return what updates this test's files, as it is typed in the folder in which pytest was started."""
        _, separator, inner = self.test_location.nodeid.partition("::")
        module = os.path.relpath(self.test_location.filepath, self.test_location.item.config.invocation_params.dir)
        return f"pytest {shlex.quote(module + separator + inner)} --snapshot-update"


def make_assertion(snapshot: SnapshotAssertion, extension: type[StreamExtension]) -> StreamSnapshot:
    """Return an assertion for streams, for the test and with the options of another one."""
    # What no extension of a run knows, syrupy takes for unused, even the files of a test that is skipped: an assertion
    # of one kind makes the other kind known.
    made = {kind: _make(snapshot, kind) for kind in EXTENSIONS}
    return made[extension]


def _make(snapshot: SnapshotAssertion, extension: type[StreamExtension]) -> StreamSnapshot:
    made = StreamSnapshot(
        session=snapshot.session,
        extension_class=extension,
        test_location=OwnLocation(snapshot.test_location.item),
        update_snapshots=snapshot.update_snapshots,
        include=snapshot.include,
        exclude=snapshot.exclude,
        matcher=snapshot.matcher,
    )
    # Versions before 5.1 have no such option.
    made.update_new_snapshots_only = getattr(snapshot, "update_new_snapshots_only", False)
    return made

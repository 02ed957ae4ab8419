"""A file that goes on from what a cassette holds: `NAME.partial`, which is whole from the moment it is there.

What was there is copied to a new file beside it, which takes the place of `NAME.partial` in one step: so nothing is
ever rewritten in place, and a crash at any moment leaves either the old or the new one.
"""

import os
from pathlib import Path
from typing import NoReturn

from playhead.cassettes.jsonl import make_folders, sync_folder
from playhead.cassettes.locking import close_locked, is_at, open_locked
from playhead.cassettes.store import PARTIAL
from playhead.errors import CassetteError

_NEXT = ".next"


class GrowingSink:
    """Write one file, as a `Sink`. It holds the lock on `NAME.partial` from its making on.

    Lines that are appended before `publish` are a copy of what was there; nobody sees them until then.
    """

    def __init__(self, path: str) -> None:
        self.where: str = path
        self._partial = path + PARTIAL
        self._next = self._partial + _NEXT
        self._pid = os.getpid()
        self._published = False
        self._cause = ""
        self._fd = self._lock_fd = -1
        try:
            make_folders(Path(path).parent)
            self._lock_fd = open_locked(self._partial)
            self._fd = open_locked(self._next)
            os.ftruncate(self._fd, 0)
        except OSError as error:
            self._die(error.strerror or str(error), error)
        except BaseException:
            self._close("it could not be opened")
            raise

    def append(self, line: bytes) -> None:
        """Add a line in one write. A write that fails or falls short makes the sink dead."""
        if self._pid != os.getpid():
            raise CassetteError(f"{self.where} is written by process {self._pid}: make a checkpointer in each process")
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            self._die(error.strerror or str(error), error)
        if written != len(line):
            self._die(f"only {written:,} of {len(line):,} bytes were written: the disk is full, or a limit was hit")

    def publish(self) -> None:
        """Let the copy take the place of `NAME.partial`. What is appended from now on is there at once."""
        try:
            os.fsync(self._fd)
            os.rename(self._next, self._partial)
            sync_folder(os.path.dirname(self.where))
        except OSError as error:
            self._die(error.strerror or str(error), error)
        close_locked(self._lock_fd)
        self._lock_fd = -1
        self._published = True

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes of the file."""
        return os.pread(self._fd, length, offset)

    def commit(self, seal: bytes, *, replace: bool = True) -> None:
        """Add the last line, force the file to the disk, and rename it to `NAME`, over what is there."""
        self.append(seal)
        try:
            os.fsync(self._fd)
            if not is_at(self._fd, self._partial):
                self._die(f"{self._partial!r} was moved or removed while it was written")
            os.rename(self._partial, self.where)
            sync_folder(os.path.dirname(self.where))
        except OSError as error:
            self._die(error.strerror or str(error), error)
        self._close("it is sealed")

    def discard(self, *, keep_as: str | None = None) -> str | None:
        """Let go of the file. What was published stays as `NAME.partial`; a copy that was not is removed."""
        if not self._published and self._fd >= 0:
            os.unlink(self._next)
            if os.fstat(self._lock_fd).st_size == 0:
                os.unlink(self._partial)
        self._close("it was let go")
        return self._partial if self._published else None

    def remove(self) -> None:
        """Remove the cassette, and what would take its place."""
        for path in (self.where, self._partial, self._next):
            if os.path.lexists(path):
                os.unlink(path)
        self._close("it was removed")

    def __del__(self) -> None:
        self._close("it was forgotten")

    def _die(self, cause: str, error: OSError | None = None) -> NoReturn:
        self._close(cause)
        raise CassetteError(f"{self.where} cannot be written: {self._cause}") from error

    def _close(self, cause: str) -> None:
        self._cause = self._cause or cause
        for fd in (self._fd, self._lock_fd):
            if fd >= 0:
                close_locked(fd)
        self._fd = self._lock_fd = -1

"""Locks on files: who may write, and who does.

`flock` decides: it excludes other processes and other openings within this one, and ends with its holder. A POSIX lock
beside it lets the kernel tell the holder's process id. Knows files, not cassettes.
"""

import fcntl
import os
import stat
import struct
import sys
from contextlib import suppress
from typing import Final, Self

from playhead.errors import CassetteError

_MAX_TRIES: Final = 100
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

# The layout of C's `struct flock`, and where in it are type and process id.
_FLOCK, _TYPE, _PID = ("qqihh", 3, 2) if sys.platform == "darwin" else ("hhqqi", 0, 4)

# A process that closes any opening of a file loses its POSIX locks on it, and never sees them as locked. So what this
# process holds is known here, and such a file is not opened a second time.
_held: dict[tuple[int, int], int] = {}


def open_locked(path: str) -> int:
    """Open a regular file for appending, made if need be, and lock it until `close_locked`. Returns the descriptor.

    Raises `CassetteError` naming the holder where it is locked, and `OSError` where it cannot be opened.
    """
    for _ in range(_MAX_TRIES):
        _refuse_held(path)
        fd = os.open(path, _FLAGS, 0o644)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise CassetteError(f"{path} is in the way: it is no regular file. Remove it")
            _lock(fd, path)
            # Between opening and locking it may have been renamed away by its last holder.
            if is_at(fd, path):
                _held[_identity(os.fstat(fd))] = os.getpid()
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
    raise CassetteError(f"{path} changes faster than it can be locked: let its other writers end first")


def close_locked(fd: int) -> None:
    """Close what `open_locked` opened. The lock ends."""
    _held.pop(_identity(os.fstat(fd)), None)
    os.close(fd)


def is_at(fd: int, path: str) -> bool:
    """Say whether an open file is still the one at a path."""
    try:
        return _identity(os.stat(path, follow_symlinks=False)) == _identity(os.fstat(fd))
    except FileNotFoundError:
        return False


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _refuse_held(path: str) -> None:
    with suppress(OSError):
        pid = _held.get(_identity(os.stat(path, follow_symlinks=False)))
        if pid is not None:
            raise _taken(path, pid)


def _lock(fd: int, path: str) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _taken(path, _holder_pid(fd)) from None
    with suppress(OSError):
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder_pid(fd: int) -> int | None:
    request = [0] * 5
    request[_TYPE] = fcntl.F_WRLCK
    try:
        answer = struct.unpack(_FLOCK, fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack(_FLOCK, *request)))
    except OSError:
        return None
    return None if answer[_TYPE] == fcntl.F_UNLCK else answer[_PID]


def _taken(path: str, pid: int | None) -> CassetteError:
    if pid is None:
        holder = "another process"
    else:
        holder = f"this process (pid {pid})" if pid == os.getpid() else f"the process with pid {pid}"
    return CassetteError(f"{path} is being written by {holder}: wait for its end, or record to another name")


class WaitingLock:
    """Wait for a lock file, hold it for the length of a `with` block, and give it back. Not reentrant.

    The file is made if need be, and stays until it is removed.
    """

    def __init__(self, path: str) -> None:
        self.is_removed: bool = False
        self._path = path
        self._fd = -1

    def __enter__(self) -> Self:
        while True:
            if self._fd < 0:
                self._fd = os.open(self._path, _FLAGS, 0o644)
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            if is_at(self._fd, self._path):
                return self
            self.close()

    def __exit__(self, *exc_info: object) -> None:
        if self._fd >= 0:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def remove(self) -> None:
        """Remove the file, while the lock is held. Others that wait for it make a new one."""
        os.unlink(self._path)
        self.is_removed = True

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

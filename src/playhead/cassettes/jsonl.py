"""Cassettes as JSON Lines files: the form that is committed.

A recording goes to `NAME.partial`, which is locked while it is written, and is renamed over `NAME` once it is sealed.
What an earlier recorder left in `NAME.partial` when it died is moved aside to `NAME.torn`, never appended to.

Knows files. Does not know what lines say. Symbolic links are followed when reading (people link shared cassettes into a
repository) and replaced when writing, so that a link never makes us write elsewhere.
"""

import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from io import BufferedReader, RawIOBase
from itertools import islice
from pathlib import Path, PurePath
from typing import Any, Final, NoReturn, Self

from playhead.cassettes.format import MAX_LINE_BYTES
from playhead.cassettes.locking import close_locked, is_at, open_locked
from playhead.cassettes.naming import SUFFIX
from playhead.cassettes.store import PARTIAL, TORN
from playhead.errors import CassetteError, CorruptCassette, MissingCassette, UsageError
from playhead.text import did_you_mean

_BLOCK_BYTES: Final = 64 * 1024
_TAIL_BYTES: Final = 4096

_KINDS: Final = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class JsonlStore:
    """Hold cassettes as files of a folder. A name is a path relative to it, with `/`, and never leaves it."""

    def __init__(self, folder: str | os.PathLike[str] = ".") -> None:
        self.folder: Path = Path(folder)

    def open(self, name: str) -> "JsonlSource":
        """Open a file. Raises `MissingCassette` if there is none of that name."""
        return JsonlSource(self._path(name))

    def create(self, name: str) -> "JsonlSink":
        """Begin a file, and make its folders. Raises `CassetteError` at once where another writer has it."""
        return JsonlSink(self._path(name))

    def names(self, suffixes: tuple[str, ...] = (SUFFIX,)) -> list[str]:
        """Return the names of all files that end with one of the suffixes, sorted.

        Hidden and linked folders are not entered.
        """
        found = []
        for folder, folders, files in os.walk(self.folder, onerror=_cannot_list):
            folders[:] = [inner for inner in folders if not inner.startswith(".")]
            found += [
                Path(folder, file).relative_to(self.folder).as_posix() for file in files if file.endswith(suffixes)
            ]
        return sorted(found)

    def delete(self, name: str) -> None:
        """Remove a file. Raises `MissingCassette` if there is none of that name."""
        path = self._path(name)
        try:
            os.unlink(path)
        except OSError as error:
            raise _cannot("be removed", path, error) from error

    def place(self, name: str) -> str:
        """Return the path, or that of the folder where the name is empty."""
        return str(self._path(name) if name else self.folder)

    def _path(self, name: str) -> Path:
        parts = PurePath(name).parts
        if not parts or "\0" in name or ".." in parts or name.startswith("/") or not _is_encodable(name):
            raise UsageError(f"{name!r} does not name a file within {str(self.folder)!r}: give a relative path")
        return self.folder / name

    def __repr__(self) -> str:
        return f"JsonlStore({str(self.folder)!r})"


class JsonlSink:
    """Write one file. See `Sink`; the file that is written is `NAME.partial` until `commit`."""

    __slots__ = ("_cause", "_fd", "_identity", "_partial", "_path", "_pid", "where")

    def __init__(self, path: Path) -> None:
        self.where: str = str(path)
        self._path = self.where
        self._partial = self.where + PARTIAL
        self._cause = ""
        self._pid = os.getpid()
        self._fd = -1
        try:
            make_folders(path.parent)
            self._fd = _open_empty(self._partial, self._path + TORN)
        except OSError as error:
            raise _cannot("be written", self._partial, error) from error
        status = os.fstat(self._fd)
        self._identity = (status.st_dev, status.st_ino)

    def append(self, line: bytes) -> None:
        """Add a line in one write. A write that fails or falls short makes the sink dead."""
        # A dead sink has no descriptor, so it fails here too and nothing is tested before.
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            self._die(error.strerror or str(error), error)
        if written != len(line):
            self._die(f"only {written:,} of {len(line):,} bytes were written: the disk is full, or a limit was hit")

    def commit(self, seal: bytes, *, replace: bool = True) -> None:
        """Add the last line, force the file to the disk, and rename it over the one that has its name."""
        self._check_owner()
        if not replace and os.path.lexists(self._path):
            raise CassetteError(f"{self.where} exists already: replace it on purpose, or take another name")
        self.append(seal)
        try:
            os.fsync(self._fd)
            if not is_at(self._fd, self._partial):
                self._die(f"{self._partial!r} was moved or removed while it was written")
            os.rename(self._partial, self._path)
            sync_folder(os.path.dirname(self._path))
        except OSError as error:
            self._die(error.strerror or str(error), error)
        self._close("it is sealed")

    def discard(self, *, keep_as: str | None = None) -> str | None:
        """Remove the file, or rename it to `NAME` with the suffix `keep_as`, over an older one."""
        self._check_owner()
        if not self._is_ours():
            return None
        kept = self._path + keep_as if keep_as else None
        try:
            if kept:
                os.rename(self._partial, kept)
            else:
                os.unlink(self._partial)
        except OSError as error:
            self._die(error.strerror or str(error), error)
        self._close("it was discarded")
        return kept

    def __del__(self) -> None:
        # A recorder that was forgotten is like one that died: its lock ends, its file stays.
        if self._fd >= 0:
            close_locked(self._fd)

    def _is_ours(self) -> bool:
        try:
            status = os.stat(self._partial, follow_symlinks=False)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _check_owner(self) -> None:
        if self._pid != os.getpid():
            raise CassetteError(f"{self.where} is recorded by process {self._pid}: only that one can end it")

    def _die(self, cause: str, error: OSError | None = None) -> NoReturn:
        self._close(cause)
        raise CassetteError(
            f"{self.where} cannot be written: {self._cause}. What was recorded until then is in {self._partial!r}"
        ) from error

    def _close(self, cause: str) -> None:
        self._cause = self._cause or cause
        if self._fd >= 0:
            close_locked(self._fd)
            self._fd = -1


class _Window(RawIOBase):
    """Be a file of its own, at a position of its own, on the descriptor of a source."""

    def __init__(self, source: "JsonlSource") -> None:
        self._source = source
        self._offset = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._source.read_at(self._offset, len(buffer))
        buffer[: len(block)] = block
        self._offset += len(block)
        return len(block)


class JsonlSource:
    """Read one file. See `Source`. It gives the bytes that the file had when it was opened, even if it grows."""

    def __init__(self, path: Path) -> None:
        self.where: str = str(path)
        self._fd = -1
        try:
            _check_regular(os.stat(path), path)
            # Without O_NONBLOCK a FIFO that took the file's place meanwhile would block.
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            status = os.fstat(self._fd)
            _check_regular(status, path)
        except OSError as error:
            raise _cannot("be read", path, error) from error
        except ValueError as error:
            raise UsageError(f"{self.where!r} is no path: {error}") from None
        self._size = status.st_size

    def lines(self) -> Iterator[bytes]:
        """Yield each line, newline included; only the last may lack it."""
        return split_lines(_Window(self), self.where, again=self.lines)

    def reader(self) -> BufferedReader:
        """Return the bytes as a file of their own, at its beginning."""
        return BufferedReader(_Window(self), _BLOCK_BYTES)

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces of 64 KiB."""
        offset = 0
        while block := self.read_at(offset, _BLOCK_BYTES):
            yield block
            offset += len(block)

    def last_line(self) -> bytes:
        """Return the last line; of one that is too long, as much of its end as a line may have."""
        length = _TAIL_BYTES
        while True:
            start = max(0, self._size - length)
            tail = self.read_at(start, length)
            before = tail.rfind(b"\n", 0, -1) + 1
            if before or start == 0 or length > MAX_LINE_BYTES:
                return tail[before:]
            length = min(8 * length, MAX_LINE_BYTES + 1)

    def size(self) -> int:
        """Return how many bytes the file had when it was opened."""
        return self._size

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes from anywhere in the file; fewer than `length` at its end."""
        if self._fd < 0:
            raise UsageError(f"{self.where} was closed: open it again to read it")
        try:
            return os.pread(self._fd, max(0, min(length, self._size - offset)), offset)
        except OSError as error:
            raise _cannot("be read", self.where, error) from error


def split_lines(raw: RawIOBase, where: str, *, again: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    """Yield each line of a stream, newline included; only the last may lack it.

    Raises `CorruptCassette` for a line that no cassette has; `again` then begins anew, to tell at which byte it is.
    """
    # `readline` of a buffered reader is what splits lines fastest, and it can be bounded.
    readline = BufferedReader(raw, _BLOCK_BYTES).readline
    for number, line in enumerate(iter(partial(readline, MAX_LINE_BYTES + 1), b""), 1):
        if len(line) > MAX_LINE_BYTES:
            offset = sum(map(len, islice(again(), number - 1)))
            raise CorruptCassette(
                f"{where}:{number}: the line at byte {offset:,} is longer than {MAX_LINE_BYTES:,} bytes: "
                "no cassette has such a line"
            )
        yield line


def _is_encodable(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


def _open_empty(partial: str, torn: str) -> int:
    """Open and lock `partial`. What an earlier recorder left there is moved aside, to the first free name."""
    while True:
        fd = open_locked(partial)
        try:
            if os.fstat(fd).st_size == 0:
                return fd
            free = torn
            number = 1
            while os.path.lexists(free):
                number += 1
                free = f"{torn}.{number}"
            os.rename(partial, free)
        except BaseException:
            close_locked(fd)
            raise
        close_locked(fd)


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, and force their names to the disk."""
    missing = [folder, *folder.parents]
    missing = [path for path in missing if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_folder(str(path.parent))


def sync_folder(folder: str) -> None:
    """Force the names in a folder to the disk; an empty path is the working folder."""
    fd = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _check_regular(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for test, name in _KINDS if test(status.st_mode)), "no regular file")
        raise CassetteError(f"{str(path)!r} is {kind}, not a cassette: name a {SUFFIX} file")


def _cannot_list(error: OSError) -> NoReturn:
    raise _cannot("be listed", error.filename, error) from error


def _cannot(what: str, path: str | Path, error: OSError) -> CassetteError:
    if isinstance(error, FileNotFoundError) and not os.path.lexists(path):
        return MissingCassette(f"{path}: there is no such cassette{_hint(Path(path))}")
    if isinstance(error, FileNotFoundError):
        return CassetteError(f"{path} is a symbolic link to nothing: restore what it points to, or remove it")
    return CassetteError(f"{path} cannot {what}: {error.strerror}")


def _hint(path: Path) -> str:
    if os.path.lexists(f"{path}{PARTIAL}"):
        return f"; {path.name + PARTIAL!r} beside it was left by a recorder that did not finish, or is not done yet"
    try:
        return did_you_mean(path.name, [name for name in os.listdir(path.parent) if name.endswith(SUFFIX)])
    except OSError:
        return ""

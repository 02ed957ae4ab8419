"""Locks on files: one holder, and a lock file that may be removed while others wait for it."""

import os
import threading
from pathlib import Path

import pytest

from playhead.cassettes.locking import WaitingLock, close_locked, is_at, open_locked
from playhead.errors import CassetteError


def test_a_file_has_one_holder(tmp_path: Path) -> None:
    """The second to ask is told who holds it; after the first let go it may."""
    path = str(tmp_path / "x")
    first = open_locked(path)
    with pytest.raises(CassetteError, match=rf"x is being written by this process \(pid {os.getpid()}\): wait"):
        open_locked(path)
    close_locked(first)
    close_locked(open_locked(path))


def test_an_open_file_knows_its_path(tmp_path: Path) -> None:
    """A file that was removed or replaced is not at its path any more."""
    path = tmp_path / "x"
    fd = open_locked(str(path))
    assert is_at(fd, str(path))
    path.unlink()
    assert not is_at(fd, str(path))
    path.write_text("another")
    assert not is_at(fd, str(path))
    close_locked(fd)


def test_a_waiting_lock_excludes(tmp_path: Path) -> None:
    """Of many threads, each with a lock of its own on the same file, one at a time is inside."""
    inside = most = 0
    done = 0

    def work() -> None:
        nonlocal inside, most, done
        lock = WaitingLock(str(tmp_path / "x.lock"))
        for _ in range(50):
            with lock:
                inside += 1
                most = max(most, inside)
                done += 1
                inside -= 1
        lock.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (most, done) == (1, 200)


def test_a_lock_file_may_be_removed_while_others_wait(tmp_path: Path) -> None:
    """Who waited on the removed file takes a new one, and never believes to hold a lock that nobody else sees."""
    path = tmp_path / "x.lock"
    first, second = WaitingLock(str(path)), WaitingLock(str(path))
    with second:
        pass
    entered = threading.Event()
    found: list[bool] = []

    def wait() -> None:
        with second:
            found.append(path.exists())
            entered.set()

    with first:
        waiter = threading.Thread(target=wait)
        waiter.start()
        assert not entered.is_set()
        first.remove()
        assert first.is_removed
    assert entered.wait(timeout=60)
    waiter.join(timeout=60)
    assert found == [True]
    for lock in (first, second):
        lock.close()
        lock.close()

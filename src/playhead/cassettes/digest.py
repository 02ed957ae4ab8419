"""The running digest of a cassette: CRC-32 and SHA-256 over all its lines.

SHA-256 costs more than everything else that is done to a line, and `hashlib` lets other threads run meanwhile. So lines
are collected, and once a block is full it is hashed on a worker thread. A cassette that is smaller than a block never
starts a thread. Knows nothing of what the bytes say.
"""

import hashlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final
from zlib import crc32

from playhead.errors import UsageError

BLOCK_BYTES: Final = 256 * 1024
"""How much is collected before it is handed to the worker."""

_MAX_WAITING_BLOCKS: Final = 8


class Digest:
    """Digest what it is fed, in order. One task or thread at a time.

    At most eight blocks wait for the worker, then `update` waits for it. The worker ends with `hexdigest`, `close` or
    the last reference to the digest. A forked child must not go on with a digest whose worker it left behind: it gets
    a `UsageError`.
    """

    __slots__ = ("_crc", "_jobs", "_owner_pid", "_pending", "_pending_bytes", "_sha", "_worker")

    def __init__(self) -> None:
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._crc = 0
        self._sha = hashlib.sha256()
        self._jobs: deque[Future[None]] = deque()
        self._worker: ThreadPoolExecutor | None = None
        self._owner_pid = 0

    def update(self, data: bytes) -> None:
        """Add bytes. They must not change afterwards."""
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes >= BLOCK_BYTES:
            self._hand_over()

    @property
    def crc32(self) -> int:
        """The CRC-32 of everything so far. Waits for the worker."""
        self._settle()
        return self._crc

    def hexdigest(self) -> str:
        """Return the SHA-256 of everything so far, in hexadecimal. Waits for the worker."""
        self._settle()
        return self._sha.hexdigest()

    def close(self) -> None:
        """Give up: forget what waits, and let the worker end without waiting for it."""
        self._pending.clear()
        self._pending_bytes = 0
        self._jobs.clear()
        if self._worker is not None and self._owner_pid == os.getpid():
            self._worker.shutdown(wait=False, cancel_futures=True)
        self._worker = None

    def _take_pending(self) -> bytes:
        block = b"".join(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        return block

    def _hand_over(self) -> None:
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="playhead-digest")
            self._owner_pid = os.getpid()
        self._check_owner()
        while len(self._jobs) >= _MAX_WAITING_BLOCKS:
            self._jobs.popleft().result()
        block = self._take_pending()
        try:
            self._jobs.append(self._worker.submit(self._hash, block))
        except RuntimeError:
            # The interpreter is shutting down and starts no threads any more.
            self._settle()
            self._hash(block)

    def _settle(self) -> None:
        if self._worker is not None:
            self._check_owner()
            while self._jobs:
                self._jobs.popleft().result()
            self._worker.shutdown()
            self._worker = None
        self._hash(self._take_pending())

    def _hash(self, block: bytes) -> None:
        self._crc = crc32(block, self._crc)
        self._sha.update(block)

    def _check_owner(self) -> None:
        if self._owner_pid != os.getpid():
            raise UsageError(
                f"process {os.getpid()} goes on with a cassette of process {self._owner_pid}, its parent: "
                "record each process in a cassette of its own"
            )

"""The running digest: the same as hashing it all at once, whatever thread does it."""

import gc
import hashlib
import os
import threading
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.cassettes.digest import BLOCK_BYTES, Digest
from playhead.errors import UsageError


def workers() -> list[threading.Thread]:
    """Return the threads that digests have started and that still run."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("playhead-digest")]


@given(st.lists(st.binary(max_size=50)))
def test_pieces_are_digested_as_one(pieces: list[bytes]) -> None:
    """The digest of pieces is that of all of them together, also in the middle."""
    digest = Digest()
    for count, piece in enumerate(pieces, 1):
        digest.update(piece)
        assert digest.crc32 == crc32(b"".join(pieces[:count]))
    assert digest.hexdigest() == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_few_bytes_start_no_thread() -> None:
    """What is smaller than a block is hashed where it is asked for."""
    digest = Digest()
    digest.update(b"x" * (BLOCK_BYTES - 1))
    assert workers() == []
    assert digest.hexdigest() == hashlib.sha256(b"x" * (BLOCK_BYTES - 1)).hexdigest()


@pytest.mark.parametrize("piece_bytes", [1000, BLOCK_BYTES, 3 * BLOCK_BYTES + 1])
def test_many_bytes_are_hashed_in_order(piece_bytes: int) -> None:
    """More blocks than may wait are hashed on one thread, in order, and it ends with the result."""
    digest = Digest()
    expected = hashlib.sha256()
    number = 0
    while number * piece_bytes < 20 * BLOCK_BYTES:
        piece = bytes([number % 256]) * piece_bytes
        digest.update(piece)
        expected.update(piece)
        number += 1
    assert len(workers()) == 1
    assert digest.hexdigest() == expected.hexdigest()
    assert workers() == []


def test_it_goes_on_after_a_result() -> None:
    """A digest that was asked may be fed on, with a new worker."""
    digest = Digest()
    expected = hashlib.sha256()
    for _ in range(3):
        digest.update(b"x" * BLOCK_BYTES)
        expected.update(b"x" * BLOCK_BYTES)
        assert digest.hexdigest() == expected.hexdigest()


def test_giving_up_ends_the_worker() -> None:
    """A closed digest, and one that is forgotten, leave no thread behind."""
    for end in (Digest.close, Digest.__repr__):
        digest = Digest()
        digest.update(b"x" * BLOCK_BYTES)
        (worker,) = workers()
        end(digest)
        del digest
        gc.collect()
        worker.join(timeout=10)
        assert not worker.is_alive()


def test_a_forked_child_is_told() -> None:
    """A child that goes on with its parent's digest gets an error and does not wait for ever; the parent goes on."""
    digest = Digest()
    digest.update(b"x" * BLOCK_BYTES)
    before = digest.hexdigest()
    digest.update(b"x" * BLOCK_BYTES)
    child = os.fork()
    if child == 0:
        try:
            digest.hexdigest()
        except UsageError:
            digest.close()
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert digest.hexdigest() == hashlib.sha256(b"x" * (2 * BLOCK_BYTES)).hexdigest() != before

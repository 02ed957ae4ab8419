"""The checkpointer: what an agent saves its states with, into a cassette.

Knows the protocol that agents ask for (locus calls it a checkpointer), and keeps slow disks off the event loop. Does
not know which cassette a thread is in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from threading import Lock
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from anyio import to_thread
from anyio.lowlevel import checkpoint

from playhead.cassettes.memory import MEMORY
from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import UsageError
from playhead.ids import SYSTEM_IDS, Ids
from playhead.recording.checkpoints.opening import Place, open_threads
from playhead.recording.checkpoints.states import Mark, Reviver, encode
from playhead.recording.recorder import Recorder

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a checkpointer can do beside saving and loading, in the words of locus."""

    search: bool = False
    metadata_query: bool = False
    vacuum: bool = False
    branching: bool = True
    ttl: bool = False
    list_threads: bool = True
    list_with_metadata: bool = False
    persistent_checkpoint_ids: bool = True


class Checkpointer:
    """Keep the states of an agent's threads in cassettes: to resume, to fork, to go back.

    `place` is a database (`threads.db`) or a folder (`threads/`), where each thread has a cassette of its own; one
    cassette for all threads (`trip.jsonl`, `runs.db::trip`), which may hold a recorded run already; `:memory:`; or the
    recorder of a run, beside whose events checkpoints are put. Nothing is made before the first `save`.

    A state is a mapping with a JSON form, or has `to_checkpoint()`. A mapping comes back as a dict of JSON values, an
    object by `state_type.from_checkpoint(dict)`. Without `state_type`, its class must have been seen by `save` or
    `remember`, for none is looked up by a name in a file.
    Secrets are taken out of what is written, and a state that is loaded has placeholders for them; `redact=()` keeps
    them.

    May be used by several tasks and threads, and on one event loop after another. Every method raises `CassetteError`
    where the place cannot be read or written.
    """

    capabilities: Final = Capabilities()
    deletes_single_checkpoints: Final = True

    def __init__(
        self,
        place: Place,
        *,
        state_type: Any = None,
        redact: Sequence[str] | None = None,
        clock: Clock = SYSTEM_CLOCK,
        ids: Ids = SYSTEM_IDS,
    ) -> None:
        self._place = place
        self._ids = ids
        self._reviver = Reviver(state_type)
        self._threads = open_threads(place, redact=redact, clock=clock)
        self._lock = Lock()
        self._on_disk = not isinstance(place, Recorder) and not str(place).startswith(MEMORY)

    def remember(self, state_type: Any) -> None:
        """Take a class for the states that are saved under its name: an agent says here what its own are.

        Raises `UsageError` for a class without `from_checkpoint`.
        """
        self._reviver.remember(state_type)

    async def save(
        self,
        state: object,
        thread_id: str,
        checkpoint_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Save a state, and return the checkpoint's id: a new one unless it is given. An old one of that id is gone.

        When this returns, the state survives the death of the process. Raises `UsageError` for a state or metadata
        with no JSON form, and for ids that hold a secret.
        """
        mark = _mark(thread_id, self._ids.new() if checkpoint_id is None else checkpoint_id)
        self._reviver.note(state)
        names, body = encode(mark, state, metadata)
        await self._run(lambda: self._threads.log(mark.thread).save(names, body))
        assert mark.id is not None
        return mark.id

    async def load(self, thread_id: str, checkpoint_id: str | None = None) -> Any:
        """Return the state of a checkpoint, by default the newest of its thread; None where there is none.

        Raises `UsageError` where the state's class is not known here, or refuses what was saved.
        """
        mark = _mark(thread_id, checkpoint_id)
        data = await self._run(lambda: self._read(mark))
        return None if data is None else self._reviver.revive(data)

    async def list_checkpoints(self, thread_id: str, limit: int | None = 10) -> list[str]:
        """Return the ids of a thread's checkpoints, the one that was saved last first; all where `limit` is None."""
        mark = _mark(thread_id)
        most = _count(limit)
        ids = await self._run(lambda: self._ids_of(mark))
        return ids[::-1][:most]

    async def list_threads(self, limit: int | None = None, pattern: str = "*") -> list[str]:
        """Return the ids of the threads that have checkpoints and match a shell pattern; all where `limit` is None."""
        most = _count(limit)
        return await self._run(lambda: list(islice(self._threads.names(lambda name: fnmatchcase(name, pattern)), most)))

    async def exists(self, thread_id: str, checkpoint_id: str | None = None) -> bool:
        """Say whether there is such a checkpoint, or without an id whether the thread has any."""
        mark = _mark(thread_id, checkpoint_id)
        ids = await self._run(lambda: self._ids_of(mark))
        return bool(ids) if mark.id is None else mark.id in ids

    async def delete(self, thread_id: str, checkpoint_id: str | None = None) -> bool:
        """Delete a checkpoint, or without an id all of a thread. Returns whether there was any.

        A thread that has a cassette of its own is gone from the disk. Anything else is marked as deleted: what it said
        stays in the cassette until that is removed.
        """
        mark = _mark(thread_id, checkpoint_id)
        return await self._run(lambda: self._delete(mark))

    async def copy_thread(
        self, source_thread_id: str, dest_thread_id: str, *, checkpoint_id: str | None = None
    ) -> bool:
        """Copy a thread, up to and with a checkpoint if one is named: a fork. Returns whether there was anything.

        Raises `UsageError` where the new thread has checkpoints already.
        """
        source, target = _mark(source_thread_id, checkpoint_id), _mark(dest_thread_id)
        return await self._run(lambda: self._copy(source, target))

    async def close(self) -> None:
        """Seal what is not sealed yet, and let go of files. Whatever is asked next opens them again."""
        await self._run(self._threads.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"Checkpointer({self._place!r})"

    async def _run(self, work: Callable[[], T]) -> T:
        """Do what may wait for a disk or for other processes on a thread; once it has begun, it is not cancelled."""
        if self._on_disk:
            return await to_thread.run_sync(self._locked, work)
        await checkpoint()
        return self._locked(work)

    def _locked(self, work: Callable[[], T]) -> T:
        with self._lock:
            return work()

    def _read(self, mark: Mark) -> bytes | None:
        log = self._threads.log(mark.thread)
        log.refresh()
        return log.read(mark.thread, mark.id)

    def _ids_of(self, mark: Mark) -> list[str]:
        log = self._threads.log(mark.thread)
        log.refresh()
        return list(log.threads.get(mark.thread, ()))

    def _delete(self, mark: Mark) -> bool:
        ids = self._ids_of(mark)
        if mark.id is None:
            if ids:
                self._threads.delete(mark.thread)
            return bool(ids)
        if mark.id in ids:
            self._threads.log(mark.thread).delete(Mark(mark.id, mark.thread, deleted=True))
        return mark.id in ids

    def _copy(self, source: Mark, target: Mark) -> bool:
        ids = self._ids_of(source)
        if not ids or (source.id is not None and source.id not in ids):
            return False
        if self._ids_of(target):
            raise UsageError(f"thread {target.thread!r} has checkpoints already: delete it first, or name another one")
        copies = self._threads.log(source.thread).copies(source.thread, target.thread, until=source.id)
        self._threads.log(target.thread).add(copies)
        return True


def _count(limit: int | None) -> int | None:
    if limit is not None and limit < 0:
        raise UsageError(f"limit={limit}: give a whole number, not below 0, or None for all")
    return limit


def _mark(thread_id: str, checkpoint_id: str | None = None) -> Mark:
    """Return the name of a checkpoint, checked. Raises `UsageError`."""
    given: tuple[tuple[str, object], ...] = (("thread_id", thread_id), ("checkpoint_id", checkpoint_id or ""))
    for what, value in given:
        if not isinstance(value, str):
            raise UsageError(f"{what}={value!r}: an id is text")
    return Mark(checkpoint_id, thread_id)

"""Which cassette holds the checkpoints of which thread.

Either each thread has a cassette of its own, so that none is slow because there are many, or one cassette has them all.
Does not know places, nor what a state is.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Protocol

from playhead.recording.checkpoints.log import Log
from playhead.recording.checkpoints.states import Mark

Matches = Callable[[str], bool]
"""Says whether a thread is asked for, by its id."""


class Threads(Protocol):
    """Find the log of a thread. One thread of the process at a time."""

    def log(self, thread: str) -> Log:
        """Return the log that has a thread's checkpoints, or will have them."""
        ...

    def delete(self, thread: str) -> None:
        """Remove a thread that there is."""
        ...

    def names(self, matches: Matches) -> Iterator[str]:
        """Yield the ids of the threads that match and have checkpoints, each read no sooner than it is asked for."""
        ...

    def close(self) -> None:
        """Seal what is not, and let go of everything."""
        ...


class OneLog:
    """Keep all threads in one cassette."""

    def __init__(self, log: Log, release: Callable[[], None]) -> None:
        self._log = log
        self._release = release

    def log(self, thread: str) -> Log:
        """Return the one log."""
        return self._log

    def delete(self, thread: str) -> None:
        """Take all checkpoints of a thread back."""
        self._log.delete(Mark(None, thread, deleted=True))

    def names(self, matches: Matches) -> Iterator[str]:
        """Yield the ids of the threads that match and have checkpoints, in the order in which they began."""
        self._log.refresh()
        return filter(matches, self._log.threads)

    def close(self) -> None:
        """Seal the cassette."""
        self._log.close()
        self._release()


class ManyLogs:
    """Keep each thread in a cassette of its own. `make` makes its log, and `known` gives the threads there may be.

    The `limit` threads that were used last are held open, with what is known of them.
    """

    def __init__(
        self,
        make: Callable[[str], Log],
        known: Callable[[], Iterable[str]],
        release: Callable[[], None],
        *,
        limit: int,
    ) -> None:
        self._limit = limit
        self._make = make
        self._known = known
        self._release = release
        self._open: OrderedDict[str, Log] = OrderedDict()

    def log(self, thread: str) -> Log:
        """Return the log of a thread. The one that was used longest ago is closed where there are too many."""
        log = self._open.pop(thread, None)
        if log is None:
            while len(self._open) >= self._limit:
                self._open.popitem(last=False)[1].close()
            log = self._make(thread)
        self._open[thread] = log
        return log

    def delete(self, thread: str) -> None:
        """Remove the thread's cassette."""
        self.log(thread).remove()

    def names(self, matches: Matches) -> Iterator[str]:
        """Yield the ids of the threads that match and have checkpoints. A thread that does not match is not read."""
        held = [thread for thread, log in self._open.items() if log.threads]
        seen: set[str] = set()
        for thread in filter(matches, chain(self._known(), held)):
            if thread not in seen and self._has_any(thread):
                yield thread
            seen.add(thread)

    def close(self) -> None:
        """Seal all cassettes that were added to. What fails is raised once all have been tried."""
        failed: Exception | None = None
        while self._open:
            try:
                self._open.popitem(last=False)[1].close()
            except Exception as error:
                failed = failed or error
        self._release()
        if failed is not None:
            raise failed

    def _has_any(self, thread: str) -> bool:
        log = self._open.get(thread) or self._make(thread)
        log.refresh()
        return thread in log.threads

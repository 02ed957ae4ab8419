"""What a test records, until it is known whether it may stay.

It goes to the cassette's own place; or aside, into memory, where something on the cassette stays: then both are put
together at the end. What is compared with a recording goes aside, too, and is dropped.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from playhead.cassettes.memory import MemoryStore
from playhead.cassettes.places import Place, locate
from playhead.cassettes.reading import Cassette
from playhead.cassettes.store import PARTIAL
from playhead.clock import Clock
from playhead.errors import UsageError
from playhead.events.canonical import canonical
from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect
from playhead.matching.exchange import exchanges
from playhead.matching.normalise import Normaliser, normaliser
from playhead.models.tap import Tap
from playhead.plugin.episodes import EpisodeTap
from playhead.plugin.merging import Merge
from playhead.plugin.options import Options
from playhead.plugin.sharing import Share
from playhead.recording.recorder import Recorder, begin, record
from playhead.replaying.tape import Tape
from playhead.replaying.taps import ReplayingTap

_ASIDE = "live"
_PART = "part"


class Live:
    """Record what is live in one test: aside if it is given what is `recorded`, which then says what it is like.

    Aside, too, if it has only a `share` of the cassette.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        dialect: str,
        redact: Sequence[str] | None,
        made: Mapping[str, str],
        clock: Clock,
        recorded: Tape | None,
        share: Share | None = None,
    ) -> None:
        self.recorder: Recorder
        self.dialect: Dialect = get_dialect(dialect) if recorded is None else recorded.dialect
        self._path = path
        self._share = share
        self._store = None if recorded is None and share is None else MemoryStore()
        if self._store is None:
            self.recorder = record(path, dialect=self.dialect, name=name, redact=redact, made=made, clock=clock)
            return
        rules = redact if recorded is None else recorded.header.redact
        place = Place(self._store, _ASIDE)
        self.recorder = begin(place, self.dialect, name=name, redact=rules, made=made, clock=clock)

    @property
    def tap(self) -> Tap:
        """Return the tap that records."""
        return self.recorder.tap

    def episodes(self, replaying: ReplayingTap, tape: Tape, options: Options) -> Tap:
        """Return the tap that replays what is on a tape and records the rest."""
        return EpisodeTap(replaying, self.tap, tape, ignore=options.ignore, tools=options.tools)

    def events(self, run: str) -> Iterator[bytes]:
        """Yield the events of a run that went aside, as JSON: those that are written."""
        assert self._store is not None
        with Place(self._store, _ASIDE + PARTIAL).read(torn=True) as cassette:
            yield from cassette.payloads("event", "event", owner=run)

    def end(self, recorded: Tape | None, *, passed: bool, replays: bool, ignore: Sequence[str | Normaliser]) -> str:
        """Put what was recorded in its place, if the test passed, and return what became of it.

        `recorded` is the cassette of which something stays: everything if it `replays`, and else what did not occur
        this time, up to what `ignore` evens out.
        """
        if self._store is None:
            before = _identity(self._path)
            self._end_in_place(passed=passed)
            return self._became(before, passed=passed)
        self.recorder.close()
        with Place(self._store, _ASIDE).read() as live:
            if recorded is None:
                return self._end_part(live, passed=passed)
            if replays and not _new_owners(live, recorded):
                return "replayed"
            return self._end_merged(live, recorded, passed=passed, replays=replays, ignore=ignore)

    def _end_in_place(self, *, passed: bool) -> None:
        if passed:
            self.recorder.close()
        else:
            # No run raised this one, so the recorder leaves the cassette that was there.
            failed = UsageError("the test did not pass")
            self.recorder.__exit__(type(failed), failed, None)

    def _end_merged(
        self, live: Cassette, recorded: Tape, *, passed: bool, replays: bool, ignore: Sequence[str | Normaliser]
    ) -> str:
        whole, place = locate(self._path).read(), locate(self._path)
        if self._share is not None and self._store is not None:
            whole, place = self._share.own_part(whole), Place(self._store, _PART)
        with whole as old:
            merge = Merge(place, live.header)
            if replays:
                merge.add(old)
                merge.add(live, _new_owners(live, recorded).__contains__)
            else:
                merge.add(live)
                merge.add(old, _left_owners(old, live, ignore).__contains__)
        if self._share is not None:
            merge.seal()
            with place.read() as part:
                return self._end_part(part, passed=passed)
        before = _identity(self._path)
        if passed:
            merge.seal()
        else:
            merge.reject()
        return self._became(before, passed=passed)

    def _end_part(self, part: Cassette, *, passed: bool) -> str:
        assert self._share is not None
        if passed:
            return self._share.put(part)
        self._share.reject(part)
        return "rejected"

    def _became(self, before: tuple[int, int] | None, *, passed: bool) -> str:
        if not passed:
            return "rejected"
        return "unchanged" if before is not None and before == _identity(self._path) else "recorded"


def _new_owners(live: Cassette, recorded: Tape) -> set[str]:
    """Return the calls that were recorded, and the runs that are not on the cassette."""
    runs = live.seal.runs if live.seal is not None else {}
    return {owner for _, owner, _, _ in live.data("model")} | (set(runs) - set(recorded.runs))


def _left_owners(old: Cassette, live: Cassette, ignore: Sequence[str | Normaliser]) -> set[str]:
    """Return the old calls that were not asked again, and the old runs that have no successor."""
    even = normaliser(ignore)
    asked = {canonical([call.kind, even(call.request)]) for call in exchanges(live.data("model"))}
    calls = exchanges(old.data("model"))
    left = {call.call for call in calls if canonical([call.kind, even(call.request)]) not in asked}
    old_runs, live_runs = (list(each.seal.runs) if each.seal is not None else [] for each in (old, live))
    return left | set(old_runs[len(live_runs) :])


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns

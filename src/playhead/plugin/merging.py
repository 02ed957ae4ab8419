"""Any number of cassettes in one, whole or in parts: what `new_episodes` and `all` leave, and tests that share one.

Runs and calls of each are numbered on behind those of the one before, and its time goes on behind theirs. Knows entries
and who owns them. Does not know modes, nor what is kept.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from playhead.cassettes.format import Entry, Failure, Header, Seal, prefix_of
from playhead.cassettes.places import Place
from playhead.cassettes.reading import Cassette
from playhead.cassettes.store import REJECTED
from playhead.cassettes.writing import CassetteWriter
from playhead.events.dialects import get_dialect
from playhead.events.tagged import dumps, loads
from playhead.matching.conversation import Conversations, unfold
from playhead.matching.exchange import ASKING
from playhead.recording.renewal import unchanged

Keeps = Callable[[str], bool]
"""Says whether a run or a call stays, by its name."""


class Merge:
    """Write several cassettes into one place, one after the other. `seal` or `reject` it at the end."""

    def __init__(self, place: Place, header: Header) -> None:
        self._place = place
        self._writer = CassetteWriter(place.create(), header)
        self._conversations = Conversations()
        self._numbers: Counter[str] = Counter()
        self._runs: dict[str, str] = {}
        self._errors: dict[str, Failure] = {}
        self._redacted: Counter[str] = Counter()
        self._end = "complete"

    def add(
        self,
        cassette: Cassette,
        keeps: Keeps = lambda owner: True,
        *,
        redacted: Mapping[str, int] | None = None,
    ) -> list[str]:
        """Put the runs and calls of a sealed cassette behind what is there, those that `keeps` says.

        `redacted` is what was taken out of them, where it is not all that its seal says. Returns their new names.
        """
        names: dict[str, str] = {}
        asked: dict[str, Mapping[str, Any]] = {}
        at_us = self._writer.at_us
        for entry in cassette.entries():
            # What came before the first that stays took no time of theirs.
            at_us += entry.dt_us if names or keeps(entry.owner) else 0
            whole = unfold(loads(entry.data), asked) if entry.kind in ASKING else None
            if whole is not None:
                asked[entry.owner] = whole
            if keeps(entry.owner):
                name = names.get(entry.owner) or names.setdefault(entry.owner, self._next_name(entry))
                data = entry.data if whole is None else dumps(self._conversations.fold(whole, name))
                self._writer.append(at_us, prefix_of(replace(entry, owner=name)), data)
        self._add_seal(cassette.seal, names, keeps)
        self._redacted.update(cassette.seal.redacted if redacted is None and cassette.seal else redacted or {})
        return list(names.values())

    def seal(self, extra: Mapping[str, Any] | None = None) -> Seal:
        """Put the cassette in its place, unless the one there is the same: then that stays. Returns the seal.

        `extra` has further keys for the seal, which are the same, too, where the cassette is.
        """
        header, entries = self._writer.header, self._writer.entries
        dialect = get_dialect(header.dialects["event"])
        same = unchanged(self._place, header, entries=entries, runs=self._runs, errors=self._errors, dialect=dialect)
        if same is not None and (same.model_extra or {}) == (extra or {}):
            self._writer.discard()
            return same
        return self._writer.seal(self._end, runs=self._runs, errors=self._errors, redacted=self._redacted, extra=extra)

    def reject(self) -> None:
        """Leave what was written beside the cassette."""
        self._writer.discard(keep_as=REJECTED)

    def _next_name(self, entry: Entry) -> str:
        letter = "c" if entry.track == "model" else "r"
        self._numbers[letter] += 1
        return f"{letter}{self._numbers[letter]}"

    def _add_seal(self, seal: Seal | None, names: dict[str, str], keeps: Keeps) -> None:
        if seal is None:
            return
        for run, end in seal.runs.items():
            if keeps(run):
                if run not in names:
                    # It ended before its first event.
                    self._numbers["r"] += 1
                    names[run] = f"r{self._numbers['r']}"
                self._runs[names[run]] = self._end = end
        self._errors |= {names[run]: failure for run, failure in seal.errors.items() if run in names}

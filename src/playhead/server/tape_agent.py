"""An agent that has no model: its runs are those on tapes. So a page can be built without an agent.

Knows tapes, which of them a prompt means, and how a server is told that there is no such. Does not know who asks, nor
how what it plays is sent.
"""

from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from starlette.exceptions import HTTPException

from playhead.cassettes.packed import without_suffix
from playhead.cassettes.places import Place
from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import UsageError
from playhead.events.spans import Dialect
from playhead.matching.exchange import exchanges
from playhead.replaying.pace import Pace
from playhead.replaying.replay import recorded_error
from playhead.replaying.tape import Tape

CASSETTE: Final = "cassette"
"""The key, in the metadata of a run, that names the cassette to play."""

_ENDS_WELL: Final = frozenset({"complete", "paused"})
_MAX_PAUSED: Final = 1000


@dataclass(frozen=True, slots=True)
class Playable:
    """Hold what is known of a cassette that can be played: its name, its runs, and the prompts that were recorded."""

    name: str
    place: Place
    runs: Sequence[str]
    prompts: frozenset[str]
    count: int


class TapeAgent:
    """Play runs as an agent would make them: `run` the first one of a cassette, `resume` the one behind a pause.

    The cassette is the one that `metadata["cassette"]` names, else one on which the prompt was recorded, else one that
    the prompt names, else the first. A recording that failed fails again.

    Raises `UsageError` where there is nothing to play, and for cassettes of different dialects.
    """

    def __init__(self, places: Sequence[Place], *, pace: Pace = "recorded", clock: Clock = SYSTEM_CLOCK) -> None:
        self._pace = pace
        self._clock = clock
        self._paused: OrderedDict[str | None, tuple[Playable, int]] = OrderedDict()
        found, dialects = [], {}
        for place in places:
            with Tape(place.read()) as tape:
                if playable := _playable(place, tape):
                    found.append(playable)
                    dialects[tape.dialect.name] = tape.dialect
        if not found:
            raise UsageError("there are no runs to serve: the cassettes hold no events, only calls of models or bytes")
        if len(dialects) > 1:
            raise UsageError(f"one server speaks one dialect, and the cassettes are of {', '.join(sorted(dialects))}")
        self.playable: Sequence[Playable] = found
        self.dialect: Dialect = next(iter(dialects.values()))

    def run(
        self, prompt: str, *, thread_id: str | None = None, metadata: Mapping[str, Any] | None = None, **_: Any
    ) -> AsyncIterator[Any]:
        """Return the events of the first run of the cassette that is meant. Raises `HTTPException` 404 for no such."""
        return self._play(self._chosen(prompt, (metadata or {}).get(CASSETTE)), 0, thread_id)

    def resume(self, answer: Any = None, *, thread_id: str | None = None, **_: Any) -> AsyncIterator[Any]:
        """Return the events of the run behind the one that has paused. Raises `UsageError` where none has."""
        if thread_id not in self._paused:
            raise UsageError("no recorded run is paused in this thread")
        playable, index = self._paused.pop(thread_id)
        return self._play(playable, index + 1, thread_id)

    async def _play(self, playable: Playable, index: int, thread_id: str | None) -> AsyncIterator[Any]:
        run = playable.runs[index]
        with Tape(playable.place.read()) as tape:
            async for event in tape.events(run=run, pace=self._pace, clock=self._clock):
                yield event
            end = tape.end(run)
            if end == "paused" and index + 1 < len(playable.runs):
                self._paused[thread_id] = playable, index
                if len(self._paused) > _MAX_PAUSED:
                    self._paused.popitem(last=False)
            elif end not in _ENDS_WELL:
                raise recorded_error(tape, end, run=run)

    def _chosen(self, prompt: str, name: object) -> Playable:
        if name is not None:
            for playable in self.playable:
                if playable.name == name:
                    return playable
            names = ", ".join(playable.name for playable in self.playable)
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no such cassette: there is {names}")
        meant = (
            *(each for each in self.playable if prompt in each.prompts),
            *(each for each in self.playable if prompt == each.name),
        )
        return next(iter(meant), self.playable[0])


def _playable(place: Place, tape: Tape) -> Playable | None:
    """Return what can be played of a tape; None where it holds no events."""
    runs = Counter(entry.owner for entry in tape.entries() if (entry.track, entry.kind) == ("event", "event"))
    if not runs:
        return None
    name = without_suffix(Path(place.name or "").name)
    return Playable(name, place, list(runs), frozenset(_prompts(tape)), runs.total())


def _prompts(tape: Tape) -> Iterator[str]:
    """Yield what users said in the questions that were asked of models."""
    for exchange in exchanges(tape.calls()):
        messages = exchange.request.get("messages")
        for message in messages if isinstance(messages, list) else ():
            match message:
                case {"role": "user", "content": str(content)}:
                    yield content

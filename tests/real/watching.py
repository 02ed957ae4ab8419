"""What a test of a real agent's run needs: who yielded what and when, and whether the tape says the same."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Any

from playhead.events.base import OpaqueEvent, typed_json
from playhead.events.codec import encode_event, event_json
from playhead.events.dialects import get_dialect
from playhead.events.tagged import loads
from playhead.recording.recorder import Recorder
from playhead.replaying.tape import Tape, open_tape

MILLISECOND_US = 1000


@dataclass
class Watched:
    """Note what an agent yielded, what its consumer got, and when: microseconds before and after the tape."""

    yielded: list[Any] = field(default_factory=list)
    got: list[Any] = field(default_factory=list)
    before_us: list[int] = field(default_factory=list)
    after_us: list[int] = field(default_factory=list)

    async def consume(self, tape: Recorder, source: AsyncIterator[Any], *, stop_after: str = "") -> None:
        """Tape a run and iterate over it, up to an event of a type if one is named."""
        async with aclosing(tape.events(self._spied(source))) as events:
            async for event in events:
                if self._note(event) == stop_after:
                    return

    def consume_plain(self, tape: Recorder, source: Iterator[Any], *, stop_after: str = "") -> None:
        """Do the same with a plain iterator."""
        with closing(tape.events(self._spied_plain(source))) as events:
            for event in events:
                if self._note(event) == stop_after:
                    return

    def _note(self, event: Any) -> str:
        self.after_us.append(now_us())
        self.got.append(event)
        return str(encode_event(event).get("event_type") or encode_event(event).get("type"))

    async def _spied(self, source: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async with aclosing(source) as events:  # type: ignore[type-var]
            async for event in events:
                self._remember(event)
                yield event

    def _spied_plain(self, source: Iterator[Any]) -> Iterator[Any]:
        with closing(source) as events:  # type: ignore[type-var]
            for event in events:
                self._remember(event)
                yield event

    def _remember(self, event: Any) -> None:
        self.yielded.append(event)
        self.before_us.append(now_us())


def now_us() -> int:
    """Return the time on the clock that a recorder takes, in microseconds."""
    return time.monotonic_ns() // 1000


def check_objects(watched: Watched) -> None:
    """Check that the consumer got the very objects that the agent yielded, in order."""
    assert len(watched.got) == len(watched.yielded)
    assert all(got is yielded for got, yielded in zip(watched.got, watched.yielded, strict=True))


def check_tape(place: str, watched: Watched, *, decode: Callable[[bytes], Any]) -> Tape:
    """Check that a tape has the classes, order, JSON and times of what was watched. Returns the tape, open."""
    check_objects(watched)
    tape = open_tape(place)
    typed = list(tape.events())
    assert [event.event_type for event in typed] == [type_of(event) for event in watched.yielded]
    assert not [event for event in typed if isinstance(event, OpaqueEvent)]
    for event, original in zip(typed, watched.yielded, strict=True):
        assert event_json(event) == event_json(original)
        assert steady(tape, typed_json(event)) == steady(tape, event_json(original))
    own = list(tape.events(decode=decode))
    assert [type(event) for event in own] == [type(event) for event in watched.yielded]
    assert list(map(event_json, own)) == list(map(event_json, watched.yielded))
    check_times(tape, watched)
    return tape


def type_of(event: Any) -> str:
    """Return an event's type, in either dialect."""
    return str(getattr(event, "event_type", None) or event.type)


def steady(tape: Tape, data: bytes) -> Any:
    """Return an event without what differs from run to run: times may be spelled in two ways."""
    return get_dialect(tape.dialect).steady(loads(data))


def check_times(tape: Tape, watched: Watched) -> None:
    """Check that each event is stamped with a time between those noted before and after the tape, and half within 1 ms.

    The recorder's zero is not known, so all are compared with the tape's first event.
    """
    at_us = 0
    stamps = []
    for entry in tape.entries():
        at_us += entry.dt_us
        stamps.append(at_us)
    assert len(stamps) == len(watched.before_us)
    earliest = max(stamp - after for stamp, after in zip(stamps, watched.after_us, strict=True))
    latest = min(stamp - before for stamp, before in zip(stamps, watched.before_us, strict=True))
    assert earliest <= latest + 2, "no clock that began at one moment fits all the stamps"
    if not stamps:
        return
    off = sorted(abs(stamp - latest - before) for stamp, before in zip(stamps, watched.before_us, strict=True))
    assert off[(len(off) - 1) // 2] <= MILLISECOND_US

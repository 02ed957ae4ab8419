"""A model's turn: its parts in order, and the steps that they become when it is played.

Knows in which order things happen. Does not know time: a step that is a pause is for the player to wait.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from playhead.errors import UsageError
from playhead.scripts.parts import Call, Cut, Event, Fail, Garbage, Hang, Part, Pause, Said, Say, Stop, Usage

_LAST = (Fail, Cut, Hang)
_EVENTS = (Pause, Fail, Cut, Hang, Garbage)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a model says when it is asked once. Made by `turn`."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Return all that is said."""
        return "".join("".join(part.pieces) for part in self.parts if isinstance(part, Say))

    @property
    def calls(self) -> tuple[Call, ...]:
        """Return the tools that the model wants called."""
        return tuple(_of(Call, self.parts))

    @property
    def stop_reason(self) -> str:
        """Return why the model stops: as the script says, else `tool_calls` if it wants a tool, else `stop`."""
        return next((part.reason for part in _of(Stop, self.parts)), "tool_calls" if self.calls else "stop")

    @property
    def usage(self) -> Usage:
        """Return how many tokens it took: as the script says, else nothing in and one a piece out."""
        pieces = sum(len(part.pieces) for part in self.parts if isinstance(part, Said))
        return next(_of(Usage, self.parts), Usage(0, pieces))

    def steps(self, *, first_call: int = 1) -> Iterator["Step"]:
        """Yield what happens, in order. Calls without an id are named `call_1`, `call_2` and so on from `first_call`.

        The last step is a `Stop`, behind a `Usage`; or a `Fail`, `Cut` or `Hang`, after which nothing comes.
        """
        for step in _placed(self.parts, first_call):
            yield step
            if isinstance(step, _LAST):
                return
        yield self.usage
        yield Stop(self.stop_reason)


@dataclass(frozen=True, slots=True)
class Begin:
    """A part begins to stream. `index` counts the parts of the turn that stream."""

    index: int
    part: Said


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a part: text, or for a call a part of the JSON of its arguments."""

    index: int
    part: Said
    text: str


@dataclass(frozen=True, slots=True)
class End:
    """A part has streamed."""

    index: int
    part: Said


Step = Begin | Piece | End | Event | Usage | Stop
"""One thing that happens while a turn is played."""


def turn(*parts: Part | Turn | str) -> Turn:
    """Return a turn of these parts, in this order. A text is something to say; a turn gives its parts.

    Raises `UsageError` where a fault is to come after more pieces than there are, or where something is no part.
    """
    whole = Turn(tuple(_flat(parts)))
    count = sum(len(part.pieces) for part in whole.parts if isinstance(part, Said))
    for part in whole.parts:
        if isinstance(part, _EVENTS) and part.at is not None and not 0 <= part.at <= count:
            raise UsageError(f"{part!r}: the turn has {count} pieces, so `at` is from 0 to {count}")
    return whole


_T = TypeVar("_T")


def _of(kind: type[_T], parts: Iterable[object]) -> Iterator[_T]:
    return (part for part in parts if isinstance(part, kind))


def _flat(parts: Iterable[Part | Turn | str]) -> Iterator[Part]:
    for part in parts:
        match part:
            case Turn():
                yield from part.parts
            case str():
                yield Say((part,))
            case _ if isinstance(part, Part):
                yield part
            case _:
                raise UsageError(
                    f"{part!r} is no part of a turn: use say, think, call, usage, stop, fail, cut and so on"
                )


def _placed(parts: Iterable[Part], first_call: int) -> Iterator[Step]:
    """Yield the steps of the parts, and events that have a place of their own at that place."""
    waiting = sorted((part for part in parts if isinstance(part, _EVENTS) and part.at is not None), key=_at)
    count = 0
    for step in _in_order(parts, first_call):
        while waiting and not isinstance(step, End) and _at(waiting[0]) == count:
            yield waiting.pop(0)
        count += isinstance(step, Piece)
        yield step
    yield from waiting


def _at(event: Event) -> int:
    return event.at or 0


def _in_order(parts: Iterable[Part], first_call: int) -> Iterator[Step]:
    index, number = 0, first_call
    for part in parts:
        if isinstance(part, _EVENTS):
            if part.at is None:
                yield part
        elif isinstance(part, Said):
            if isinstance(part, Call) and part.id is None:
                part, number = part.with_id(f"call_{number}"), number + 1
            yield from _streamed(index, part)
            index += 1


def _streamed(index: int, part: Said) -> Iterator[Step]:
    yield Begin(index, part)
    for text in part.pieces:
        if part.pause_s:
            yield Pause(part.pause_s)
        yield Piece(index, part, text)
    yield End(index, part)

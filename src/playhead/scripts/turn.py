"""A model's turn: its parts in order, and the steps that they become when it is played.

Knows in which order things happen. Does not know time: a step that is a pause is for the player to wait.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import NamedTuple

from playhead.errors import UsageError
from playhead.scripts.parts import Call, Cut, Event, Fail, Garbage, Hang, Part, Pause, Said, Say, Stop, Think, Usage

# Tuples, which are quicker to look into than unions.
_SAID = (Say, Think, Call)
_LAST = (Fail, Cut, Hang)
_EVENTS = (Pause, Fail, Cut, Hang, Garbage)


class Sum(NamedTuple):
    """What a turn comes to.

    `unnamed` counts the calls without an id of their own. It `is_smooth` where nothing happens on the way: no fault,
    and no time that passes.
    """

    text: str
    calls: tuple[Call, ...]
    unnamed: int
    usage: Usage
    stop_reason: str
    is_smooth: bool


@dataclass(frozen=True)
class Turn:
    """What a model says when it is asked once. Made by `turn`."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Return all that is said."""
        return self.sum.text

    @property
    def calls(self) -> tuple[Call, ...]:
        """Return the tools that the model wants called."""
        return self.sum.calls

    @cached_property
    def sum(self) -> Sum:
        """Return what the turn comes to.

        It took as many tokens as the script says, else nothing in and one a piece out. It stops as the script says, the
        first time that it does; else with `tool_calls` if it wants a tool, else with `stop`.
        """
        texts: list[str] = []
        calls: list[Call] = []
        usage: Usage | None = None
        stop: Stop | None = None
        pieces, is_smooth = 0, True
        for part in self.parts:
            if isinstance(part, _SAID):
                pieces += len(part.pieces)
                is_smooth = is_smooth and not part.pause_s
            if isinstance(part, Say):
                texts += part.pieces
            elif isinstance(part, Call):
                calls.append(part)
            elif isinstance(part, Usage):
                usage = usage or part
            elif isinstance(part, Stop):
                stop = stop or part
            elif isinstance(part, _EVENTS):
                is_smooth = False
        return Sum(
            text="".join(texts),
            calls=tuple(calls),
            unnamed=len([call for call in calls if call.id is None]),
            usage=usage or Usage(0, pieces),
            stop_reason=stop.reason if stop else "tool_calls" if calls else "stop",
            is_smooth=is_smooth,
        )

    def numbered(self, first_call: int) -> "Turn":
        """Return the turn with an id for each call: those without are `call_1`, `call_2` and so on from that number."""
        if not self.sum.unnamed:
            return self
        numbers = count(first_call)
        return Turn(
            tuple(
                [
                    Call(part.tool, part.pieces, f"call_{next(numbers)}", part.pause_s)
                    if isinstance(part, Call) and part.id is None
                    else part
                    for part in self.parts
                ]
            )
        )

    def steps(self, *, first_call: int = 1) -> Iterator["Step"]:
        """Yield what happens, in order. Calls without an id are named as `numbered` does.

        The last step is a `Stop`, behind a `Usage`; or a `Fail`, `Cut` or `Hang`, after which nothing comes.
        """
        steps = _in_order(self.numbered(first_call).parts)
        waiting = sorted((part for part in self.parts if isinstance(part, _EVENTS) and part.at is not None), key=_at)
        for step in _placed(steps, waiting) if waiting else steps:
            yield step
            if isinstance(step, _LAST):
                return
        yield self.sum.usage
        yield Stop(self.sum.stop_reason)


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
    pieces = sum(len(part.pieces) for part in whole.parts if isinstance(part, _SAID))
    for part in whole.parts:
        if isinstance(part, _EVENTS) and part.at is not None and not 0 <= part.at <= pieces:
            raise UsageError(f"{part!r}: the turn has {pieces} pieces, so `at` is from 0 to {pieces}")
    return whole


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


def _placed(steps: Iterable[Step], waiting: list[Event]) -> Iterator[Step]:
    """Yield the steps, and events that have a place of their own at that place."""
    pieces = 0
    for step in steps:
        while waiting and not isinstance(step, End) and _at(waiting[0]) == pieces:
            yield waiting.pop(0)
        pieces += isinstance(step, Piece)
        yield step
    yield from waiting


def _at(event: Event) -> int:
    return event.at or 0


def _in_order(parts: Iterable[Part]) -> Iterator[Step]:
    index = 0
    for part in parts:
        if isinstance(part, _EVENTS):
            if part.at is None:
                yield part
        elif isinstance(part, _SAID):
            yield from _streamed(index, part)
            index += 1


def _streamed(index: int, part: Said) -> Iterator[Step]:
    yield Begin(index, part)
    for text in part.pieces:
        if part.pause_s:
            yield Pause(part.pause_s)
        yield Piece(index, part, text)
    yield End(index, part)

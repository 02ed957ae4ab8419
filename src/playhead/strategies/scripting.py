"""Strategies for scripts: what a model says turn by turn, and all that can go wrong while it does.

Knows the parts of `playhead.scripts`. Does not know who asks the model.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st

from playhead.scripts.failures import BadRequest, Overloaded, ProviderFailure, RateLimit, ServerError, Unauthorized
from playhead.scripts.parts import (
    Call,
    Cut,
    Fail,
    Garbage,
    Hang,
    Part,
    Pause,
    Said,
    Say,
    Stop,
    Think,
    Usage,
)
from playhead.scripts.turn import Turn, turn
from playhead.walks.texts import NAMES, OBJECTS, TEXTS

_FAILURES: Final = (ServerError, RateLimit, Overloaded, BadRequest, Unauthorized)
_MALFORMED: Final = ("", "{", '{"city": "Par', "null", "[1]", '"text"', "{}{}", '{"a": NaN}', "not json", "\x00")
_GARBAGE: Final = (b"\xff", b"\x00", b"data: {\n\n", b"\n\n", b"event: \xff\xfe\n", b": only a comment\n\n")
_STOPS: Final = ("stop", "length", "content_filter", "tool_calls", "unheard_of")
_MAX_PARTS: Final = 4
_MAX_FAULTS: Final = 2

_pieces = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4).map(tuple)
_failures: st.SearchStrategy[ProviderFailure] = st.one_of(
    st.sampled_from([make() for make in _FAILURES]),
    st.integers(0, 60).map(lambda after_s: RateLimit(retry_after_s=float(after_s))),
)


def scripts(
    *, min_size: int = 1, max_size: int = 4, tools: Sequence[str] = NAMES[:2], faults: bool = True
) -> st.SearchStrategy[list[Turn]]:
    """Return a strategy for scripts of a `ScriptedModel`: lists of turns, from `min_size` to `max_size`.

    Turns speak, think and call `tools`, and some call several. The last turn calls none, so that an agent which asks
    until no tool is wanted finds an end, unless a fault stands before. With `faults`, turns also refuse, break off,
    hang, send garbage, take their time, call tools that there are not, and send arguments that are no JSON: run these
    on a virtual clock and with a limit of time, for a model that hangs does so for ever.
    """
    middle = turns(tools=tools, faults=faults)
    last = turns(tools=(), faults=faults)
    before = st.lists(middle, min_size=max(0, min_size - 1), max_size=max(0, max_size - 1))
    return _scripts(before, last) if max_size else st.just([])


# Composite strategies show the turns themselves, where `map` would show what they were made of.
@st.composite
def _scripts(draw: st.DrawFn, before: st.SearchStrategy[list[Turn]], last: st.SearchStrategy[Turn]) -> list[Turn]:
    return [*draw(before), draw(last)]


def turns(*, tools: Sequence[str] = NAMES[:2], faults: bool = True) -> st.SearchStrategy[Turn]:
    """Return a strategy for one turn of a model: see `scripts`."""
    said: list[st.SearchStrategy[Said]] = [st.builds(Say, _pieces), st.builds(Think, _pieces)]
    if tools:
        said.append(_calls(tools, malformed=faults))
    around: list[st.SearchStrategy[Part]] = [st.builds(Usage, st.integers(0, 9), st.integers(0, 9))]
    if faults:
        around.append(st.builds(Stop, st.sampled_from(_STOPS)))
    parts = st.tuples(
        st.lists(st.one_of(said), min_size=1, max_size=_MAX_PARTS), st.lists(st.one_of(around), max_size=1)
    )
    return _turns(parts, st.lists(_faults(), max_size=_MAX_FAULTS) if faults else st.just([]))


@st.composite
def _turns(
    draw: st.DrawFn, parts: st.SearchStrategy[tuple[list[Said], list[Part]]], faults: st.SearchStrategy[list[Any]]
) -> Turn:
    """Draw a turn whose faults stand anywhere: before its parts, between its pieces, or behind them."""
    said, around = draw(parts)
    count = sum(len(part.pieces) for part in said)
    return turn(*said, *around, *(replace(fault, at=draw(st.integers(0, count))) for fault in draw(faults)))


def _calls(tools: Sequence[str], *, malformed: bool) -> st.SearchStrategy[Call]:
    names = st.sampled_from([*tools, "no_such_tool"] if malformed else list(tools))
    whole = st.sampled_from([json.dumps(value) for value in OBJECTS])
    arguments = st.one_of(whole, st.sampled_from(_MALFORMED)) if malformed else whole
    pieces = st.tuples(arguments, st.integers(0, 8)).map(lambda cut: _cut(*cut))
    return st.builds(Call, names, pieces)


def _cut(text: str, place: int) -> tuple[str, ...]:
    return (text[:place], text[place:]) if 0 < place < len(text) else (text,)


def _faults() -> st.SearchStrategy[Any]:
    """Return a strategy for what happens on the way: everything that there is."""
    return st.one_of(
        st.builds(Fail, _failures),
        st.builds(Cut, st.booleans()),
        st.builds(Hang),
        st.builds(Garbage, st.sampled_from(_GARBAGE)),
        st.builds(Pause, st.sampled_from((0.0, 0.001, 1.0, 30.0, 3600.0))),
    )

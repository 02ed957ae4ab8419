"""Scripts as Python source: what a person reads in a report, and a test can hold.

Knows the words of `playhead.scripts`. Does not know models.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from playhead.scripts.parts import Call, Cut, Fail, Garbage, Hang, Part, Pause, Say, Stop, Think, Usage
from playhead.scripts.turn import Turn
from playhead.testing.agent_runs import Leaving, Trial

WORDS: Final = ("call", "cut", "fail", "garbage", "hang", "pause", "raw_call", "say", "stop", "think", "turn", "usage")
"""The names that a spelled script may use, beside those of failures."""

FAILURES: Final = {
    "rate_limit": "RateLimit",
    "overloaded": "Overloaded",
    "server_error": "ServerError",
    "bad_request": "BadRequest",
    "unauthorized": "Unauthorized",
}
"""The names of failures, by their kind."""

_MAX_ALIKE: Final = 3


def spelled_trial(trial: Trial) -> list[str]:
    """Return the turns of a trial, one a line, and how its run is left."""
    place = "" if trial.how is Leaving.RUN else f" at {trial.at}"
    return [*spelled_turns(trial.turns), f"then {trial.how}{place}"]


def spelled_turns(turns: Sequence[Turn]) -> list[str]:
    """Return turns as source, one a line, and equal neighbours as a product."""
    lines: list[str] = []
    for each, group in groupby(turns):
        count = len(list(group))
        lines += [f"*[{spelled_turn(each)}] * {count}"] if count > _MAX_ALIKE else [spelled_turn(each)] * count
    return lines


def spelled_turn(turn: Turn) -> str:
    """Return a turn as source."""
    return f"turn({', '.join(map(spelled_part, turn.parts))})"


def spelled_part(part: Part) -> str:
    """Return a part of a turn as source."""
    match part:
        case Say(pieces=(text,), pause_s=0.0):
            return repr(text)
        case Say() | Think():
            return _streamed("say" if isinstance(part, Say) else "think", part)
        case Call():
            return _spelled_call(part)
        case Usage():
            return f"usage({part.input_tokens}, {part.output_tokens})"
        case Stop():
            return f"stop({part.reason!r})"
        case Pause():
            return f"pause({part.seconds}{_at(part)})"
        case Fail():
            return f"fail({FAILURES.get(part.failure.kind, 'ServerError')}(){_at(part)})"
        case Cut():
            arguments = [f"at={part.at}"] * (part.at is not None) + ["clean=True"] * part.clean
            return f"cut({', '.join(arguments)})"
        case Hang():
            return f"hang({_at(part).removeprefix(', ')})"
        case Garbage():
            return f"garbage({part.data!r}{_at(part)})"


def _streamed(word: str, part: Say | Think) -> str:
    text = "".join(part.pieces)
    chunks = "" if len(part.pieces) == 1 else f", chunks={list(part.pieces)!r}"
    pauses = f", pause_s={part.pause_s}" if part.pause_s else ""
    return f"{word}({text!r}{chunks}{pauses})"


def _spelled_call(part: Call) -> str:
    arguments: Any = part.arguments
    plain = isinstance(arguments, dict) and all(name.isidentifier() for name in arguments)
    if plain:
        named = "".join(f", {name}={value!r}" for name, value in arguments.items())
        spelled = f"call({part.tool!r}{named})"
    else:
        spelled = f"raw_call({part.tool!r}, {part.text!r})"
    if part.id is not None:
        spelled += f".with_id({part.id!r})"
    return spelled if len(part.pieces) == 1 else f"{spelled}.in_chunks({list(part.pieces)!r})"


def _at(part: Pause | Fail | Hang | Garbage) -> str:
    return "" if part.at is None else f", at={part.at}"

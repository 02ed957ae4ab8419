"""What a model is to say, as data: turns made of text, thoughts, calls of tools, and faults.

    from playhead.scripts import RateLimit, call, cut, fail, say, turn

    turns = [
        turn(say("Let me see. "), call("weather", city="Paris")),
        say("Take an umbrella.", chunks=4),
        fail(RateLimit(retry_after_s=2)),
        turn(say("It is", chunks=2), cut()),
    ]

Turns are played by a `ScriptedModel`, in Python, or by a provider, over HTTP.
"""

from playhead.scripts.failures import (
    BadRequest,
    Overloaded,
    ProviderFailure,
    RateLimit,
    ServerError,
    Unauthorized,
)
from playhead.scripts.parts import (
    Call,
    Cut,
    Fail,
    Garbage,
    Hang,
    Part,
    Pause,
    Say,
    Stop,
    Think,
    Usage,
    call,
    cut,
    fail,
    garbage,
    hang,
    pause,
    raw_call,
    say,
    stop,
    think,
    usage,
)
from playhead.scripts.request import ModelRequest
from playhead.scripts.turn import Begin, End, Piece, Step, Turn, turn

__all__ = [
    "BadRequest",
    "Begin",
    "Call",
    "Cut",
    "End",
    "Fail",
    "Garbage",
    "Hang",
    "ModelRequest",
    "Overloaded",
    "Part",
    "Pause",
    "Piece",
    "ProviderFailure",
    "RateLimit",
    "Say",
    "ServerError",
    "Step",
    "Stop",
    "Think",
    "Turn",
    "Unauthorized",
    "Usage",
    "call",
    "cut",
    "fail",
    "garbage",
    "hang",
    "pause",
    "raw_call",
    "say",
    "stop",
    "think",
    "turn",
    "usage",
]

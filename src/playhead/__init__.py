"""Playhead: tape what an LLM agent does, play it back exactly and offline, and check that every stream ends in order.

    with playhead.record("trip.jsonl", dialect="locus") as tape:
        async for event in tape.events(agent.run("Plan a trip to Paris.")):
            ...

    tape = playhead.open("trip.jsonl")
    await playhead.replay(tape, playhead.SSEHandler())
    assert not list(playhead.check(tape))

The events have a package of their own, `playhead.events`.

A name is loaded when it is first used. `__init__.pyi` says the same to type checkers.
"""

from importlib import import_module
from typing import Any, Final

_HOMES: Final = {
    "Agent": "playhead.agent.agent",
    "AsyncSSEHandler": "playhead.handlers.async_sse",
    "BaseStreamHandler": "playhead.handlers.base",
    "BufferingHandler": "playhead.handlers.buffering",
    "Checkpointer": "playhead.recording.checkpoints",
    "CompositeHandler": "playhead.handlers.composite",
    "ConsoleHandler": "playhead.handlers.console",
    "ContractHandler": "playhead.handlers.contract",
    "FilteringHandler": "playhead.handlers.filtering",
    "LoggingHandler": "playhead.handlers.logs",
    "MinimalConsoleHandler": "playhead.handlers.minimal",
    "PlayheadError": "playhead.errors",
    "Recorder": "playhead.recording.recorder",
    "SSEHandler": "playhead.handlers.sse",
    "SSEMessage": "playhead.sse.message",
    "SSEParser": "playhead.sse.parser",
    "ScriptedModel": "playhead.models.scripted",
    "StreamHandler": "playhead.handlers.base",
    "StructuredStream": "playhead.handlers.structured",
    "Tape": "playhead.replaying.tape",
    "VirtualClock": "playhead.clocks.virtual",
    "check": "playhead.contracts.check",
    "create_sse_response_headers": "playhead.sse.headers",
    "diff": "playhead.comparing.streams",
    "open": "playhead.replaying.tape",
    "record": "playhead.recording.recorder",
    "replay": "playhead.replaying.replay",
    "rerun": "playhead.replaying.taps",
    "scaled": "playhead.replaying.pace",
    "stream_structured": "playhead.handlers.structured",
}
_NAMED_THERE: Final = {"diff": "compare", "open": "open_tape"}
_PACKAGES: Final = frozenset({"strategies", "testing"})
"""Packages that can be had as `playhead.strategies` without a line that imports them, as in an `@given`."""

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), _NAMED_THERE.get(name, name))
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

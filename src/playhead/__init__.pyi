"""Playhead: tape what an LLM agent does, play it back exactly and offline, and check that every stream ends in order.

    with playhead.record("trip.jsonl", dialect="locus") as tape:
        async for event in tape.events(agent.run("Plan a trip to Paris.")):
            ...

    tape = playhead.open("trip.jsonl")
    await playhead.replay(tape, playhead.SSEHandler())
    assert not list(playhead.check(tape))

The events have a package of their own, `playhead.events`.
"""

from playhead.agent.agent import Agent
from playhead.clocks.virtual import VirtualClock
from playhead.comparing.streams import compare as diff
from playhead.contracts.check import check
from playhead.errors import PlayheadError
from playhead.handlers.async_sse import AsyncSSEHandler
from playhead.handlers.base import BaseStreamHandler, StreamHandler
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.console import ConsoleHandler
from playhead.handlers.contract import ContractHandler
from playhead.handlers.filtering import FilteringHandler
from playhead.handlers.logs import LoggingHandler
from playhead.handlers.minimal import MinimalConsoleHandler
from playhead.handlers.sse import SSEHandler
from playhead.handlers.structured import StructuredStream, stream_structured
from playhead.models.scripted import ScriptedModel
from playhead.recording.checkpoints import Checkpointer
from playhead.recording.recorder import Recorder, record
from playhead.replaying.pace import scaled
from playhead.replaying.replay import replay
from playhead.replaying.tape import Tape
from playhead.replaying.tape import open_tape as open
from playhead.replaying.taps import rerun
from playhead.sse.headers import create_sse_response_headers
from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser

__all__ = [
    "Agent",
    "AsyncSSEHandler",
    "BaseStreamHandler",
    "BufferingHandler",
    "Checkpointer",
    "CompositeHandler",
    "ConsoleHandler",
    "ContractHandler",
    "FilteringHandler",
    "LoggingHandler",
    "MinimalConsoleHandler",
    "PlayheadError",
    "Recorder",
    "SSEHandler",
    "SSEMessage",
    "SSEParser",
    "ScriptedModel",
    "StreamHandler",
    "StructuredStream",
    "Tape",
    "VirtualClock",
    "check",
    "create_sse_response_headers",
    "diff",
    "open",
    "record",
    "replay",
    "rerun",
    "scaled",
    "stream_structured",
]

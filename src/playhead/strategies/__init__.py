"""Hypothesis strategies: runs of events, faults, scripts, bytes and handlers, for tests of what has to take them.

import playhead.strategies

@given(run=playhead.strategies.runs("locus"))
def test_my_handler(run): ...
"""

from playhead.strategies.faulting import FaultyRun, faulty_runs
from playhead.strategies.handling import FailingHandler, handlers
from playhead.strategies.registering import register
from playhead.strategies.running import Run, events, runs
from playhead.strategies.scripting import scripts, turns
from playhead.strategies.streams import messages, splits, sse_bytes
from playhead.strategies.texts import texts

__all__ = [
    "FailingHandler",
    "FaultyRun",
    "Run",
    "events",
    "faulty_runs",
    "handlers",
    "messages",
    "register",
    "runs",
    "scripts",
    "splits",
    "sse_bytes",
    "texts",
    "turns",
]

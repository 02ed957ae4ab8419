"""The events that the examples of rules are made of."""

from playhead.contracts.rule import Row

THINK: Row = {"event_type": "think", "iteration": 1}
"""The first step."""
NEXT: Row = {"event_type": "think", "iteration": 2}
"""The second step."""
START: Row = {"event_type": "tool_start", "tool_name": "search", "tool_call_id": "c1"}
"""A tool is started."""
NEWS: Row = {"event_type": "tool_progress", "tool_name": "search", "tool_call_id": "c1", "message": "half"}
"""The tool goes on."""
DONE: Row = {"event_type": "tool_complete", "tool_name": "search", "tool_call_id": "c1", "result": "ok"}
"""The tool is complete."""
END: Row = {"event_type": "terminate", "reason": "complete"}
"""The run is over."""

SHIPIT_RUN: Row = {"type": "run_started", "payload": {}}
"""A run of shipit's begins."""
SHIPIT_CALLED: Row = {"type": "tool_called", "payload": {"call_id": "call_1_1", "tool": "search"}}
"""A tool of shipit's is called."""
SHIPIT_COMPLETED: Row = {"type": "tool_completed", "payload": {"call_id": "call_1_1", "tool": "search"}}
"""A tool of shipit's is complete."""
SHIPIT_OVER: Row = {"type": "run_completed", "payload": {}}
"""A run of shipit's is over."""

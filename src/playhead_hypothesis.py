"""The entry point of Playhead for Hypothesis: `st.from_type(ThinkEvent)` draws events that a framework could send.

It is loaded whenever Hypothesis is, so it imports nothing but the standard library, and does nothing where Playhead's
events are not in use. Who imports them later registers them by `import playhead.strategies`.
"""

import sys
from importlib import import_module


def register() -> None:
    """Register Playhead's strategies if its events are loaded already: importing the package does it."""
    if "playhead.events" in sys.modules:
        import_module("playhead.strategies")

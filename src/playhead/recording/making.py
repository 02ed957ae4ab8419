"""What a cassette says of how it was made: versions, and when.

Knows which libraries shape a recording. Imports none of them: it tells the versions of those that the program uses.
"""

import platform
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from playhead.clock import SYSTEM_CLOCK, Clock

LIBRARIES: Final = {
    "agents": "openai-agents",
    "anthropic": "anthropic",
    "google.genai": "google-genai",
    "langgraph": "langgraph",
    "locus": "locus-sdk",
    "openai": "openai",
    "pydantic_ai": "pydantic-ai-slim",
    "shipit_agent": "shipit-agent",
}
"""Packages whose version matters to whoever reads a recording, by the module that a program imports."""

RECORDED: Final = "recorded"
"""The key of the time at which a recording began: UTC, ISO 8601, to the second."""


def made_with(more: Mapping[str, str] | None = None, *, clock: Clock | None = SYSTEM_CLOCK) -> dict[str, str]:
    """Return what goes into the header: Python, Playhead, the libraries in use, the time, and `more`.

    Without a clock the time is left out, as for a log that was recorded by somebody else.
    """
    found = {"playhead": _version("playhead") or "unknown", "python": platform.python_version()}
    if clock is not None:
        found[RECORDED] = clock.now().replace(microsecond=0).isoformat()
    for module, distribution in LIBRARIES.items():
        if module in sys.modules and (known := _version(distribution)) is not None:
            found[distribution] = known
    return {**found, **(more or {})}


# It is read from files, which takes longer than a short recording.
@cache
def _version(distribution: str) -> str | None:
    """Return the version of a distribution; None where a module has its name only."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None

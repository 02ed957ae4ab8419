"""shipit's own event objects, made of JSON.

Knows shipit's one class of events. Does not know what they mean. Importing this module without shipit raises
`UsageError`.
"""

# shipit carries no types.
# mypy: disable-error-code="import-untyped"

from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from playhead.errors import UsageError
from playhead.events.base import OpaqueEvent
from playhead.events.codec import decode_json
from playhead.events.dialects import foreign_dialect
from playhead.events.tagged import loads

try:
    from shipit_agent.models import AgentEvent
except ImportError as _error:
    raise UsageError("this needs shipit, which is not installed: pip install 'playhead[shipit]'") from _error

MADE: Final = {"shipit-agent": version("shipit-agent")}
"""The version of shipit that is installed: give it to `record(made=...)`, and the cassette's header keeps it."""

_UNKNOWN = foreign_dialect("shipit")

ShipitAgentEvent = Any
"""An event of shipit's, a `shipit_agent.models.AgentEvent`. That package carries no types, so this cannot name it."""

if TYPE_CHECKING:

    class _AgentEvent:
        """Say what shipit's class has that is used here."""

        type: str
        message: str
        payload: dict[str, Any]
        timestamp: float
        to_dict: Callable[[], dict[str, Any]]

        def __init__(self, type: str, message: str, payload: dict[str, Any], timestamp: float) -> None: ...

else:
    _AgentEvent = AgentEvent


class HandledEvent(_AgentEvent):
    """Be an event of shipit that says its type as `event_type` too, which is where handlers look."""

    __slots__ = ()

    @property
    def event_type(self) -> str:
        """Return the event's type."""
        return str(self.type)


def handled(event: ShipitAgentEvent) -> HandledEvent:
    """Return a live event of shipit as handlers take it: `await handler.on_event(handled(event))`."""
    return HandledEvent(event.type, event.message, event.payload, event.timestamp)


def decode(raw: bytes) -> ShipitAgentEvent | OpaqueEvent:
    """Return the event of shipit that a cassette's JSON stands for. Its time is 0.0 where 1.0.x recorded none.

    shipit's class takes any type, but no other fields than its own: an event that has some is an `OpaqueEvent`, which
    keeps everything. Raises `UsageError` for JSON that is no event.
    """
    try:
        match loads(raw):
            case {"type": str()} as value if isinstance(value.get("payload", {}), dict):
                return AgentEvent(**{"timestamp": 0.0} | value)
    except (TypeError, ValueError):
        pass
    return decode_json(raw, _UNKNOWN)

"""The events of dialect `turns`: the smallest union that a loop of one's own needs.

Six classes, told apart in JSON by the class name in `type`. A turn id names no call, so parallel calls of one tool in
a turn pair first in, first out.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, TypeAdapter

from playhead.events.base import Event, Json, JsonObject, OpaqueEvent
from playhead.events.frozen import FrozenDict
from playhead.events.paths import path
from playhead.events.spans import Dialect, Span, closes, feeds, opens


class TurnEvent(Event):
    """Hold what every event of a turn has. `event_type` is another name for `type`."""

    tag_field: ClassVar[str] = "type"

    turn_id: str

    @property
    def event_type(self) -> str:
        """Return the event's type, under the name that handlers look for."""
        return str(vars(self)["type"])


class RequestStart(TurnEvent):
    """Say that a turn begins."""

    type: Literal["RequestStart"] = "RequestStart"


class TextDelta(TurnEvent):
    """Carry a piece of the answer."""

    type: Literal["TextDelta"] = "TextDelta"
    text: str


class ToolDispatch(TurnEvent):
    """Say that a tool begins to run."""

    type: Literal["ToolDispatch"] = "ToolDispatch"
    tool: str
    args: JsonObject = Field(default_factory=FrozenDict)


class ToolResult(TurnEvent):
    """Say what a tool returned."""

    type: Literal["ToolResult"] = "ToolResult"
    tool: str
    result: Json = None


class Complete(TurnEvent):
    """Say that the turn ended, and with which answer."""

    type: Literal["Complete"] = "Complete"
    final_text: str


class ErrorEvent(TurnEvent):
    """Say that the turn failed."""

    type: Literal["ErrorEvent"] = "ErrorEvent"
    error: str


Turn = RequestStart | TextDelta | ToolDispatch | ToolResult | Complete | ErrorEvent
"""Any event of a turn. A `match` over it is exhaustive when it names all six."""

TURNS = Dialect(
    name="turns",
    tag="type",
    decode=TypeAdapter[Any](
        Annotated[
            Annotated[Turn, Field(discriminator="type")] | OpaqueEvent,
            Field(union_mode="left_to_right"),
        ]
    ).validator.validate_json,
    ops={
        "RequestStart": (opens(Span.RUN, key="turn_id"),),
        "TextDelta": (feeds(Span.MESSAGE, key="turn_id", text="text"),),
        "ToolDispatch": (opens(Span.TOOL, key="turn_id", name="tool", given="args"),),
        "ToolResult": (closes(Span.TOOL, key="turn_id", name="tool"),),
        "Complete": (closes(Span.RUN, key="turn_id"),),
        "ErrorEvent": (closes(Span.RUN, key="turn_id", status="error"),),
    },
    ids=(path("turn_id"),),
    framed=True,
    answers={"Complete": path("final_text")},
    errors={"ErrorEvent": (path("error"),)},
)
"""The dialect of the minimal union."""

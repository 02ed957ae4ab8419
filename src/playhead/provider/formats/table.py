"""The formats that there are, by the paths on which they are asked."""

from datetime import datetime
from typing import Any, Final

from playhead.provider.formats.anthropic import MESSAGES
from playhead.provider.formats.base import WireFormat
from playhead.provider.formats.chat import CHAT
from playhead.provider.formats.gemini import GEMINI
from playhead.provider.formats.responses import RESPONSES

FORMATS: Final[tuple[WireFormat, ...]] = (CHAT, RESPONSES, MESSAGES, GEMINI)
"""Every format."""

KNOWN_PATHS: Final = tuple(path for wire_format in FORMATS for path in wire_format.known_as)
"""The paths that are posted to, each behind any prefix."""

MODEL_NAME: Final = "playhead"
"""The one model in the list of models."""


def format_at(path: str) -> WireFormat | None:
    """Return the format in which a path is asked, None where it is nobody's."""
    return next((wire_format for wire_format in FORMATS if wire_format.path.fullmatch(path)), None)


def model_list(created: datetime) -> dict[str, Any]:
    """Return a list of one model, with the fields that each SDK wants to see."""
    model = {
        "id": MODEL_NAME,
        "object": "model",
        "type": "model",
        "lifecycle": "active",
        "display_name": MODEL_NAME,
        "owned_by": MODEL_NAME,
        "created": int(created.timestamp()),
        "created_at": created.isoformat(),
    }
    ends = {"first_id": MODEL_NAME, "last_id": MODEL_NAME, "has_more": False}
    return {"object": "list", "data": [model], "models": [{"name": f"models/{MODEL_NAME}"}], **ends}

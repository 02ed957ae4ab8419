"""How a span says that something failed.

Knows the status and the type of an error. Does not know what failed.
"""

import re

from opentelemetry.trace import Span, Status, StatusCode

from playhead.adapters.otel.names import Name
from playhead.agent.logs import OTHER_ERROR

_IDENTIFIER = re.compile(r"[A-Za-z_][\w.]*")


def error_name(kind: str) -> str:
    """Return the type of an error as the conventions want it: a name, of which there are few, or `_OTHER`."""
    return kind if _IDENTIFIER.fullmatch(kind) else OTHER_ERROR


def fail(span: Span, kind: str, message: str | None = None) -> None:
    """Give a span the status of an error, and its type."""
    span.set_attribute(Name.ERROR, error_name(kind))
    span.set_status(Status(StatusCode.ERROR, message or None))

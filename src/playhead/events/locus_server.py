"""The events of dialect `locus.server`: what locus' own HTTP server makes of an agent's events.

Most keep their fields, under `type` instead of `event_type`. Four have a shape of their own: a thought is without its
number, a tool is a `tool`, and the run ends with `done` or `error`, and `[DONE]` behind it. Knows the wire, not the
server.
"""

from playhead.events.locus import LOCUS
from playhead.events.paths import path
from playhead.events.plain import PlainEvent, decoder_of
from playhead.events.spans import POINT, Dialect, Op, Span, closes, opens

_DONE = "[DONE]"
_TOOL = {"key": "tool_call_id", "name": "tool"}
_OPS: dict[str, tuple[Op, ...]] = {
    **{kind: ops for kind, ops in LOCUS.ops.items() if kind != "terminate"},
    "think": POINT,
    "tool_start": (opens(Span.TOOL, **_TOOL),),
    "tool_complete": (closes(Span.TOOL, **_TOOL, status="error", result="result"),),
    "done": (closes(Span.RUN, status="reason"),),
    "error": (closes(Span.RUN, status="error"),),
    _DONE: POINT,
}


class ServedEvent(PlainEvent):
    """Hold one event of locus' server."""

    tag_field = "type"


LOCUS_SERVER = Dialect(
    name="locus.server",
    tag="type",
    decode=decoder_of(ServedEvent, _OPS),
    ops=_OPS,
    sentinel=_DONE,
    nested=path("event"),
    volatile=(path("duration_ms"), path("correlation_id")),
    ids=(path("tool_call_id"), path("tool_calls.*.id"), path("interrupt_id")),
    ends={"done:cancelled": "cancelled"},
    pauses=LOCUS.pauses,
    # An agent that fails says that it is done, with reason error, and then raises.
    after=frozenset({_DONE, "error"}),
    cuts=frozenset({"done:cancelled", "done:error", "error"}),
    errors={kind: (path("error"),) for kind in (*LOCUS.errors, "error") if kind in _OPS},
)
"""The dialect of locus' own server."""

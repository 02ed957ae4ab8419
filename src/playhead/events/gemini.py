"""The events of dialect `gemini`: what Gemini's `streamGenerateContent?alt=sse` streams, on Vertex, too.

Events name no type: the last chunk is the one with a `finishReason`. Function calls arrive whole. Streams with several
candidates, which end one after the other, are not known. Knows the wire, not the SDK.
"""

from collections.abc import Mapping
from typing import ClassVar

from playhead.events.canonical import Path
from playhead.events.paths import path
from playhead.events.plain import PlainEvent, decoder_of
from playhead.events.spans import POINT, Dialect, Op, Span, closes, each, feeds, opens

_TAG = "type"
_SHAPES = {
    "error": path("error"),
    "blocked": path("promptFeedback.blockReason"),
    "finish": path("candidates.*.finishReason"),
    "chunk": path("candidates"),
    "usage": path("usageMetadata"),
}


class GeminiEvent(PlainEvent):
    """Hold one `GenerateContentResponse`, or an error. Its `event_type` says what is in it."""

    tag_field = _TAG
    shapes: ClassVar[Mapping[str, Path]] = _SHAPES


_PARTS = "candidates.*.content.parts.*"
_CALLS = f"{_PARTS}.functionCall"
_CONTENT = (
    each(_PARTS, feeds(Span.REASONING, text="text", when="thought"), of="index"),
    each(_PARTS, feeds(Span.MESSAGE, text="text", when="thought="), of="index"),
    each(_CALLS, opens(Span.TOOL, key="id|name", name="name", given="args")),
    each(_CALLS, closes(Span.TOOL, key="id|name", name="name")),
)
_OPS: dict[str, tuple[Op, ...]] = {
    "chunk": _CONTENT,
    "finish": (*_CONTENT, each("candidates.*", closes(Span.RUN, status="finishReason", when="finishReason"))),
    "usage": POINT,
    "blocked": (closes(Span.RUN, status="promptFeedback.blockReason"),),
    "error": (closes(Span.RUN, status="error.status|code"),),
}

GEMINI = Dialect(
    name="gemini",
    tag=_TAG,
    decode=decoder_of(GeminiEvent, _OPS),
    ops=_OPS,
    shapes=_SHAPES,
    volatile=(path("createTime"), path("candidates.*.content.parts.*.thoughtSignature")),
    ids=(path("responseId"), path("candidates.*.content.parts.*.functionCall.id")),
    spaced=True,
    after=frozenset({"usage"}),
    cuts=frozenset({"blocked", "error"}),
    errors={"error": (path("error.message"),)},
)
"""The dialect of Gemini and of Vertex AI."""

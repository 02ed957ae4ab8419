"""The events of dialect `anthropic.messages`: what Anthropic's Messages API streams.

A message has content blocks, which are opened and closed by their index. Knows the wire, not the SDK.
"""

from playhead.events.paths import path
from playhead.events.plain import PlainEvent, decoder_of
from playhead.events.spans import POINT, Dialect, Op, Span, closes, feeds, loosely, opens


class MessagesEvent(PlainEvent):
    """Hold one event of a message, as `message_start` or `content_block_delta`."""

    tag_field = "type"


_TOOLS = "content_block.type=tool_use|server_tool_use|mcp_tool_use"
_THOUGHTS = "content_block.type=thinking|redacted_thinking"
_OPS: dict[str, tuple[Op, ...]] = {
    "message_start": (
        opens(Span.RUN, key="message.id", name="message.model"),
        loosely(opens(Span.MESSAGE)),
        loosely(opens(Span.MODEL)),
    ),
    "content_block_start": (
        # So that a message which lost its start is told once.
        loosely(opens(Span.MESSAGE)),
        loosely(opens(Span.MODEL)),
        opens(Span.PART, key="index", name="content_block.type"),
        loosely(opens(Span.TOOL, key="index", name="content_block.name", when=_TOOLS)),
        loosely(opens(Span.REASONING, key="index", when=_THOUGHTS)),
    ),
    "content_block_delta": (
        feeds(Span.PART, key="index"),
        loosely(feeds(Span.MESSAGE, text="delta.text", when="delta.type=text_delta")),
        loosely(feeds(Span.TOOL, key="index", text="delta.partial_json", when="delta.type=input_json_delta")),
        loosely(feeds(Span.REASONING, key="index", text="delta.thinking", when="delta.type=thinking_delta")),
    ),
    # It does not say of what type the block is.
    "content_block_stop": (
        loosely(closes(Span.TOOL, key="index")),
        loosely(closes(Span.REASONING, key="index")),
        closes(Span.PART, key="index"),
    ),
    # It may come more than once, to say the usage so far.
    "message_delta": (closes(Span.MODEL, status="delta.stop_reason", when="delta.stop_reason"),),
    "message_stop": (closes(Span.MESSAGE), closes(Span.RUN)),
    "ping": POINT,
    "error": (closes(Span.RUN, status="error.type"),),
}

ANTHROPIC_MESSAGES = Dialect(
    name="anthropic.messages",
    tag="type",
    decode=decoder_of(MessagesEvent, _OPS),
    ops=_OPS,
    volatile=(path("delta.signature"), path("request_id")),
    ids=(path("message.id"), path("content_block.id"), path("content_block.tool_use_id")),
    named=True,
    arguments=frozenset({"content_block_delta"}),
    after=frozenset({"ping"}),
    cuts=frozenset({"error"}),
    errors={"error": (path("error.message"),)},
    first=frozenset({"message_start", "error"}),
    unique=frozenset({Span.PART}),
    once=frozenset({Span.PART}),
    tacit=frozenset({Span.TOOL, Span.REASONING}),
    within={Span.PART: Span.MESSAGE},
)
"""The dialect of Anthropic's Messages API. A content block is a part, and a tool or reasoning besides."""

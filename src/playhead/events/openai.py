"""The events of dialects `openai.chat` and `openai.responses`, as OpenAI and many others stream them.

Chunks of a chat have no type, and `[DONE]` comes in place of a last one; events of a response have both a type and a
number. Knows the wire, not the SDK.
"""

from collections.abc import Mapping
from typing import ClassVar

from playhead.events.canonical import Path
from playhead.events.paths import path
from playhead.events.plain import PlainEvent, decoder_of
from playhead.events.spans import POINT, Dialect, Op, Span, closes, each, feeds, loosely, opens

_DONE = "[DONE]"
_CHUNK = "chat.completion.chunk"
_SHAPES = {"error": path("error"), _CHUNK: path("choices")}


class ChatEvent(PlainEvent):
    """Hold one chunk of a chat completion, or an error."""

    tag_field = "object"
    shapes: ClassVar[Mapping[str, Path]] = _SHAPES


class ResponsesEvent(PlainEvent):
    """Hold one event of a response, as `response.output_text.delta`."""

    tag_field = "type"


_CHOICES = "choices.*"
_CALLS = "choices.*.delta.tool_calls.*"
_CHAT_OPS: dict[str, tuple[Op, ...]] = {
    _CHUNK: (
        # Some say the role in each chunk, and some the reason of the end in two.
        each(_CHOICES, loosely(opens(Span.MESSAGE, key="index", name="delta.role", when="delta.role"))),
        each(_CHOICES, feeds(Span.MESSAGE, key="index", text="delta.content", when="delta.content")),
        each(_CHOICES, feeds(Span.MESSAGE, key="index", text="delta.refusal", when="delta.refusal")),
        each(
            _CHOICES,
            feeds(
                Span.REASONING,
                key="index",
                text="delta.reasoning_content|reasoning",
                when="delta.reasoning_content|reasoning",
            ),
        ),
        each(_CALLS, loosely(opens(Span.TOOL, key="index", name="function.name", when="id")), of="index"),
        each(_CALLS, feeds(Span.TOOL, key="index", text="function.arguments"), of="index"),
        each(_CHOICES, loosely(closes(Span.MESSAGE, key="index", status="finish_reason", when="finish_reason"))),
    ),
    _DONE: (closes(Span.RUN),),
    "error": (closes(Span.RUN, status="error.code|type"),),
}

OPENAI_CHAT = Dialect(
    name="openai.chat",
    tag="object",
    decode=decoder_of(ChatEvent, _CHAT_OPS),
    ops=_CHAT_OPS,
    shapes=_SHAPES,
    sentinel=_DONE,
    arguments=frozenset({_CHUNK}),
    volatile=(path("created"), path("system_fingerprint"), path("obfuscation"), path("x_groq"), path("sla_metrics")),
    ids=(path("id"), path("choices.*.delta.tool_calls.*.id")),
    # An error may be followed by the usual end.
    after=frozenset({_DONE}),
    cuts=frozenset({"error"}),
    errors={"error": (path("error.message"),)},
    once=frozenset({Span.MESSAGE}),
    tacit=frozenset({Span.TOOL}),
)
"""The dialect of chat completions. A tool call ends with its message: no chunk says so."""

_ITEM = {"key": "output_index"}
_PART = {"key": "output_index,summary_index,content_index"}
_MESSAGES = "item.type=message"
_THOUGHTS = "item.type=reasoning"
_TOOLS = (
    "item.type=function_call|custom_tool_call|mcp_call|web_search_call|file_search_call|code_interpreter_call|"
    "computer_call|image_generation_call|local_shell_call|shell_call|apply_patch_call|tool_search_call"
)


def _feeds(span: Span) -> tuple[Op, ...]:
    return (feeds(span, **_ITEM, text="delta"),)


def _feeds_part(span: Span) -> tuple[Op, ...]:
    return feeds(Span.PART, **_PART), loosely(feeds(span, **_ITEM, text="delta"))


def _terminal(status: str = "response.status") -> tuple[Op, ...]:
    return (closes(Span.RUN, key="response.id", status=status),)


_RESPONSES_OPS: dict[str, tuple[Op, ...]] = {
    "response.created": (opens(Span.RUN, key="response.id", name="response.model"),),
    "response.queued": POINT,
    "response.in_progress": POINT,
    "response.output_item.added": (
        opens(Span.MESSAGE, **_ITEM, name="item.role", when=_MESSAGES),
        opens(Span.REASONING, **_ITEM, when=_THOUGHTS),
        opens(Span.TOOL, **_ITEM, name="item.name|type", when=_TOOLS),
    ),
    "response.output_item.done": (
        closes(Span.MESSAGE, **_ITEM, name="item.role", status="item.status", when=_MESSAGES),
        closes(Span.REASONING, **_ITEM, status="item.status", when=_THOUGHTS),
        closes(Span.TOOL, **_ITEM, name="item.name|type", status="item.status", when=_TOOLS),
    ),
    "response.content_part.added": (opens(Span.PART, **_PART, name="part.type"),),
    "response.content_part.done": (closes(Span.PART, **_PART, name="part.type"),),
    "response.reasoning_summary_part.added": (opens(Span.PART, **_PART, name="part.type"),),
    "response.reasoning_summary_part.done": (closes(Span.PART, **_PART, name="part.type"),),
    "response.output_text.delta": _feeds_part(Span.MESSAGE),
    "response.output_text.done": POINT,
    "response.output_text.annotation.added": POINT,
    "response.refusal.delta": _feeds_part(Span.MESSAGE),
    "response.refusal.done": POINT,
    "response.reasoning_text.delta": _feeds(Span.REASONING),
    "response.reasoning_text.done": POINT,
    "response.reasoning_summary_text.delta": _feeds_part(Span.REASONING),
    "response.reasoning_summary_text.done": POINT,
    "response.function_call_arguments.delta": _feeds(Span.TOOL),
    "response.function_call_arguments.done": POINT,
    "response.custom_tool_call_input.delta": _feeds(Span.TOOL),
    "response.custom_tool_call_input.done": POINT,
    "response.mcp_call_arguments.delta": _feeds(Span.TOOL),
    "response.mcp_call_arguments.done": POINT,
    "response.code_interpreter_call_code.delta": _feeds(Span.TOOL),
    "response.code_interpreter_call_code.done": POINT,
    **{
        f"response.{call}.{news}": POINT
        for call, told in {
            "web_search_call": ("in_progress", "searching", "completed"),
            "file_search_call": ("in_progress", "searching", "completed"),
            "code_interpreter_call": ("in_progress", "interpreting", "completed"),
            "image_generation_call": ("in_progress", "generating", "partial_image", "completed"),
            "mcp_call": ("in_progress", "completed", "failed"),
            "mcp_list_tools": ("in_progress", "completed", "failed"),
            "shell_call_command": ("added", "delta", "done"),
            "shell_call_output_content": ("delta", "done"),
            "audio": ("delta", "done"),
            "audio.transcript": ("delta", "done"),
            "compaction": ("compacting",),
            "steer": ("accepted", "pending", "failed"),
        }.items()
        for news in told
    },
    "response.completed": _terminal(),
    "response.incomplete": _terminal(),
    "response.failed": _terminal(),
    "error": _terminal("error.code|type"),
    _DONE: POINT,
}

OPENAI_RESPONSES = Dialect(
    name="openai.responses",
    tag="type",
    decode=decoder_of(ResponsesEvent, _RESPONSES_OPS),
    ops=_RESPONSES_OPS,
    sentinel=_DONE,
    arguments=frozenset({"response.function_call_arguments.delta", "response.mcp_call_arguments.delta"}),
    sequence=path("sequence_number"),
    volatile=(
        path("obfuscation"),
        path("response.created_at"),
        path("response.completed_at"),
        path("item.encrypted_content"),
    ),
    ids=(
        path("response.id"),
        path("item_id"),
        path("item.id"),
        path("item.call_id"),
        path("response.output.*.id"),
        path("response.output.*.call_id"),
    ),
    # The API itself sends an error and then a failed response. Some end with the sentinel of a chat.
    after=frozenset({_DONE, "response.failed"}),
    cuts=frozenset({"response.failed", "response.incomplete", "error"}),
    errors={"response.failed": (path("response.error.message"),), "error": (path("message"), path("error.message"))},
    # A response that runs in the background may be read from its second event on.
    first=frozenset({"response.created", "response.queued", "response.failed", "error"}),
    unique=frozenset({Span.MESSAGE, Span.REASONING, Span.TOOL, Span.PART}),
    once=frozenset({Span.MESSAGE, Span.REASONING, Span.TOOL, Span.PART}),
)
"""The dialect of the Responses API. Items are told apart by their place in the output: some servers make up their ids
anew in each event."""

"""The shapes of what providers of models stream: `openai.chat`, `openai.responses`, `anthropic.messages`, `gemini`."""

from typing import Any, Final

from playhead.events.openai import OPENAI_RESPONSES
from playhead.walks.shapes.template import (
    Life,
    Shapes,
    count,
    index,
    key,
    name,
    number,
    object_,
    one_of,
    parent_key,
    parent_number,
    piece,
    pieces_whole,
    text,
)

_DONE: Final = "[DONE]"
_MAX_CHOICES: Final = 2
_WHOLE: Final = ("response.queued", "response.in_progress")


def _chunk(*choices: Any, **fields: Any) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1893456000, "model": "scripted"}
    return {**head, "choices": list(choices), **fields}


def _choice(choice: Any, reason: Any = None, **delta: Any) -> dict[str, Any]:
    return _chunk({"index": choice, "delta": delta, "finish_reason": reason})


def _call(**fields: Any) -> dict[str, Any]:
    return _choice(parent_number, tool_calls=[{"index": number, **fields}])


CHAT: Final = Shapes(
    "openai.chat",
    lives=(
        Life(
            "message",
            opens=_choice(number, role="assistant", content=one_of("", None)),
            feeds=(
                _choice(number, content=text),
                _choice(number, refusal=text),
                _choice(number, reasoning_content=text),
            ),
            closes=(_choice(number, one_of("stop", "tool_calls", "length", "content_filter")),),
            most=_MAX_CHOICES,
        ),
        Life(
            "tool",
            opens=_call(id=key(), type="function", function={"name": name, "arguments": ""}),
            feeds=(_call(function={"arguments": piece}),),
            inside="message",
            pieces=True,
        ),
    ),
    points=(_chunk(usage={"prompt_tokens": count, "completion_tokens": count, "total_tokens": count}),),
    ends=(
        {"object": _DONE},
        {"error": {"message": text, "type": "server_error", "code": one_of(None, "rate_limit_exceeded")}},
    ),
)
"""What OpenAI's chat completions stream, and many others."""


def _response(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "sequence_number": index, **fields}


def _whole(kind: str, status: str, **fields: Any) -> dict[str, Any]:
    return _response(kind, response={"id": "resp_1", "model": "scripted", "status": status, "output": [], **fields})


def _item(kind: str, status: Any, **fields: Any) -> dict[str, Any]:
    return _response(
        f"output_item.{kind}", output_index=number, item={"id": key("item_{}"), "status": status, **fields}
    )


_MESSAGE: Final = {"type": "message", "role": "assistant", "content": []}
_THOUGHT: Final = {"type": "reasoning", "summary": []}
_FUNCTION: Final = {"type": "function_call", "call_id": key(), "name": name}
_PART: Final = {"item_id": parent_key("item_{}"), "output_index": parent_number, "content_index": number}
_SUMMARY: Final = {"item_id": parent_key("item_{}"), "output_index": parent_number, "summary_index": number}
_CALLED: Final = {"item_id": key("item_{}"), "output_index": number}

_NEWS: Final = tuple(kind for kind, ops in OPENAI_RESPONSES.ops.items() if not ops and kind not in {_DONE, *_WHOLE})

RESPONSES: Final = Shapes(
    "openai.responses",
    begins=(_whole("created", "in_progress"),),
    lives=(
        Life(
            "message",
            opens=_item("added", "in_progress", **_MESSAGE),
            closes=(_item("done", "completed", **_MESSAGE),),
            among="item",
        ),
        Life(
            "text",
            opens=_response("content_part.added", **_PART, part={"type": "output_text", "text": ""}),
            feeds=(
                _response("output_text.delta", **_PART, delta=text),
                _response("output_text.done", **_PART, text=text),
            ),
            closes=(_response("content_part.done", **_PART, part={"type": "output_text", "text": text}),),
            inside="message",
            among="part",
        ),
        Life(
            "refusal",
            opens=_response("content_part.added", **_PART, part={"type": "refusal", "refusal": ""}),
            feeds=(_response("refusal.delta", **_PART, delta=text),),
            closes=(_response("content_part.done", **_PART, part={"type": "refusal", "refusal": text}),),
            inside="message",
            among="part",
        ),
        Life(
            "tool",
            opens=_item("added", "in_progress", **_FUNCTION, arguments=""),
            feeds=(_response("function_call_arguments.delta", **_CALLED, delta=piece),),
            closes=(_item("done", one_of("completed", "incomplete"), **_FUNCTION, arguments=pieces_whole),),
            among="item",
            pieces=True,
        ),
        Life(
            "reasoning",
            opens=_item("added", "in_progress", **_THOUGHT),
            feeds=(_response("reasoning_text.delta", item_id=key("item_{}"), output_index=number, delta=text),),
            closes=(_item("done", "completed", **_THOUGHT),),
            among="item",
        ),
        Life(
            "summary",
            opens=_response("reasoning_summary_part.added", **_SUMMARY, part={"type": "summary_text", "text": ""}),
            feeds=(_response("reasoning_summary_text.delta", **_SUMMARY, delta=text),),
            closes=(_response("reasoning_summary_part.done", **_SUMMARY, part={"type": "summary_text", "text": text}),),
            inside="reasoning",
        ),
        Life(
            "mcp",
            opens=_item("added", "in_progress", type="mcp_call", name=name),
            feeds=(_response("mcp_call_arguments.delta", **_CALLED, delta=piece),),
            closes=(_item("done", "completed", type="mcp_call", name=name),),
            among="item",
            pieces=True,
        ),
        Life(
            "custom",
            opens=_item("added", "in_progress", type="custom_tool_call", name=name),
            feeds=(_response("custom_tool_call_input.delta", **_CALLED, delta=text),),
            closes=(_item("done", "completed", type="custom_tool_call", name=name),),
            among="item",
        ),
        Life(
            "code",
            opens=_item("added", "in_progress", type="code_interpreter_call"),
            feeds=(_response("code_interpreter_call_code.delta", **_CALLED, delta=text),),
            closes=(_item("done", "completed", type="code_interpreter_call"),),
            among="item",
        ),
        Life(
            "search",
            opens=_item("added", "in_progress", type="web_search_call"),
            feeds=(
                _response("web_search_call.searching", **_CALLED),
                _response("web_search_call.completed", **_CALLED),
            ),
            closes=(_item("done", "completed", type="web_search_call"),),
            among="item",
        ),
    ),
    points=(
        _whole("in_progress", "in_progress"),
        _whole("queued", "queued"),
        _response("", item_id="item_1", output_index=0) | {"type": one_of(*_NEWS)},
    ),
    ends=(
        _whole("completed", "completed"),
        _whole("incomplete", "incomplete", incomplete_details={"reason": "max_output_tokens"}),
        _whole("failed", "failed", error={"code": "server_error", "message": text}),
        {"type": "error", "sequence_number": index, "code": "server_error", "message": text},
    ),
    tails=({"type": _DONE},),
)
"""What OpenAI's responses stream."""


def _start(block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": number, "content_block": block}


def _delta(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": number, "delta": {"type": kind, **fields}}


_STOP: Final = {"type": "content_block_stop", "index": number}

ANTHROPIC: Final = Shapes(
    "anthropic.messages",
    begins=(
        {
            "type": "message_start",
            "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "scripted", "content": []},
        },
    ),
    lives=(
        Life(
            "text",
            opens=_start({"type": "text", "text": ""}),
            feeds=(_delta("text_delta", text=text),),
            closes=(_STOP,),
            among="block",
        ),
        Life(
            "tool",
            opens=_start({"type": "tool_use", "id": key("toolu_{}"), "name": name, "input": {}}),
            feeds=(_delta("input_json_delta", partial_json=piece),),
            closes=(_STOP,),
            among="block",
            pieces=True,
        ),
        Life(
            "thinking",
            opens=_start({"type": "thinking", "thinking": ""}),
            feeds=(_delta("thinking_delta", thinking=text), _delta("signature_delta", signature="x")),
            closes=(_STOP,),
            among="block",
        ),
    ),
    points=({"type": "ping"},),
    closings=(
        {
            "type": "message_delta",
            "delta": {"stop_reason": one_of("end_turn", "tool_use", "max_tokens"), "stop_sequence": None},
            "usage": {"output_tokens": count},
        },
    ),
    ends=({"type": "message_stop"}, {"type": "error", "error": {"type": "overloaded_error", "message": text}}),
)
"""What Anthropic's messages stream."""


def _said(*parts: Any, reason: Any = None) -> dict[str, Any]:
    finish = {"finishReason": reason} if reason else {}
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "index": 0, **finish}]}


GEMINI: Final = Shapes(
    "gemini",
    lives=(),
    points=(
        _said({"text": text}),
        _said({"text": text, "thought": True}),
        _said({"functionCall": {"id": "call_1", "name": "search", "args": object_}}),
        _said(
            {"functionCall": {"name": "search", "args": object_}}, {"functionCall": {"name": "add", "args": object_}}
        ),
        {"usageMetadata": {"promptTokenCount": count}},
    ),
    ends=(
        _said({"text": text}, reason=one_of("STOP", "MAX_TOKENS", "SAFETY")),
        {"promptFeedback": {"blockReason": "SAFETY"}},
        {"error": {"code": 503, "message": text, "status": "UNAVAILABLE"}},
    ),
)
"""What Gemini streams."""

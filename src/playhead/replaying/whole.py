"""Answers that did not stream, read as turns.

Knows where the four wire formats, and the frameworks whose models are taped in Python, keep what was said and which
tools are wanted. Does not know how they were asked.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from playhead.scripts.parts import Part, call_with, raw_call, say, think
from playhead.scripts.turn import Turn, turn


def whole_turn(answer: Any) -> Turn | None:
    """Return the turn that a whole answer is; None for what is none of the formats."""
    if not isinstance(answer, Mapping):
        return None
    read = next((read for key, word, read in _FORMATS if key in answer and word in (None, answer[key])), None)
    return turn(*read(answer)) if read else None


def _chat(answer: Mapping[str, Any]) -> Iterator[Part]:
    for choice in answer.get("choices", ())[:1]:
        message = choice.get("message") or {}
        if message.get("reasoning_content"):
            yield think(message["reasoning_content"])
        if message.get("content"):
            yield say(message["content"])
        for wanted in message.get("tool_calls") or ():
            function = wanted["function"]
            yield raw_call(function["name"], function["arguments"]).with_id(wanted["id"])


def _responses(answer: Mapping[str, Any]) -> Iterator[Part]:
    for item in answer.get("output", ()):
        if item.get("type") == "function_call":
            yield raw_call(item["name"], item["arguments"]).with_id(item["call_id"])
        elif item.get("type") == "reasoning":
            yield from (think(part["text"]) for part in item.get("summary", ()))
        else:
            yield from (say(part["text"]) for part in item.get("content") or () if "text" in part)


def _messages(answer: Mapping[str, Any]) -> Iterator[Part]:
    for block in answer.get("content", ()):
        if block.get("type") == "text":
            yield say(block["text"])
        elif block.get("type") == "thinking":
            yield think(block["thinking"])
        elif block.get("type") == "tool_use":
            yield call_with(block["name"], block["input"]).with_id(block["id"])


def _candidates(answer: Mapping[str, Any]) -> Iterator[Part]:
    for candidate in answer.get("candidates", ())[:1]:
        for part in (candidate.get("content") or {}).get("parts", ()):
            if "functionCall" in part:
                yield call_with(part["functionCall"]["name"], part["functionCall"].get("args") or {})
            elif "text" in part:
                yield think(part["text"]) if part.get("thought") else say(part["text"])


def _locus(answer: Mapping[str, Any]) -> Iterator[Part]:
    return _plain(answer["message"], answer.get("reasoning"))


def _shipit(answer: Mapping[str, Any]) -> Iterator[Part]:
    return _plain(answer["response"], answer["response"].get("reasoning_content"))


def _plain(message: Mapping[str, Any], thought: str | None) -> Iterator[Part]:
    if thought:
        yield think(thought)
    if message.get("content"):
        yield say(message["content"])
    for wanted in message.get("tool_calls") or ():
        yield call_with(wanted["name"], wanted["arguments"]).with_id(wanted["id"])


def _parts(answer: Mapping[str, Any]) -> Iterator[Part]:
    for part in answer.get("parts", ()):
        match part:
            case {"part_kind": "text", "content": str(text)} if text:
                yield say(text)
            case {"part_kind": "thinking", "content": str(text)} if text:
                yield think(text)
            case {"part_kind": "tool-call", "tool_name": name, "args": args, "tool_call_id": id}:
                yield (raw_call(name, args) if isinstance(args, str) else call_with(name, args or {})).with_id(id)


_FORMATS: Final[tuple[tuple[str, str | None, Callable[[Mapping[str, Any]], Iterator[Part]]], ...]] = (
    ("object", "chat.completion", _chat),
    ("object", "response", _responses),
    ("type", "message", _messages),
    ("candidates", None, _candidates),
    ("output", None, _responses),
    ("message", None, _locus),
    ("response", None, _shipit),
    ("kind", "response", _parts),
)
"""The key by which each format is known, what it says there, and what reads the format."""

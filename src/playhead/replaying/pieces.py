"""Streamed answers that are no events of a dialect, read as turns: those of shipit and of pydantic-ai.

Knows what their adapters put on a tape. Does not know the frameworks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playhead.replaying.whole import whole_turn
from playhead.scripts.parts import Call, Part, Say, Think
from playhead.scripts.turn import Turn, turn


def pieced_turn(chunks: Sequence[Mapping[str, Any]]) -> Turn | None:
    """Return the turn that chunks are; None for what neither framework streams."""
    if any("tool_input" in chunk or ("response" in chunk and "content" in chunk["response"]) for chunk in chunks):
        return _pushed(chunks)
    parts = list(_parts(chunks))
    return turn(*parts) if parts else None


def _pushed(chunks: Sequence[Mapping[str, Any]]) -> Turn:
    """Return what shipit's callbacks heard: the last chunk has the whole, and the texts before it were its pieces."""
    whole = whole_turn(chunks[-1])
    pieces = tuple(chunk["text"] for chunk in chunks if "text" in chunk)
    if whole is None:
        return turn(Say(pieces)) if pieces else turn()
    return turn(*(Say(pieces) if isinstance(part, Say) and pieces else part for part in whole.parts))


@dataclass(slots=True)
class _Part:
    """A part of pydantic-ai's, as far as it has come."""

    kind: str
    tool: str = ""
    id: str | None = None
    pieces: list[str] = field(default_factory=list)

    def made(self) -> Part:
        """Return it as a part of a turn."""
        pieces = tuple(self.pieces)
        if self.kind == "tool-call":
            called = Call(self.tool, pieces)
            return called.with_id(self.id) if self.id else called
        return Think(pieces) if self.kind == "thinking" else Say(pieces)


def _parts(chunks: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
    found: dict[Any, _Part] = {}
    for chunk in chunks:
        match chunk.get("event"):
            case {"event_kind": "part_start", "index": index, "part": part}:
                found[index] = _Part(part["part_kind"], part.get("tool_name", ""), part.get("tool_call_id"))
                _add(found[index], part.get("args") or part.get("content"), chunk)
            case {"event_kind": "part_delta", "index": index, "delta": delta} if index in found:
                _add(found[index], delta.get("args_delta") or delta.get("content_delta"), chunk)
    return (part.made() for part in found.values() if part.pieces or part.kind == "tool-call")


def _add(part: _Part, inside: Any, chunk: Mapping[str, Any]) -> None:
    """Add a piece: the text that stands beside an event, or what is left in it."""
    text = chunk.get("text") or inside
    if isinstance(text, str) and text:
        part.pieces.append(text)

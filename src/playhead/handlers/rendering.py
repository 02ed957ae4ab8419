"""How each type of event reads on a console, as lines that nobody has coloured or made safe yet.

Knows the native taxonomy by its event types and field names, as a table; a field that is missing is left out. Does not
know the terminal: `console` writes the lines, and makes every piece of them safe.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from playhead.text import clip, columns, safe

Piece = str | tuple[str, str]
"""Text, or text and the name of its colour."""

_MAX_RESULT_LINES = 5
_MAX_CLAIMS = 3
_MAX_ARGUMENT_COLUMNS = 200
_MAX_TASK_COLUMNS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line: its symbol, if it has one, and the pieces after it.

    A `headline` begins at the margin and bears the time; others are indented. `spaced` asks for an empty line before.
    """

    pieces: tuple[Piece, ...]
    symbol: str = ""
    headline: bool = False
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class Raw:
    """Hold a piece of running text, which ends no line unless it says so itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Show:
    """Say what of an event is wanted."""

    reasoning: bool = True
    tool_args: bool = False
    tool_results: bool = True
    progress: bool = True
    max_result_length: int = 500


Rendered = Iterator[Line | Raw]
"""What is shown of an event, in order."""
Renderer = Callable[[Any, Show], Rendered]
"""What turns one type of event into lines."""


def render(event: Any, show: Show) -> Rendered:
    """Return the lines of any event. One of a type that is not in the table is named, with what is known of it."""
    return RENDERERS.get(event.event_type, _unknown)(event, show)


def text_lines(text: str) -> list[str]:
    """Split text at LF and CRLF. Other characters that some call line ends stay, and are made visible later."""
    return text.replace("\r\n", "\n").split("\n")


def head(symbol: str, *pieces: Piece, spaced: bool = False) -> Line:
    """Make a headline."""
    return Line(pieces, symbol, headline=True, spaced=spaced)


def _body(*pieces: Piece) -> Line:
    return Line(pieces)


def _block(text: str, color: str | None = None) -> Iterator[Line]:
    return (_body((line, color) if color else line) for line in text_lines(text))


def _text(event: Any, name: str) -> str:
    value = getattr(event, name, None)
    return value if isinstance(value, str) else "" if value is None else str(value)


def _items(event: Any, name: str) -> list[Any]:
    value = getattr(event, name, None)
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | Mapping) else []


def _number(event: Any, name: str, places: int) -> str:
    value = getattr(event, name, None)
    return f"{value:.{places}f}" if isinstance(value, int | float) else "?" if value is None else str(value)


def _cut(text: str, max_columns: int) -> str:
    return clip(safe(text, keep=""), max_columns, ellipsis="...")


def _cut_block(text: str, max_columns: int) -> Iterator[str]:
    """Yield the first lines of a text: at most 5, and `max_columns` columns in all."""
    for line in islice(text_lines(text), _MAX_RESULT_LINES):
        if max_columns <= 0:
            break
        shown = _cut(line, max_columns)
        yield shown
        max_columns -= columns(shown)


def _think(event: Any, show: Show) -> Rendered:
    if show.progress:
        yield head("💭", (f"Iteration {_text(event, 'iteration')}", "cyan"), spaced=True)
    reasoning = _text(event, "reasoning")
    if show.reasoning and reasoning:
        yield from _block(reasoning, "dim")
    if planned := len(_items(event, "tool_calls")):
        yield _body(f"Planning {planned} tool call{'s' if planned > 1 else ''}")


def _tool_start(event: Any, show: Show) -> Rendered:
    arguments = getattr(event, "arguments", None)
    shown = ""
    if show.tool_args and isinstance(arguments, Mapping) and arguments:
        listed = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        shown = f"({_cut(listed, _MAX_ARGUMENT_COLUMNS)})"
    yield head("🔧", (_text(event, "tool_name"), "yellow"), shown)


def _tool_complete(event: Any, show: Show) -> Rendered:
    name = _text(event, "tool_name")
    if getattr(event, "error", None) is not None:
        first, *rest = [*_cut_block(_text(event, "error"), show.max_result_length)] or [""]
        yield head("✗", (name, "red"), ": ", (first, "red"))
        yield from (_body((line, "red")) for line in rest)
        return
    took = f" ({_number(event, 'duration_ms', 0)}ms)" if getattr(event, "duration_ms", None) is not None else ""
    yield head("✓", (name, "green"), took)
    result = _text(event, "result")
    if show.tool_results and result:
        yield from (_body((line, "dim")) for line in _cut_block(result, show.max_result_length))


_ASSESSMENT_COLORS = {"on_track": "green", "stuck": "red", "loop_detected": "red"}


def _reflect(event: Any, show: Show) -> Rendered:
    assessment = _text(event, "assessment")
    color = _ASSESSMENT_COLORS.get(assessment, "yellow")
    yield head("🔍", (f"Reflection: {assessment}", color), f" (confidence: {_number(event, 'new_confidence', 2)})")
    if guidance := _text(event, "guidance"):
        yield from _block(guidance)


def _grounding(event: Any, show: Show) -> Rendered:
    score = getattr(event, "score", None)
    known = score if isinstance(score, int | float) else 0
    color = "green" if known >= 0.8 else "yellow" if known >= 0.5 else "red"
    claims = f" ({_text(event, 'claims_evaluated')} claims)"
    yield head("📍", (f"Grounding score: {_number(event, 'score', 2)}", color), claims)
    for claim in _items(event, "ungrounded_claims")[:_MAX_CLAIMS]:
        yield _body((f"Ungrounded: {claim}", "yellow"))


_REASON_COLORS = {"complete": "green", "error": "red"}


def _terminate(event: Any, show: Show) -> Rendered:
    reason = _text(event, "reason")
    yield head("🏁", (f"Terminated: {reason}", _REASON_COLORS.get(reason, "yellow")), spaced=True)
    yield _body(
        f"Iterations: {_text(event, 'iterations_used')}, Tool calls: {_text(event, 'total_tool_calls')}, "
        f"Confidence: {_number(event, 'final_confidence', 2)}"
    )
    if error := _text(event, "error"):
        yield from _block(f"Error: {error}", "red")
    if answer := _text(event, "final_message"):
        yield from _block(answer)


def _interrupt(event: Any, show: Show) -> Rendered:
    first, *rest = text_lines(_text(event, "question"))
    yield head("❓", ("Question: ", "cyan"), first)
    yield from (_body(line) for line in rest)
    for number, option in enumerate(_items(event, "options"), 1):
        yield _body(f"{number}. {option}")
    for field in _items(event, "fields"):
        yield _body(
            f"- {field.get('label') or field.get('name') or field}" if isinstance(field, Mapping) else f"- {field}"
        )


def _specialist_start(event: Any, show: Show) -> Rendered:
    yield head("👤", "Starting specialist: ", (_text(event, "specialist_type"), "magenta"))
    yield _body(f"Task: {_cut(_text(event, 'task'), _MAX_TASK_COLUMNS)}")


def _specialist_complete(event: Any, show: Show) -> Rendered:
    confidence, took = _number(event, "confidence", 2), _number(event, "duration_ms", 0)
    name = (_text(event, "specialist_type"), "magenta")
    yield head("👤", "Specialist ", name, f" complete (confidence: {confidence}, {took}ms)")


def _orchestrator_decision(event: Any, show: Show) -> Rendered:
    yield head("🎯", "Orchestrator: ", (_text(event, "decision"), "cyan"))
    if selected := _items(event, "specialists_selected"):
        yield _body(f"Specialists: {', '.join(map(str, selected))}")


def _model_chunk(event: Any, show: Show) -> Rendered:
    yield Raw(_text(event, "content") + ("\n" if getattr(event, "done", False) else ""))


def _causal_node(event: Any, show: Show) -> Rendered:
    kind = _text(event, "node_type")
    yield head("📊", (_text(event, "label"), "red" if kind == "root_cause" else "yellow"), f" ({kind})")


def _causal_edge(event: Any, show: Show) -> Rendered:
    ends = f"{_text(event, 'source_id')} {_text(event, 'relationship')} {_text(event, 'target_id')}"
    yield Line((f"{ends} (confidence: {_number(event, 'confidence', 2)})",), "→")


def _nothing(event: Any, show: Show) -> Rendered:
    return iter(())


_DETAILS: Mapping[str, tuple[str, ...]] = {
    "tool_progress": ("tool_name", "progress", "total", "message"),
    "subagent": ("tool_name", "event.event_type"),
    "final_answer_verification": ("passed", "attempt", "feedback", "error"),
    "model_retry": ("attempt", "delay_seconds", "reason"),
    "compaction": ("stage", "tokens_before", "tokens_after"),
    "custom": ("name",),
    "before_tool_call": ("tool_name",),
    "after_tool_call": ("tool_name", "error"),
}


def _unknown(event: Any, show: Show) -> Rendered:
    found = ((name.rpartition(".")[2], _reach(event, name)) for name in _DETAILS.get(event.event_type, ()))
    details = ", ".join(f"{name}={value}" for name, value in found if value is not None)
    yield head("i", f"Event: {event.event_type}", f" ({_cut(details, _MAX_ARGUMENT_COLUMNS)})" if details else "")


def _reach(event: Any, path: str) -> Any:
    for name in path.split("."):
        event = getattr(event, name, None)
    return event


RENDERERS: Mapping[str, Renderer] = {
    "think": _think,
    "tool_start": _tool_start,
    "tool_complete": _tool_complete,
    "reflect": _reflect,
    "grounding": _grounding,
    "terminate": _terminate,
    "interrupt": _interrupt,
    "specialist_start": _specialist_start,
    "specialist_complete": _specialist_complete,
    "orchestrator_decision": _orchestrator_decision,
    "model_chunk": _model_chunk,
    "model_complete": _nothing,
    "causal_node": _causal_node,
    "causal_edge": _causal_edge,
}
"""Which function renders which event type. `model_complete` is silent: its text was streamed or comes with `think`."""

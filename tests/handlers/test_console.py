"""What a person sees of a run."""

import io
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.clocks.running import run
from playhead.events import locus
from playhead.handlers.console import ConsoleHandler
from playhead.text import columns

CALLS = [locus.ToolCall(id="1", name="a"), locus.ToolCall(id="2", name="b")]
SEARCH: dict[str, Any] = {"tool_name": "search", "tool_call_id": "1"}


class Terminal(io.StringIO):
    """Be a terminal."""

    def isatty(self) -> bool:
        return True


def shown(*events: Any, output: io.StringIO | None = None, **options: Any) -> str:
    """Return what a console writes of these events."""
    stream = io.StringIO() if output is None else output

    async def feed() -> None:
        handler = ConsoleHandler(stream, **options)
        for event in events:
            await handler.on_event(event)

    run(feed)
    return stream.getvalue()


TEXTS: list[tuple[Any, dict[str, Any], str]] = [
    (
        locus.ThinkEvent(iteration=2, reasoning="One.\nTwo.", tool_calls=CALLS),
        {},
        "\n💭 Iteration 2\n  One.\n  Two.\n  Planning 2 tool calls\n",
    ),
    (locus.ThinkEvent(iteration=1, tool_calls=CALLS[:1]), {}, "\n💭 Iteration 1\n  Planning 1 tool call\n"),
    (locus.ThinkEvent(iteration=1, reasoning="One."), {"show_reasoning": False}, "\n💭 Iteration 1\n"),
    (locus.ThinkEvent(iteration=1, reasoning="One."), {"show_progress": False}, "  One.\n"),
    (locus.ThinkEvent(iteration=1), {"use_emoji": False}, "\nIteration 1\n"),
    (locus.ToolStartEvent(**SEARCH, arguments={"q": "x", "n": 1}), {}, "🔧 search\n"),
    (
        locus.ToolStartEvent(**SEARCH, arguments={"q": "x", "n": 1}),
        {"show_tool_args": True},
        "🔧 search(q='x', n=1)\n",
    ),
    (locus.ToolStartEvent(**SEARCH, arguments={}), {"show_tool_args": True}, "🔧 search\n"),
    (locus.ToolCompleteEvent(**SEARCH, result="ok", duration_ms=150.4), {}, "✓ search (150ms)\n  ok\n"),
    (locus.ToolCompleteEvent(**SEARCH, result="ok"), {"show_tool_results": False}, "✓ search\n"),
    (locus.ToolCompleteEvent(**SEARCH, result="1\n2\n3\n4\n5\n6"), {}, "✓ search\n  1\n  2\n  3\n  4\n  5\n"),
    (locus.ToolCompleteEvent(**SEARCH, result="1"), {"indent": "> "}, "✓ search\n> 1\n"),
    (locus.ToolCompleteEvent(**SEARCH, error="bad"), {}, "✗ search: bad\n"),
    (locus.ToolCompleteEvent(**SEARCH, error="bad\nvery"), {}, "✗ search: bad\n  very\n"),
    (locus.ToolCompleteEvent(**SEARCH, error=""), {}, "✗ search: \n"),
    (
        locus.ReflectEvent(
            iteration=1, assessment="stuck", confidence_delta=-0.1, new_confidence=0.456, guidance="Turn."
        ),
        {},
        "🔍 Reflection: stuck (confidence: 0.46)\n  Turn.\n",
    ),
    (
        locus.GroundingEvent(score=0.4, claims_evaluated=5, ungrounded_claims=["a", "b", "c", "d"]),
        {},
        "📍 Grounding score: 0.40 (5 claims)\n  Ungrounded: a\n  Ungrounded: b\n  Ungrounded: c\n",
    ),
    (
        locus.TerminateEvent(
            reason="complete", iterations_used=3, final_confidence=0.9, total_tool_calls=5, final_message="Paris.\nYes."
        ),
        {},
        "\n🏁 Terminated: complete\n  Iterations: 3, Tool calls: 5, Confidence: 0.90\n  Paris.\n  Yes.\n",
    ),
    (
        locus.TerminateEvent(
            reason="error", iterations_used=1, final_confidence=0, total_tool_calls=0, error="no network"
        ),
        {},
        "\n🏁 Terminated: error\n  Iterations: 1, Tool calls: 0, Confidence: 0.00\n  Error: no network\n",
    ),
    (
        locus.InterruptEvent(question="Go on?", options=["yes", "no"], interrupt_id="i"),
        {},
        "❓ Question: Go on?\n  1. yes\n  2. no\n",
    ),
    (
        locus.InterruptEvent(question="Who?", fields=[{"name": "who", "label": "Your name"}], interrupt_id="i"),
        {},
        "❓ Question: Who?\n  - Your name\n",
    ),
    (
        locus.SpecialistStartEvent(specialist_id="1", specialist_type="res", task="Look."),
        {},
        "👤 Starting specialist: res\n  Task: Look.\n",
    ),
    (
        locus.SpecialistCompleteEvent(specialist_id="1", specialist_type="res", confidence=0.88, duration_ms=500),
        {},
        "👤 Specialist res complete (confidence: 0.88, 500ms)\n",
    ),
    (
        locus.OrchestratorDecisionEvent(decision="delegate", specialists_selected=["x", "y"]),
        {},
        "🎯 Orchestrator: delegate\n  Specialists: x, y\n",
    ),
    (locus.ModelChunkEvent(content="par"), {}, "par"),
    (locus.ModelChunkEvent(content="is.", done=True), {}, "is.\n"),
    (locus.ModelChunkEvent(), {}, ""),
    (locus.ModelCompleteEvent(content="Paris."), {}, ""),
    (locus.CausalNodeEvent(node_id="n", label="High", node_type="root_cause"), {}, "📊 High (root_cause)\n"),
    (
        locus.CausalEdgeEvent(source_id="n1", target_id="n2", relationship="causes", confidence=0.7),
        {},
        "  → n1 causes n2 (confidence: 0.70)\n",
    ),
    (
        locus.ToolProgressEvent(**SEARCH, progress=1, total=4),
        {},
        "i Event: tool_progress (tool_name=search, progress=1, total=4)\n",
    ),
    (
        locus.SubagentEvent(tool_call_id="1", tool_name="ask", event=locus.ThinkEvent(iteration=1)),
        {},
        "i Event: subagent (tool_name=ask, event_type=think)\n",
    ),
    (SimpleNamespace(event_type="odd"), {}, "i Event: odd\n"),
    (SimpleNamespace(event_type="odd"), {"use_emoji": False}, "Event: odd\n"),
]


@pytest.mark.parametrize(("event", "options", "text"), TEXTS)
def test_text_of_events(event: Any, options: dict[str, Any], text: str) -> None:
    """Every type of event reads as the specification says, and unknown ones are named."""
    assert shown(event, **options) == text


@pytest.mark.parametrize("event_type", sorted({event.event_type for event, _, _ in TEXTS}))
def test_no_field_is_needed(event_type: str) -> None:
    """An event of a known type that lacks every field is shown as far as it goes."""
    assert isinstance(shown(SimpleNamespace(event_type=event_type), show_tool_args=True, show_timestamps=True), str)


def test_arguments_are_cut() -> None:
    """Long arguments end in dots, after 200 columns."""
    line = shown(locus.ToolStartEvent(**SEARCH, arguments={"q": "x" * 300}), show_tool_args=True)
    assert line.endswith("x...)\n")
    assert columns(line.strip()) == columns("🔧 search()") + 200


def test_results_are_cut_by_columns() -> None:
    """A result gets `max_result_length` columns over all its lines, and wide characters count two."""
    text = shown(locus.ToolCompleteEvent(**SEARCH, result="ab\n" + "日" * 10), max_result_length=11)
    assert text == "✓ search\n  ab\n  日日日...\n"


def test_timestamps() -> None:
    """Headlines bear the time to the millisecond; an event without one bears none."""
    moment = datetime(2030, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    event = locus.ToolCompleteEvent(**SEARCH, result="ok", timestamp=moment)
    assert shown(event, show_timestamps=True) == "[03:04:05.678] ✓ search\n  ok\n"
    assert shown(SimpleNamespace(event_type="odd"), show_timestamps=True) == "i Event: odd\n"


def test_running_text_is_ended_before_a_line() -> None:
    """A line that the model's text has left open is closed before anything else is shown."""
    chunk = locus.ModelChunkEvent(content="par")
    assert shown(chunk, chunk, locus.ToolStartEvent(**SEARCH)) == "parpar\n🔧 search\n"


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eabc\r"


@pytest.mark.parametrize("event", [event for event, _, _ in TEXTS if isinstance(event, locus.LocusEvent)])
def test_no_event_steers_the_terminal(event: locus.LocusEvent) -> None:
    """Escape sequences and control characters in any text of any event are shown, never passed on."""
    texts = {name: HOSTILE for name, value in event if isinstance(value, str) and name != "event_type"}
    options: dict[str, Any] = {"show_tool_args": True, "show_timestamps": True}
    hostile = event.model_copy(update=texts | {"agent_name": HOSTILE})
    text = shown(hostile, **options)
    assert not set(HOSTILE) - set("]0;owned[2J31mabc") & set(text)
    assert (
        "\\x1b" in text or not texts.keys() - {"tool_call_id", "specialist_id", "interrupt_id", "node_id"} or not text
    )


def test_hostile_text_is_shown() -> None:
    """Nothing of a hostile text is lost: it reads as escapes."""
    text = shown(locus.ThinkEvent(iteration=1, reasoning=HOSTILE), show_progress=False)
    assert text == "  \\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u202eabc\\x0d\n".replace("\\x0d", "\\r")


@given(text=st.text(), done=st.booleans())
def test_no_text_steers_the_terminal(text: str, done: bool) -> None:
    """Whatever a model writes, only newlines and tabs reach the terminal as control characters."""
    written = shown(
        locus.ModelChunkEvent(content=text, done=done),
        SimpleNamespace(event_type=text),
        SimpleNamespace(event_type="tool_start", tool_name=text, arguments={text: text}),
        show_tool_args=True,
    )
    assert all(character in "\n\t" or ord(character) > 31 for character in written)
    assert not set(map(chr, range(0x7F, 0xA0))) & set(written)


def test_arguments_are_readable() -> None:
    """The defaults are those of the contract, and each argument can be read back."""
    handler = ConsoleHandler()
    defaults = {
        "show_reasoning": True,
        "show_tool_args": False,
        "show_tool_results": True,
        "show_timestamps": False,
        "show_progress": True,
        "use_emoji": True,
        "max_result_length": 500,
        "indent": "  ",
    }
    assert {name: getattr(handler, name) for name in defaults} == defaults
    assert ConsoleHandler(Terminal()).use_color
    assert not ConsoleHandler(Terminal(), use_color=False).use_color
    assert not ConsoleHandler(io.StringIO()).use_color


def test_colors_only_on_a_terminal() -> None:
    """A terminal gets colours, unless they are not wanted; a file never does."""
    event = locus.ToolCompleteEvent(**SEARCH, error="bad")
    colored = "✗ \x1b[31msearch\x1b[0m: \x1b[31mbad\x1b[0m\n"
    assert shown(event, output=Terminal()) == colored
    assert shown(event, output=Terminal(), use_color=False) == shown(event) == "✗ search: bad\n"


def test_standard_output_is_found_when_writing(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an output, text goes to `sys.stdout` as it is at that moment, and not as it was at import."""
    handler = ConsoleHandler()
    run(handler.on_event, SimpleNamespace(event_type="odd"))
    assert capsys.readouterr().out == "i Event: odd\n"


def test_a_poor_encoding_is_no_error() -> None:
    """What an output cannot encode is written as an escape."""
    raw = io.BytesIO()
    output = io.TextIOWrapper(raw, encoding="ascii", newline="")
    run(ConsoleHandler(output).on_event, locus.ToolStartEvent(**SEARCH))
    assert raw.getvalue() == b"\\U0001f527 search\n"


@pytest.mark.anyio
async def test_ends() -> None:
    """The end of a run tells how many tools were called, or what went wrong."""
    output = io.StringIO()
    handler = ConsoleHandler(output)
    await handler.on_event(locus.ToolStartEvent(**SEARCH))
    await handler.on_complete()
    assert output.getvalue() == "🔧 search\n\n🏁 Execution complete (1 tool calls)\n"
    handler.clear()
    await handler.on_error(ValueError("bad \x1b[0m\nthing"))
    assert output.getvalue().endswith("\n❌ Error: bad \\x1b[0m\n  thing\n")

"""Tapes become spans of the real OpenTelemetry SDK, with the recorded times and the nesting that they had."""

from collections.abc import Mapping
from pathlib import Path

import pytest

pytest.importorskip("opentelemetry.sdk.trace", reason="opentelemetry-sdk is not installed")

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from playhead.adapters.otel import export_spans
from playhead.cassettes.format import Failure
from playhead.replaying.tape import open_tape
from tests.cli.running import SEARCH, write_tape


def exported(place: Path, **options: float) -> tuple[int, list[ReadableSpan]]:
    """Return how many spans were written, and the spans in the order of their beginnings."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with open_tape(place) as tape:
        count = export_spans(tape, provider.get_tracer("playhead"), **options)
    return count, sorted(memory.get_finished_spans(), key=lambda span: (span.start_time or 0, -(span.end_time or 0)))


def named(spans: list[ReadableSpan]) -> Mapping[str, ReadableSpan]:
    """Return spans by name; of those that share one, the last."""
    return {span.name: span for span in spans}


def parents(spans: list[ReadableSpan]) -> dict[str, str | None]:
    """Return the name of each span's parent."""
    names = {span.context.span_id: span.name for span in spans if span.context}
    return {span.name: names[span.parent.span_id] if span.parent else None for span in spans}


def test_a_run_becomes_a_tree(tmp_path: Path) -> None:
    """The run, its steps, and in the step two tools at once, one of which failed."""
    count, spans = exported(write_tape(tmp_path / "a.jsonl"), start_s=1_000_000.0)
    assert count == len(spans) == 6
    assert parents(spans) == {
        "invoke_agent locus": None,
        "step": "invoke_agent locus",
        "execute_tool search": "step",
        "execute_tool read": "step",
        "chat": "step",
    }
    found = named(spans)
    search, read = found["execute_tool search"], found["execute_tool read"]
    assert (search.start_time, search.end_time) == (1_000_000_001_000_000, 1_000_000_253_000_000)
    assert dict(search.attributes or {}) == {
        "playhead.span": "tool",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
        "gen_ai.tool.call.id": "a",
    }
    assert (read.status.is_ok, read.status.description) == (False, "gone")
    assert (read.attributes or {})["error.type"] == "gone"
    assert [event.name for event in found["chat"].events] == ["first text"]
    root = found["invoke_agent locus"].attributes or {}
    assert (root["playhead.end"], root["playhead.run"]) == ("complete", "r1")


def test_what_never_ended_ends_with_its_run(tmp_path: Path) -> None:
    """It says that it is unfinished; a run that failed has the error's type and message."""
    failure = Failure(type="ValueError", message="boom")
    _, spans = exported(write_tape(tmp_path / "a.jsonl", SEARCH[:2], end="error", errors={"r1": failure}))
    found = named(spans)
    assert (found["execute_tool search"].attributes or {})["playhead.unfinished"] is True
    root = found["invoke_agent locus"]
    assert (root.status.description, (root.attributes or {})["error.type"]) == ("boom", "ValueError")
    assert found["execute_tool search"].end_time == root.end_time


def test_the_times_are_those_of_the_events(tmp_path: Path) -> None:
    """Unless somebody says when the tape began."""
    first = {**SEARCH[0][1], "timestamp": "2030-01-01T00:00:00Z"}
    place = write_tape(tmp_path / "a.jsonl", [(500, first), *SEARCH[1:]])
    _, (root, *_) = exported(place)
    assert root.start_time == 1_893_456_000 * 10**9 - 500_000


def test_own_recordings_are_exported(root: Path) -> None:
    """Every run is one trace, and every child lies within its parent's time."""
    for path in sorted((root / "cassettes").glob("*.jsonl")):
        count, spans = exported(path)
        by_id = {span.context.span_id: span for span in spans if span.context}
        assert count == len(spans) == len(by_id) > 1
        with open_tape(path) as tape:
            assert len({span.context.trace_id for span in spans if span.context}) == len(tape.runs)
        for span in spans:
            parent = by_id[span.parent.span_id] if span.parent else span
            assert (parent.start_time or 0) <= (span.start_time or 0) <= (span.end_time or 0) <= (parent.end_time or 0)


def test_a_sub_agent_lies_in_its_tool(root: Path) -> None:
    """Its steps do, and its tools lie in them."""
    _, spans = exported(root / "cassettes/locus_subagent.jsonl")
    names = {span.context.span_id: span.name for span in spans if span.context}
    nested = [(span.name, names[span.parent.span_id]) for span in spans if span.parent]
    assert nested == [
        ("step", "invoke_agent locus"),
        ("execute_tool delegate", "step"),
        ("step", "execute_tool delegate"),
        ("execute_tool weather", "step"),
        ("step", "execute_tool delegate"),
        ("step", "invoke_agent locus"),
    ]


def test_a_paused_run_is_no_failure(root: Path) -> None:
    """Its tool is unfinished, and the run says how it ended."""
    _, spans = exported(root / "cassettes/locus_interrupt_resume.jsonl")
    paused, tool = spans[0], named(spans)["execute_tool ask_user"]
    assert (paused.attributes or {})["playhead.end"] == "paused"
    assert {span.status.status_code for span in spans} == {StatusCode.UNSET}
    assert (tool.attributes or {})["playhead.unfinished"] is True


def test_a_provider_s_stream_is_a_model_call(tmp_path: Path) -> None:
    """Its root bears the model's name. A tool that was completed has not failed."""
    item = {"type": "function_call", "name": "search"}
    place = write_tape(
        tmp_path / "a.jsonl",
        [
            (5, {"type": "response.created", "response": {"id": "r", "model": "gpt-9"}}),
            (5, {"type": "response.output_item.added", "output_index": 0, "item": item}),
            (5, {"type": "response.output_item.done", "output_index": 0, "item": item | {"status": "completed"}}),
            (5, {"type": "response.completed", "response": {"id": "r", "status": "completed"}}),
        ],
        dialect="openai.responses",
    )
    _, (root, tool) = exported(place)
    assert (root.name, root.kind) == ("chat gpt-9", SpanKind.CLIENT)
    found = root.attributes or {}
    assert (found["gen_ai.provider.name"], found["gen_ai.response.model"]) == ("openai", "gpt-9")
    assert (tool.name, tool.status.status_code) == ("execute_tool search", StatusCode.UNSET)


def test_unknown_events_are_passed_over(tmp_path: Path) -> None:
    """As is what is no object; a run of nothing else is a root alone. A sentence is no type of an error."""
    odd = [(1, {"event_type": "tool_startled"}), (1, {"no": "type"})]
    assert [span.name for span in exported(write_tape(tmp_path / "a.jsonl", odd))[1]] == ["invoke_agent locus"]
    ended = {**SEARCH[3][1], "error": "It is not there!"}
    _, spans = exported(write_tape(tmp_path / "b.jsonl", [*SEARCH[:2], (1, ended)], end="error"))
    found = named(spans)
    assert (found["execute_tool search"].attributes or {})["error.type"] == "_OTHER"
    assert (found["invoke_agent locus"].attributes or {})["error.type"] == "_OTHER"


def test_the_first_event_names_the_agent(tmp_path: Path) -> None:
    """Each run is a trace of its own, even where another span is under way."""
    events = [(dt_us, {**event, "agent_name": "scout"}) for dt_us, event in SEARCH]
    with TracerProvider().get_tracer("other").start_as_current_span("around"):
        _, (root, *_) = exported(write_tape(tmp_path / "a.jsonl", events))
    assert (root.name, root.parent) == ("invoke_agent scout", None)
    assert (root.attributes or {})["gen_ai.agent.name"] == "scout"

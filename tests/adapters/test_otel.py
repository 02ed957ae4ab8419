"""Tapes become spans of the real OpenTelemetry SDK, with the recorded times and the nesting that they had."""

from collections.abc import Mapping
from pathlib import Path

import pytest

pytest.importorskip("opentelemetry.sdk.trace", reason="opentelemetry-sdk is not installed")

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from playhead.adapters.otel import NAMES, export_spans
from playhead.cassettes.format import Failure
from playhead.events.spans import Span
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
    """Every real run is one tree, and every child lies within its parent's time; a sub-agent lies in its tool."""
    for path in sorted((root / "cassettes").glob("*.jsonl")):
        count, spans = exported(path)
        by_id = {span.context.span_id: span for span in spans if span.context}
        assert count == len(spans) == len(by_id) > 1
        for span in spans:
            parent = by_id[span.parent.span_id] if span.parent else span
            assert (parent.start_time or 0) <= (span.start_time or 0) <= (span.end_time or 0) <= (parent.end_time or 0)
    _, spans = exported(root / "cassettes/locus_subagent.jsonl")
    names = {span.context.span_id: span.name for span in spans if span.context}
    nested = {(names[span.parent.span_id], span.name) for span in spans if span.parent}
    assert {("step", "execute_tool delegate"), ("execute_tool delegate", "step")} <= nested
    assert ("step", "execute_tool weather") in nested


def test_every_kind_of_span_has_a_name() -> None:
    """But a run, which is the root."""
    assert set(NAMES) == set(Span) - {Span.RUN}

"""The adapter for locus gives back the very classes that were recorded."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("locus.core.events", reason="locus-sdk is not installed")

from locus.core import events
from locus.core.messages import ToolCall

from playhead.adapters.locus import MADE, decode
from playhead.errors import UsageError
from playhead.events.base import OpaqueEvent
from playhead.events.codec import event_json
from playhead.events.locus import LOCUS

CALL = ToolCall(id="c", name="search", arguments={"q": "é", "n": 10**20})
INNER = events.ToolCompleteEvent(tool_name="t", tool_call_id="c", result="sun", duration_ms=0.5)
SAMPLES: list[events.LocusEvent] = [
    events.ThinkEvent(iteration=1, reasoning="Hm.", tool_calls=[CALL], agent_name="scout"),
    events.ToolStartEvent(tool_name="t", tool_call_id="c", arguments={"a": [1, {"b": None}]}),
    events.ToolProgressEvent(tool_name="t", tool_call_id="c", progress=1, total=3, message="a third"),
    INNER,
    events.SubagentEvent(tool_call_id="c", tool_name="t", event=INNER),
    events.SubagentEvent(
        tool_call_id="c", tool_name="t", event=events.SubagentEvent(tool_call_id="d", tool_name="u", event=INNER)
    ),
    events.ReflectEvent(iteration=1, assessment="good", confidence_delta=0.1, new_confidence=0.9),
    events.GroundingEvent(score=0.5, claims_evaluated=2, ungrounded_claims=["x"]),
    events.FinalAnswerVerificationEvent(passed=True, attempt=1),
    events.ModelRetryEvent(attempt=1, delay_seconds=0.5, reason="busy", error="429"),
    events.TerminateEvent(reason="complete", iterations_used=1, final_confidence=1, total_tool_calls=0),
    events.InterruptEvent(question="Which?", options=["a"], interrupt_id="i"),
    events.CustomEvent(name="mine", data={"n": 1}),
    events.ModelChunkEvent(content="a", tool_calls=[CALL], done=True),
    events.ModelCompleteEvent(content="a", usage={"n": 1}),
    events.SpecialistStartEvent(specialist_id="s", specialist_type="t", task="x"),
    events.OrchestratorDecisionEvent(decision="go"),
    events.BeforeInvocationEvent(prompt="hi"),
    events.AfterInvocationEvent(success=True, iterations=1, confidence=1, duration_ms=2),
    events.BeforeToolCallEvent(tool_name="t", arguments={}),
    events.AfterToolCallEvent(tool_name="t", duration_ms=1),
    events.SpecialistCompleteEvent(specialist_id="s", specialist_type="t", confidence=1, duration_ms=2),
    events.CausalNodeEvent(node_id="n", label="l", node_type="t"),
    events.CausalEdgeEvent(source_id="a", target_id="b", relationship="r", confidence=1),
    events.CompactionEvent(
        iteration=1,
        stage="prune",
        tokens_before=9,
        tokens_after=5,
        threshold=8,
        context_window=10,
        messages_before=3,
        messages_after=2,
    ),
]


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.event_type)
def test_the_very_class_comes_back(event: events.LocusEvent) -> None:
    """Class, fields and JSON of an event are what they were, also of those that locus' own union would lose."""
    found = decode(event_json(event))
    assert type(found) is type(event)
    assert found == event
    assert event_json(found) == event_json(event)


def _depths(event: Any) -> Iterator[type]:
    while event is not None:
        yield type(event)
        event = getattr(event, "event", None)


def test_nested_events_keep_their_classes() -> None:
    """So do events inside events, at any depth."""
    assert list(_depths(decode(event_json(SAMPLES[5])))) == [
        events.SubagentEvent,
        events.SubagentEvent,
        events.ToolCompleteEvent,
    ]


def test_every_type_of_the_dialect_is_sampled() -> None:
    """There is a sample for each type that our table knows."""
    assert {event.event_type for event in SAMPLES} == set(LOCUS.ops)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"event_type":"tomorrow","x":1}',
        b'{"event_type":"think","iteration":"first"}',
        b'{"event_type":"subagent","tool_call_id":"c","tool_name":"t","event":{"event_type":"tomorrow"}}',
        b'{"event_type":"subagent","tool_call_id":"c","tool_name":"t","event":5}',
        b'{"event_type":"subagent","tool_call_id":"c","tool_name":"t"}',
    ],
)
def test_what_locus_does_not_know_is_opaque(raw: bytes) -> None:
    """A type or a field that locus would refuse gives an event that keeps everything."""
    found = decode(raw)
    assert isinstance(found, OpaqueEvent)
    assert event_json(found) == raw


@pytest.mark.parametrize("raw", [b"", b"[1]", b"{}", b'{"event_type":5}', b"nonsense", b'"text"'])
def test_what_is_no_event_is_refused(raw: bytes) -> None:
    """Text that is no event is an error of the caller."""
    with pytest.raises(UsageError):
        decode(raw)


@given(value=st.recursive(st.floats() | st.text(st.characters()) | st.integers(), lambda inner: st.lists(inner)))
def test_odd_values_come_back(value: Any) -> None:
    """Arguments that plain JSON cannot carry come back as they were."""
    raw = event_json({"event_type": "tool_start", "tool_name": "t", "tool_call_id": "c", "arguments": {"x": value}})
    found = decode(raw)
    assert isinstance(found, events.ToolStartEvent)
    assert repr(found.arguments["x"]) == repr(value)


def test_versions() -> None:
    """The version that the header keeps is that of the installed package."""
    assert set(MADE) == {"locus-sdk"}
    assert MADE["locus-sdk"][0].isdigit()


@pytest.mark.parametrize(("module", "package"), [("locus", "locus"), ("shipit", "shipit_agent")])
def test_a_missing_framework_is_named(module: str, package: str) -> None:
    """Where the framework is not installed, the import says what to install."""
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from playhead.errors import UsageError\n"
        f"try:\n    import playhead.adapters.{module}\n"
        "except UsageError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f"this needs {module}, which is not installed: pip install 'playhead[{module}]'\n"

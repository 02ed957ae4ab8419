"""The events of shipit, as one class with a table."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.events.base import OpaqueEvent, keep_raw
from playhead.events.canonical import canonical
from playhead.events.codec import decode_event, encode_event
from playhead.events.shipit import SHIPIT, ShipitEvent
from tests.events.samples import NUMBERS, OBJECTS, TEXTS

SPECIFIED = re.findall(
    r"\w+",
    """
    run_started step_started reasoning_started reasoning_completed planning_started planning_completed tool_called
    tool_completed tool_failed interactive_request mcp_attached llm_retry tool_retry context_snapshot rag_sources
    run_completed iteration_started reasoning_delta text_delta tool_group_started tool_group_completed tool_input_delta
    tool_output_started tool_output_delta tool_denied tool_arguments_rejected tool_call_healed skill_catalog_ready
    skill_loaded tools_discovered tools_rebound subagent_started subagent_event sub_agent_event subagent_completed
    context_compaction_started context_compacted approval_required checkpoint_saved usage_tick final_answer run_summary
    run_failed run_cancelled
    """,
)


def test_the_table_has_the_types_of_the_specification() -> None:
    """Every type that is documented has a row, and no other."""
    assert sorted(SHIPIT.ops) == sorted(SPECIFIED)


@given(
    kind=st.sampled_from(SPECIFIED),
    payload=OBJECTS,
    rest=st.fixed_dictionaries({}, optional={"message": TEXTS, "timestamp": NUMBERS, "new": TEXTS}),
)
def test_every_payload_survives(kind: str, payload: dict[str, object], rest: dict[str, object]) -> None:
    """Whatever is in the payload, an event is typed and comes back, from its bytes and from its fields."""
    data = {"type": kind, "payload": payload, **rest}
    event = decode_event(data, "shipit")
    assert type(event) is ShipitEvent
    assert event.event_type == event.type == kind
    assert canonical(encode_event(event)) == canonical(data)
    assert canonical(encode_event(keep_raw(event, None))) == canonical(data)


@pytest.mark.parametrize(
    "data",
    [
        {"type": "of_tomorrow", "message": "m", "payload": {}},
        {"type": "run_started", "payload": []},
        {"type": "run_started", "message": 5},
        {"type": "run_started", "timestamp": "5"},
    ],
)
def test_unknown_and_ill_typed_events_are_opaque(data: dict[str, object]) -> None:
    """What does not fit is opaque, and loses nothing."""
    event = decode_event(data, "shipit")
    assert type(event) is OpaqueEvent
    assert event.event_type == data["type"]
    assert encode_event(event) == data

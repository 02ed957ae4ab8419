"""The adapter for shipit gives back its one class, and lets handlers take live events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("shipit_agent.models", reason="shipit-agent is not installed")

# shipit carries no types.
# mypy: disable-error-code="import-untyped"
from shipit_agent.models import AgentEvent

from playhead.adapters.shipit import MADE, HandledEvent, decode, handled
from playhead.errors import UsageError
from playhead.events.base import OpaqueEvent
from playhead.events.codec import event_json
from playhead.events.shipit import SHIPIT
from playhead.handlers.sse import SSEHandler


@pytest.mark.parametrize("event_type", SHIPIT.ops)
def test_the_very_class_comes_back(event_type: str) -> None:
    """An event of any type is of shipit's class, with the same fields."""
    event = AgentEvent(type=event_type, message="m", payload={"b": [1, None], "a": {"n": 0.5}})
    found = decode(event_json(event))
    assert type(found) is AgentEvent
    assert found == event


@given(payload=st.dictionaries(st.text(), st.floats(allow_nan=False) | st.text() | st.integers()))
def test_odd_payloads_come_back(payload: dict[str, object]) -> None:
    """So are payloads that plain JSON cannot carry."""
    event = AgentEvent(type="tool_called", payload=payload)
    assert decode(event_json(event)) == event


def test_events_of_the_first_version() -> None:
    """An event of 1.0 has no time; it comes back with one that is always the same."""
    found = decode(b'{"type":"run_started","message":"m","payload":{}}')
    assert found == AgentEvent(type="run_started", message="m", payload={}, timestamp=0.0)


def test_types_out_of_the_list_are_shipits_too() -> None:
    """shipit sends types that its own list lacks; its class takes them."""
    assert type(decode(b'{"type":"guardrail_triggered"}')) is AgentEvent


@pytest.mark.parametrize("raw", [b'{"type":"t","more":1}', b'{"type":"t","payload":[1]}'])
def test_what_does_not_fit_is_opaque(raw: bytes) -> None:
    """An event with other fields than shipit's gives one that keeps everything."""
    found = decode(raw)
    assert isinstance(found, OpaqueEvent)
    assert event_json(found) == raw


@pytest.mark.parametrize("raw", [b"", b"[1]", b"{}", b'{"type":5}', b"nonsense"])
def test_what_is_no_event_is_refused(raw: bytes) -> None:
    """Text that is no event is an error of the caller."""
    with pytest.raises(UsageError):
        decode(raw)


@pytest.mark.anyio
async def test_handlers_take_live_events() -> None:
    """A live event says its type to handlers, is an event of shipit's still, and shares its payload."""
    event = AgentEvent(type="tool_called", message="m", payload={"n": 1})
    live = handled(event)
    assert isinstance(live, AgentEvent)
    assert type(live) is HandledEvent
    assert live.event_type == "tool_called"
    assert live.payload is event.payload
    assert live.to_dict() == event.to_dict()
    handler = SSEHandler()
    await handler.on_event(live)
    assert handler.get_messages()[0].event == "tool_called"


def test_versions() -> None:
    """The version that the header keeps is that of the installed package."""
    assert set(MADE) == {"shipit-agent"}
    assert MADE["shipit-agent"][0].isdigit()

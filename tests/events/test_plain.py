"""Events that stay JSON objects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import UsageError
from playhead.events.base import OpaqueEvent, keep_raw
from playhead.events.canonical import canonical
from playhead.events.codec import decode_event, encode_event, event_json
from playhead.events.dialects import DIALECTS
from playhead.events.plain import PlainEvent
from tests.events.samples import OBJECTS

SAMPLES: dict[str, dict[str, object]] = {
    "agui": {"type": "CUSTOM", "name": "x"},
    "locus.server": {"type": "think", "content": "hm"},
    "openai.chat": {"object": "chat.completion.chunk", "choices": []},
    "openai.responses": {"type": "response.in_progress"},
    "anthropic.messages": {"type": "ping"},
    "gemini": {"candidates": []},
}


@pytest.mark.parametrize("dialect", SAMPLES)
@given(rest=OBJECTS)
def test_every_field_survives(dialect: str, rest: dict[str, object]) -> None:
    """Whatever else is in an event, it is typed and comes back, from its bytes and from its fields."""
    data = {f"x-{name}": value for name, value in rest.items()} | SAMPLES[dialect]
    event = decode_event(data, dialect)
    assert isinstance(event, PlainEvent)
    assert event.event_type == DIALECTS[dialect].type_of(data)
    assert canonical(encode_event(event)) == canonical(data)
    assert canonical(encode_event(keep_raw(event, None))) == canonical(data)


@pytest.mark.parametrize("dialect", SAMPLES)
def test_fields_are_frozen_attributes(dialect: str) -> None:
    """A field is read under its name on the wire, and cannot be changed."""
    event = decode_event({**SAMPLES[dialect], "deep": {"list": [1]}}, dialect)
    assert event.deep == {"list": [1]}
    with pytest.raises(ValueError, match="frozen"):
        event.deep = 1
    with pytest.raises(TypeError):
        event.deep["list"] = 2


@given(kind=st.text(min_size=1).filter(lambda kind: kind not in DIALECTS["agui"].ops))
def test_a_type_that_is_not_known_is_opaque(kind: str) -> None:
    """What the table does not have is kept all the same."""
    event = decode_event({"type": kind, "n": 1}, "agui")
    assert type(event) is OpaqueEvent
    assert event.event_type == kind


def test_what_has_no_type_is_no_event() -> None:
    """An object that the table cannot tell is refused, as is what is no object."""
    for dialect in SAMPLES:
        with pytest.raises(UsageError, match="not an event of dialect"):
            decode_event({"n": 1}, dialect)
        with pytest.raises(UsageError, match="not an event of dialect"):
            decode_event("5", dialect)


def test_a_changed_event_forgets_its_bytes() -> None:
    """A copy with another field is written anew, and its type is read anew."""
    event = decode_event(b'{"type":"ping"   }', "anthropic.messages")
    assert event_json(event) == b'{"type":"ping"   }'
    changed = event.model_copy(update={"type": "message_stop"})
    assert changed.event_type == "message_stop"
    assert encode_event(changed) == {"type": "message_stop"}

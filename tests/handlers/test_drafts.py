"""How events become messages."""

import json
import math
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.errors import UsageError
from playhead.events import locus
from playhead.events.codec import decode_event
from playhead.handlers.drafts import Drafter, event_text
from playhead.ids import SequenceIds
from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser


def drafter(**options: Any) -> Drafter:
    """Make a drafter with ids that can be foreseen."""
    return Drafter(ids=SequenceIds(), **options)


def data(event: Any, **options: Any) -> str:
    """Return what is sent of an event."""
    made = drafter(**options)
    return made.message(made.draft(event), 1).data


def test_recorded_bytes_are_passed_on() -> None:
    """An event that was decoded is sent as it was written: order, spacing and spelling of its fields included."""
    text = '{"iteration" : 1.0e0, "event_type":"think","timestamp":"2030-01-01T00:00:00+00:00","new": [1]}'
    text = text.replace("1.0e0", "1")
    assert data(decode_event(text)) == text


def test_what_json_cannot_carry_is_tagged() -> None:
    """No NaN goes on the wire."""
    event = locus.CustomEvent(name="x", data={"loss": math.nan})
    assert json.loads(data(event), parse_constant=pytest.fail)["data"] == {"loss": {"$playhead": "nan"}}


def test_timestamps_are_left_out_at_every_depth() -> None:
    """Without timestamps neither the event nor one inside it has one, and the rest is the same."""
    event = locus.SubagentEvent(
        tool_call_id="1", tool_name="t", event=locus.CustomEvent(name="x", data={"timestamp": 1})
    )
    without = json.loads(data(event, include_timestamp=False))
    assert "timestamp" not in without
    assert "timestamp" not in without["event"]
    assert without["event"]["data"] == {"timestamp": 1}
    assert without.keys() | {"timestamp"} == json.loads(data(event)).keys()


def test_leaving_out_the_timestamp_tags_nothing_twice() -> None:
    """A tagged value is the same with and without the timestamp."""
    event = locus.CustomEvent(name="x", data={"loss": math.nan})
    assert json.loads(data(event, include_timestamp=False))["data"] == json.loads(data(event))["data"]


@pytest.mark.parametrize(
    ("returned", "sent"),
    [({"n": 1}, '{"n":1}'), ("plain", "plain"), ({"bad": math.inf}, '{"bad":{"$playhead":"inf"}}')],
)
def test_custom_serializer(returned: Any, sent: str) -> None:
    """A serializer's dict is sent as JSON, its text as it is."""
    assert data(locus.ThinkEvent(iteration=1), custom_serializer=lambda event: returned) == sent


def test_custom_text_that_cannot_be_sent_is_refused() -> None:
    """A lone surrogate has no UTF-8 form, and is found when the event comes, not when it is sent."""
    with pytest.raises(UsageError, match="lone surrogate"):
        drafter(custom_serializer=lambda event: "\ud800").draft(locus.ThinkEvent(iteration=1))


@dataclass
class Plain:
    """Be somebody's event."""

    value: int
    event_type: str = "plain"


class Bare:
    """Be somebody's event without any form."""

    def __init__(self) -> None:
        self.value = 1

    @property
    def event_type(self) -> str:
        """Return the type."""
        return "bare"


@pytest.mark.parametrize("event", [Plain(1), Bare(), SimpleNamespace(event_type="x", value=1)])
def test_any_object_with_a_type_is_an_event(event: Any) -> None:
    """Dataclasses, namespaces and objects of one's own are sent with their type and attributes."""
    sent = json.loads(data(event))
    assert sent == {"event_type": event.event_type, "value": 1}
    assert json.loads(event_text(event)) == sent


def test_a_foreign_event_is_sent_as_it_was() -> None:
    """An object that can change is written down at once."""
    event, made = Plain(1), drafter()
    draft = made.draft(event)
    event.value = 2
    assert json.loads(made.message(draft, 1).data)["value"] == 1


@given(event_type=st.text(st.characters(codec=None)), value=st.text(st.characters(codec=None)), number=st.integers(1))
@example(event_type="a\ndata: forged\n\nevent: b", value="", number=1)
@example(event_type="a\rid: forged", value="\r\n", number=1)
@example(event_type="\ud800\0", value="\ud800", number=1)
def test_no_event_forges_a_field(event_type: str, value: str, number: int) -> None:
    """Whatever an event is called and holds, a parser finds one message with its id and its data."""
    made = drafter(id_prefix="p-")
    text = made.text(made.draft(SimpleNamespace(event_type=event_type, value=value)), number)
    [message] = SSEParser().feed(text.encode())
    assert message.id == f"p-{number}"
    assert json.loads(message.data).keys() == {"event_type", "value"}


def test_the_type_may_be_of_an_enumeration() -> None:
    """The value is sent, not what `format` makes of it."""

    class Kind(str, Enum):  # noqa: UP042 - StrEnum is written as its value anyway
        PLAIN = "plain"

    made = drafter()
    draft = made.draft(SimpleNamespace(event_type=Kind.PLAIN))
    assert made.text(draft, 1).startswith("event: plain\nid: 1\n")
    assert made.message(draft, 1).event == "plain"


def test_text_and_message_agree() -> None:
    """The text of a message is what the message itself would format."""
    made = drafter(id_prefix="p")
    draft = made.draft(locus.ThinkEvent(iteration=1))
    assert made.text(draft, 3) == made.message(draft, 3).format()
    assert made.message(draft, 3).id == "p3"


@pytest.mark.parametrize("include_id", [True, False])
def test_names_are_told_apart_however_many_there_are(include_id: bool) -> None:
    """What is remembered of names is bounded, and mixes none up: also those that are odd, or empty."""
    made = drafter(id_prefix="p", include_id=include_id)
    names = ["", "a\nb", "id: 7", "é", *(f"kind {number}" for number in range(1200))]
    for number in (0, 1, 12):
        for name in names:
            draft = name.replace("\n", ""), b"{}"
            assert made.text(draft, number) == made.message(draft, number).format()
    assert len(made._heads) <= 1000


def test_what_is_kept_is_the_event_only_where_its_own_json_is_sent() -> None:
    """A class of ours is kept once it was met; nothing is where the data is not the event's own JSON, nor another's."""
    event, foreign = locus.ThinkEvent(iteration=1), Plain(1)
    made = drafter()
    assert made.draft(event) is event
    assert made.draft(foreign) is not foreign
    assert type(event) in made.kept
    assert type(foreign) not in made.kept
    for options in ({"include_timestamp": False}, {"custom_serializer": lambda event: "x"}):
        assert not drafter(**options).kept


def test_ids_can_be_left_out() -> None:
    """Without ids, and for what has no number, there is none."""
    made = drafter(include_id=False)
    assert made.message(made.done(2), 3) == SSEMessage("done", '{"status":"complete","total_events":2}')
    made = drafter()
    assert made.message(("heartbeat", b"{}"), 0).id is None


def test_a_prefix_that_cannot_be_sent_is_refused() -> None:
    """A line end in a prefix would forge a field in every message."""
    with pytest.raises(UsageError, match="id"):
        drafter(id_prefix="a\nb")


def test_errors_keep_their_text_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The client gets a correlation id, the log has the error under it."""
    made = drafter()
    sent = json.loads(made.message(made.error(ValueError("db://secret")), 1).data)
    assert sent == {"error": "internal error", "correlation_id": f"{1:032x}"}
    assert f"{1:032x}" in caplog.text
    assert "ValueError: db://secret" in caplog.text


def test_debug_tells_the_error() -> None:
    """On request the client is told what happened."""
    made = drafter(debug=True)
    sent = json.loads(made.message(made.error(ValueError("bad")), 1).data)
    assert sent == {"error": "bad", "error_type": "ValueError", "correlation_id": f"{1:032x}"}

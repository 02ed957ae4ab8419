"""What a recording says cannot write lines of its own on the wire."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import PlayheadError
from playhead.events import decode_event
from playhead.handlers.sse import SSEHandler
from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser

LOUD = "x\ndata: forged\n\nevent: forged"
BREAKS = st.text(alphabet=st.sampled_from("\r\n\0:a \u2028\ufeff"), max_size=8)


@given(event=st.none() | BREAKS, id=st.none() | BREAKS, data=BREAKS)
def test_no_name_or_id_injects_a_field(event: str | None, id: str | None, data: str) -> None:
    """Whatever a name, an id and a text have in them, it is one message with that text, or refused."""
    try:
        wire = SSEMessage(data=data, event=event, id=id).encode()
    except PlayheadError:
        return
    parser = SSEParser()
    messages = parser.feed(wire) + parser.close()
    assert len(messages) <= 1
    for message in messages:
        assert message.data == data.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("break_", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("place", ["event", "id"])
def test_a_line_break_in_a_name_is_refused(place: str, break_: str) -> None:
    """A line break in an event's name or id would begin a field of the attacker's choice: it is refused."""
    fields = {"event": "x", "id": "1"} | {place: f"x{break_}data: forged"}
    with pytest.raises(PlayheadError):
        SSEMessage(data="text", event=fields["event"], id=fields["id"])


@pytest.mark.anyio
async def test_the_type_of_an_event_injects_nothing() -> None:
    """An event whose type has line breaks is one message or none: its text begins no field."""
    handler = SSEHandler()
    with contextlib.suppress(PlayheadError):
        await handler.on_event(decode_event({"event_type": LOUD, "text": "\n\ndata: forged"}, dialect="locus"))
    parser = SSEParser()
    told = "".join(message.format() for message in handler.get_messages())
    messages = parser.feed(told.encode()) + parser.close()
    assert len(messages) <= 1
    assert all("\nforged" not in message.data and message.event != "forged" for message in messages)

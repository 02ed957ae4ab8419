"""What a recording says cannot write lines of its own on the wire."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import PlayheadError
from playhead.events import decode_event
from playhead.events.locus import LOCUS
from playhead.events.tagged import dumps
from playhead.handlers.drafts import Drafter
from playhead.handlers.packets import sse_event_packet, sse_result_packet
from playhead.handlers.sse import SSEHandler
from playhead.provider.formats.base import message
from playhead.server.frames import Framer
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
    for each in messages:
        assert each.data == data.replace("\r\n", "\n").replace("\r", "\n")


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


def taped(event: Any) -> Any:
    """Return an event as a cassette gives it."""
    return decode_event(event, dialect="locus")


WRITERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "a handler": lambda event: (drafter := Drafter()).text(drafter.draft(taped(event)), 7),
    "a handler without ids": lambda event: (drafter := Drafter(include_id=False)).text(drafter.draft(taped(event)), 7),
    "a handler's value": lambda event: (drafter := Drafter()).message(drafter.draft(taped(event)), 7).format(),
    "a handler with text of its own": lambda event: (
        drafter := Drafter(custom_serializer=lambda each: json.dumps(event, indent=1).replace("\n", "\r"))
    ).text(drafter.draft(taped(event)), 7),
    "a packet": lambda event: sse_event_packet(taped(event)),
    "a result": lambda event: sse_result_packet(event),
    "a provider": lambda event: message(event, event="chunk").decode(),
    "the server, live": lambda event: Framer("0" * 32, LOCUS).live(taped(event), 7).sse().decode(),
    "the server, by classes": lambda event: Framer("0" * 32, LOCUS, "class").live(taped(event), 7).sse().decode(),
    "the server, from a tape": lambda event: Framer("0" * 32, LOCUS).taped(dumps(event), 7).sse().decode(),
}
"""Everything that writes an event as a message."""


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@given(name=BREAKS, text=BREAKS)
def test_no_writer_lets_an_event_forge_a_message(write: Callable[[dict[str, Any]], str], name: str, text: str) -> None:
    """Whatever its type and its text are, an event is one message that says what it said, with the id it was given."""
    event = {"event_type": f"x{name}data: forged", "text": text, f"k{name}": [text]}
    parser = SSEParser()
    (only,) = parser.feed(write(event).encode()) + parser.close()
    assert json.loads(only.data)["text"] == text
    assert only.id in ("", "7", "0" * 32 + ":7")
    assert only.retry is None
    assert not set(only.event or "") & set("\r\n\0")


def test_a_prefix_of_ids_that_injects_is_refused() -> None:
    """It is the program's own, and is looked at once, where it is given."""
    with pytest.raises(PlayheadError, match="a line feed"):
        Drafter(id_prefix="1\ndata: forged\n")

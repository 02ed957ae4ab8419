"""How each format is asked, and what it answers to a turn, without any I/O."""

from datetime import UTC, datetime
from typing import Any

from playhead.ids import SequenceIds
from playhead.provider.formats.base import Encoder, Head, WireFormat
from playhead.provider.formats.table import FORMATS
from playhead.scripts import Garbage, ModelRequest, Turn

BY_NAME = {wire_format.name: wire_format for wire_format in FORMATS}
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def encoder_of(wire_format: WireFormat, **options: Any) -> Encoder:
    """Return an encoder whose answer is always the same."""
    request = ModelRequest(messages=({"role": "user", "content": "Hello."},), model="model-1", options=options)
    return wire_format.encoder(Head(request, SequenceIds(), CREATED, "req_1"))


def stream_of(wire_format: WireFormat, said: Turn, **options: Any) -> bytes:
    """Return the stream that a turn becomes."""
    encoder = encoder_of(wire_format, **options)
    return encoder.begin() + b"".join(encoder.feed(step) for step in said.steps())


def whole_of(wire_format: WireFormat, said: Turn) -> dict[str, Any]:
    """Return the answer that a turn becomes where it does not stream."""
    encoder = encoder_of(wire_format)
    for step in said.steps():
        assert isinstance(encoder.feed(step), bytes) or isinstance(step, Garbage)
    return encoder.whole()

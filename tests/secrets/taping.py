"""Taping what goes over a wire, and reading back what the tape says of it."""

import itertools
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from playhead.cassettes.places import locate
from playhead.recording.recorder import record
from playhead.sse.parser import SSEParser


def values_of(place: str) -> list[Any]:
    """Return all that was taped."""
    with locate(place).read() as cassette:
        return [entry.value() for entry in cassette.entries()]


def wire_tape(chunks: Sequence[bytes]) -> list[Any]:
    """Tape what goes to a client, and return what is on the tape."""
    place = ":memory:::wire"
    with record(place) as tape:
        assert list(tape.chunks(iter(chunks))) == list(chunks)
    return values_of(place)


def model_tape(chunks: Sequence[Any], text_at: Sequence[tuple[str, ...]] = ()) -> list[Any]:
    """Tape the answer of a model, and return what is on the tape."""
    place = ":memory:::model"
    with record(place) as tape:
        call = tape.call({"messages": []}, text_at=text_at)
        for chunk in chunks:
            call.take(chunk)
        call.finish()
    return values_of(place)


def model_bytes(chunks: Sequence[bytes]) -> list[Any]:
    """Tape the bytes that a model answers, and return them without the question and the end."""
    return model_tape(chunks)[1:-1]


TRACKS: dict[str, Callable[[Sequence[bytes]], list[Any]]] = {"model": model_bytes, "wire": wire_tape}
"""What tapes bytes, by the track on which they are."""


def sse(*values: Any, end: str = "\n\n") -> list[bytes]:
    """Return values as messages of SSE: JSON, or text as it is."""
    return [f"data: {value if isinstance(value, str) else json.dumps(value)}{end}".encode() for value in values]


def as_bytes(chunks: Sequence[Any]) -> bytes:
    """Return taped chunks as the bytes that they are: text stands for bytes that are UTF-8."""
    return b"".join(chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks)


def messages_in(chunks: Sequence[Any]) -> list[Any]:
    """Return the values in the messages of taped chunks. Raises `ValueError` where one is no JSON any more."""
    return [json.loads(message.data) for message in SSEParser().feed(as_bytes(chunks))]


def cut_anywhere(data: bytes, chance: random.Random, most: int = 8) -> list[bytes]:
    """Return bytes in chunks that are cut at places that are drawn."""
    places = sorted(chance.sample(range(1, len(data)), chance.randint(0, most)))
    return [data[start:end] for start, end in itertools.pairwise([0, *places, len(data)])]

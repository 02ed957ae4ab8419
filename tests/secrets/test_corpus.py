"""What is caught of the corpus, and what is not: the table of docs/secrets.md is written from here."""

import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from playhead.cassettes.redact import Redactor
from playhead.events.dialects import DIALECTS
from playhead.recording.recorder import record
from tests.secrets.corpus import (
    DISGUISES,
    NOT_CAUGHT,
    Disguise,
    cuts_in_three,
    cuts_in_two,
    escaped,
    feeding,
    feeds,
    joined,
    keys,
    leaks,
)
from tests.secrets.taping import TRACKS, model_tape, values_of

BEGIN = "<!-- written by tests/secrets/test_corpus.py -->\n"
KEYS = keys()
SHORT = "sk-" + "proj-" + "Ab3dE5gH7jK9mN1pQ3sT5"


def caught(disguise: Disguise) -> int:
    """Count the keys that are taken out of a disguise, the JSON around them being as it was."""
    count = 0
    for _, key in KEYS:
        redactor = Redactor()
        told = redactor.json(json.dumps(disguise(key)).encode())
        count += bool(redactor.hits) and not leaks(key, joined([json.loads(told)]))
    return count


@pytest.mark.parametrize("name", DISGUISES)
def test_each_disguise_is_seen_through_or_listed(name: str) -> None:
    """A disguise is seen through for every kind of key, or stands in the list of those that are not."""
    found = caught(DISGUISES[name])
    assert found == len(KEYS) if name not in NOT_CAUGHT else found < len(KEYS)


def test_escapes_hide_nothing() -> None:
    """A key of which JSON spells each character as an escape is found, for it is looked at decoded."""
    for _, key in KEYS:
        told = Redactor().json(f'{{"text":"{escaped(key)}"}}'.encode())
        assert not leaks(key, json.loads(told)["text"])


def event_tape(dialect: str, events: Sequence[dict[str, Any]]) -> list[Any]:
    """Tape events, and return what is on the tape."""
    place = ":memory:::corpus"
    with record(place, dialect=dialect) as tape:
        list(tape.events(iter(events)))
    return values_of(place)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_key_over_two_events_is_a_key(dialect: str) -> None:
    """In every dialect, wherever its table has a text and wherever it is cut, a key over two events is taken out."""
    tag = DIALECTS[dialect].tag
    for kind, op in feeds(dialect):
        for pieces in cuts_in_two(SHORT):
            events = [feeding(op, kind, tag, piece) for piece in ("It is ", *pieces, " there.")]
            told = joined(event_tape(dialect, events))
            assert not leaks(SHORT, told), (kind, op.text, pieces)
            assert "<openai-key-1>" in told


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_key_over_three_events_is_a_key(dialect: str) -> None:
    """A key of any provider over three events is taken out, whatever the dialect."""
    kind, op = next(feeds(dialect), ("", None))
    if op is None:
        return
    for number, (_, key) in enumerate(KEYS):
        for pieces in cuts_in_three(key, number, 2):
            events = [feeding(op, kind, DIALECTS[dialect].tag, piece) for piece in pieces]
            assert not leaks(key, joined(event_tape(dialect, events))), pieces


def test_a_text_and_a_tool_in_one_event_are_two_streams() -> None:
    """One chunk of a chat may feed two streams: a key in either is taken out, and the other text stays."""
    halves = SHORT[:9], SHORT[9:]

    def chunk(said: str, argument: str) -> dict[str, Any]:
        calls = [{"index": 0, "function": {"arguments": argument}}]
        return {
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": {"content": said, "tool_calls": calls}}],
        }

    for events in ([chunk(half, "plain") for half in halves], [chunk("plain", half) for half in halves]):
        told = joined(event_tape("openai.chat", events))
        assert not leaks(SHORT, told)
        assert "plainplain" in told
        assert "<openai-key-1>" in told


@pytest.mark.parametrize("track", TRACKS)
def test_a_key_over_two_chunks_of_bytes_is_a_key(track: str) -> None:
    """Wherever the bytes of a message are cut, a key in it is taken out, on both tracks that have bytes."""
    whole = json.dumps({"content": SHORT})
    for pieces in cuts_in_two(f"data: {whole}\n\n"):
        told = TRACKS[track]([piece.encode() for piece in pieces])
        assert not leaks(SHORT, joined([value for value in told if isinstance(value, str)])), pieces


def test_a_key_over_native_chunks_is_a_key() -> None:
    """An adapter says where the text of its chunks is, and a key that is cut over them is taken out."""
    for pieces in itertools.chain(cuts_in_two(SHORT), cuts_in_three(SHORT, 1, 20)):
        told = model_tape([{"text": piece} for piece in pieces], [("text",)])
        assert not leaks(SHORT, joined(told)), pieces


def table() -> str:
    """Return what the page should say of the corpus."""
    rows = [(name, f"{caught(disguise)} of {len(KEYS)}") for name, disguise in DISGUISES.items()]
    rows += [
        ("spelled in escapes of JSON", f"{len(KEYS)} of {len(KEYS)}"),
        ("cut over 2 or 3 events, in every dialect", "all places"),
        ("cut over 2 or 3 native chunks of a model", "all places"),
        ("cut over 2 chunks of bytes, model or wire", "all places"),
        ("cut over 2 or 3 SSE messages, in every dialect", "all places"),
        ("cut over 2 messages of words, or of JSON a line", "all places"),
    ]
    lines = ["| a key | caught |", "|---|---|", *(f"| {name} | {found} |" for name, found in rows)]
    return BEGIN + "\n".join(lines) + "\n"


def test_the_table_of_the_docs_is_up_to_date(root: Path) -> None:
    """The page says what was measured here. `PLAYHEAD_UPDATE_DOCS=1` writes it anew."""
    path = root / "docs/secrets.md"
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition("\n\n")[2]
    page = f"{before}{table()}\n{after}"
    if os.environ.get("PLAYHEAD_UPDATE_DOCS"):
        path.write_text(page, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page

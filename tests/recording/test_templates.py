"""A message that looks like the last one is read without parsing, and never otherwise than by parsing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.events.dialects import DIALECTS, get_dialect
from playhead.recording.templates import MAX_TEMPLATE_BYTES, Template, learn
from playhead.recording.texts import EventTexts, Piece
from tests.secrets.corpus import feeding, feeds


def learned(event: dict[str, Any], dialect: str) -> Template | None:
    """Return the template of an event that has one piece."""
    table = get_dialect(dialect)
    (piece,), _ = EventTexts(table, "r").find(event)
    return learn(json.dumps(event).encode(), piece, table)


def chat(text: str, **more: Any) -> dict[str, Any]:
    """Return a chunk of a chat."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 5, "choices": [choice]} | more


def test_only_what_no_table_asks_for_may_differ() -> None:
    """Text, times and numbers of messages are new each time; what the table reads must be the same."""
    template = learned(chat("a", obfuscation="x", index=7), "openai.chat")
    assert template is not None
    same = json.dumps(chat("bc", obfuscation="yz", created=-1.5e9, index=7)).encode()
    found = template.read(same)
    assert found is not None
    assert (found[0].text, found[0].where) == ("bc", ("choices", 0, "delta", "content"))
    assert template.read(b"id: 4\nevent: x\ndata: " + same + b"\n\n") == found
    assert found[1].endswith(b'yz"')
    others: list[Any] = [
        chat("a", obfuscation="x", index=8),
        chat("a", more=1),
        chat(""),
        chat("é"),
        chat('"'),
        chat("a") | {"choices": []},
    ]
    finished = chat("a", obfuscation="x", index=7)
    finished["choices"][0]["finish_reason"] = "stop"
    for other in [*others, finished]:
        assert template.read(json.dumps(other, ensure_ascii=False).encode()) is None


@pytest.mark.parametrize("dialect", DIALECTS)
@given(data=st.data())
def test_a_template_reads_what_the_table_reads(dialect: str, data: st.DataObject) -> None:
    """For every text of the tables: what looks alike has the same pieces as by parsing."""
    table = get_dialect(dialect)
    every = list(feeds(dialect))
    if not every:
        return
    kind, op = data.draw(st.sampled_from(every))
    texts = data.draw(st.tuples(st.text(min_size=1, max_size=9), st.text(max_size=9)))
    one, other = (feeding(op, kind, table.tag, text) | {"zz": text[::-1], "n": len(text)} for text in texts)
    reader = EventTexts(table, "r")
    (piece,), _ = reader.find(one)
    template = learn(json.dumps(one).encode(), piece, table)
    found = template.read(json.dumps(other).encode()) if template else None
    if found is not None:
        assert [found[0]] == reader.find(other)[0]


def test_what_has_no_template() -> None:
    """Escapes, a text that is there twice, a long message, and a text of its own have none."""
    piece = Piece(("s",), "a", ("t",))
    assert learn(b'{"t":"a"}', piece, None) is not None
    assert learn(b'{"t":"a","u":"\\n"}', piece, None) is None
    assert learn(b'{"t":"a","u":"a"}', piece, None) is None
    assert learn('{"t":"a","u":"é"}'.encode(), piece, None) is None
    assert learn(b'{"t":"a","u":"%b"}' % (b"x" * MAX_TEMPLATE_BYTES), piece, None) is None
    assert learn(b"[]", piece, None) is None


def test_without_a_table_other_strings_stay() -> None:
    """Where every text is a piece, only numbers may be new."""
    template = learn(b'{"t":"a","n":1,"u":"x"}', Piece(("s",), "a", ("t",)), None)
    assert template is not None
    assert template.read(b'{"t":"b","n":23,"u":"x"}') == (Piece(("s",), "b", ("t",)), b"")
    assert template.read(b'{"t":"b","n":1,"u":"y"}') is None

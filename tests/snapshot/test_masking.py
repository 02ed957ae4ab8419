"""Masked JSON text is the JSON that the comparison sees, and every other byte of it is as it was."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.comparing.reading import read
from playhead.events.dialects import DIALECTS, get_dialect
from playhead.snapshot.masking import Masker

LOCUS = get_dialect("locus")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"timestamp":"2030","duration_ms":1.50}', '{"timestamp":"<volatile>","duration_ms":"<volatile>"}'),
        (' {\n"timestamp" : {"a": [1, {}]} ,"b":1e3}', ' {\n"timestamp" : "<volatile>" ,"b":1e3}'),
        ('{"timestamp":null,"tool_call_id":null}', None),
        ('{"tool_call_id":"a","x":"a"}', '{"tool_call_id":"<id 1>","x":"a"}'),
        ('{"tool_calls":[{"id":"b"},{"id":7}]}', '{"tool_calls":[{"id":"<id 1>"},{"id":"<id 2>"}]}'),
        ('{"error":"internal error","correlation_id":"6f"}', '{"error":"internal error","correlation_id":"<id 1>"}'),
        (r'{"time\u0073tamp":1,"timestamp":2}', r'{"time\u0073tamp":"<volatile>","timestamp":"<volatile>"}'),
        ('{"x":{"timestamp":1},"tool_calls":{"id":"a"}}', None),
        ('{"timestamp":{"a":NaN},"tool_call_id":[NaN]}', '{"timestamp":"<volatile>","tool_call_id":[NaN]}'),
        ("[DONE]", None),
        ('["timestamp"]', None),
        ('{"timestamp":1', None),
        ('{"timestamp" 1}', None),
        ("", None),
    ],
)
def test_only_what_means_nothing_is_masked(text: str, masked: str | None) -> None:
    """A value at a path of the table is replaced, whatever its spelling; text that is no object stays."""
    assert Masker(LOCUS).mask(text) == (masked or text)


def test_what_is_volatile_is_masked_whole() -> None:
    """An id inside it is gone with it, and takes no number."""
    dialect = replace(LOCUS, volatile=(("a",),), ids=(("a", "id"), ("id",)))
    assert Masker(dialect).mask('{"a":{"id":"x"},"id":"y"}') == '{"a":"<volatile>","id":"<id 1>"}'


def test_an_id_has_one_number_in_all_texts_of_a_stream() -> None:
    """Numbers go by first sight, and an integer is another id than its text."""
    masker = Masker(LOCUS)
    texts = [masker.mask(json.dumps({"tool_call_id": each})) for each in ("x", 1, "x", "1", True)]
    assert [json.loads(text)["tool_call_id"] for text in texts] == ["<id 1>", "<id 2>", "<id 1>", "<id 3>", True]


def _values(keys: list[str]) -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", 'é"\\', "<id 1>"])
    names = st.sampled_from(keys)
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=20)
@given(data=st.data())
def test_the_text_says_what_the_comparison_sees(name: str, data: st.DataObject) -> None:
    """For every dialect, masked text is the reading of the event, but for the numbers of ids; masking twice is once."""
    dialect = DIALECTS[name]
    paths = [*dialect.volatile, *dialect.ids, dialect.nested]
    keys = sorted({key for path in paths for key in path if key != "*"} | {"other"})
    event = data.draw(st.dictionaries(st.sampled_from(keys), _values(keys), max_size=5))
    text = Masker(dialect).mask(json.dumps(event))
    (reading,) = read([event], dialect)
    numberless = json.loads(re.sub(r"<id \d+>", "<id>", text))
    assert numberless == json.loads(json.dumps(reading.steady).replace("<id 1>", "<id>"))
    assert Masker(dialect).mask(text) == text

"""How JSON is found in a model's text."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.handlers.answer import Answer


def fed(*pieces: str, arrays: bool = False) -> tuple[Answer, str]:
    """Feed an answer pieces, and return it with what came after its value."""
    answer = Answer(arrays=arrays)
    rest = "".join(answer.feed(piece) for piece in pieces)
    return answer, rest


@pytest.mark.parametrize(
    ("text", "value", "rest"),
    [
        ('{"a": 1}', {"a": 1}, ""),
        ('```json\n{"a": 1}\n```', {"a": 1}, "\n```"),
        ('Here {name} is {{it}}: {"a": {"b": [1]}} and more {}', {"a": {"b": [1]}}, " and more {}"),
        ('{"a": "}{\\"],[\\\\"}x', {"a": '}{"],[\\'}, "x"),
        ("{ }", {}, ""),
    ],
)
def test_a_complete_value(text: str, value: Any, rest: str) -> None:
    """The first JSON object is found, whatever is around it and in its strings."""
    answer, after = fed(text)
    assert answer.complete
    assert (answer.read(), after) == (value, rest)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "par', {"a": "par"}),
        ('{"a": "par\\', {"a": "par"}),
        ('{"a": "x", "b', {"a": "x"}),
        ('{"a": 12', {}),
        ('{"a": 12,', {"a": 12}),
        ('{"a": [1, 2', {"a": [1]}),
        ('{"a": tru', {}),
        ('{"a": "12', {"a": "12"}),
        ('{"a": {"b": [{"c": "', {"a": {"b": [{"c": ""}]}}),
    ],
)
def test_an_unfinished_value(text: str, value: Any) -> None:
    """What is there is read; numbers and words are not guessed at before they are over."""
    answer, _ = fed(text)
    assert not answer.complete
    assert answer.read() == value


@pytest.mark.parametrize("text", ["", "no json", "a { b", "[1]", "{", "  {  "])
def test_nothing_to_read(text: str) -> None:
    """Text without the beginning of an object has no value."""
    answer, _ = fed(text)
    with pytest.raises(ValueError, match="EOF"):
        answer.read()


def test_arrays_only_where_wanted() -> None:
    """A bracket in prose is not taken for the answer, unless an array can be the answer."""
    assert fed('[1] {"a": 1}')[0].read() == {"a": 1}
    assert fed('[1] {"a": 1}', arrays=True)[0].read() == [1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    value=st.dictionaries(st.text(max_size=5), JSON, max_size=4),
    before=st.sampled_from(["", "Sure:\n```json\n", "{x} "]),
    after=st.text(max_size=5),
    spaced=st.booleans(),
    data=st.data(),
)
@example(value={"\\": '"'}, before="", after="}", spaced=True, data=None)
def test_pieces_do_not_matter(value: dict[str, Any], before: str, after: str, spaced: bool, data: Any) -> None:
    """However a text is cut, the same value is found, and the same rest after it."""
    text = before + json.dumps(value, indent=2 if spaced else None) + after
    size = 1 if data is None else data.draw(st.integers(1, len(text)))
    answer, rest = fed(*(text[start : start + size] for start in range(0, len(text), size)))
    assert (answer.complete, answer.read(), rest) == (True, value, after)


@given(value=st.dictionaries(st.text(max_size=5), JSON, min_size=1, max_size=4), data=st.data())
def test_every_prefix_can_be_read(value: dict[str, Any], data: Any) -> None:
    """From the first brace on there is always a value, and it only has keys that the whole one has."""
    text = json.dumps(value)
    answer, _ = fed(text[: data.draw(st.integers(2, len(text)))])
    assert answer.read().keys() <= value.keys()

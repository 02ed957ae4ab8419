"""Editing the strings of a JSON text without touching the rest."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.cassettes.redact.strings import edit_strings, respell, string_spans

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def named(text: str) -> list[tuple[str, str | None]]:
    """Return the strings of a JSON text with their names."""
    seen: list[tuple[str, str | None]] = []

    def note(string: str, name: str | None) -> str:
        seen.append((string, name))
        return string

    assert edit_strings(text, note) is text
    return seen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"k": "v"}', [("k", None), ("v", "k")]),
        ('{"k" : {"j":"v"}, "l":1}', [("k", None), ("j", None), ("v", "j"), ("l", None)]),
        ('{"k": ["a", "b"], "l": "c"}', [("k", None), ("a", "k"), ("b", "k"), ("l", None), ("c", "l")]),
        ('[["k", "v"], ["l","w" ]]', [("k", None), ("v", "k"), ("l", None), ("w", "l")]),
        ('["a", "b", "c"]', [("a", None), ("b", None), ("c", None)]),
        ('[1, "b"]', [("b", None)]),
        ('{"name": "k", "value": "v"}', [("name", None), ("k", "name"), ("value", None), ("v", "k")]),
        ('[{"name": "k"}, {"value": "v"}]', [("name", None), ("k", "name"), ("value", None), ("v", "value")]),
        ('{"k": 1, "l": ["a", 2, "b"]}', [("k", None), ("l", None), ("a", "l"), ("b", None)]),
        ('"alone"', [("alone", None)]),
        ('{"a\\"b": "\\u0063\\n"}', [('a"b', None), ("c\n", 'a"b')]),
        ("[true, 1.50]", []),
    ],
)
def test_strings_have_names(text: str, expected: list[tuple[str, str | None]]) -> None:
    """A string is called by its key, by that of its list, or by the name beside it."""
    assert named(text) == expected


def test_only_edited_strings_change() -> None:
    """Numbers, blanks, escapes, doubled keys and the order of keys stay as they were written."""
    text = '{ "a" : 1.50,"a":1e5 , "\\u0062":"x\\/y","c":"secret","d":[ ] }\n'
    edited = edit_strings(text, lambda string, _name: string.replace("secret", 'a"b'))
    assert edited == text.replace("secret", 'a\\"b')


def test_the_edited_string_is_spelled_like_the_old_one() -> None:
    """ASCII stays ASCII, and a lone surrogate stays an escape."""
    assert edit_strings('["\\u00e9x"]', lambda string, _name: string + "!") == '["\\u00e9x!"]'
    assert edit_strings('["éx"]', lambda string, _name: string + "!") == '["éx!"]'
    assert edit_strings('["é\\ud800"]', lambda string, _name: string + "!") == '["\\u00e9\\ud800!"]'


@given(value=JSON, ascii_only=st.booleans(), indent=st.none() | st.just(2))
def test_editing_is_editing_the_value(value: object, ascii_only: bool, indent: int | None) -> None:
    """For any JSON, editing the text gives what editing the decoded value gives."""

    def marked(item: object) -> object:
        match item:
            case str():
                return f"<{item}>"
            case list():
                return [marked(one) for one in item]
            case dict():
                return {f"<{key}>": marked(one) for key, one in item.items()}
        return item

    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert json.loads(edit_strings(text, lambda string, _name: f"<{string}>")) == marked(value)


def test_what_is_not_json_is_taken_as_it_is() -> None:
    """An escape that does not exist is left alone, and nothing is raised."""
    assert named('{"a": "\\q"') == [("a", None), ("\\q", "a")]


@given(value=JSON, ascii_only=st.booleans(), indent=st.none() | st.just(2))
def test_respelling_keeps_what_did_not_change(value: object, ascii_only: bool, indent: int | None) -> None:
    """The text of an unchanged value is itself; of one string only the string is another one."""
    text = json.dumps({"a": "old", "b": value}, ensure_ascii=ascii_only, indent=indent)
    assert respell(text, json.loads(text)) == text
    assert respell(text, {"a": "new", "b": value}) == text.replace("old", "new", 1)


def test_what_cannot_be_respelled_is_said() -> None:
    """A key that comes twice is one key of the value, so its text has too many strings."""
    assert respell('{"a": "x", "a": "y"}', {"a": "z"}) is None
    assert respell('{"a": "x"}', {"a": "x", "b": 1}) is None


def test_where_strings_are() -> None:
    """Strings and keys are told by their places, escapes included."""
    text = '{"a" : ["\\"b", 1, ""]}'
    assert [text[start:end] for start, end in string_spans(text)] == ["a", '\\"b', ""]

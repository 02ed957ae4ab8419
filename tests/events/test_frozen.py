"""Dicts and lists that cannot be changed by accident."""

import copy
import pickle
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from playhead.events.frozen import FrozenDict, FrozenList, freeze
from tests.events.samples import OBJECTS


def delete_item(value: Any) -> None:
    del value[0]


def add_in_place(value: Any) -> None:
    value += [3]


def multiply_in_place(value: Any) -> None:
    value *= 2


def merge_in_place(value: Any) -> None:
    value |= {1: 2}


def set_item(value: Any) -> None:
    value[0] = 1


def set_slice(value: Any) -> None:
    value[:] = []


LIST_WRITES: list[Callable[[Any], object]] = [
    delete_item,
    add_in_place,
    multiply_in_place,
    set_item,
    set_slice,
    lambda value: value.append(1),
    lambda value: value.clear(),
    lambda value: value.extend([1]),
    lambda value: value.insert(0, 1),
    lambda value: value.pop(),
    lambda value: value.remove(1),
    lambda value: value.reverse(),
    lambda value: value.sort(),
]
DICT_WRITES: list[Callable[[Any], object]] = [
    delete_item,
    merge_in_place,
    set_item,
    lambda value: value.clear(),
    lambda value: value.pop(0),
    lambda value: value.popitem(),
    lambda value: value.setdefault(9, 1),
    lambda value: value.update({9: 1}),
]


@pytest.mark.parametrize("write", LIST_WRITES)
def test_lists_refuse_every_write(write: Callable[[Any], object]) -> None:
    """Whatever would change a list raises `TypeError`, and the list stays as it was."""
    value = FrozenList([1, 2])
    with pytest.raises(TypeError, match="an event's list is frozen: make a changed copy instead"):
        write(value)
    assert value == [1, 2]
    write([1, 2])


@pytest.mark.parametrize("write", DICT_WRITES)
def test_dicts_refuse_every_write(write: Callable[[Any], object]) -> None:
    """Whatever would change a dict raises `TypeError`, and the dict stays as it was."""
    value = FrozenDict({0: 1})
    with pytest.raises(TypeError, match="an event's dict is frozen: make a changed copy instead"):
        write(value)
    assert value == {0: 1}
    write({0: 1})


def test_no_way_to_write_is_forgotten() -> None:
    """Every method of dict and list that Python may add later is looked at again."""
    readers = {"copy", "count", "index", "get", "items", "keys", "values", "fromkeys"}
    for frozen, plain in ((FrozenDict, dict), (FrozenList, list)):
        methods = {name for name in dir(plain) if not name.startswith("_")}
        assert {name for name in methods if getattr(frozen, name) is getattr(plain, name, None)} <= readers - {
            "fromkeys"
        }
        assert methods - readers <= set(vars(frozen))


@given(value=OBJECTS)
def test_freezing_keeps_the_value(value: dict[str, Any]) -> None:
    """A frozen value looks the same, and can be copied and pickled."""
    frozen = freeze(value)
    assert repr(frozen) == repr(value)
    assert copy.copy(frozen) is frozen
    assert copy.deepcopy(frozen) is frozen
    assert freeze(frozen) is frozen
    unpickled = pickle.loads(pickle.dumps(frozen))
    assert repr(unpickled) == repr(value)
    assert type(unpickled) is FrozenDict


def test_subclasses_are_frozen_too() -> None:
    """A subclass of dict or list does not stay open, at any depth."""
    value: dict[str, Any] = {"a": defaultdict(list, {"b": [1]}), "c": [OrderedDict(d={})]}
    frozen = freeze(value)
    assert frozen == {"a": {"b": [1]}, "c": [{"d": {}}]}
    assert type(frozen["a"]) is FrozenDict
    assert type(frozen["a"]["b"]) is FrozenList
    assert type(frozen["c"][0]["d"]) is FrozenDict


def test_copies_by_hand_are_ordinary() -> None:
    """`copy()`, `dict()`, `list()`, and slices give what may be changed."""
    frozen = freeze({"a": [1]})
    assert type(frozen.copy()) is type(dict(frozen)) is type(frozen | {}) is dict
    assert type(frozen["a"].copy()) is type(list(frozen["a"])) is type(frozen["a"][:]) is list


def test_other_values_pass() -> None:
    """What is no dict and no list is passed on as it is."""
    values: list[object] = [1, "x", None, (1, []), {1}]
    for value in values:
        assert freeze(value) is value

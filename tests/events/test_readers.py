"""The function that is made of a row reads what the row says, for any event whatever."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.events.canonical import Path
from playhead.events.dialects import DIALECTS
from playhead.events.paths import at
from playhead.events.spans import Dialect, Op, Touch

_FIELDS = ("key", "name", "status", "text", "result", "given")


def value(item: Any, where: Path) -> Any:
    """Return what stands at a path, a tuple where the last step names several keys."""
    *outer, last = where or ("",)
    if "," in last:
        return tuple(at(item, (*outer, each)) for each in last.split(","))
    return at(item, where)


def items(event: Any, where: Path, owner: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each object at a path with `*`, behind the object that has its list."""
    if "*" not in where:
        found = at(event, where) if where else event
        if isinstance(found, dict):
            yield owner, found
        return
    star = where.index("*")
    listed = at(event, where[:star])
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict):
            yield from items(item, where[star + 1 :], event)


def touches(op: Op, event: dict[str, Any]) -> Iterator[Touch]:
    """Read one operation step by step, as its documentation says."""
    for owner, item in items(event, op.each, event) if op.each else [(event, event)]:
        told = value(item, op.when)
        if op.when and not (told in op.among if op.among else told):
            continue
        read = {name: value(item, getattr(op, name)) for name in _FIELDS}
        if op.or_name and read["name"] is None:
            read["name"] = value(item, op.or_name)
        if op.of:
            read["key"] = (value(owner, op.of), read["key"]) if op.key else value(owner, op.of)
        yield Touch(op.verb, op.span, **read, loose=op.loose)


def events(dialect: Dialect) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects of the keys that a table looks for, nested as it may be."""
    cells = [op for ops in dialect.ops.values() for op in ops]
    paths = [getattr(op, name) for op in cells for name in (*_FIELDS, "when", "each", "of")]
    steps = {key for where in paths for step in where for part in step.split(",") for key in part.split("|")}
    keys = st.sampled_from(sorted(steps - {"*", ":"}))
    words = sorted({str(word) for op in cells for word in op.among})
    plain = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a: b", *words])
    return st.dictionaries(
        keys, st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5))
    )


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=40)
@given(data=st.data())
def test_a_row_is_read_as_it_says(name: str, data: st.DataObject) -> None:
    """Every operation of every row, on objects full of its keys; within a list, item by item."""
    dialect = DIALECTS[name]
    event = data.draw(events(dialect))
    for kind, ops in dialect.ops.items():
        expected = [touch for op in ops for touch in touches(op, event)]
        assert sorted(map(repr, dialect.touches_as(kind, event))) == sorted(map(repr, expected)), kind


def test_a_table_cannot_put_code_into_a_reader() -> None:
    """Whatever a path is spelled like, it is a key and nothing else."""
    evil = 'x") or exit("'
    ops = (Op(DIALECTS["locus"].ops["tool_start"][0].verb, DIALECTS["locus"].ops["tool_start"][0].span, key=(evil,)),)
    table = Dialect(name="evil", tag="type", decode=bytes, ops={"a": ops})
    assert table.touches({"type": "a", evil: "key"})[0].key == "key"

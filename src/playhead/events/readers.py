"""What reads the touches off events: each row of a dialect's table, made into one function of Python.

A row is read for each event of a long stream. To follow its paths step by step costs several times what the function
costs that somebody would write by hand for that row; so that function is written here, as text, and compiled. Knows
paths and operations. The text holds names of our own making and literals only: a table cannot put code into it.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import count, groupby
from typing import Any, Final

from playhead.events.canonical import Path
from playhead.events.paths import Event, at, is_object, spellings

_EMPTY: Final[Mapping[str, Any]] = {}
_INDENT: Final = "    "


def row_reader(ops: Iterable[Any], touch: type[Any]) -> Callable[[Event], tuple[Any, ...]]:
    """Return what reads the touches of a row's operations off an event: of `Op`s, as tuples of type `touch`."""
    writer = _Writer(touch)
    scope = _Scope(writer, "event")
    for each, cells in groupby(ops, key=lambda op: op.each):
        writer.loop(scope, "event", each, list(cells))
    body = ["found = []", "add = found.append", *scope.lines(), "return tuple(found)"]
    source = "\n".join(["def read(event):", *(_INDENT + line for line in body)])
    names = writer.constants | {"at": at, "is_object": is_object, "EMPTY": _EMPTY, "new": tuple.__new__, "Touch": touch}
    exec(source, names)
    read: Callable[[Event], tuple[Any, ...]] = names["read"]
    return read


class _Scope:
    """Lines that run together: the objects that they look into are loaded once, before them."""

    def __init__(self, writer: "_Writer", base: str) -> None:
        self.base = base
        self.body: list[str] = []
        self._writer = writer
        self._loads: list[str] = []
        self._objects: dict[Path, str] = {(): base}

    def lines(self) -> list[str]:
        return self._loads + self.body

    def value(self, where: Path) -> str:
        """Return the expression for what stands at a path."""
        if not where:
            return "None"
        *outer, last = where
        parts = [spellings(part) for part in last.split(",")]
        if any(spellings(step) != (step,) for step in outer) or () in parts:
            return f"at({self.base}, {self._writer.constant(where)})"
        held = self._object(tuple(outer))
        values = [_first(held, keys) for keys in parts]
        return values[0] if len(values) == 1 else f"({', '.join(values)})"

    def _object(self, where: Path) -> str:
        """Return the name of the object at a path; where there is none, that of an empty one."""
        if where not in self._objects:
            held = self._object(where[:-1])
            name = self._objects[where] = self._writer.name()
            self._loads.append(f"{name} = {held}.get({where[-1]!r})")
            self._loads.append(f"if type({name}) is not dict and not is_object({name}): {name} = EMPTY")
        return self._objects[where]


class _Writer:
    """Write the lines of one function. Names are numbered, and values that are no literals are its constants."""

    def __init__(self, touch: type[Any]) -> None:
        self.constants: dict[str, Any] = {}
        self._fields: tuple[str, ...] = touch._fields
        self._numbers = count()

    def name(self) -> str:
        return f"v{next(self._numbers)}"

    def constant(self, value: Any) -> str:
        name = f"C{next(self._numbers)}"
        self.constants[name] = value
        return name

    def loop(self, scope: _Scope, owner: str, each: Path, ops: list[Any]) -> None:
        """Write operations that are done for each item at a path; without one, once. `owner` has the list's owner."""
        if not each:
            outer = _Scope(self, owner)
            for op in ops:
                scope.body += self._touch(scope, outer, op)
            scope.body[:0] = outer.lines()
            return
        star = each.index("*") if "*" in each else len(each)
        items, item = self.name(), self.name()
        inner = _Scope(self, item)
        if star == len(each):
            # Behind the last list: the object that an item holds.
            scope.body.append(f"{item} = {scope.value(each)}")
            self.loop(inner, owner, (), ops)
        else:
            scope.body.append(f"{items} = {scope.value(each[:star])}")
            scope.body.append(f"if isinstance({items}, list):")
            scope.body.append(f"{_INDENT}for {item} in {items}:")
            self.loop(inner, scope.base, each[star + 1 :], ops)
        depth = 0 if star == len(each) else 2
        lines = [f"if type({item}) is dict or is_object({item}):", *(_INDENT + line for line in inner.lines())]
        scope.body += [_INDENT * depth + line for line in lines]

    def _touch(self, scope: _Scope, outer: _Scope, op: Any) -> list[str]:
        """Return the lines of one operation, done to the object of a scope."""
        said = {"verb": self.constant(op.verb), "span": self.constant(op.span), "loose": repr(op.loose)}
        values = {name: said.get(name) or scope.value(getattr(op, name)) for name in self._fields}
        if op.or_name:
            values["name"] = f"(v if (v := {values['name']}) is not None else {scope.value(op.or_name)})"
        if op.of:
            own = outer.value(op.of)
            values["key"] = f"({own}, {values['key']})" if op.key else own
        line = f"add(new(Touch, ({', '.join(values.values())})))"
        if not op.when:
            return [line]
        told = scope.value(op.when)
        return [f"if {told} in {self.constant(op.among)}:" if op.among else f"if {told}:", _INDENT + line]


def _first(held: str, keys: tuple[str, ...]) -> str:
    """Return the expression for the first of one or two keys of an object that says something."""
    one, *other = (f"{held}.get({key!r})" for key in keys)
    return f"(v if (v := {one}) is not None else {other[0]})" if other else one

"""Dicts and lists that cannot be changed by accident.

Knows how to freeze JSON-like values to any depth. To a reader and to `==` a frozen value is an ordinary dict or list;
a thawed copy is `dict(value)`, `list(value)` or their `copy()`. Malice is not its business.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, Self, TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")
_Refusal = Callable[..., NoReturn]


def _refuse(self: object, *args: object, **kwargs: object) -> NoReturn:
    raise TypeError(f"an event's {type(self).__mro__[1].__name__} is frozen: make a changed copy instead")


class FrozenDict(dict[_K, _V]):
    """Hold a dict that raises `TypeError` when it is written to."""

    __slots__ = ()

    __setitem__: ClassVar[_Refusal] = _refuse
    __delitem__: ClassVar[_Refusal] = _refuse
    __ior__: ClassVar[_Refusal] = _refuse
    clear: ClassVar[_Refusal] = _refuse
    pop: ClassVar[_Refusal] = _refuse
    popitem: ClassVar[_Refusal] = _refuse
    setdefault: ClassVar[_Refusal] = _refuse
    update: ClassVar[_Refusal] = _refuse

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (dict(self),))


class FrozenList(list[_V]):
    """Hold a list that raises `TypeError` when it is written to."""

    __slots__ = ()

    __setitem__: ClassVar[_Refusal] = _refuse
    __delitem__: ClassVar[_Refusal] = _refuse
    __iadd__: ClassVar[_Refusal] = _refuse
    __imul__: ClassVar[_Refusal] = _refuse
    append: ClassVar[_Refusal] = _refuse
    clear: ClassVar[_Refusal] = _refuse
    extend: ClassVar[_Refusal] = _refuse
    insert: ClassVar[_Refusal] = _refuse
    pop: ClassVar[_Refusal] = _refuse
    remove: ClassVar[_Refusal] = _refuse
    reverse: ClassVar[_Refusal] = _refuse
    sort: ClassVar[_Refusal] = _refuse

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (list(self),))


def freeze(value: Any) -> Any:
    """Return `value` with each dict and list in it frozen, to any depth. Other values are passed on as they are.

    The value itself is not changed. A subclass of dict or list is frozen too, and is then no more than a dict or list.
    Keys are kept as they are; tuples and sets are left alone, for they are not JSON.
    """
    if isinstance(value, FrozenDict | FrozenList):
        return value
    if isinstance(value, dict):
        return FrozenDict({key: item if type(item) in _CLOSED else freeze(item) for key, item in value.items()})
    if isinstance(value, list):
        return FrozenList([item if type(item) in _CLOSED else freeze(item) for item in value])
    return value


_CLOSED = frozenset({str, int, float, bool, type(None)})

"""Events that are made of values which are known to fit, without looking at them again.

What a run makes of its own values was validated when it came in, and validating it once more takes longer than all the
rest of a step. Knows how pydantic keeps a model's fields. Does not know whether they fit: only `playhead`'s own code,
whose types are checked, makes events this way.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo

P = ParamSpec("P")
ModelT = TypeVar("ModelT", bound=BaseModel)


def maker(model: Callable[P, ModelT]) -> Callable[P, ModelT]:
    """Return what makes models of this class as the class does, but takes the values as they are.

    They must be what validation would have returned: lists and dicts frozen, times in UTC, every required field there.
    """
    kind = cast("type[ModelT]", model)
    template = {name: _default(field) for name, field in kind.model_fields.items()}
    factories = [
        (name, partial(field.get_default, call_default_factory=True))
        for name, field in kind.model_fields.items()
        if field.default_factory is not None
    ]

    def make(*args: P.args, **fields: P.kwargs) -> ModelT:
        made = kind.__new__(kind)
        values: dict[str, Any] = {**template, **fields}
        for name, make_default in factories:
            if name not in fields:
                values[name] = make_default()
        _set_fields(made, values)
        _set_names(made, set(fields))
        _set_extra(made, {})
        _set_private(made, None)
        return made

    return make


def _default(field: FieldInfo) -> Any:
    # A placeholder, which keeps the order of the fields, where there is none.
    return None if field.is_required() or field.default_factory is not None else field.default


# A model is frozen, and pydantic's own way around that looks at each name.
_set_fields: Callable[[BaseModel, dict[str, Any]], None] = BaseModel.__dict__["__dict__"].__set__
_set_names: Callable[[BaseModel, set[str]], None] = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra: Callable[[BaseModel, dict[str, Any]], None] = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private: Callable[[BaseModel, None], None] = BaseModel.__dict__["__pydantic_private__"].__set__

"""Events to test with: generated instances of every native class, and JSON that is hard to carry."""

import types
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import AwareDatetime

from playhead.events.base import Event, OpaqueEvent
from playhead.events.codec import decode_event
from playhead.events.locus import AgentEvent, ToolCall

CLASSES: tuple[type[Event], ...] = get_args(AgentEvent)
NAMED = {cls.model_fields["event_type"].default: cls for cls in CLASSES}

TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(st.characters(categories=["Cs", "Lu"]), max_size=4),
    st.sampled_from(
        ["", "$playhead", "NaN", "Infinity", "\u2028", "\x00\x1b", "a\r\nb", '"', "\ud83d\ude00", "\udead"]
    ),
)
WHOLE = st.one_of(st.integers(-5, 5), st.sampled_from([10**19 + 7, -(10**25), 2**63, 2**53 + 1]))
NUMBERS = st.one_of(WHOLE, st.floats(), st.sampled_from([-0.0, 1e308, 5e-324, float("inf"), float("-inf")]))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(TEXTS, inner, max_size=3),
        st.builds(lambda value: {"$playhead": value}, inner),
    ),
    max_leaves=4,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)
MOMENTS = st.datetimes(
    datetime(2, 1, 1),  # noqa: DTZ001
    datetime(9998, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)


def _of_list(arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.lists(values_of(arguments[0]), max_size=2)


_BY_ORIGIN: dict[object, Callable[[tuple[Any, ...]], st.SearchStrategy[Any]]] = {
    Annotated: lambda arguments: values_of(arguments[0]),
    Literal: st.sampled_from,
    Union: lambda arguments: st.one_of([values_of(argument) for argument in arguments]),
    types.UnionType: lambda arguments: st.one_of([values_of(argument) for argument in arguments]),
    dict: lambda arguments: OBJECTS,
    list: _of_list,
}
_BY_TYPE: dict[object, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: WHOLE,
    float: st.floats(),
    bool: st.booleans(),
    type(None): st.none(),
    AwareDatetime: MOMENTS,
    Any: VALUES,
}


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Return what generates values for a field of this type."""
    origin = get_origin(annotation)
    if origin is not None:
        return _BY_ORIGIN[origin](get_args(annotation))
    if annotation is ToolCall:
        return st.builds(
            ToolCall, **{name: values_of(field.annotation) for name, field in ToolCall.model_fields.items()}
        )
    return _BY_TYPE[annotation]


@st.composite
def events_of(draw: st.DrawFn, cls: type[Event]) -> Any:
    """Generate events of a native class, unknown fields now and then included."""
    fields = {}
    for name, field in cls.model_fields.items():
        if name != "event_type" and (field.is_required() or draw(st.booleans())):
            fields[name] = draw(any_events() if name == "event" else values_of(field.annotation))
    extras = draw(st.dictionaries(st.sampled_from(["x_new", "zz", "é"]), VALUES, max_size=1))
    return cls(**fields, **extras)


@st.composite
def any_events(draw: st.DrawFn) -> Any:
    """Generate events of any native class but `SubagentEvent`, and of a type that nobody knows."""
    cls = draw(st.sampled_from([None, *(cls for cls in CLASSES if "event" not in cls.model_fields)]))
    return draw(opaque_events() if cls is None else events_of(cls))


@st.composite
def opaque_events(draw: st.DrawFn) -> OpaqueEvent:
    """Generate events of a type that nobody knows."""
    event: OpaqueEvent = decode_event({**draw(OBJECTS), "event_type": "of_tomorrow"})
    return event

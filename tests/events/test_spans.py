"""The vocabulary of the dialects' tables, and how one event is read by it."""

from enum import StrEnum
from typing import Any

import pytest

from playhead.events.agui import AGUI
from playhead.events.canonical import MASKED
from playhead.events.dialects import DIALECTS
from playhead.events.locus import LOCUS
from playhead.events.paths import at, path, replaced
from playhead.events.shipit import SHIPIT
from playhead.events.spans import Dialect, Span, Touch, Verb, closes, each, feeds, loosely, opens
from playhead.events.turns import TURNS


@pytest.mark.parametrize(
    ("spelled", "found"),
    [
        ("a", 1),
        ("b.c", 2),
        ("b.x|c", 2),
        ("b.c|x", 2),
        ("b.none|c", 2),
        ("m.:", "add"),
        ("p.:", ""),
        ("a.:", None),
        ("a.c", None),
        ("x", None),
        ("", None),
    ],
)
def test_paths(spelled: str, found: object) -> None:
    """A path leads through objects; a bar is a choice, a colon what a text says after its own."""
    event = {"a": 1, "b": {"c": 2, "none": None}, "m": "Tool called: add", "p": "plain"}
    assert at(event, path(spelled)) == found


def test_replaced() -> None:
    """A value at a path is replaced in a copy."""
    value = {"a": {"b": 1, "c": 2}}
    assert replaced(value, ("a", "b"), 3) == {"a": {"b": 3, "c": 2}}
    assert value == {"a": {"b": 1, "c": 2}}


CHUNK = {"event_type": "model_chunk", "content": "Hi", "done": True, "stop_reason": "stop"}
OUTPUT = {"call_id": "c1", "chunk": "4"}


@pytest.mark.parametrize(
    ("dialect", "event", "touches"),
    [
        (LOCUS, {"event_type": "think", "iteration": 2}, [Touch(Verb.OPEN, Span.STEP, 2)]),
        (
            LOCUS,
            {"event_type": "tool_start", "tool_call_id": "c1", "tool_name": "add"},
            [Touch(Verb.OPEN, Span.TOOL, "c1", "add")],
        ),
        (
            LOCUS,
            {"event_type": "tool_complete", "tool_call_id": "c1", "tool_name": "add", "error": "boom"},
            [Touch(Verb.CLOSE, Span.TOOL, "c1", "add", "boom")],
        ),
        (
            LOCUS,
            CHUNK,
            [Touch(Verb.FEED, Span.MODEL, text="Hi"), Touch(Verb.CLOSE, Span.MODEL, status="stop")],
        ),
        (LOCUS, {**CHUNK, "done": False}, [Touch(Verb.FEED, Span.MODEL, text="Hi")]),
        (
            LOCUS,
            {"event_type": "terminate", "reason": "complete"},
            [Touch(Verb.CLOSE, Span.STEP), Touch(Verb.CLOSE, Span.RUN, status="complete")],
        ),
        (LOCUS, {"event_type": "reflect"}, []),
        (LOCUS, {"event_type": "of_tomorrow"}, []),
        (LOCUS, {}, []),
        (SHIPIT, {"type": "tool_output_delta", "payload": OUTPUT}, [Touch(Verb.FEED, Span.TOOL, "c1", text="4")]),
        (
            SHIPIT,
            {"type": "tool_called", "message": "Tool called: add", "payload": {"tool": "sum", "tool_call_id": "c1"}},
            [Touch(Verb.OPEN, Span.TOOL, "c1", "sum")],
        ),
        (
            SHIPIT,
            {"type": "tool_failed", "message": "Tool failed: add", "payload": {"error": "boom"}},
            [Touch(Verb.CLOSE, Span.TOOL, name="add", status="boom", loose=True)],
        ),
        (
            SHIPIT,
            {"type": "tool_completed", "message": "Tool completed: add", "payload": {"output": "5"}},
            [Touch(Verb.CLOSE, Span.TOOL, None, "add")],
        ),
        (TURNS, {"type": "ToolDispatch", "turn_id": "t", "tool": "x"}, [Touch(Verb.OPEN, Span.TOOL, "t", "x")]),
    ],
)
def test_touches(dialect: Dialect, event: dict[str, Any], touches: list[Touch]) -> None:
    """An event does to spans what its row says, with the values that it has."""
    assert list(dialect.touches(event)) == touches


@pytest.mark.parametrize(
    ("dialect", "event", "end"),
    [
        (LOCUS, {"event_type": "terminate", "reason": "complete"}, "complete"),
        (LOCUS, {"event_type": "terminate", "reason": "cancelled"}, "cancelled"),
        (LOCUS, {"event_type": "terminate", "reason": "free text"}, "complete"),
        (LOCUS, {"event_type": "interrupt"}, "paused"),
        (SHIPIT, {"type": "run_completed"}, "complete"),
        (SHIPIT, {"type": "run_cancelled"}, "cancelled"),
        (SHIPIT, {"type": "approval_required"}, "paused"),
        (TURNS, {"type": "Complete"}, "complete"),
    ],
)
def test_end_of(dialect: Dialect, event: dict[str, Any], end: str) -> None:
    """The last telling event says how a run ended."""
    assert dialect.end_of(event) == end


@pytest.mark.parametrize(
    ("dialect", "types"),
    [
        (LOCUS, {"terminate"}),
        (SHIPIT, {"run_completed", "run_failed", "run_cancelled"}),
        (TURNS, {"Complete", "ErrorEvent"}),
        (AGUI, {"RUN_FINISHED", "RUN_ERROR"}),
    ],
)
def test_terminal_types(dialect: Dialect, types: set[str]) -> None:
    """Just these types end a run."""
    assert dialect.terminals == types


def test_steady() -> None:
    """Volatile fields are masked, in nested events too, and ids are not."""
    inner = {"event_type": "tool_complete", "timestamp": "t", "duration_ms": 3, "tool_call_id": "c2"}
    outer = {"event_type": "subagent", "timestamp": "t", "task_id": "x", "tool_call_id": "c1", "event": inner}
    assert LOCUS.steady(outer) == {
        "event_type": "subagent",
        "timestamp": MASKED,
        "task_id": MASKED,
        "tool_call_id": "c1",
        "event": {"event_type": "tool_complete", "timestamp": MASKED, "duration_ms": MASKED, "tool_call_id": "c2"},
    }
    assert inner["timestamp"] == "t"
    assert SHIPIT.steady(
        {"type": "x", "timestamp": 1.5, "payload": {"run_id": "r", "inner": {"a": 1}, "tool": "add"}}
    ) == {
        "type": "x",
        "timestamp": MASKED,
        "payload": {"run_id": MASKED, "inner": {"a": MASKED}, "tool": "add"},
    }


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=str)
def test_tables_agree_with_themselves(dialect: Dialect) -> None:
    """Every type that another column names has a row, and every run can end."""
    ends = {key.partition(":")[0] for key in dialect.ends}
    named = dialect.pauses | dialect.after | dialect.errors.keys() | dialect.answers.keys()
    assert named | ends <= dialect.ops.keys()
    assert dialect.terminals
    assert repr(dialect) == f"Dialect({dialect.name!r})"


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=str)
def test_what_is_closed_is_opened_or_fed(dialect: Dialect) -> None:
    """No table closes or feeds a tool or a sub-agent that none of its types opens."""
    opened = {op.span for ops in dialect.ops.values() for op in ops if op.verb is Verb.OPEN}
    used = {op.span for ops in dialect.ops.values() for op in ops}
    assert used & {Span.TOOL, Span.SUBAGENT} <= opened


class Kind(StrEnum):
    """An enumeration of types, as some packages have it."""

    OPEN = "open"


TABLE = Dialect(
    "table",
    "kind",
    lambda raw: None,
    {
        "open": (opens(Span.TOOL, key="turn|run,index", when="item.type=call|search"),),
        "feed": (
            each("items.*", feeds(Span.TOOL, key="id", text="text", when="thought="), of="n"),
            each("items.*.calls.*", loosely(feeds(Span.TOOL, text="text")), of="n"),
        ),
    },
    shapes={"feed": path("items.*.n"), "empty": path("items")},
)


@pytest.mark.parametrize(
    ("event", "touches"),
    [
        ({"kind": "open", "item": {"type": "call"}, "turn": 1, "index": 2}, [Touch(Verb.OPEN, Span.TOOL, (1, 2))]),
        ({"kind": "open", "item": {"type": "search"}, "run": 3}, [Touch(Verb.OPEN, Span.TOOL, (3, None))]),
        ({"kind": "open", "item": {"type": "text"}}, []),
        ({"kind": "open", "item": {"type": ["call"]}}, []),
        ({"kind": "open"}, []),
        (
            {"items": [{"n": 1, "thought": True, "calls": [{"text": "x"}]}]},
            [Touch(Verb.FEED, Span.TOOL, 1, text="x", loose=True)],
        ),
        (
            {"items": [{"n": 1, "id": 2}, {"n": 3}, 4]},
            [Touch(Verb.FEED, Span.TOOL, (None, 2)), Touch(Verb.FEED, Span.TOOL, (None, None))],
        ),
    ],
)
def test_conditions_lists_and_keys_of_several_fields(event: dict[str, Any], touches: list[Touch]) -> None:
    """An operation may depend on a word, or on nothing being there; it is done for each item, which has its owner."""
    assert list(TABLE.touches(event)) == touches


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"items": [{}, {"n": 0}]}, "feed"),
        ({"items": [{"n": None}, 5]}, "empty"),
        ({"items": 5, "kind": "open"}, "empty"),
        ({"items": None, "kind": "open"}, "open"),
        ({"kind": Kind.OPEN}, "open"),
        ({"kind": 5}, ""),
    ],
)
def test_what_is_in_an_event_tells_its_type(event: dict[str, Any], kind: str) -> None:
    """The first shape that fits tells it, and else the tag, plain or of an enumeration."""
    assert TABLE.type_of(event) == kind
    assert type(TABLE.type_of(event)) is str


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=str)
@pytest.mark.parametrize("value", [[1], 5, None, "x"])
def test_what_is_no_object_has_no_type(dialect: Dialect, value: Any) -> None:
    """Whatever stands on a line may be asked for its type."""
    assert dialect.type_of(value) == ""


def test_which_spans_are_paired() -> None:
    """Steps are where each has an end of its own; runs are judged apart."""
    assert Span.STEP not in LOCUS.paired | SHIPIT.paired
    assert Span.STEP in AGUI.paired
    assert all(Span.RUN not in dialect.paired for dialect in DIALECTS.values())


def test_makers_of_rows() -> None:
    """The three verbs make rows with paths."""
    assert opens(Span.TOOL, key="a.b").key == ("a", "b")
    assert feeds(Span.TOOL, text="t", when="w").when == ("w",)
    assert feeds(Span.TOOL, when="a.b=c|d").among == ("c", "d")
    assert closes(Span.TOOL, name="n", or_name="m.:", status="s").or_name == ("m", ":")

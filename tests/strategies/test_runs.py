"""Runs break no rule, have what real ones have, and shrink to what a person can read."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import find, given
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from playhead.comparing.streams import compare
from playhead.contracts.check import check
from playhead.contracts.limits import Limits
from playhead.errors import UsageError
from playhead.events.base import OpaqueEvent
from playhead.events.codec import decode_event, decode_json, encode_event, event_json
from playhead.events.dialects import get_dialect
from playhead.events.locus import SubagentEvent, TerminateEvent
from playhead.strategies import Run, events, runs
from playhead.strategies.running import sizes
from playhead.walks.shapes.locus import LOCUS
from playhead.walks.shapes.table import SHAPES
from playhead.walks.walk import Walk, moves_of, rows_of
from tests.strategies.dialects import DIALECTS, FEW, FIND, kinds, most_tools

_TOOL = {"tool_name": "search"}
_AT = "2030-01-01T00:00:0{}Z"
_MIXED = [
    {"event_type": "tool_start", **_TOOL, "tool_call_id": "call_1", "arguments": {}, "timestamp": _AT.format(0)},
    {"event_type": "tool_start", **_TOOL, "tool_call_id": "call_2", "arguments": {}, "timestamp": _AT.format(1)},
    {"event_type": "tool_complete", **_TOOL, "tool_call_id": "call_2", "result": "a", "timestamp": _AT.format(2)},
    {"event_type": "tool_complete", **_TOOL, "tool_call_id": "call_1", "result": "a", "timestamp": _AT.format(3)},
    {
        "event_type": "terminate",
        "reason": "complete",
        "iterations_used": 0,
        "total_tool_calls": 2,
        "final_confidence": 1.0,
        "final_message": None,
        "timestamp": _AT.format(4),
    },
]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_runs_break_no_rule(dialect: str) -> None:
    """Nothing is wrong with a run: its order, its end, its numbers, and what it counts."""

    @FEW
    @given(runs(dialect))
    def holds(run: Run) -> None:
        assert not list(check(run, dialect=dialect, limits=Limits(counters=True, events=30)))
        assert not [event for event in run if isinstance(event, OpaqueEvent)]

    holds()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_runs_survive_the_codec_and_are_like_themselves(dialect: str) -> None:
    """Each event is the same after a detour over JSON, and a run does not differ from itself."""

    @FEW
    @given(runs(dialect))
    def holds(run: Run) -> None:
        for event in run:
            assert decode_event(encode_event(event), dialect) == event
        again = [decode_json(event_json(event), get_dialect(dialect)) for event in run]
        assert not compare(run, again, dialect=dialect)

    holds()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sizes_are_kept(dialect: str) -> None:
    """A run of 30 events has 30, whichever way it ends."""

    @FEW
    @given(runs(dialect, min_size=30, max_size=30))
    def holds(run: Run) -> None:
        assert len(run) == 30

    holds()


def test_a_run_without_its_closings_would_be_found_out() -> None:
    """The property can fail: where the shapes forget how a tool is closed, runs break rules."""
    tool = replace(LOCUS.lives[0], closes=())
    moves = moves_of(replace(LOCUS, lives=(tool, *LOCUS.lives[1:])))
    choices = find(sizes(moves, 1, 20), lambda found: bool(list(check(rows_of(Walk(moves), found, 0)))), settings=FIND)
    assert [violation.code for violation in check(rows_of(Walk(moves), choices, 0))] == ["TRM004"]
    assert len(choices) == 1


@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if dialect != "openai.responses"])
def test_every_type_of_the_table_comes_up(dialect: str) -> None:
    """The shapes know each event type of the dialect's table."""
    moves = moves_of(SHAPES[dialect])
    templates = [row for life in SHAPES[dialect].lives for row in (life.opens, *life.feeds, *life.closes)]
    assert len(moves.every) >= len(templates)
    seen: set[str] = set()

    @FEW
    @given(st.lists(events(dialect), min_size=60, max_size=60))
    def collect(found: list[Any]) -> None:
        seen.update(kinds(found))

    collect()
    assert seen == set(get_dialect(dialect).ops)


def test_the_smallest_run_with_two_parallel_tools() -> None:
    """It is five events, and nothing in them is there by chance."""
    found = find(runs("locus"), lambda run: most_tools(run, "locus") == 2, settings=FIND)
    assert [encode_event(event) for event in found] == _MIXED


_SMALLEST: list[tuple[str, Callable[[Run], bool], list[str]]] = [
    ("locus", lambda run: True, ["terminate"]),
    ("shipit", lambda run: True, ["run_started", "run_completed"]),
    ("locus", lambda run: kinds(run)[-1] == "interrupt", ["interrupt"]),
    ("locus", lambda run: run[-1].event_type == "terminate" and run[-1].reason == "error", ["terminate"]),
    ("locus", lambda run: "tool_progress" in kinds(run), ["tool_start", "tool_progress", "tool_complete", "terminate"]),
    ("turns", lambda run: "TextDelta" in kinds(run), ["RequestStart", "TextDelta", "Complete"]),
    ("openai.chat", lambda run: True, ["[DONE]"]),
    (
        "anthropic.messages",
        lambda run: "content_block_delta" in kinds(run),
        [
            "message_start",
            *(f"content_block_{what}" for what in ("start", "delta", "stop")),
            "message_delta",
            "message_stop",
        ],
    ),
    ("agui", lambda run: run[-1].event_type == "RUN_ERROR", ["RUN_STARTED", "RUN_ERROR"]),
    ("gemini", lambda run: "chunk" in kinds(run), ["chunk", "finish"]),
    (
        "openai.responses",
        lambda run: "response.function_call_arguments.delta" in kinds(run),
        [
            "response.created",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.output_item.done",
            "response.completed",
        ],
    ),
]


@pytest.mark.parametrize(("dialect", "wanted", "smallest"), _SMALLEST)
def test_runs_shrink_to_what_is_needed(dialect: str, wanted: Callable[[Run], bool], smallest: list[str]) -> None:
    """The smallest run that shows something has nothing else in it."""
    assert kinds(find(runs(dialect), wanted, settings=FIND)) == smallest


def test_sub_agents_run_inside_of_their_tool() -> None:
    """A sub-agent's events come in its tool, and keep to the rules by themselves."""
    found = find(
        runs("locus"),
        lambda run: any(isinstance(e, SubagentEvent) and e.event.event_type == "tool_start" for e in run),
        settings=FIND,
    )
    assert kinds(found) == ["tool_start", "subagent", "tool_complete", "terminate"]
    assert not list(check(found))


def test_lone_surrogates_and_the_texts_that_were_asked_for() -> None:
    """Texts with half a surrogate pair come up by default, and `texts` says which ones come instead."""

    def has_half(run: Run) -> bool:
        return any("\ud800" in str(encode_event(event)) or "\\ud800" in repr(event) for event in run)

    assert kinds(find(runs("turns"), has_half, settings=FIND))[-1] in {"Complete", "ErrorEvent"}
    with pytest.raises(NoSuchExample):
        find(runs("turns", texts=st.just("only")), has_half, settings=FEW)
    (only,) = find(runs("turns", texts=st.just("only"), max_size=2), lambda run: True, settings=FEW)[1:]
    assert only.final_text == "only"


def test_a_run_prints_as_what_makes_it_anew() -> None:
    """What is printed can be pasted into a test."""
    run = Run("locus", _MIXED[-1:])
    assert repr(run) == f"Run('locus', [\n    {_MIXED[-1]!r},\n])"
    assert eval(repr(run)) == run == pickle.loads(pickle.dumps(run))
    assert isinstance(run[0], TerminateEvent)


def test_a_failing_test_shows_the_run() -> None:
    """Hypothesis prints the run of a test that failed, and not the numbers that it was made of."""

    @FEW
    @given(run=runs("turns"))
    def fails(run: Run) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken") as caught:
        fails()
    told = "\n".join(caught.value.__notes__)
    assert "run=Run('turns', [\n" in told
    assert "{'type': 'RequestStart', 'turn_id': 'turn_1'},\n" in told


@pytest.mark.parametrize(("least", "most"), [(3, 2), (-1, 2)])
def test_sizes_that_there_cannot_be(least: int, most: int) -> None:
    """Sizes are told to be wrong where the strategy is made."""
    with pytest.raises(UsageError, match="runs\\(min_size="):
        runs("locus", min_size=least, max_size=most)


@pytest.mark.parametrize("make", [runs, events])
def test_a_dialect_without_shapes(make: Callable[[str], object]) -> None:
    """A dialect that cannot be drawn is named, and the nearest one that can."""
    with pytest.raises(UsageError, match=r"no runs of dialect 'locs' can be drawn: there are locus, .*'locus'"):
        make("locs")

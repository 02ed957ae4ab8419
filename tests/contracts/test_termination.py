"""Runs begin, go forward and end once; what a merged stream may do is no violation."""

import pytest

from playhead.contracts.check import check
from tests.contracts.streams import (
    ASK,
    CHUNK,
    DONE,
    END,
    HEALTHY,
    OVER,
    RUN,
    START,
    THINK,
    Event,
    answer,
    by,
    call,
    codes,
    step,
)

FAILED = {**END, "reason": "error"}

STREAMS = [
    pytest.param([], ["TRM001"], id="nothing at all"),
    pytest.param([THINK, START, DONE], ["TRM001"], id="no terminal"),
    pytest.param([CHUNK, CHUNK], ["TRM001"], id="pieces of text only"),
    pytest.param([THINK, START, ASK], [], id="it waits for a person"),
    pytest.param([END], [], id="nothing but the terminal"),
    pytest.param([*HEALTHY, DONE], ["TRM002"], id="late news, told once"),
    pytest.param([*HEALTHY, START, DONE], ["TRM002"], id="life after the end, told once"),
    pytest.param([*HEALTHY, CHUNK], ["TRM002"], id="a piece of text after the end"),
    pytest.param([THINK, step(2), END, step(3)], ["TRM002"], id="a step after the end"),
    pytest.param([THINK, START, END, DONE], ["TRM002"], id="a completion after the end"),
    pytest.param([*HEALTHY, END], ["TRM003"], id="two terminals"),
    pytest.param([*HEALTHY, END, END], ["TRM003", "TRM003"], id="three terminals"),
    pytest.param([*HEALTHY, *HEALTHY], [], id="a second turn"),
    pytest.param([*HEALTHY, CHUNK, *HEALTHY], [], id="a second turn that begins with text"),
    pytest.param([*HEALTHY, CHUNK, *HEALTHY, CHUNK], ["TRM002"], id="text after a second turn"),
    pytest.param([*HEALTHY, *HEALTHY[:-1]], ["TRM001"], id="a second turn that is cut"),
    pytest.param([THINK, THINK, END], ["ORD006"], id="a step twice"),
    pytest.param([THINK, step(3), step(2), END], ["ORD006"], id="a step back"),
    pytest.param([THINK, step(3), END], [], id="a step left out"),
    pytest.param([step(3), step(4), END], [], id="a resumed run"),
    pytest.param([THINK, START, ASK, THINK, END], [], id="a resumed run that counts anew"),
    pytest.param([THINK, THINK, step(2), step(2), END, END], [], id="two agents without names"),
]


@pytest.mark.parametrize(("events", "expected"), STREAMS)
def test_a_stream_breaks_exactly_its_rules(events: list[Event], expected: list[str]) -> None:
    """Planted faults are found, and nothing else is."""
    assert codes(events) == expected


@pytest.mark.parametrize("end", ["paused", "closed", "cancelled", "error", "unknown"])
def test_only_a_complete_stream_must_have_a_terminal_event(end: str) -> None:
    """A run that stopped for another reason promised none, but its steps still go forward."""
    assert codes([THINK, START], end=end) == []
    assert codes([THINK, step(2), step(2)], end=end) == ["ORD006"]


def test_a_merged_stream_pairs_by_key_and_ends_once_for_each_run() -> None:
    """Two agents without names, one with a call under way while the other one ends."""
    merged = [THINK, call("a"), THINK, call("b"), answer("b"), step(2), END, answer("a"), step(2), END]
    assert codes(merged) == []
    assert codes(merged[:-1]) == ["ORD006"]


def test_a_stream_that_never_gets_on_is_told_so_at_once() -> None:
    """More steps back than agents could share a stream are told as they come: nothing is kept of them."""
    found = check([THINK] * 1000)
    assert next(found).code == "ORD006"
    assert len(list(found)) > 900


def test_a_run_is_resumed_once_for_each_pause() -> None:
    """After a resumed run has taken its first step, a step back is one again."""
    assert codes([THINK, step(2), ASK, THINK, step(2), END]) == []
    assert codes([THINK, step(2), ASK, THINK, step(2), THINK, END]) == ["ORD006"]


def test_agents_are_told_apart_by_name() -> None:
    """One agent's terminal event does not end another one's run."""
    merged = [by("one", THINK), by("two", step(2)), by("one", END), by("two", END)]
    assert codes(merged) == []
    assert codes(merged[:-1]) == ["TRM001"]
    assert codes([*merged, by("one", END)]) == ["TRM003"]
    assert codes([by("one", THINK), by("hook", CHUNK), by("one", END)]) == []


def test_a_name_that_is_no_text_is_a_name() -> None:
    """Whoever sends a list for a name gets findings, not an exception."""
    odd: Event = {"agent_name": ["one"]}
    assert codes([{**THINK, **odd}, THINK, {**END, **odd}, END]) == []
    assert codes([{**THINK, **odd}, THINK, END]) == ["TRM001"]


@pytest.mark.parametrize(
    ("last", "end", "expected"),
    [
        (FAILED, "error", []),
        (FAILED, None, []),
        (FAILED, "unknown", []),
        (FAILED, "complete", ["TRM005"]),
        (END, "error", ["TRM005"]),
        (END, "complete", []),
    ],
)
def test_the_terminal_event_and_the_exception_say_the_same(last: Event, end: str | None, expected: list[str]) -> None:
    """Only who knows how the source ended can compare."""
    assert codes([THINK, last], end=end) == expected


def test_what_a_source_raises_is_its_end() -> None:
    """The findings at that end come first, then the exception."""

    def broken() -> object:
        yield THINK
        yield END
        raise ConnectionError("cut")

    found = check(broken())  # type: ignore[arg-type]
    assert next(found).code == "TRM005"
    with pytest.raises(ConnectionError, match="cut"):
        next(found)


def test_a_dialect_that_opens_its_runs_is_held_to_it() -> None:
    """The opening comes first and once, and only it begins another run."""
    text = {"type": "text_delta", "payload": {}}
    sources = {"type": "rag_sources", "payload": {}}
    assert codes([RUN, OVER, RUN, text, OVER], dialect="shipit") == []
    assert codes([RUN, OVER, sources], dialect="shipit") == []
    assert codes([RUN, OVER, text], dialect="shipit") == ["TRM002"]
    assert codes([text, RUN, OVER], dialect="shipit") == ["ORD009"]
    assert codes([RUN, RUN, OVER], dialect="shipit") == ["ORD003"]
    assert codes([OVER], dialect="shipit") == ["ORD009"]
    steps = [{"type": "step_started", "payload": {"iteration": number}} for number in (1, 1)]
    assert codes([RUN, steps[0], OVER, steps[1]], dialect="shipit") == ["TRM002"]

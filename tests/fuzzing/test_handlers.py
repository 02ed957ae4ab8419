"""Fuzzing handlers: all ten seeded bugs are found, once each, as tests that fail on the bug and pass on the fix."""

import ast
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from playhead.events.dialects import get_dialect
from playhead.fuzzing.campaign import Budget, Campaign
from playhead.fuzzing.drawing import draw_run
from playhead.fuzzing.finding import Finding, Target, quiet
from playhead.fuzzing.handlers import HandlerDriver
from playhead.handlers.base import BaseStreamHandler
from playhead.handlers.sse import SSEHandler
from playhead.replaying.tape import open_tape
from playhead.testing import Sink
from playhead.testing.samples import SAMPLES
from tests.fuzzing import seeded
from tests.fuzzing.seeded import BUGS, Seeded

MAX_STEPS = 10
EXPECTED = {
    "split_code_point": "carries-every-event",
    "dropped_tail": "carries-every-event",
    "two_terminals": "ends-once",
    "event_after_the_end": "is-over-at-the-end",
    "lost_tool_delta": "carries-every-event",
    "leak_on_close": "leaves-nothing",
    "reordered_parallel_tools": "carries-every-event",
    "swallowed_error": "tells-errors",
    "hang_after_error": "ends-its-stream",
    "mutated_event": "leaves-events-alone",
}


def found_in(factory: Callable[..., Any], *, runs: int, seed: int = 0) -> list[Finding]:
    with quiet():
        return list(Campaign(HandlerDriver(factory), Budget(None, runs, seed)))


def run_test(source: str, factory: Callable[..., Any]) -> None:
    """Run the test of a finding about this factory."""
    names: dict[str, Any] = {}
    exec(compile(source.replace("from tests.fuzzing.seeded import right\n", ""), "found.py", "exec"), names)
    names["right"] = factory
    next(value for name, value in names.items() if name.startswith("test_"))()


@pytest.mark.parametrize("bug", BUGS)
def test_a_seeded_bug_is_found(bug: str) -> None:
    """One finding, of at most ten steps; its test fails on the bug and passes on the fix."""
    (finding,) = found_in(seeded.FACTORIES[bug], runs=50)
    assert finding.promise.name == EXPECTED[bug]
    assert len(finding.steps) + 1 <= MAX_STEPS
    source = finding.source(Target("handler", "tests.fuzzing.seeded", "right"), 0)
    ast.parse(source)
    with quiet(), pytest.raises(AssertionError, match=finding.promise.name):
        run_test(source, seeded.FACTORIES[bug])
    with quiet():
        run_test(source, Seeded)


def test_nothing_is_found_in_what_is_right() -> None:
    """Neither in the sample nor in our own, whatever the seed."""
    assert found_in(seeded.right, runs=200, seed=1) == []
    assert found_in(SSEHandler, runs=120, seed=2) == []


class Full(BaseStreamHandler):
    """Hold the first hundred events, and forget the others."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.count = 0

    async def on_event(self, event: Any) -> None:
        self.count += 1
        if self.count <= 100:
            self.sink(event)

    async def on_complete(self) -> None:
        self.count = 1_000

    async def on_error(self, error: Exception) -> None:
        self.count = 1_000


def test_a_limit_is_one_step() -> None:
    """A hundred and one equal events are told as one step of the test."""
    (finding,) = found_in(Full, runs=50)
    assert finding.steps == ('*[{"event_type": "model_chunk"}] * 101',)


class Rare(SSEHandler):
    """Lose the results that have a line end: no sample has one."""

    async def on_event(self, event: Any) -> None:
        if "\n" not in (getattr(event, "result", None) or ""):
            await super().on_event(event)


def test_random_runs_find_what_no_sample_shows() -> None:
    """A bug that needs one text in one field is found, and made as small; the same each time with the same seed."""
    first, second = (found_in(Rare, runs=240, seed=7) for _ in range(2))
    assert first == second
    (finding,) = first
    assert finding.promise.name == "carries-every-event"
    assert len(finding.steps) == 1
    assert '"result": "\\n"' in finding.steps[0]


def test_a_finding_is_written_as_cassette_and_test(tmp_path: Path) -> None:
    """The cassette holds the events, and the test says how it was found."""
    (finding,) = found_in(seeded.FACTORIES["lost_tool_delta"], runs=50)
    target = Target("handler", "tests.fuzzing.seeded", "right")
    cassette, test = finding.write(tmp_path / "new", target, 7)
    with open_tape(cassette) as tape:
        assert [entry.value() for entry in tape.entries()] == list(finding.rows)
    assert "playhead fuzz handler tests.fuzzing.seeded:right --seed 7" in test.read_text()


@pytest.mark.parametrize("dialect", SAMPLES)
def test_runs_of_each_dialect_are_drawn(dialect: str) -> None:
    """Random runs have all types that the samples have, and others that the dialect's table knows."""
    table = get_dialect(dialect)
    drawn = {table.type_of(row) for seed in range(60) for row in draw_run(Random(seed), table)}
    assert drawn > {table.type_of(row) for run in SAMPLES[dialect] for row in run}

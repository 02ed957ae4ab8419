"""Tests that share one cassette: each has its part of it, whatever the order, the mode and the number of processes."""

from pathlib import Path

import pytest

from playhead.cassettes.memory import MemoryStore
from playhead.cassettes.places import list_places, locate
from playhead.cassettes.reading import Cassette, read
from playhead.cassettes.writing import CassetteWriter
from playhead.errors import UsageError
from playhead.plugin.sharing import Share, parts_of
from playhead.recording.recorder import record
from tests.cassettes.tapes import HEADER
from tests.plugin.projects import Project
from tests.recording.samples import made_up_key

TESTS = """
import pytest

@pytest.mark.playhead(name="shared")
@pytest.mark.parametrize("number", range(12))
def test_it(tape, number):
    ask = tape.model(lambda city: f"rain in {city}")
    def agent():
        yield {"event_type": "think", "iteration": 1, "reasoning": ask(f"City{number}"), "tool_calls": []}
        yield {"event_type": "terminate", "reason": "complete"}
    told = list(tape.events(agent()))
    assert told[0]["reasoning"] == f"rain in City{number}"
"""
"""Twelve tests, each of which asks something else."""

EVERY_MODE = TESTS.replace(
    '@pytest.mark.playhead(name="shared")\n',
    "@pytest.mark.parametrize('mode', [\n"
    "    pytest.param(mode, marks=pytest.mark.playhead(name=mode, mode=mode))\n"
    "    for mode in ('once', 'new_episodes', 'all', 'rewrite')\n"
    "])\n",
).replace("test_it(tape, number)", "test_it(tape, mode, number)")
"""The same twelve, in each mode that records, into a cassette for each."""

DATABASE = """
import playhead
import pytest

@pytest.mark.parametrize("number", range(12))
def test_it(number):
    with playhead.record(f"runs.db::{number}") as tape:
        list(tape.events([{"event_type": "terminate", "reason": f"test {number}"}]))
"""

SHUFFLED = """
import os, random

def pytest_collection_modifyitems(items):
    random.Random(os.environ["SEED"]).shuffle(items)
"""


def told(path: Path) -> list[tuple[str, str, bytes]]:
    """Return what is on a cassette, without its times."""
    with locate(path).read() as cassette:
        cassette.verify()
        return [(entry.owner, entry.kind, entry.data) for entry in cassette.entries()]


@pytest.fixture
def shared(project: Project) -> Path:
    """Return where twelve tests record, one after the other in the order of the file."""
    project.write({"test_it.py": TESTS})
    return project.path / "cassettes/shared.jsonl"


@pytest.mark.parametrize(("schedule", "seed"), [("worksteal", "2")])
def test_nothing_is_lost_and_no_schedule_shows(project: Project, schedule: str, seed: str) -> None:
    """Twelve tests on four workers leave what they leave one after the other, in any mode, and into a database."""
    project.write({"test_it.py": EVERY_MODE})
    project.run().assert_outcomes(passed=48)
    cassettes = sorted((project.path / "cassettes").iterdir())
    alone = {path: told(path) for path in cassettes}
    assert [path.stem for path in cassettes] == ["all", "new_episodes", "once", "rewrite"]
    assert all(len({owner for owner, _, _ in entries}) == 24 for entries in alone.values())
    for path in cassettes[1:3]:
        path.unlink()
    project.write({"conftest.py": SHUFFLED, "test_db.py": DATABASE})
    arguments = ("-n4", f"--dist={schedule}")
    done = project.run_apart(*arguments, plugins=("xdist",), environment={"SEED": seed}, timeout_s=300)
    assert "60 passed" in done.stdout, done.stdout + done.stderr
    assert sorted((project.path / "cassettes").iterdir()) == cassettes
    assert {path: told(path) for path in cassettes} == alone
    stored = {place.name: place for place in list_places(project.path / "runs.db")}
    assert set(stored) == {str(number) for number in range(12)}
    for number, place in stored.items():
        with place.read() as cassette:
            assert f"test {number}".encode() in next(cassette.payloads("event", "event"))


def test_each_replays_its_own_part(project: Project, shared: Path) -> None:
    """No model is asked, alone or together; who asks for another one's part is told of a drift."""
    project.run("--playhead-mode=once").assert_outcomes(passed=12)
    before = shared.read_bytes()
    project.write({"test_it.py": TESTS.replace('f"rain in {city}"', "1 / 0")})
    project.run().assert_outcomes(passed=12)
    project.run("test_it.py::test_it[7]").assert_outcomes(passed=1)
    project.write({"test_it.py": TESTS.replace('ask(f"City{number}")', 'ask(f"City{12 - number}")')})
    result = project.run("test_it.py::test_it[7]")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ReplayMismatch: cassettes/shared.jsonl: *"])
    assert shared.read_bytes() == before


@pytest.mark.parametrize("mode", ["all", "rewrite"])
def test_one_that_changed_replaces_its_part_and_no_other(project: Project, shared: Path, mode: str) -> None:
    """Recording one test again, as the message of a drift says, leaves what the others recorded."""
    project.run("--playhead-mode=once").assert_outcomes(passed=12)
    before = told(shared)
    project.write({"test_it.py": TESTS.replace("rain in", "sun in")})
    project.run("test_it.py::test_it[7]", f"--playhead-mode={mode}").assert_outcomes(passed=1)
    changed = [new for old, new in zip(before, told(shared), strict=True) if old != new]
    assert len(changed) == 2
    assert all(b"sun in City7" in data for _, _, data in changed)


def test_one_that_fails_keeps_its_old_part(project: Project, shared: Path) -> None:
    """What it recorded is left beside the cassette, for whoever wants to know."""
    project.run("--playhead-mode=once").assert_outcomes(passed=12)
    before = shared.read_bytes()
    project.write({"test_it.py": TESTS + "    assert number != 7\n"})
    project.run("--playhead-mode=rewrite").assert_outcomes(passed=11, failed=1)
    assert shared.read_bytes() == before
    assert project.cassettes() == ["cassettes/shared.jsonl", "cassettes/shared.jsonl.rejected"]


def test_a_new_one_is_recorded_in_the_mode_once(project: Project, shared: Path) -> None:
    """The parts of the others are there, and its own is missing."""
    project.write({"test_it.py": TESTS.replace("range(12)", "range(3)")})
    project.run("--playhead-mode=once").assert_outcomes(passed=3)
    before = told(shared)
    project.write({"test_it.py": TESTS.replace("range(12)", "range(4)")})
    project.run("--playhead-mode=once").assert_outcomes(passed=4)
    assert told(shared)[: len(before)] == before
    with locate(shared).read() as cassette:
        assert list(parts_of(cassette)) == [f"test_it.py::test_it[{number}]" for number in range(4)]


def test_one_may_record_for_all(project: Project) -> None:
    """A test that only plays what is recorded plays the whole, where it has no part of its own."""
    test = """
    import pytest
    pytestmark = pytest.mark.playhead(name="shared")
    from agent import tell

    def test_first(tape):
        tell(tape)

    def test_second(tape):
        assert [event.event_type for event in tape.events()] == ["terminate"]
    """
    project.write({"test_it.py": test})
    project.run("--playhead-mode=once").assert_outcomes(passed=2)
    project.run().assert_outcomes(passed=2)


def part(folder: Path, test: str, *reasons: str, **options: object) -> Cassette:
    """Return a cassette with a run for each reason."""
    path = folder / f"{test}.jsonl"
    with record(path, **options) as recorder:  # type: ignore[arg-type]
        for reason in reasons:
            list(recorder.events([{"event_type": "terminate", "reason": reason}]))
    return locate(path).read()


def test_time_does_not_grow_with_every_part(tmp_path: Path) -> None:
    """Putting a part a hundred times leaves its times, and those of the others, what they are."""
    path = tmp_path / "shared.jsonl"
    for test in ("a", "b"):
        with part(tmp_path, test, "one", "two") as cassette:
            Share(path, test).put(cassette)

    def last_us() -> int:
        with locate(path).read() as whole:
            return sum(entry.dt_us for entry in whole.entries())

    before = last_us()
    for number in range(20):
        with part(tmp_path, "c", str(number)) as cassette:
            Share(path, "c").put(cassette)
    with part(tmp_path, "c", "19") as cassette:
        own_us = sum(entry.dt_us for entry in cassette.entries())
    assert last_us() - before < own_us + 1_000_000


def test_parts_that_were_recorded_otherwise_are_refused(tmp_path: Path) -> None:
    """A cassette has one list of rules of redaction: the error says which, and the cassette stays."""
    path = tmp_path / "shared.jsonl"
    with part(tmp_path, "a", "one") as cassette:
        Share(path, "a").put(cassette)
    before = path.read_bytes()
    with part(tmp_path, "b", "one", redact=()) as cassette, pytest.raises(UsageError, match=r"this one with \[\]"):
        Share(path, "b").put(cassette)
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl", "shared.jsonl"]


def test_a_secret_in_the_name_of_a_test_is_refused(tmp_path: Path) -> None:
    """Parts are found by the names of tests: a key in one would be in the seal, and without it two would be one."""
    path = tmp_path / "shared.jsonl"
    with (
        part(tmp_path, "a", "one") as cassette,
        pytest.raises(UsageError, match=r"test_it\[<openai-key-1>\]: the name"),
    ):
        Share(path, f"test_it[{made_up_key()}]").put(cassette)
    assert not path.exists()


@pytest.mark.parametrize("tests", [{"t": 1}, {"t": {"owners": 3, "redacted": {}}}, {"t": {"owners": []}}, [], "x"])
def test_a_seal_that_says_something_else_has_no_parts(tests: object) -> None:
    """Whatever another program keeps under that key is not taken for parts."""
    store = MemoryStore()
    CassetteWriter(store.create("a"), HEADER).seal("complete", extra={"tests": tests})
    with read(store.open("a")) as cassette:
        assert parts_of(cassette) == {}

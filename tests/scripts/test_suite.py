"""The suite runs every step, counts right, and cannot pass when something failed."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import suite
from suite import Step


def step(program: str, name: str) -> Step:
    """Make a step that runs a small program."""
    return Step(name, (sys.executable, "-c", program))


FAILS = step("raise SystemExit(4)", "fails")
PASSES = step("", "passes")
CANNOT = step(f"raise SystemExit({suite.NOT_ALLOWED})", "cannot")


def last_lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines of the summary, without the seconds."""
    return [line.split(" s  ")[-1] for line in capfd.readouterr().out.split("=== summary\n")[1].splitlines()]


def test_a_failing_step_fails_the_suite_and_stops_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """The steps after a failing one run, and the suite fails all the same."""
    assert suite.main((FAILS, PASSES), in_ci=False) == 1
    assert last_lines(capfd) == ["fails: FAILED, exit code 4", "passes: passed", "1 passed, 1 failed, 0 skipped"]


def test_steps_that_pass_pass(capfd: pytest.CaptureFixture[str]) -> None:
    """A suite without failures passes."""
    assert suite.main((PASSES, PASSES), in_ci=True) == 0
    assert last_lines(capfd)[-1] == "2 passed, 0 failed, 0 skipped"


def test_what_a_machine_cannot_do_is_skipped_but_not_under_ci(capfd: pytest.CaptureFixture[str]) -> None:
    """A skipped step is visible; under CI it is a failure."""
    assert suite.main((CANNOT,), in_ci=False) == 0
    assert last_lines(capfd) == ["cannot: skipped: this machine cannot take it", "0 passed, 0 failed, 1 skipped"]
    assert suite.main((CANNOT,), in_ci=True) == 1
    assert last_lines(capfd)[-1] == "0 passed, 1 failed, 0 skipped"


def test_the_next_best_runs_where_a_machine_cannot(capfd: pytest.CaptureFixture[str]) -> None:
    """What could be run instead is run, and can fail; the step is skipped all the same, and under CI a failure."""
    assert suite.main((replace(CANNOT, instead=PASSES.command),), in_ci=False) == 0
    assert last_lines(capfd) == ["cannot: skipped: this machine cannot take it", "0 passed, 0 failed, 1 skipped"]
    assert suite.main((replace(CANNOT, instead=PASSES.command),), in_ci=True) == 1
    assert last_lines(capfd) == ["cannot: FAILED, this machine cannot take it", "0 passed, 1 failed, 0 skipped"]
    assert suite.main((replace(CANNOT, instead=FAILS.command),), in_ci=False) == 1
    assert last_lines(capfd) == ["cannot: FAILED, exit code 4", "0 passed, 1 failed, 0 skipped"]


def test_a_step_whose_probe_fails_is_skipped(capfd: pytest.CaptureFixture[str]) -> None:
    """What cannot be had is not run."""
    probed = Step("probed", FAILS.command, probe=FAILS.command)
    assert suite.main((probed,), in_ci=False) == 0
    assert last_lines(capfd)[0] == "probed: skipped: this machine cannot take it"


def test_steps_are_taken_beside_each_other_and_told_apart(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Two steps that wait for each other both end, and what one printed is not among what the other did."""
    there, back = tmp_path / "there", tmp_path / "back"
    os.mkfifo(there)
    os.mkfifo(back)
    # Who opens one end of a pipe waits for who opens the other.
    program = "print({0!r})\nopen({1!r}, {2!r})\nprint({0!r})\nopen({3!r}, {2!r})\nprint({0!r})"
    steps = [
        step(program.format(name, str(there), mode, str(back)), name) for name, mode in (("one", "r"), ("two", "w"))
    ]
    assert suite.main(tuple(steps), in_ci=True, at_once=2) == 0
    told = capfd.readouterr().out
    assert all(f"=== {name}: passed\n{name}\n{name}\n{name}\n\n" in told for name in ("one", "two"))


def test_a_line_is_told_when_it_is_printed(tmp_path: Path) -> None:
    """Who waits for the tests sees how far they are: a command that waits for who reads its first line ends."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    told: list[bytes] = []

    def tell(line: bytes) -> None:
        told.append(line)
        if line == b"begun\n":
            pipe.write_text("go on")

    program = f"print('begun', flush=True)\nprint(open({str(pipe)!r}).read())"
    assert suite.run((sys.executable, "-c", program), tell) == 0
    assert told == [b"begun\n", b"go on\n"]


def test_tests_are_counted(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Passed, failed, broken and skipped tests are counted one by one, and shown from when they begin."""
    planted = tmp_path / "test_planted.py"
    planted.write_text(
        "import pytest\n"
        "def test_a(): pass\n"
        "def test_b(): assert 0\n"
        "def test_c(nothing): pass\n"
        "@pytest.mark.skip\n"
        "def test_d(): pass\n",
        encoding="utf-8",
    )
    command = (
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:langsmith_plugin",
        "--rootdir",
        str(tmp_path),
        str(planted),
    )
    assert suite.main((Step("tests", command, is_pytest=True),), in_ci=False) == 1
    out = capfd.readouterr().out
    assert out.startswith("\n=== tests\n")
    assert out.endswith("tests: FAILED, exit code 1\n1 passed, 2 failed, 1 skipped\n")


def test_tests_that_never_ran_do_not_pass(capfd: pytest.CaptureFixture[str]) -> None:
    """A test run that dies before it reports counts as a failure."""
    assert suite.main((Step("tests", FAILS.command, is_pytest=True),), in_ci=False) == 1
    assert last_lines(capfd)[-1] == "0 passed, 1 failed, 0 skipped"


def test_the_suite_is_whole() -> None:
    """The steps that the project promises are there, the tests with the network cut off."""
    assert [item.name for item in suite.STEPS] == [
        "tests, network cut off",
        "lint",
        "format",
        "types",
        "public types",
    ]

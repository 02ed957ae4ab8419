"""Run every check of the project, as many at a time as there are processors, and sum up.

Knows the checks and their order. Does not know what they check: `pyproject.toml` configures the tools. Every step runs,
whatever becomes of the others. The tests run in parallel, and with the network cut off.

The tests are shown row by row as they run. What another step printed is shown whole when it has ended, between two
rows.

The last line counts: a test is one, and so is every other step. A step that this machine cannot take is skipped, and
says why; under CI that is a failure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
# Not by group or file: pytest-xdist waits for ever when a worker that runs a group dies (its issue 1323).
PARALLEL = ("-n", "auto", "--dist", "worksteal")
PYTEST = (PYTHON, "-m", "pytest", "-q", *PARALLEL, "-rs")
NOT_ALLOWED = 77


@dataclass(frozen=True)
class Step:
    """Name a check and the command that makes it.

    `probe` is a command that succeeds where the check can be made at all. `instead` is the next best command for a
    machine that cannot take this one: the step counts as skipped all the same, and its tests are counted.
    One that `is_pytest` can count, and is shown as it runs, for it takes minutes.
    """

    name: str
    command: tuple[str, ...]
    probe: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    is_pytest: bool = False


@dataclass(frozen=True)
class Outcome:
    """Say what became of a step: counts of what passed, failed and was skipped, and how long it took."""

    name: str
    word: str
    passed: int
    failed: int
    skipped: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.name}: {self.word}"


STEPS = (
    # The longest comes first: there is time for the others beside it.
    Step("tests, network cut off", (PYTHON, "scripts/offline.py", *PYTEST), instead=PYTEST, is_pytest=True),
    Step("lint", (PYTHON, "-m", "ruff", "check", ".")),
    Step("format", (PYTHON, "-m", "ruff", "format", "--check", ".")),
    Step("types", (PYTHON, "-m", "mypy")),
    Step(
        "public types",
        (PYTHON, "-m", "pyright", "--verifytypes", "playhead", "--ignoreexternal"),
        # It is a program for node, of which there is no build for every machine.
        probe=(PYTHON, "-m", "pyright", "--version"),
    ),
)

Tell = Callable[[bytes], object]
"""What is called with each line that a command prints."""

SCREEN = threading.Lock()


def show(text: bytes) -> None:
    """Print whole lines, and nothing of another step among them."""
    with SCREEN:
        sys.stdout.flush()
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()


def run(command: tuple[str, ...], tell: Tell) -> int:
    """Run a command in the project's folder, as if its environment were active, and return its exit code."""
    # pyright and the tests of the command line look for programs on PATH.
    environment = {**os.environ, "PATH": f"{Path(PYTHON).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        for line in process.stdout or ():
            tell(line)
        return process.wait()


def count(report: Path) -> tuple[int, int, int]:
    """Return how many tests passed, failed and were skipped, from pytest's report. Zeros where it wrote none."""
    if not report.is_file():
        return 0, 0, 0
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        for key in totals:
            totals[key] += int(suite.get(key, "0"))
    failed = totals["failures"] + totals["errors"]
    return totals["tests"] - failed - totals["skipped"], failed, totals["skipped"]


def take(step: Step, *, in_ci: bool) -> Outcome:
    """Take a step, show what it printed, and say what became of it."""
    if step.is_pytest:
        show(f"\n=== {step.name}\n".encode())
        return _taken(step, show, in_ci=in_ci)
    said: list[bytes] = []
    outcome = _taken(step, said.append, in_ci=in_ci)
    show(b"".join([f"=== {outcome}\n".encode(), *said, b"\n"]))
    return outcome


def _taken(step: Step, tell: Tell, *, in_ci: bool) -> Outcome:
    """Take a step and say what became of it."""
    start = time.monotonic()
    if step.probe and run(step.probe, lambda _: None) != 0:
        code, counts = NOT_ALLOWED, (0, 0, 0)
    else:
        code, counts = _counted(step.command, step, tell)
    is_allowed = code != NOT_ALLOWED
    if not is_allowed and step.instead:
        code, counts = _counted(step.instead, step, tell)
    passed, failed, skipped = counts
    seconds = time.monotonic() - start
    if is_allowed and code == 0 and not failed:
        return Outcome(step.name, "passed", passed if step.is_pytest else 1, failed, skipped, seconds)
    if not is_allowed and not in_ci and code in (0, NOT_ALLOWED):
        return Outcome(step.name, "skipped: this machine cannot take it", passed, failed, skipped + 1, seconds)
    why = f"exit code {code}" if code else "this machine cannot take it"
    return Outcome(step.name, f"FAILED, {why}", passed, max(failed, 1), skipped, seconds)


def _counted(command: tuple[str, ...], step: Step, tell: Tell) -> tuple[int, tuple[int, int, int]]:
    """Run a step's command. Return its exit code, and how many tests passed, failed and were skipped."""
    if not step.is_pytest:
        return run(command, tell), (0, 0, 0)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        return run((*command, f"--junitxml={report}"), tell), count(report)


def main(steps: tuple[Step, ...] = STEPS, *, in_ci: bool | None = None, at_once: int | None = None) -> int:
    """Take all steps, `at_once` at a time, sum up, and return 0 if none failed, else 1."""
    in_ci = bool(os.environ.get("CI")) if in_ci is None else in_ci
    with ThreadPoolExecutor(at_once or os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda step: take(step, in_ci=in_ci), steps))
    print("\n=== summary")
    for outcome in outcomes:
        print(f"{outcome.seconds:7.1f} s  {outcome}")
    failed = sum(outcome.failed for outcome in outcomes)
    passed = sum(outcome.passed for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

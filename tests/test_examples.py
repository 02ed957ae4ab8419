"""The examples run as they are, offline, and print the same every time."""

import subprocess
import sys
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example: Path, snapshot: SnapshotAssertion) -> None:
    """An example runs without warnings, says nothing on standard error, and prints what it printed before."""
    command = [sys.executable, "-X", "utf8", "-W", "error", str(example)]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == snapshot


def test_there_are_examples() -> None:
    """The documents' programs are there: an empty folder would pass every other test."""
    assert {"sse_tour", "terminal_match"} <= {example.stem for example in EXAMPLES}

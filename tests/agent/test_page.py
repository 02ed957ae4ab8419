"""What the page of the agent shows, works."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = {
    0: "model_chunk\nthink\ntool_start\ntool_complete\nmodel_chunk\nmodel_chunk\nthink\nterminate\n",
    1: "interrupt Really Oslo?\nGood night.\n",
    2: "ToolCalled('submit') | TimeLimit(60) & MaxIterations(3)\n",
}


@pytest.mark.parametrize("number", PROGRAMS)
def test_a_program_of_the_page_prints_what_it_should(number: int, root: Path, tmp_path: Path) -> None:
    """Each in a process of its own, in an empty folder."""
    page = (root / "docs/agent.md").read_text()
    programs = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(programs) == len(PROGRAMS)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", programs[number]], cwd=tmp_path, capture_output=True, text=True
    )
    assert (ran.stdout, ran.stderr) == (PROGRAMS[number], "")

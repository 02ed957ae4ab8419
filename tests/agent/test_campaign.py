"""Under the fuzzer no script makes the agent hang, end twice, or end without a reason that names the fault."""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.agent import campaign
from tests.agent.campaign import FAULTS, run_campaign

SCRIPTS = int(os.environ.get("PLAYHEAD_AGENT_SCRIPTS", "400"))
"""How many scripts are run. 10,000 take some five minutes with the branches counted, and one without."""

LOOP = ("asker", "asking", "batch", "calls", "deadlines", "faults", "judging", "loop")
"""The modules of the loop."""


def test_a_campaign_finds_nothing_and_reaches_everything(root: Path, tmp_path: Path) -> None:
    """Each kind of fault occurs, one in a hundred answers at least, and 95 % of the loop's branches are taken."""
    files = ",".join(f"*/playhead/agent/{name}.py" for name in LOOP)
    environment = {**os.environ, "COVERAGE_FILE": str(tmp_path / "coverage")}
    coverage = [sys.executable, "-m", "coverage"]
    ran = subprocess.run(
        [*coverage, "run", "--branch", f"--include={files}", "-m", "tests.agent.campaign", str(SCRIPTS)],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith("nothing is wrong\n")
    counted = dict(each.rsplit(" ", 1) for each in ran.stdout.splitlines()[1].removeprefix("faults: ").split(", "))
    assert set(counted) >= set(FAULTS)
    assert min(int(count.replace(",", "")) for count in counted.values()) >= SCRIPTS // 100
    report = tmp_path / "coverage.json"
    subprocess.run([*coverage, "json", "-q", "-o", str(report)], cwd=root, env=environment, check=True)
    totals = json.loads(report.read_text())["totals"]
    assert totals["covered_branches"] / totals["num_branches"] >= 0.95


class Deaf:
    """Tell of a run that has no end, two ends, or one that names no fault."""

    def __init__(self, agent: Any, fault: str) -> None:
        self.model = agent.model
        self._agent = agent
        self._fault = fault

    async def run(self, prompt: str) -> Any:
        """Yield the events, changed at the end."""
        async for event in self._agent.run(prompt):
            if event.event_type != "terminate":
                yield event
            elif self._fault == "two":
                yield event
                yield event
            elif self._fault == "unnamed":
                yield event.model_copy(update={"reason": "complete", "error": None})


@pytest.mark.parametrize("fault", ["none", "two", "unnamed"])
def test_a_campaign_would_find_it(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that ends wrongly does not get through."""
    make = campaign.make_agent

    def faulty(model: Any, random: Random) -> Any:
        return Deaf(make(model, random), fault)

    monkeypatch.setattr(campaign, "make_agent", faulty)
    assert run_campaign(60, seed=1).wrong

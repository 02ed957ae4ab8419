"""Projects of somebody else, written into a folder and run by a pytest of their own."""

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import playhead.plugin

# Modules that a run within this process imports are forgotten behind it, and would be made a second time. So all are
# imported before.
for _module in pkgutil.iter_modules(playhead.plugin.__path__, "playhead.plugin."):
    importlib.import_module(_module.name)
for _name in playhead.__all__:
    getattr(playhead, _name)

INI = """
[pytest]
addopts = --strict-markers --strict-config -p no:cacheprovider
filterwarnings = error
"""

FOREIGN = ("asyncio", "trio", "recording", "langsmith_plugin", "xdist", "syrupy")
"""Plugins that are installed beside ours, and are off unless a test is about them."""

AGENT = """
from playhead import Agent, ScriptedModel
from playhead.scripts import call

TURNS = [call("search", city="Paris"), "Take an umbrella."]

def tell(tape):
    return list(tape.events([{"event_type": "terminate", "reason": "complete"}]))

def search(city: str) -> str:
    return "rain in " + city

def trip(tape, prompt="Paris?", turns=TURNS):
    return tape.events(Agent(tape.model(ScriptedModel(turns)), tape.tools([search])).run(prompt))
"""

TRIP = """
import pytest
from agent import trip

@pytest.mark.anyio
async def test_paris(tape):
    events = [event async for event in trip(tape)]
    assert events[-1].reason == "complete"

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
"""A file of tests with one test, that can be recorded."""


class Project:
    """A folder with tests, and what comes of running pytest in it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self.path: Path = pytester.path
        self.write({"pytest.ini": INI, "agent.py": AGENT})
        pytester.syspathinsert()

    def write(self, files: dict[str, str]) -> None:
        """Write files, by their path."""
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")

    def run(self, *arguments: str, plugins: tuple[str, ...] = (), **options: Any) -> pytest.RunResult:
        """Run pytest in this process, with the named ones of the foreign plugins and without the others."""
        return self._pytester.runpytest_inprocess(*_without(plugins), *arguments, **options)

    def run_apart(
        self,
        *arguments: str,
        plugins: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        cwd: str = ".",
        timeout_s: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run pytest in a process of its own, where all warnings are errors from the start."""
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "pytest", *_without(plugins), *arguments],
            cwd=self.path / cwd,
            env={**os.environ, "PYTHONPATH": str(self.path), **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout_s,
            check=False,
        )

    def cassettes(self) -> list[str]:
        """Return the files in all folders of cassettes, relative to the project."""
        found = (path for path in self.path.rglob("*.jsonl*") if path.is_file())
        return sorted(path.relative_to(self.path).as_posix() for path in found)


def _without(plugins: tuple[str, ...]) -> list[str]:
    return [argument for name in FOREIGN if name not in plugins for argument in ("-p", f"no:{name}")]

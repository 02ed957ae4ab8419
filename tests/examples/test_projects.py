"""The example projects pass their own tests, as they are, with no key and no network but loopback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PROJECTS = sorted({path.parent for path in EXAMPLES.glob("*/test_*.py")})

OFF = ("asyncio", "langsmith_plugin", "recording", "trio")
"""Plugins that are installed here for other tests, and are no part of the examples."""


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_project(project: Path, tmp_path: Path) -> None:
    """Everything is replayed in the folder itself, under CI's rules, and nothing in it changes."""
    before = files(project)
    off = [argument for name in OFF for argument in ("-p", f"no:{name}")]
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", *off],
        cwd=project,
        env={**environment, "CI": "true", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert " passed" in ran.stdout
    # A conformance suite skips what its subject has nothing to show for.
    assert "skipped" not in ran.stdout or project.name == "fuzz_agent"
    assert files(project) == before


KEPT = {"__pycache__", ".hypothesis"}
"""What Python and tools keep for themselves."""


def files(project: Path) -> dict[str, bytes]:
    """Return what is in a folder."""
    found = (path for path in project.rglob("*") if path.is_file() and not KEPT.intersection(path.parts))
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_a_project_explains_itself(project: Path) -> None:
    """Each has a page of a few lines, and no recording that a failing test left."""
    assert 3 <= len((project / "README.md").read_text(encoding="utf-8").splitlines()) <= 12
    assert [path.name for path in project.rglob("*.rejected")] == []


def test_there_are_projects() -> None:
    """Those that the documents name are there: an empty folder would pass every other test."""
    assert {"fixtures_project", "offline_ci"} <= {project.name for project in PROJECTS}

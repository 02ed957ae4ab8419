"""What is needed is installed once, whole, and by one process at a time.

The project that is installed here is a small one that builds itself, so that nothing is fetched.
"""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import bootstrap
import pytest

from tests.house import project

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "small"
version = "1.0"
"""

BACKEND = """
import zipfile

FILES = {
    "small.py": "X = 1",
    "small-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: small\\nVersion: 1.0\\n",
    "small-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "small-1.0.dist-info/RECORD": "small.py,,\\n",
}

def build_editable(directory, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(directory + "/small-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
    return "small-1.0-py3-none-any.whl"

build_wheel = build_editable
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Make a small project with a bootstrap script, in a folder whose name has spaces."""
    root = tmp_path / "a small project"
    (root / "scripts").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (root / "backend.py").write_text(BACKEND, encoding="utf-8")
    (root / bootstrap.PINS).write_text("", encoding="utf-8")
    shutil.copy(project.ROOT / "scripts/bootstrap.py", root / "scripts")
    return root


def start(root: Path, name: str = "run") -> subprocess.Popen[str]:
    """Start the bootstrap script of a project."""
    return subprocess.Popen(
        [sys.executable, str(root / "scripts/bootstrap.py"), name],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a start, and return its exit code and what it said."""
    said = process.communicate(timeout=120)[1]
    return process.returncode, said


def works(root: Path) -> bool:
    """Tell whether the small project can be imported from its environment."""
    return subprocess.run([str(root / ".venv/bin/python"), "-c", "import small"], check=False).returncode == 0


def test_it_installs_once_whoever_starts(small: Path) -> None:
    """Of two starts one makes anew what a killed install left, and one waits; after a change it is installed again."""
    venv.create(small / ".venv", with_pip=False)
    bootstrap.write(bootstrap.stamp(small, "run"), bootstrap.wanted(small))
    bootstrap.write(bootstrap.stamp(small, bootstrap.INSTALLING), "run")
    (small / ".venv/rubbish").touch()
    both = [finish(process) for process in [start(small), start(small)]]
    assert [code for code, _ in both] == [0, 0]
    assert sorted("Installing" in said for _, said in both) == [False, True]
    assert works(small)
    assert not (small / ".venv/rubbish").exists()
    assert finish(start(small)) == (0, "")
    (small / bootstrap.PINS).write_text("--nonsense\n", encoding="utf-8")
    code, said = finish(start(small))
    assert code == 1
    assert "The install failed" in said
    (small / bootstrap.PINS).write_text("# nothing\n", encoding="utf-8")
    keep = small / ".venv/keep"
    keep.touch()
    code, said = finish(start(small))
    assert (code, "Installing" in said, keep.exists()) == (0, True, True)
    assert finish(start(small)) == (0, "")


@pytest.mark.parametrize("rubbish", ["nothing", "a file", "no python", "no pip", "another place"])
def test_an_environment_that_cannot_be_used_is_noticed(small: Path, rubbish: str) -> None:
    """What an interrupted or moved environment leaves behind is not built upon."""
    place = small / ".venv"
    match rubbish:
        case "a file":
            place.touch()
        case "no python":
            place.mkdir()
        case "no pip" | "another place":
            venv.create(place, with_pip=False)
    if rubbish == "another place":
        assert bootstrap.usable(small, with_pip=False)
        bootstrap.write(bootstrap.stamp(small, bootstrap.HOME), "elsewhere")
        assert not bootstrap.usable(small, with_pip=False)
    else:
        assert not bootstrap.usable(small, with_pip=True)


def test_the_larger_set_holds_the_smaller(small: Path) -> None:
    """Who installed for the tests need not install to play, but not the other way round."""
    (small / ".venv").mkdir()
    bootstrap.write(bootstrap.stamp(small, "dev"), bootstrap.wanted(small))
    assert bootstrap.installed(small, "run")
    bootstrap.write(bootstrap.stamp(small, "dev"), "older")
    bootstrap.write(bootstrap.stamp(small, "run"), bootstrap.wanted(small))
    assert not bootstrap.installed(small, "dev")
    assert bootstrap.installed(small, "run")

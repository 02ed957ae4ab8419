"""What is published works without the checkout."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.house import project

INSPECT = """
import importlib, pathlib, pkgutil, sys
import playhead
assert pathlib.Path(playhead.__file__).is_relative_to(sys.argv[1]), playhead.__file__
for module in pkgutil.walk_packages(playhead.__path__, "playhead."):
    if not module.name.endswith(".__main__"):
        importlib.import_module(module.name)
    print(module.name)
"""


def python(*arguments: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run this Python, with a folder before all others on its path."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source archive and the wheel, without a network."""
    folder = tmp_path_factory.mktemp("dist")
    done = python("-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(folder), cwd=project.ROOT)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def unpacked(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel into a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_holds_the_package_and_nothing_else(unpacked: Path) -> None:
    """All modules, `py.typed` and the licence are in it; tests are not."""
    (info,) = unpacked.glob("playhead-*.dist-info")
    files = (path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file())
    packed = {path.as_posix() for path in files if path.parts[0] != info.name}
    assert packed == {
        project.relative(path).removeprefix("src/")
        for path in project.files()
        if project.relative(path).startswith("src/")
    }
    assert {"playhead/py.typed", "playhead_pytest.py"} <= packed
    assert "MIT License" in (info / "licenses/LICENSE").read_text(encoding="utf-8")


def test_the_wheel_can_be_imported(unpacked: Path, tmp_path: Path) -> None:
    """Every module can be imported from the unpacked wheel, far from the checkout, without a warning."""
    done = python("-c", INSPECT, str(unpacked), cwd=tmp_path, path=unpacked)
    assert done.returncode == 0, done.stderr
    assert "playhead.errors" in done.stdout.split()


def test_the_command_works_from_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    """The command that the wheel declares starts."""
    (entry_points,) = unpacked.glob("playhead-*.dist-info/entry_points.txt")
    assert "playhead = playhead.cli.main:run" in entry_points.read_text(encoding="utf-8")
    start = "import sys; sys.argv = ['playhead', '--help']; from playhead.cli.main import run; run()"
    done = python("-c", start, cwd=tmp_path, path=unpacked)
    assert done.returncode == 0, done.stderr
    assert "playhead" in done.stdout


def test_the_source_archive_holds_what_the_tests_need(dist: Path) -> None:
    """The archive holds sources, tests and papers, and nothing that a tool left behind."""
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.split("/", 1)[1] for name in tar.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "ARCHITECTURE.md", "test", "play"} <= names
    assert {"src/playhead/py.typed", "tests/conftest.py", "requirements-dev.txt", "scripts/suite.py"} <= names
    assert [name for name in names if "__pycache__" in name or ".venv" in name or name.startswith(".git/")] == []

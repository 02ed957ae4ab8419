"""The project's own files, read for the checks. Does not know the rules."""

import functools
import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.house.checks import architecture
from tests.house.checks.architecture import Architecture
from tests.house.checks.source import Finding, Module

ROOT = Path(__file__).resolve().parents[2]


def ignored_names() -> list[str]:
    """Return the patterns of `.gitignore`, which hold for a name in any folder."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    return [line.rstrip("/") for line in lines if not line.startswith("#")]


@functools.cache
def files() -> list[Path]:
    """Return every file that is or could be in the repository, sorted."""
    return sorted(_walk(ROOT, [".git", *ignored_names()]))


def _walk(folder: Path, ignored: list[str]) -> Iterator[Path]:
    for entry in os.scandir(folder):
        if any(fnmatch(entry.name, pattern) for pattern in ignored):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), ignored)
        elif entry.is_file():
            yield Path(entry.path)


def relative(path: Path) -> str:
    """Return a path relative to the project's folder, with forward slashes."""
    return path.relative_to(ROOT).as_posix()


@functools.cache
def modules(folder: str) -> list[Module]:
    """Return the Python files under a folder of the project."""
    return [
        Module(relative(path), path.read_text(encoding="utf-8"))
        for path in files()
        if path.suffix == ".py" and relative(path).startswith(f"{folder}/")
    ]


@functools.cache
def known() -> dict[str, Module]:
    """Return the modules of the package, by name."""
    return {module.name: module for module in modules("src/playhead")}


@functools.cache
def page() -> Architecture:
    """Return what ARCHITECTURE.md says."""
    return architecture.parse((ROOT / architecture.PAGE).read_text(encoding="utf-8"))


def refuse(findings: Iterable[Finding]) -> None:
    """Fail the test with one line for each finding, if there is any."""
    lines = [str(finding) for finding in findings]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)

"""Nothing of a machine is in any file, the pins are pins, and what should be executable is."""

import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house import project
from tests.house.checks import repository
from tests.house.project import refuse

PINS = project.ROOT / "requirements-dev.txt"


def declared() -> list[Requirement]:
    """Return every requirement that pyproject.toml declares: core, extras, development."""
    table = tomllib.loads((project.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lists = [
        table["project"]["dependencies"],
        *table["project"]["optional-dependencies"].values(),
        *table["dependency-groups"].values(),
    ]
    return [Requirement(line) for lines in lists for line in lines]


@pytest.mark.parametrize(
    "text",
    [
        "a\n'/wo" + "rk/main/x.py'",
        "a\nsee /ro" + "ot/.cache",
        "a\n/tm" + "p/brief/x",
        "a\n--index" + "-url x",
        "a\n--extra-index" + "-url x",
        "a\nhttps://pypi.or" + "g/simple/x",
        "a\nhttps://files.pythonhoste" + "d.org/x",
        "a\n<<<<<<" + "< ours",
    ],
)
def test_a_planted_trace_of_a_machine_is_found(text: str) -> None:
    """Paths of a machine, addresses of registries and marks of a merge are found, with their line."""
    (found,) = repository.text_findings("x.txt", text)
    assert found.line == 2


@pytest.mark.parametrize(
    "text", ["a/wo" + "rk/x", "~/wo" + "rk/x", "https://pypi.org/project/x", "/workers/x", "====== x"]
)
def test_what_only_looks_like_one_is_not_found(text: str) -> None:
    """Relative paths, pages about packages and headings are not found."""
    assert repository.text_findings("x.txt", text) == []


def test_a_line_that_is_not_a_pin_is_found() -> None:
    """An open range, an option and a comment are found; a pin with a marker is not."""
    text = "a-b==1.0\nc>=1\n-r x.txt\n# x\nd==2.0rc1 ; os_name == 'nt'\n"
    assert [found.line for found in repository.pin_findings("x.txt", text)] == [2, 3, 4]


def test_no_file_shows_where_it_was_written() -> None:
    """No file of the repository contains a machine's path, a registry's address, or the mark of a merge."""
    every = project.files()
    assert every
    for path in every:
        refuse(repository.text_findings(project.relative(path), path.read_bytes().decode("utf-8", "replace")))


def test_gitignore_holds_names_only() -> None:
    """The checks understand `.gitignore` as names, so it must hold nothing else."""
    assert [name for name in project.ignored_names() if "/" in name or name.startswith("!")] == []


def test_pins_are_pins() -> None:
    """Every line of the pins fixes one version of one package."""
    text = PINS.read_text(encoding="utf-8")
    assert text
    refuse(repository.pin_findings(PINS.name, text))


def test_pins_hold_what_is_declared() -> None:
    """Every requirement in pyproject.toml is pinned, to a version that it allows."""
    lines = PINS.read_text(encoding="utf-8").splitlines()
    pins = dict(line.split(" ;")[0].split("==") for line in lines)
    wrong = [
        str(requirement)
        for requirement in declared()
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"), prereleases=True)
    ]
    assert wrong == [], "make the pins again, as CONTRIBUTING.md says"


def test_libraries_in_the_page_are_declared() -> None:
    """Every library to which ARCHITECTURE.md gives a door is a requirement, or comes with one by another name."""
    names = {canonicalize_name(requirement.name) for requirement in declared()}
    by_another_name = {
        "agents": "openai-agents",
        "locus": "locus-sdk",
        "opentelemetry": "opentelemetry-api",
        "pydantic-ai": "pydantic-ai-slim",
        "pydantic-core": "pydantic",
    }
    doors = {canonicalize_name(library) for library in project.page().doors}
    assert {by_another_name.get(library, library) for library in doors} <= names


@pytest.mark.parametrize("name", ["play", "test", ".ci/run"])
def test_scripts_can_be_started(name: str) -> None:
    """What CONTRIBUTING.md tells people to start is executable, says by what, and has no syntax errors."""
    script = project.ROOT / name
    assert os.access(script, os.X_OK)
    shell = script.read_text(encoding="utf-8").splitlines()[0].removeprefix("#!").split()[-1]
    assert shell in ("/bin/sh", "bash")
    assert subprocess.run([shell, "-n", str(script)], check=False).returncode == 0


def test_every_test_folder_is_a_package() -> None:
    """Two test files of one name do not hide each other, because every folder with tests is a package."""
    folders = {Path(item.path).parent for item in project.modules("tests")}
    assert [str(folder) for folder in folders if not (project.ROOT / folder / "__init__.py").is_file()] == []

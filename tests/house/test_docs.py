"""Every public name is documented, every link leads somewhere, and every command that the README shows works."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import project
from tests.house.checks import docs, readme
from tests.house.checks.source import Module
from tests.house.project import refuse
from tests.plugin.projects import FOREIGN

README = project.ROOT / "README.md"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("_x = 1", "the module has no docstring"),
        ("''", "the module has no docstring"),
        ("'No stop'", "the docstring of the module does not begin with a whole sentence"),
        ("'M.'\ndef f(): ...", "'f' has no docstring"),
        ("'M.'\nasync def f():\n    'Return it'", "the docstring of 'f' does not begin with a whole sentence"),
        ("'M.'\ndef f():\n    'Returns it.'", "the docstring of 'f' is not an order: it begins 'Returns'"),
        ("'M.'\nclass A:\n    'One.'\n    def f(self): ...", "'A.f' has no docstring"),
        ("'M.'\nclass A:\n    'One.'\n    @property\n    def f(self): ...", "'A.f' has no docstring"),
        ("'M.'\nclass A: ...", "'A' has no docstring"),
    ],
)
def test_a_missing_docstring_is_found(source: str, message: str) -> None:
    """Modules, functions, classes, methods, properties and constants are looked at."""
    (found,) = docs.docstring_findings(Module("src/playhead/x.py", source))
    assert found.message == message


@pytest.mark.parametrize(
    "source",
    [
        "'M.'\ndef f():\n    'Pass it on.'",
        "'M.'\ndef f():\n    'Focus on it.'",
        "'M.'\nclass A:\n    'One.'\n    @property\n    def f(self):\n        'What it is.'",
        "'M.'\nclass A:\n    'One.'\n    @f.setter\n    def f(self, value): ...",
        "'M.'\n@overload\ndef f(x: int): ...",
        "'M.'\ndef _f(): ...\nclass _A:\n    def g(self): ...",
        "'M.'\nclass A:\n    'One.'\n    def __repr__(self): ...\n    x: int = 1",
    ],
)
def test_what_is_documented_or_private_is_not_found(source: str) -> None:
    """Private names, magic methods, fields and overloads need no docstring."""
    assert docs.docstring_findings(Module("src/playhead/x.py", source)) == []


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("X = 1", ["X"]),
        ("X: int = 1\ny()", ["X"]),
        ("X = 1\n'What it is.'", []),
        ("X = 1\nY = 2\n'What both are.'\nZ = 3\ndef f(): ...", ["Z"]),
        ("X = 1\ndef f(): ...\n'What nothing is.'", ["X"]),
        ("T = TypeVar('T')\n_x = 1\n__all__ = []\nlogger = make()", []),
    ],
)
def test_a_constant_without_a_docstring_is_found(source: str, missing: list[str]) -> None:
    """A string after constants documents those right above it; private names and type variables need none."""
    found = docs.constant_findings(Module("src/playhead/x.py", source))
    assert [item.message for item in reversed(found)] == [f"{name!r} has no docstring" for name in missing]


def test_a_test_without_a_sentence_is_found() -> None:
    """A test says in one sentence what it shows; helpers need not."""
    source = "def test_a(): ...\nclass TestB:\n    async def test_c(self):\n        'no stop'\ndef helper(): ..."
    found = docs.sentence_findings_of_tests(Module("tests/test_x.py", source))
    assert [item.message.split("'")[1] for item in found] == ["test_a", "test_c"]


def test_a_broken_link_is_found() -> None:
    """A missing file and a missing heading are found; addresses on the network and code are not looked at."""
    page = "[a](x.md)\n[b](#here)\n[c](y.md#there)\n[d](https://example.org/x)\n```\n[e](z.md)\n```\n[f](y.md)\n"
    headings = {"": set(), "y.md": {"elsewhere"}}
    found = docs.link_findings("p.md", page, headings=headings.get)
    assert [str(item) for item in found] == [
        "p.md:1: the link to 'x.md' leads nowhere",
        "p.md:2: 'p.md' has no heading for 'here'",
        "p.md:3: 'y.md' has no heading for 'there'",
    ]


def test_headings_have_anchors() -> None:
    """Anchors are made as the usual hosts make them; a comment in a code block is no heading."""
    assert docs.anchors("# Where does X go?\n\n```sh\n# not one\n```\n## `play`, twice\n") == {
        "where-does-x-go",
        "play-twice",
    }


def test_commands_are_read_from_a_page() -> None:
    """Only `console` blocks count; output and exit codes are kept."""
    page = "# P\n\n```console\n$ one\n$ two  # [exit 2]\nout\n\nput\n```\n\n```sh\n$ three\n```\n"
    assert readme.commands(page) == [
        readme.Command(4, "one", 0, None),
        readme.Command(5, "two", 2, "out\n\nput"),
    ]


@pytest.mark.parametrize(
    ("expected", "actual", "agree"),
    [
        ("a\nb", "a\nb\n", True),
        ("a\nb", "a  \nb", True),
        ("a\nb", "a\nc", False),
        ("a", "a\nb", False),
        ("a\n...", "a\nb\nc", True),
        ("a\n...\nc", "a\nb\nb\nc", True),
        ("a\n...\nc", "a\nc", True),
        ("a\n...\nc", "a\nb", False),
        ("took ... ms", "took 12 ms", True),
        ("took ... ms", "took 12\n13 ms", False),
        ("a.c", "abc", False),
    ],
)
def test_output_is_compared(expected: str, actual: str, agree: bool) -> None:
    """`...` stands for any text in a line, and for any lines on its own; everything else is literal."""
    assert readme.agrees(expected, actual) is agree


def test_programs_are_read() -> None:
    """A block of Python is a program of the page if its first line names a file."""
    page = "```python\n# trip.py\nprint(1)\n```\ntext\n```python\nprint(2)\n```\n"
    assert readme.files(page) == {"trip.py": "print(1)\n"}


def shown(command: readme.Command, folder: Path) -> str | None:
    """Run a command of a page, and return what is wrong with it, or None."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "TERM": "dumb",
        # They take longer to load than the tests of the page.
        "PYTEST_ADDOPTS": " ".join(f"-p no:{name}" for name in FOREIGN),
    }
    done = subprocess.run(
        ["sh", "-c", command.command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    if done.returncode != command.exit_code:
        return f"exit code {done.returncode} instead of {command.exit_code}:\n{done.stdout}"
    if command.output is not None and not readme.agrees(command.output, done.stdout):
        return f"the page shows:\n{command.output}\nbut it prints:\n{done.stdout}"
    return None


def test_a_command_that_does_not_do_what_the_page_says_is_found(tmp_path: Path) -> None:
    """A wrong exit code and a wrong output are found, and nothing else is."""
    assert shown(readme.Command(1, "echo a; exit 3", 3, "a"), tmp_path) is None
    assert shown(readme.Command(1, "echo a >&2", 0, "a"), tmp_path) is None
    assert shown(readme.Command(1, "exit 3", 0, None), tmp_path) == "exit code 3 instead of 0:\n"
    assert shown(readme.Command(1, "echo a", 0, "b"), tmp_path) == "the page shows:\nb\nbut it prints:\na\n"


def test_the_readme_can_be_followed(tmp_path: Path) -> None:
    """The commands of README.md, typed one after the other in an empty folder, do what it shows."""
    page = README.read_text(encoding="utf-8")
    for name, program in readme.files(page).items():
        (tmp_path / name).write_text(program, encoding="utf-8")
    for command in readme.commands(page):
        wrong = shown(command, tmp_path)
        if wrong:
            pytest.fail(f"README.md:{command.line}: $ {command.command}\n{wrong}", pytrace=False)


def test_public_names_are_documented() -> None:
    """Every public name of the package and of the scripts has a docstring that begins with a sentence."""
    every = [*project.modules("src"), *project.modules("scripts")]
    refuse(found for item in every for found in docs.docstring_findings(item))


def test_public_constants_are_documented() -> None:
    """Every public constant of the package has a docstring: its unit, its meaning, where it comes from."""
    refuse(found for item in project.modules("src") for found in docs.constant_findings(item))


def test_tests_are_documented() -> None:
    """Every test says in a sentence what it shows."""
    refuse(found for item in project.modules("tests") for found in docs.sentence_findings_of_tests(item))


def headings(page: Path, target: str) -> set[str] | None:
    """Return the anchors of what a page of the project links to, or None where there is nothing."""
    file = (page.parent / target) if target else page
    if not file.exists():
        return None
    return docs.anchors(file.read_text(encoding="utf-8")) if file.suffix == ".md" else set()


def test_links_lead_somewhere() -> None:
    """Every link between the pages of the project leads to a file, and to a heading in it."""
    pages = [path for path in project.files() if path.suffix == ".md"]
    assert README in pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        refuse(docs.link_findings(project.relative(page), text, headings=functools.partial(headings, page)))

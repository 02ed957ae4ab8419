"""Modules, functions and test files can be read in one sitting."""

import ast

import pytest

from tests.house import exemptions, project
from tests.house.checks import sizes
from tests.house.checks.source import Module
from tests.house.project import refuse

LONG_BODY = "    x = 1\n"


def function(lines: int, docstring: str = "") -> Module:
    """Make a module with one function of that many lines, not counting the docstring."""
    source = f"def long():\n{docstring}" + LONG_BODY * (lines - 1)
    return Module("src/playhead/x.py", source)


def test_a_long_module_is_found() -> None:
    """One line too many is found; the last line that is allowed is not."""
    assert sizes.module_findings(Module("a.py", "x = 1\n" * 400), {}, max_lines=400) == []
    (found,) = sizes.module_findings(Module("a.py", "x = 1\n" * 401), {}, max_lines=400)
    assert str(found) == "a.py:401: 401 lines; at most 400"


def test_an_exempt_module_may_be_long_but_not_short() -> None:
    """An exemption holds by path, and is found when it is not needed any more."""
    exempt = {"a.py": "a table"}
    assert sizes.module_findings(Module("a.py", "x = 1\n" * 401), exempt, max_lines=400) == []
    (found,) = sizes.module_findings(Module("a.py", "x = 1\n"), exempt, max_lines=400)
    assert "needs no exemption" in found.message


def test_a_long_function_is_found() -> None:
    """One line too many is found, in methods and in functions in functions too."""
    assert sizes.function_findings(function(50), {}) == []
    (found,) = sizes.function_findings(function(51), {})
    assert str(found) == "src/playhead/x.py:1: long() has 51 lines; at most 50"
    inner = "class A:\n    async def f(self):\n" + "        x = 1\n" * 50
    assert len(sizes.function_findings(Module("a.py", inner), {})) == 1


def test_an_exempt_function_may_be_long_but_not_short() -> None:
    """An exemption holds by path and name, and is found when it is not needed any more."""
    exempt = {"src/playhead/x.py::long": "a table"}
    assert sizes.function_findings(function(51), exempt) == []
    (found,) = sizes.function_findings(function(5), exempt)
    assert "needs no exemption" in found.message


@pytest.mark.parametrize("docstring", ['    """One."""\n', '    """One.\n\n    Two.\n    """\n'])
def test_a_docstring_does_not_count(docstring: str) -> None:
    """Nobody is made to say less by the limit."""
    node = function(7, docstring).tree.body[0]
    assert isinstance(node, ast.FunctionDef)
    assert sizes.function_lines(node) == 7


def test_modules_are_small() -> None:
    """No module of the package, and no script, is longer than the limit."""
    every = [*project.modules("src"), *project.modules("scripts")]
    assert every
    limit = sizes.MAX_MODULE_LINES
    refuse(found for item in every for found in sizes.module_findings(item, exemptions.MODULES, max_lines=limit))


def test_functions_are_small() -> None:
    """No function is longer than the limit."""
    every = [*project.modules("src"), *project.modules("scripts"), *project.modules("tests")]
    refuse(found for item in every for found in sizes.function_findings(item, exemptions.FUNCTIONS))


def test_test_files_are_small() -> None:
    """No test file is longer than the limit."""
    limit = sizes.MAX_TEST_LINES
    every = project.modules("tests")
    refuse(found for item in every for found in sizes.module_findings(item, exemptions.MODULES, max_lines=limit))


def test_exemptions_name_what_exists() -> None:
    """An exemption for a module or a function that is gone is found, and each has a reason."""
    every = [item for folder in ("src", "scripts", "tests") for item in project.modules(folder)]
    paths = {item.path for item in every}
    names = {
        f"{item.path}::{node.name}"
        for item in every
        for node in ast.walk(item.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert exemptions.MODULES.keys() <= paths
    assert exemptions.FUNCTIONS.keys() <= names
    assert all([*exemptions.MODULES.values(), *exemptions.FUNCTIONS.values()])

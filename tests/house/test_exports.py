"""The root shows at most 30 names, and packages that mix layers show none."""

import ast
import importlib
import inspect
import subprocess
import sys

import pytest

import playhead
from tests.house import project
from tests.house.checks import architecture, exports
from tests.house.checks.source import Module, exported_names
from tests.house.project import refuse

PAGE = architecture.parse(
    """
| layer | name | modules | to come |
|---|---|---|---|
| 4 | stores | `cassettes/` | |
| 2 | codecs | `cassettes/format` `cassettes/redact/` `sse/` `events/diff` | |
| 1 | values | `events/` | |
"""
)


def stub() -> Module:
    """Return what type checkers read of the root."""
    place = "src/playhead/__init__.pyi"
    return Module(place, (project.ROOT / place).read_text(encoding="utf-8"))


def root(source: str) -> Module:
    """Make a root of the package."""
    return Module("src/playhead/__init__.py", source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("from playhead.sse.parser import SSEParser", "binds public names and has no __all__"),
        ("x = 1", "binds public names and has no __all__"),
        ("def f(): ...", "binds public names and has no __all__"),
        ("__all__ = ['a', 'a']\na = 1", "__all__ names something twice"),
        ("__all__: list[str] = ['a']\nfrom x import b\na = 1", "binds 'b', which __all__ does not name"),
        (f"__all__ = {[f'n{i}' for i in range(31)]}", "exports 31 names; at most 30"),
    ],
)
def test_a_planted_export_is_found(source: str, message: str) -> None:
    """Too many names, doubled ones, and names in passing are found at the root."""
    assert [found.message for found in exports.root_findings(root(source))] == [message]


@pytest.mark.parametrize(
    "source", ['"""Doc."""', "__all__ = ('a',)\nfrom x import a\nimport y\n_b = 1", f"__all__ = {['n'] * 0}"]
)
def test_a_modest_root_is_not_found(source: str) -> None:
    """A root with nothing, and one that shows what it says, pass."""
    assert exports.root_findings(root(source)) == []


def test_a_package_with_the_name_of_a_function_is_found() -> None:
    """Importing `playhead.replay` would replace the function `replay`."""
    planted = [Module("src/playhead/replay/__init__.py", ""), Module("src/playhead/replaying/__init__.py", "")]
    (found,) = exports.clash_findings(["replay", "open"], planted)
    assert found.path == "src/playhead/replay/__init__.py"


@pytest.mark.parametrize(
    ("place", "source", "message"),
    [
        (
            "cassettes",
            "from playhead.cassettes.format import Line",
            "modules of this package lie below its __init__",
        ),
        ("cassettes", "'Doc.'\nx = 1", "modules of this package lie below its __init__"),
        ("sse", "import os", "an __init__ re-exports names of its own package"),
        (
            "sse",
            "from playhead.errors import WireError\n__all__ = ['WireError']",
            "an __init__ re-exports names of its",
        ),
        ("sse", "def f(): ...\n__all__ = ['f']", "an __init__ re-exports names of its own package"),
        ("sse", "from playhead.sse.parser import SSEParser", "'SSEParser' is either re-exported or in __all__"),
        ("sse", "__all__ = ['SSEParser']", "'SSEParser' is either re-exported or in __all__"),
    ],
)
def test_a_busy_init_is_found(place: str, source: str, message: str) -> None:
    """An `__init__` that does more than its place allows is found."""
    (found,) = exports.package_findings(Module(f"src/playhead/{place}/__init__.py", source), PAGE)
    assert found.message.startswith(message)


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("cassettes", "'Doc.'"),
        ("sse", "'Doc.'"),
        ("events", "'Doc.'\nfrom playhead.events.locus import Event\n__all__ = ['Event']"),
        ("cassettes/redact", "'Doc.'\nfrom playhead.cassettes.redact.rules import RULES\n__all__ = ['RULES']"),
        ("sse", "'Doc.'\nfrom playhead.sse.parser import SSEParser\n__all__ = ['SSEParser']"),
    ],
)
def test_a_quiet_init_is_not_found(place: str, source: str) -> None:
    """A docstring is always right, and so are re-exports where there is one layer."""
    assert exports.package_findings(Module(f"src/playhead/{place}/__init__.py", source), PAGE) == []


def test_the_root_is_modest() -> None:
    """The root shows at most 30 names, all of them in `__all__`."""
    refuse(exports.root_findings(stub()))


def test_the_root_and_its_stub_agree() -> None:
    """What type checkers are told is what is loaded: the same names, of the same modules."""
    told = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in stub().tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    homes, named_there = vars(playhead)["_HOMES"], vars(playhead)["_NAMED_THERE"]
    loaded = {name: (home, named_there.get(name, name)) for name, home in homes.items()}
    assert told == loaded
    assert sorted(told) == exported_names(stub()) == playhead.__all__


def test_the_root_loads_nothing_before_it_is_asked() -> None:
    """Whoever only starts the command does not wait for what it does not use."""
    code = "import sys, playhead; print([name for name in sys.modules if name.startswith('playhead.')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_a_name_that_the_root_does_not_have_is_an_error() -> None:
    """It is the usual one, and `dir` tells those that there are."""
    with pytest.raises(AttributeError, match="module 'playhead' has no attribute 'nothing'"):
        getattr(playhead, "nothing")  # noqa: B009 -- type checkers know that it is not there
    assert {*playhead.__all__} <= {*dir(playhead)}


def test_what_the_root_names_is_there() -> None:
    """Every name in `__all__` can be had from the package."""
    names = getattr(playhead, "__all__", [])
    assert [name for name in names if not hasattr(playhead, name)] == []


def test_no_package_bears_the_name_of_a_root_function() -> None:
    """`playhead.replay` is a function and stays one, whatever is imported."""
    names = getattr(playhead, "__all__", [])
    functions = [name for name in names if inspect.isfunction(getattr(playhead, name))]
    refuse(exports.clash_findings(functions, project.known().values()))


def test_packages_are_quiet() -> None:
    """The `__init__` of a sub-package is a docstring, or re-exports where the package lies in one layer."""
    refuse(found for item in project.known().values() for found in exports.package_findings(item, project.page()))


def test_a_bare_folder_is_found() -> None:
    """A folder without an `__init__` is a finding."""
    assert exports.bare_folders(["a", "a.b.c", "a.d"], ["a"]) == {"a.b"}


def test_every_folder_is_a_package() -> None:
    """Modules lie in packages."""
    known = project.known()
    assert not exports.bare_folders(known, (name for name, item in known.items() if item.is_package))


def test_what_a_package_names_is_there() -> None:
    """Every name in the `__all__` of a sub-package can be had from it."""
    packages = [importlib.import_module(name) for name, item in project.known().items() if item.is_package]
    missing = [
        f"{package.__name__}.{name}"
        for package in packages
        for name in getattr(package, "__all__", [])
        if not hasattr(package, name)
    ]
    assert missing == []

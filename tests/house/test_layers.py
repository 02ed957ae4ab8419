"""Imports go down, in no circle, hide nowhere, and use each library's one door."""

from collections.abc import Callable

import pytest

from tests.house import exemptions, project
from tests.house.checks import architecture, imports, io_line
from tests.house.checks.source import Finding, Module
from tests.house.project import refuse

PAGE = architecture.parse(
    """
| layer | name | modules | to come |
|---|---|---|---|
| 8 | entry | `__init__` `cli/` | |
| 5 | engines | `handlers/` | `clocks/` |
| 4 | stores | `cassettes/` | |
| 2 | codecs | `sse/` `cassettes/format` `events/diff` | |
| 1 | values | `events/` | |
| 0 | ground | `errors` `clock` | |

| library | what for | imported in |
|---|---|---|
| pydantic | events | anywhere |
| rich, typer | output | `cli/` |
"""
)


def module(place: str, source: str = "") -> Module:
    """Make a module of the package."""
    return Module(f"src/playhead/{place}.py", source)


SMALL = [module("__init__"), module("errors"), module("clock"), module("sse/__init__"), module("sse/parser")]
SMALL += [module("events/__init__"), module("events/locus"), module("handlers/console"), module("cassettes/jsonl")]
KNOWN = {item.name: item for item in SMALL}


def layers(item: Module) -> list[Finding]:
    """Check one module of the small package for imports that go up."""
    return imports.layer_findings(item, PAGE, KNOWN)


def hidden(item: Module) -> list[Finding]:
    """Check one module of the small package for imports that hide."""
    return imports.hidden_findings(item, PAGE)


def doors(item: Module) -> list[Finding]:
    """Check one module of the small package for libraries."""
    return imports.library_findings(item, PAGE)


def io(item: Module) -> list[Finding]:
    """Check one module of the small package for the I/O line."""
    return io_line.io_findings(item, PAGE)


@pytest.mark.parametrize(
    ("check", "place", "source", "message"),
    [
        (layers, "sse/parser", "import playhead.handlers.console", "layer 2 imports 'playhead.handlers.console'"),
        (layers, "events/locus", "from playhead.sse.parser import SSEParser", "layer 1 imports 'playhead.sse.parser'"),
        (layers, "events/locus", "from playhead.sse import parser", "layer 1 imports 'playhead.sse.parser' of layer 2"),
        (
            layers,
            "events/locus",
            "from playhead.sse import parser, x",
            "layer 1 imports 'playhead.sse.parser' of layer 2",
        ),
        (layers, "errors", "def f():\n    from playhead.sse import parser", "layer 0 imports 'playhead.sse.parser'"),
        (imports.root_findings, "sse/parser", "from playhead import SSEMessage", "imports the root of 'playhead'"),
        (imports.root_findings, "sse/parser", "import playhead", "imports the root of 'playhead'"),
        (imports.root_findings, "sse/parser", "from .message import SSEMessage", "relative import"),
        (hidden, "sse/parser", "def f():\n    import json", "imports 'json' in a function"),
        (hidden, "sse/parser", "class A:\n    async def f(self):\n        import json", "imports 'json' in a function"),
        (hidden, "sse/parser", "if TYPE_CHECKING:\n    import json", "imports 'json' under TYPE_CHECKING"),
        (hidden, "sse/parser", "if typing.TYPE_CHECKING:\n    import json", "imports 'json' under TYPE_CHECKING"),
        (hidden, "sse/parser", "import_module('json')", "imports 'json' in a call"),
        (hidden, "sse/parser", "importlib.import_module(name)", "imports '' in a call"),
        (hidden, "sse/parser", "__import__('json')", "imports 'json' in a call"),
        (doors, "handlers/console", "from rich.console import Console", "imports 'rich', whose door is cli/"),
        (doors, "cli/main", "import requests", "imports 'requests', which ARCHITECTURE.md does not list"),
        (io, "sse/parser", "import os", "imports 'os' below the I/O line"),
        (io, "sse/parser", "from os.path import join", "imports 'os.path' below the I/O line"),
        (io, "sse/parser", "from pathlib import PurePath, Path", "imports 'pathlib' below the I/O line"),
        (io, "sse/parser", "import urllib.parse", "imports 'urllib.parse' below the I/O line"),
        (io, "events/locus", "from uuid import uuid4", "imports 'uuid' below the I/O line"),
        (io, "events/locus", "from anyio import Event", "imports 'anyio' below the I/O line"),
        (io, "events/locus", "text = open('x').read()", "calls open() below the I/O line"),
        (io, "events/locus", "print(1)", "calls print() below the I/O line"),
        (io, "events/locus", "datetime.now(UTC)", "reads the clock with now() below the I/O line"),
        (io, "events/locus", "datetime.date.today()", "reads the clock with today() below the I/O line"),
        (io, "events/locus", "sys.stdout.write('')", "touches sys.stdout below the I/O line"),
    ],
)
def test_a_planted_import_is_found(
    check: Callable[[Module], list[Finding]], place: str, source: str, message: str
) -> None:
    """Each way to import or touch what is not allowed is found, once."""
    found = check(module(place, source))
    assert len(found) == 1
    assert found[0].message.startswith(message)


@pytest.mark.parametrize(
    ("check", "place", "source"),
    [
        (layers, "handlers/console", "from playhead.sse.parser import SSEParser\nimport playhead.errors"),
        (layers, "handlers/console", "from playhead.handlers.console import Console"),
        (imports.root_findings, "sse/parser", "from playhead.errors import WireError"),
        (hidden, "cli/main", "def f():\n    import json"),
        (hidden, "sse/parser", "try:\n    import json\nexcept ImportError:\n    pass"),
        (doors, "cli/main", "import rich\nimport typer"),
        (doors, "sse/parser", "import json\nfrom pydantic import BaseModel"),
        (io, "cassettes/jsonl", "import os\nimport sqlite3\nopen('x')"),
        (io, "clock", "import time\nimport anyio\ndatetime.now(UTC)"),
        (io, "sse/parser", "from pathlib import PurePosixPath\nfrom urllib.parse import urlsplit"),
        (io, "events/locus", "from datetime import datetime\nfrom uuid import UUID\nclock.now()"),
    ],
)
def test_what_is_allowed_is_not_found(check: Callable[[Module], list[Finding]], place: str, source: str) -> None:
    """A check that cried at everything would be switched off."""
    assert check(module(place, source)) == []


@pytest.mark.parametrize(
    "sources",
    [
        {"a": "import playhead.b", "b": "from playhead import c", "c": "from playhead.a import x"},
        {"a": "from playhead import b", "b": "def f():\n    import playhead.a"},
        # The package's __init__ runs before the module in it that is asked for.
        {"p/__init__": "from playhead.p.one import x", "p/one": "import playhead.a", "a": "import playhead.p.two",
         "p/two": ""},
        {"p/__init__": "from playhead.p.one import x", "p/one": "from playhead.p import x"},
    ],
)  # fmt: skip
def test_a_planted_circle_is_found(sources: dict[str, str]) -> None:
    """Modules that import each other are found, through packages too."""
    planted = [module(place, source) for place, source in sources.items()]
    found = imports.cycle_findings({item.name: item for item in planted})
    assert len(found) == 1
    assert found[0].message.startswith("modules import each other: playhead.")


def test_modules_of_a_package_and_its_init_make_no_circle() -> None:
    """An `__init__` that re-exports, over modules that import each other by name, is no circle."""
    sources = {"p/__init__": "from playhead.p.one import x", "p/one": "from playhead.p.two import x", "p/two": ""}
    planted = [module(place, source) for place, source in sources.items()]
    assert imports.cycle_findings({item.name: item for item in planted}) == []


def test_the_page_is_read() -> None:
    """The longest row that fits gives a module's layer."""
    places = ["__init__", "sse/parser", "events/locus", "events/diff", "cassettes/jsonl", "clocks/virtual", "errors"]
    assert [PAGE.layer(place) for place in places] == [8, 2, 1, 2, 4, 5, 0]
    assert PAGE.layer("cassettes/format/line") == 2
    assert PAGE.layer("cassettes/formatting") == 4
    assert PAGE.layer("nowhere") is None
    assert PAGE.doors == {"pydantic": None, "rich": ("cli/",), "typer": ("cli/",)}


def test_a_page_that_disagrees_with_the_code_is_found() -> None:
    """A module without a layer, a row without a module, and a plan that has come true are found."""
    places = ["nowhere", "cli/main", "handlers/console", "cassettes/jsonl", "cassettes/format", "sse/parser"]
    places += ["events/diff", "events/locus", "clock", "clocks/virtual", "__init__"]
    found = architecture.page_findings(PAGE, [module(place) for place in places])
    assert [finding.message for finding in found] == [
        "ARCHITECTURE.md does not say in which layer 'nowhere' lies",
        "'clocks/' exists; it belongs in the column 'modules'",
        "'errors' does not exist; it belongs in the column 'to come'",
    ]


def test_a_page_without_a_table_is_refused() -> None:
    """A page whose table was renamed does not pass as one with no rules."""
    with pytest.raises(ValueError, match="no table"):
        architecture.parse("| level | modules |\n|---|---|\n| 1 | `errors` |\n")


def test_the_page_and_the_code_agree() -> None:
    """Every module has a layer, and every row of ARCHITECTURE.md has modules."""
    refuse(architecture.page_findings(project.page(), list(project.known().values())))


def test_imports_go_down() -> None:
    """No module of the package imports from a layer above, or from the root, or relatively."""
    every = project.known()
    refuse(found for item in every.values() for found in imports.layer_findings(item, project.page(), every))
    refuse(found for item in every.values() for found in imports.root_findings(item))


def test_there_is_no_circle() -> None:
    """The modules of the package can be put in an order in which each needs only those before it."""
    refuse(imports.cycle_findings(project.known()))


def test_no_import_hides() -> None:
    """The import graph can be read off the tops of the modules."""
    every = [found for item in project.known().values() for found in imports.hidden_findings(item, project.page())]
    refuse(found for found in every if found.path not in exemptions.HIDDEN_IMPORTS)
    assert exemptions.HIDDEN_IMPORTS.keys() <= {found.path for found in every}


def test_libraries_use_their_door() -> None:
    """Each library is imported in the one place that ARCHITECTURE.md gives it."""
    refuse(found for item in project.known().values() for found in imports.library_findings(item, project.page()))


def test_nothing_below_the_io_line_touches_the_world() -> None:
    """Values in, values out."""
    refuse(found for item in project.known().values() for found in io_line.io_findings(item, project.page()))

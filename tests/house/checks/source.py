"""What a check is given, and what it answers.

Knows modules as texts with a name. Does not read files: `tests/house/project.py` does.
"""

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

PACKAGE = "playhead"
SOURCES = "src/"


@dataclass(frozen=True)
class Finding:
    """Say where a rule is broken, and how."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Module:
    """Hold the source of one Python file. `path` is relative to the project's folder, with forward slashes."""

    path: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        """Return the parsed source."""
        return ast.parse(self.source, self.path)

    @property
    def is_package(self) -> bool:
        """Tell whether this is the `__init__` of a package."""
        return PurePosixPath(self.path).name == "__init__.py"

    @property
    def name(self) -> str:
        """Return the name by which it is imported."""
        parts = PurePosixPath(self.path.removeprefix(SOURCES)).with_suffix("").parts
        return ".".join(parts[:-1] if self.is_package else parts)

    @property
    def place(self) -> str:
        """Return its path inside the package, without the suffix: `sse/parser`, `events/__init__`, `__init__`."""
        return self.path.removeprefix(f"{SOURCES}{PACKAGE}/").removesuffix(".py")

    def finding(self, node: ast.AST | int, message: str) -> Finding:
        """Return a finding at a node, or at a line."""
        return Finding(self.path, node if isinstance(node, int) else getattr(node, "lineno", 1), message)


def is_public(name: str) -> bool:
    """Tell whether a name is meant for others."""
    return not name.startswith("_")


def exported_names(module: Module) -> list[str] | None:
    """Return the strings of `__all__`, or None where there is none."""
    for node in module.tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=items) | ast.Tuple(elts=items))
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.List(elts=items) | ast.Tuple(elts=items))
            ):
                return [str(item.value) for item in items if isinstance(item, ast.Constant)]
    return None

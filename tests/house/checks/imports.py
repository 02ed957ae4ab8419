"""Rules about imports: one-way layers, no cycles, nothing hidden, and one door for each library."""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from tests.house.checks.architecture import ENTRY_LAYER, Architecture, covers
from tests.house.checks.source import PACKAGE, Finding, Module


@dataclass(frozen=True)
class Import:
    """Hold one imported module. `names` are those taken from it; `hidden` says where it hides, or is empty."""

    target: str
    names: tuple[str, ...]
    line: int
    hidden: str


def imports(module: Module) -> list[Import]:
    """Return every import of a module, wherever it stands, and whatever `import_module` is given as a literal."""
    return list(_imports(module.tree, ""))


def _imports(node: ast.AST, hidden: str) -> Iterator[Import]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield Import(alias.name, (), node.lineno, hidden)
        case ast.ImportFrom(module=target, names=names, level=level):
            yield Import("." * level + (target or ""), tuple(alias.name for alias in names), node.lineno, hidden)
        case ast.Call(func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module")):
            match node.args:
                case [ast.Constant(value=str(target)), *_]:
                    yield Import(target, (), node.lineno, "in a call")
                case _:
                    yield Import("", (), node.lineno, "in a call")
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            hidden = "in a function"
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            hidden = "under TYPE_CHECKING"
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, hidden)


def own_targets(item: Import, known: Mapping[str, Module]) -> list[str]:
    """Return the modules of the package that an import reaches: `from a import b` reaches `a.b` where that is one."""
    if item.target.split(".")[0] != PACKAGE:
        return []
    submodules = [f"{item.target}.{name}" for name in item.names if f"{item.target}.{name}" in known]
    return submodules if item.names and len(submodules) == len(item.names) else [*submodules, item.target]


def layer_findings(module: Module, architecture: Architecture, known: Mapping[str, Module]) -> list[Finding]:
    """Find imports that go up."""
    layer = architecture.layer(module.place)
    if layer is None:
        return []
    found = []
    for item in imports(module):
        for target in own_targets(item, known):
            above = architecture.layer(known[target].place) if target in known and target != PACKAGE else None
            if above is not None and above > layer:
                message = f"layer {layer} imports {target!r} of layer {above}; a module imports from its own or below"
                found.append(module.finding(item.line, message))
                break
    return found


def root_findings(module: Module) -> list[Finding]:
    """Find imports of the package's root, and relative ones."""
    found = []
    for item in imports(module):
        if item.target == PACKAGE:
            message = f"imports the root of {PACKAGE!r}; import from the module that defines the name"
            found.append(module.finding(item.line, message))
        if item.target.startswith("."):
            found.append(module.finding(item.line, "relative import; write the absolute name"))
    return found


def hidden_findings(module: Module, architecture: Architecture) -> list[Finding]:
    """Find imports that are not at the top of the module. The entry layer may have them: it must start fast."""
    if architecture.layer(module.place) == ENTRY_LAYER:
        return []
    return [
        module.finding(item.line, f"imports {item.target!r} {item.hidden}; a hidden import is a hidden cycle")
        for item in imports(module)
        if item.hidden
    ]


def library_findings(module: Module, architecture: Architecture) -> list[Finding]:
    """Find imports of a library where it has no door, and of one that nobody declared."""
    found = []
    for item in imports(module):
        library = item.target.split(".")[0]
        if library in ("", PACKAGE) or library in sys.stdlib_module_names:
            continue
        if library not in architecture.doors:
            found.append(module.finding(item.line, f"imports {library!r}, which ARCHITECTURE.md does not list"))
            continue
        doors = architecture.doors[library]
        if doors is not None and not any(covers(door, module.place) for door in doors):
            found.append(module.finding(item.line, f"imports {library!r}, whose door is {' or '.join(doors)}"))
    return found


def cycle_findings(known: Mapping[str, Module]) -> list[Finding]:
    """Find a ring of modules that import each other, if there is one.

    Importing a module first runs the `__init__` of every package around it, so that counts too, but for the packages
    that the importing module lies in itself.
    """
    graph = {name: _reached(module, known) for name, module in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring: list[str] = list(reversed(error.args[1]))
        return [known[ring[0]].finding(1, "modules import each other: " + " -> ".join(ring))]
    return []


def _reached(module: Module, known: Mapping[str, Module]) -> set[str]:
    reached = set()
    for item in imports(module):
        for target in own_targets(item, known):
            parts = target.split(".")
            around = {".".join(parts[:size]) for size in range(2, len(parts))}
            reached |= {name for name in around if not f"{module.name}.".startswith(f"{name}.")} | {target}
    return {name for name in reached if name in known and name != PACKAGE and name != module.name}

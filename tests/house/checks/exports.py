"""Rules about what packages show: few names at the root, and nothing but a docstring where layers mix."""

import ast
from collections.abc import Iterable

from tests.house.checks.architecture import Architecture
from tests.house.checks.source import PACKAGE, Finding, Module, exported_names, is_public

MAX_ROOT_NAMES = 30


def root_findings(module: Module) -> list[Finding]:
    """Find a root that shows too much, twice, or not what it says."""
    names = exported_names(module)
    bound = bound_names(module)
    if names is None:
        return [module.finding(1, "binds public names and has no __all__")] if bound else []
    found = []
    if len(names) > MAX_ROOT_NAMES:
        found.append(module.finding(1, f"exports {len(names)} names; at most {MAX_ROOT_NAMES}"))
    if len(set(names)) != len(names):
        found.append(module.finding(1, "__all__ names something twice"))
    found += [module.finding(1, f"binds {name!r}, which __all__ does not name") for name in sorted(bound - set(names))]
    return found


def bound_names(module: Module) -> set[str]:
    """Return the public names that the top level of a module binds, submodules that it imports excepted."""
    names: set[str] = set()
    for node in module.tree.body:
        match node:
            case ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name for alias in aliases}
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return {name for name in names if is_public(name)}


def clash_findings(functions: Iterable[str], modules: Iterable[Module]) -> list[Finding]:
    """Find modules that bear the name of a function of the root: importing one would replace the other."""
    taken = {f"{PACKAGE}.{name}" for name in functions}
    return [
        module.finding(1, f"{module.name!r} is also the name of a function of the root")
        for module in modules
        if module.name in taken
    ]


def package_findings(module: Module, architecture: Architecture) -> list[Finding]:
    """Find an `__init__` of a sub-package that does more than its place allows."""
    if not module.is_package or module.name == PACKAGE:
        return []
    rest = [node for node in module.tree.body if not _is_docstring(node)]
    if not architecture.may_reexport(module.place):
        message = "modules of this package lie below its __init__: nothing but a docstring may be here"
        return [module.finding(node, message) for node in rest]
    found = [
        module.finding(node, "an __init__ re-exports names of its own package, and nothing else")
        for node in rest
        if not _is_reexport(node, module.name)
    ]
    exported = exported_names(module) or []
    extra = sorted(bound_names(module).symmetric_difference(exported))
    return found + [module.finding(1, f"{name!r} is either re-exported or in __all__, but not both") for name in extra]


def bare_folders(names: Iterable[str], packages: Iterable[str]) -> set[str]:
    """Find folders of modules without an `__init__`: type checkers do not see what is in them."""
    return {name.rpartition(".")[0] for name in names} - set(packages) - {""}


def _is_docstring(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


def _is_reexport(node: ast.stmt, package: str) -> bool:
    match node:
        case ast.ImportFrom(module=str(target)):
            return target.startswith(f"{package}.")
        case ast.Assign(targets=[ast.Name(id="__all__")]) | ast.AnnAssign(target=ast.Name(id="__all__")):
            return True
    return False

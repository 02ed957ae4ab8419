"""Rules about size: what cannot be read in one sitting is not read."""

import ast
from collections.abc import Mapping

from tests.house.checks.source import Finding, Module

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_TEST_LINES = 599


def module_findings(module: Module, exempt: Mapping[str, str], *, max_lines: int) -> list[Finding]:
    """Find a module with too many lines, and an exemption that is not needed."""
    lines = len(module.source.splitlines())
    if lines > max_lines and module.path not in exempt:
        return [module.finding(lines, f"{lines} lines; at most {max_lines}")]
    if lines <= max_lines and module.path in exempt:
        return [module.finding(1, f"{lines} lines: it needs no exemption any more")]
    return []


def function_findings(module: Module, exempt: Mapping[str, str]) -> list[Finding]:
    """Find functions with too many lines, docstrings not counted, and exemptions that are not needed."""
    found = []
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        key = f"{module.path}::{node.name}"
        lines = function_lines(node)
        if lines > MAX_FUNCTION_LINES and key not in exempt:
            found.append(module.finding(node, f"{node.name}() has {lines} lines; at most {MAX_FUNCTION_LINES}"))
        if lines <= MAX_FUNCTION_LINES and key in exempt:
            found.append(module.finding(node, f"{node.name}() has {lines} lines: it needs no exemption any more"))
    return found


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function has, from `def` on, without its docstring."""
    match node.body:
        case [ast.Expr(value=ast.Constant(value=str())) as docstring, *_]:
            documented = (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
        case _:
            documented = 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - documented

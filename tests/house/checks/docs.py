"""Rules about docstrings and links."""

import ast
import re
from collections.abc import Callable, Iterator

from tests.house.checks.source import Finding, Module, is_public

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# Statements of fact where an order should stand: "Returns the ..." for "Return the ...".
THIRD_PERSON = re.compile(r"(?!(?:Focus|Bias|Alias)\b)[A-Z][a-z]*[^s\W]s\b")
NOT_OWN = ("overload", "setter", "deleter", "override")
NOT_ORDERS = ("property", "cached_property")
UNDOCUMENTED = ("logger",)
TYPE_MAKERS = ("TypeVar", "ParamSpec", "TypeVarTuple", "NewType")


def docstring_findings(module: Module) -> list[Finding]:
    """Find public names without a docstring, and docstrings that do not begin with one whole, imperative sentence."""
    found = _sentence_findings(module, module.tree, ast.get_docstring(module.tree), "the module", order=False)
    for node, name in _definitions(module.tree.body, ""):
        order = not isinstance(node, ast.ClassDef) and not _decorated(node, NOT_ORDERS)
        found += _sentence_findings(module, node, ast.get_docstring(node), repr(name), order=order)
    return found


def constant_findings(module: Module) -> list[Finding]:
    """Find public constants without a docstring after them. One may speak for those that stand right above it."""
    found = []
    for node, name, text in _constants(module.tree.body):
        found += _sentence_findings(module, node, text, repr(name), order=False)
    return found


def sentence_findings_of_tests(module: Module) -> list[Finding]:
    """Find tests without a docstring, or with one that is not a sentence."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            found += _sentence_findings(module, node, ast.get_docstring(node), repr(node.name), order=False)
    return found


def _sentence_findings(module: Module, node: ast.AST, text: str | None, what: str, *, order: bool) -> list[Finding]:
    if not text or not text.strip():
        return [module.finding(node, f"{what} has no docstring")]
    first = text.strip().split("\n\n")[0]
    if not first.endswith((".", ":", "?", "!")):
        return [module.finding(node, f"the docstring of {what} does not begin with a whole sentence")]
    if order and THIRD_PERSON.match(first):
        return [module.finding(node, f"the docstring of {what} is not an order: it begins {first.split()[0]!r}")]
    return []


def _definitions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[Definition, str]]:
    for node in body:
        if isinstance(node, Definition) and is_public(node.name) and not _decorated(node, NOT_OWN):
            yield node, prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from _definitions(node.body, f"{prefix}{node.name}.")


def _decorated(node: Definition, names: tuple[str, ...]) -> bool:
    for decorator in node.decorator_list:
        match decorator:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in names:
                return True
    return False


def _constants(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str, str | None]]:
    text: str | None = None
    for node in reversed(body):
        match node:
            case ast.Expr(value=ast.Constant(value=str(string))):
                text = string
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=value)
            ):
                if is_public(name) and name not in UNDOCUMENTED and not _makes_type_variable(value):
                    yield node, name, text
            case _:
                text = None


def _makes_type_variable(value: ast.expr | None) -> bool:
    match value:
        case ast.Call(func=ast.Name(id=maker)):
            return maker in TYPE_MAKERS
    return False


def link_findings(path: str, text: str, *, headings: Callable[[str], set[str] | None]) -> list[Finding]:
    """Find links of a page that lead nowhere.

    `headings` takes a target relative to the page ("" is the page itself) and returns the anchors that it has: an empty
    set for a file that is not Markdown, None where there is no such file. Addresses on the network are not looked at.
    """
    found = []
    for number, line in enumerate(_without_code(text).splitlines(), 1):
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            anchors = headings(file)
            if anchors is None:
                found.append(Finding(path, number, f"the link to {file!r} leads nowhere"))
            elif anchor and anchor not in anchors:
                found.append(Finding(path, number, f"{file or path!r} has no heading for {anchor!r}"))
    return found


def anchors(text: str) -> set[str]:
    """Return the anchors that a page's headings have on the usual hosts."""
    titles = re.findall(r"^#+\s+(.+?)\s*$", _without_code(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)

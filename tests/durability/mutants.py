"""Mutants of the readers: one check removed in each, and whether the tests notice.

    python -m tests.durability.mutants [--every N]

Each mutant is a copy of the package in a folder of its own, in which one condition never holds, or one part of a
condition is gone. The tests of cassettes run on it until one fails: then it is killed. Takes some seconds a mutant.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
MODULES: Final = ("reading", "jsonl", "sqlite", "damage", "packed", "compressing")
"""What of `playhead.cassettes` reads."""

TESTS: Final = {
    "reading": ("test_reading.py",),
    "damage": ("test_damage.py", "test_reading.py"),
    "jsonl": ("test_jsonl.py", "test_store.py", "test_reading.py", "../durability/test_disks.py"),
    "sqlite": ("test_sqlite.py", "test_store.py"),
    "packed": ("test_packed.py", "test_compressing.py"),
    "compressing": ("test_compressing.py", "../hostile/test_bombs.py", "test_packed.py"),
}
"""Which tests of `tests/cassettes` are tried on a module, the likeliest first; the tests of damage come after them."""

_TIMEOUT_S: Final = 300


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one check less: where it was, what was done there, and the whole new text."""

    module: str
    line: int
    change: str
    text: str


class _Remove(ast.NodeTransformer):
    """Remove the check with one number, counted in the order in which they are met. Writers are passed over."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._met = 0
        self.line = 0
        self.change = ""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node if node.name.endswith(("Sink", "Store")) else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        if self._is_wanted(node, f"never: if {ast.unparse(node.test)}"):
            node.test = ast.copy_location(ast.Constant(value=False), node.test)
            return node
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        for at, part in enumerate(node.values):
            if self._is_wanted(node, f"without: {ast.unparse(part)}"):
                rest = node.values[:at] + node.values[at + 1 :]
                return rest[0] if len(rest) == 1 else ast.copy_location(ast.BoolOp(node.op, rest), node)
        return self.generic_visit(node)

    def _is_wanted(self, node: ast.If | ast.BoolOp, change: str) -> bool:
        self._met += 1
        if self._met != self._wanted:
            return False
        self.line, self.change = node.lineno, change
        return True


def mutants(module: str) -> Iterator[Mutant]:
    """Yield each mutant of a module."""
    source = (ROOT / f"src/playhead/cassettes/{module}.py").read_text("utf-8")
    wanted = 0
    while True:
        wanted += 1
        remove = _Remove(wanted)
        tree = ast.fix_missing_locations(remove.visit(ast.parse(source)))
        if not remove.change:
            return
        yield Mutant(module, remove.line, remove.change, ast.unparse(tree))


def is_killed(mutant: Mutant) -> bool:
    """Run the tests on a mutant. True where one fails, or where they do not end."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "src", Path(folder, "src"))
        Path(folder, f"src/playhead/cassettes/{mutant.module}.py").write_text(mutant.text, "utf-8")
        tests = [f"tests/cassettes/{name}" for name in TESTS[mutant.module]]
        tests += [
            "tests/cassettes/test_convert.py",
            "tests/cassettes/test_places.py",
            "tests/durability/test_bytes.py",
            "tests/durability/test_bounds.py",
        ]
        command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        environment = {**os.environ, "PYTHONPATH": f"{folder}/src"}
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, timeout=_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return True
    # 2 is a module that cannot even be imported.
    if done.returncode not in (0, 1, 2):
        raise RuntimeError(f"pytest ended with {done.returncode}: {done.stdout.decode()[-2000:]}")
    return done.returncode != 0


def main() -> int:
    """Try every mutant, or every N-th; print the survivors and how many were killed."""
    parser = argparse.ArgumentParser(description="Remove each check of the readers and see whether a test notices.")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="Only every N-th mutant.")
    every = parser.parse_args().every
    tried = [mutant for module in MODULES for mutant in mutants(module)][::every]
    for module in MODULES:
        if is_killed(Mutant(module, 0, "", (ROOT / f"src/playhead/cassettes/{module}.py").read_text("utf-8"))):
            raise RuntimeError(f"the tests fail on {module}.py as it is: they say nothing of mutants")
    survivors = 0
    for mutant in tried:
        if not is_killed(mutant):
            survivors += 1
            sys.stdout.write(f"| `{mutant.module}.py:{mutant.line}` | `{mutant.change}` | |\n")
            sys.stdout.flush()
    killed = len(tried) - survivors
    sys.stdout.write(f"{killed} of {len(tried)} mutants killed ({killed / len(tried):.1%})\n")
    return 0 if killed >= 0.95 * len(tried) else 1


if __name__ == "__main__":
    sys.exit(main())

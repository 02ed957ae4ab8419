"""docs/durability.md: every promise has a test that there is, and the faults in its table fired and were survived."""

import ast
import re
from pathlib import Path
from typing import Final

from tests.durability.faults import BEGIN, END, FaultLog, faults_of
from tests.durability.mutants import Mutant, is_killed, mutants

NAMED: Final = re.compile(r"`(test_\w+)`")


def names_of_tests(root: Path) -> set[str]:
    """Return the names of all tests and test modules that the page may speak of."""
    found = set()
    for path in [*(root / "tests/durability").glob("test_*.py"), *(root / "tests/cassettes").glob("test_*.py")]:
        found |= {path.stem, *re.findall(r"^(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)}
    return found


def test_every_promise_has_tests(root: Path) -> None:
    """D1 to D10 are there, each with a test for files and one for SQLite that exist."""
    page = (root / "docs/durability.md").read_text("utf-8")
    rows = [line.split("|") for line in page.splitlines() if re.match(r"\| D\d+ \|", line)]
    assert [row[1].strip() for row in rows] == [f"D{number}" for number in range(1, 11)]
    for row in rows:
        assert {*NAMED.findall(row[3]), *NAMED.findall(row[4])} <= names_of_tests(root), row
        assert NAMED.search(row[3]), row
        assert NAMED.search(row[4]), row


def test_every_fault_of_the_page_was_survived(root: Path) -> None:
    """No row says that a fault never fired, or that it was not survived."""
    rows = faults_of((root / "docs/durability.md").read_text("utf-8"))
    assert len(rows) > 15
    for fault, fired, survived in rows:
        assert fired == survived != "0", fault


def test_the_log_becomes_the_table(tmp_path: Path) -> None:
    """What was counted stands there, and the text around it stays."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n", "utf-8")
    log = FaultLog()
    log.add("a fault", "test_it", fired=1200)
    log.add("a fault", "test_it", survived=0)
    log.write(page)
    text = page.read_text("utf-8")
    assert faults_of(text) == [("a fault", "1,201", "1,200")]
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text


def test_each_check_is_removed_once() -> None:
    """No two mutants are the same, and none is the module as it is."""
    source = (Path(__file__).parents[2] / "src/playhead/cassettes/damage.py").read_text("utf-8")
    found = [each.text for each in mutants("damage")]
    assert len({*found, ast.unparse(ast.parse(source))}) == len(found) + 1 > 10


def test_a_removed_check_is_noticed() -> None:
    """A sample: the tests fail without one check of the reader, and pass on the reader as it is."""
    sample = next(each for each in mutants("damage") if "seal.entries" in each.change)
    assert is_killed(sample)
    source = Path(__file__).parents[2] / "src/playhead/cassettes/damage.py"
    assert not is_killed(Mutant("damage", 0, "", source.read_text("utf-8")))

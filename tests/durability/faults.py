"""The fault log: which faults were tried, and how often each really fired."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

BEGIN: Final = "<!-- faults: written by tests/durability -->"
"""What stands above the table in the page."""

END: Final = "<!-- end of faults -->"
"""What stands below it."""

_TABLE = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)


class FaultLog:
    """Count faults. A fault is counted when it was seen to fire, and survived when what is left was right."""

    def __init__(self) -> None:
        self.fired: Counter[tuple[str, str]] = Counter()
        self.survived: Counter[tuple[str, str]] = Counter()

    def add(self, fault: str, test: str, *, fired: int = 1, survived: int | None = None) -> None:
        """Count a fault that fired, and was survived, unless another count is given."""
        self.fired[fault, test] += fired
        self.survived[fault, test] += fired if survived is None else survived

    def table(self) -> str:
        """Return the table of the page, the marks around it included."""
        rows = [
            f"| {fault} | {count:,} | {self.survived[fault, test]:,} | `pytest tests/durability -k {test}` |"
            for (fault, test), count in sorted(self.fired.items())
        ]
        head = ["| fault | fired | survived | how to run it |", "|---|---:|---:|---|"]
        return "\n".join([BEGIN, "", *head, *rows, "", END])

    def write(self, page: Path) -> None:
        """Put the table into a page, in the place of the one that is there."""
        text = page.read_text()
        page.write_text(_TABLE.sub(lambda _: self.table(), text))


def faults_of(page: str) -> list[tuple[str, str, str]]:
    """Return the rows of the table in a page: fault, how often it fired, survived."""
    found = _TABLE.search(page)
    lines: Iterable[str] = found[0].splitlines() if found else ()
    cells = [line.strip("|").split("|") for line in lines if line.startswith("| ")]
    return [(fault.strip(), fired.strip(), survived.strip()) for fault, fired, survived, *_ in cells[1:]]

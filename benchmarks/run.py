"""Measure Playhead against hand-written floors and against its neighbours: `python benchmarks/run.py`.

Prints a table, and with `--json FILE` writes the figures. A promise that is not kept makes the exit code 1. What is not
installed is left out, and said.
"""

import argparse
import json
import platform
import sys
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from cases import CASES
from measure import Figure, measure
from rich.console import Console
from rich.table import Table


def main() -> int:
    """Run the cases that were asked for, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(CASES)}; all by default")
    parser.add_argument("--rounds", type=int, default=9, help="rounds that count, after one to warm up")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    unknown = set(options.cases) - CASES.keys()
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    figures: list[Figure] = []
    console = Console()
    for name in options.cases or CASES:
        with tempfile.TemporaryDirectory() as folder, console.status(name):
            for case in CASES[name](Path(folder)):
                figures += measure(case, rounds=options.rounds)
    console.print(_table(figures))
    if options.json:
        options.json.write_text(json.dumps({"machine": _machine(), "figures": [asdict(f) for f in figures]}, indent=1))
    return int(any(figure.kept is False for figure in figures))


def _table(figures: list[Figure]) -> Table:
    table = Table("case", "subject", "µs each", "ratio", "promised", "", title="Medians of interleaved rounds")
    for before, figure in zip([None, *figures], figures, strict=False):
        first = before is None or before.case != figure.case
        if first and before is not None:
            table.add_section()
        kept = {None: "", True: "kept", False: "[bold red]BROKEN[/]"}[figure.kept]
        name = figure.case if first else ""
        table.add_row(name, figure.subject, f"{figure.microseconds:.2f}", f"{figure.ratio:.2f}", figure.goal, kept)
    return table


def _machine() -> dict[str, str]:
    packages = ("playhead", "pydantic", "locus-sdk", "httpx-sse", "vcrpy", "langgraph-checkpoint-sqlite")
    known = {"python": platform.python_version(), "machine": platform.machine()}
    return known | {name: version(name) for name in packages}


if __name__ == "__main__":
    sys.exit(main())

"""Every rule is broken by mutations of real recordings, and no other rule speaks of them.

docs/rules-measured.md has the figures; `PLAYHEAD_UPDATE_DOCS=1 pytest tests/contracts` writes it anew.
"""

import os
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from playhead.contracts.check import check
from playhead.contracts.rule import Severity
from playhead.contracts.rules import RULES
from playhead.contracts.violation import Violation
from tests.contracts.mutants import MUTATIONS, Mutation, Recording, cut, recordings, swapped, twice, without

ROOT = Path(__file__).parents[2]
KINDS = ("drop", "duplicate", "swap", "truncate", "rename", "interleave", "field")
# Rules of the wire whose breaking needs what our handler cannot send, of one provider, or of no bytes at all. Their
# examples and tests/contracts/test_{wire,providers}.py break them.
ELSEWHERE = {"ORD005", "WIR014", "WIR015", "WIR016", "WIR017", "WIR018", "WIR022"}


@cache
def originals() -> list[Recording]:
    """Return the recordings, read once."""
    return recordings(ROOT)


def findings(run: Recording, *, on_wire: bool = False) -> list[Violation]:
    """Return what a recording breaks, but for what its original has already: a clock that goes back."""
    if on_wire:
        return list(check(run.wire, dialect=run.dialect, end=None))
    return list(check(run.events, dialect=run.dialect, end=run.end, limits=run.limits))


def codes(run: Recording, code: str, *, on_wire: bool = False) -> set[str]:
    """Return the codes that a mutant breaks: errors, and the warning that it was made for."""
    found = {each.code for each in findings(run, on_wire=on_wire)}
    return {each for each in found if RULES[each].severity is not Severity.WARNING or each == code}


@cache
def measured() -> dict[Mutation, Counter[str]]:
    """Return, for each mutation, how many mutants there are, were found, and were found by nothing else."""
    figures: dict[Mutation, Counter[str]] = {}
    for mutation in MUTATIONS:
        counts = figures[mutation] = Counter()
        for run in originals():
            if mutation.on_wire and codes(run, "", on_wire=True):
                continue
            for mutant in mutation.mutate(run):
                found = codes(mutant, mutation.code, on_wire=mutation.on_wire)
                counts["mutants"] += 1
                counts["found"] += mutation.code in found
                counts["alone"] += found == {mutation.code}
    return figures


def test_the_originals_are_clean() -> None:
    """No error is found in any recording, ended as it really ended."""
    assert len(originals()) >= 7
    assert {run.name: codes(run, "") for run in originals() if codes(run, "")} == {}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: f"{each.code}-{each.kind}")
def test_a_mutation_breaks_its_rule_and_no_other(mutation: Mutation) -> None:
    """Every mutant of every recording."""
    seen = 0
    for run in originals():
        if mutation.on_wire and codes(run, "", on_wire=True):
            continue
        for mutant in mutation.mutate(run):
            seen += 1
            found = codes(mutant, mutation.code, on_wire=mutation.on_wire)
            assert found == {mutation.code}, (
                run.name,
                [str(each) for each in findings(mutant, on_wire=mutation.on_wire)],
            )
    assert seen


def test_every_rule_has_a_mutation() -> None:
    """But for those that other tests break."""
    assert {mutation.code for mutation in MUTATIONS} | ELSEWHERE == set(RULES)


def blind() -> dict[str, Counter[str]]:
    """Return what becomes of every single drop, doubling, swap and cut of every complete recording."""
    ways = {"drop": without, "duplicate": twice, "swap": swapped, "truncate": cut}
    figures: dict[str, Counter[str]] = defaultdict(Counter)
    for run in originals():
        for kind, way in ways.items():
            for index in range(len(run.events) - (kind == "swap")):
                told = bool(run.touches(index)) or (kind == "swap" and bool(run.touches(index + 1)))
                found = codes(run.having(way(run.events, index)), "")
                figures[kind]["all"] += 1
                figures[kind]["found"] += bool(found)
                figures[kind]["telling"] += told
                figures[kind]["telling found"] += told and bool(found)
    return figures


def page() -> str:
    """Return what the page should say."""
    cells: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for mutation, counts in measured().items():
        cells[mutation.code, mutation.kind].update(counts)
    rows = []
    for code in RULES:
        if any((code, kind) in cells for kind in KINDS):
            total = sum((cells[code, kind] for kind in KINDS if (code, kind) in cells), Counter[str]())
            told = [_cell(cells[code, kind]) if (code, kind) in cells else "" for kind in KINDS]
            recall, precision = _percent(total["found"], total["mutants"]), _percent(total["alone"], total["found"])
            rows.append(f"| {code} | {' | '.join(told)} | {recall} | {precision} |")
    lines = [
        f"| {kind} | {c['all']} | {_percent(c['found'], c['all'])} | {_percent(c['telling found'], c['telling'])} |"
        for kind, c in blind().items()
    ]
    return HEAD.format(count=len(originals()), rows="\n".join(rows), blind="\n".join(lines))


def _cell(counts: Counter[str]) -> str:
    return f"{counts['found']}/{counts['mutants']}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else ""


HEAD = """\
# Rules, measured

Mutations of {count} recordings of real runs (locus 0.2 and 3.0, shipit 1.0 and 2.2), made to break one rule each: what
was found of how many, by the kind of mutation. Recall is the share that its rule found; precision is the share of those
of which no other rule spoke. Rules of the wire are tried on what our handler sends of the same runs.
`tests/contracts/test_mutants.py` makes this page.

| rule | drop | duplicate | swap | truncate | rename | interleave | field | recall | precision |
|---|---|---|---|---|---|---|---|---|---|
{rows}

Blind mutations: every single event of every recording dropped or doubled, swapped with the next one, and every cut.
Many change nothing that any rule could know: a piece of text lost, two events swapped that do not depend on each other,
a run cut that was cancelled. The last column has only events that do something to a span.

| kind | mutants | found | found, of telling events |
|---|---|---|---|
{blind}
"""


def test_the_page_is_up_to_date(shared_data: Path) -> None:
    """It needs the recordings beside the checkout."""
    assert shared_data.is_dir()
    path = ROOT / "docs/rules-measured.md"
    if os.environ.get("PLAYHEAD_UPDATE_DOCS"):
        path.write_text(page(), encoding="utf-8")
    if f"Mutations of {len(originals())} recordings" not in path.read_text(encoding="utf-8"):
        pytest.skip("there are other recordings beside the checkout than those that the page was made of")
    assert path.read_text(encoding="utf-8") == page(), "write it anew: PLAYHEAD_UPDATE_DOCS=1 pytest tests/contracts"

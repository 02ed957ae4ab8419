"""Runs with one fault break the rule that is named, and no other."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import find, given

from playhead.contracts.check import check
from playhead.errors import UsageError
from playhead.events.locus import LOCUS
from playhead.strategies import FaultyRun, faulty_runs
from playhead.strategies.faults import FAULTS, Book, Fault
from tests.strategies.dialects import DIALECTS, FEW, FIND, kinds


def _codes(run: FaultyRun, dialect: str) -> set[str]:
    return {violation.code for violation in check(run.events, dialect=dialect, end=run.end)}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_just_the_labelled_rule_speaks(dialect: str) -> None:
    """Whatever the fault, one rule is broken, and the label says which."""

    @FEW
    @given(faulty_runs(dialect))
    def holds(run: FaultyRun) -> None:
        assert _codes(run, dialect) == {run.code}, run.fault

    holds()


_ALL = [
    *((fault, "locus") for fault in FAULTS if fault.code not in {"ORD003", "ORD005", "ORD009", "WIR009", "WIR017"}),
    *((fault, "openai.responses") for fault in FAULTS if fault.code in {"ORD003", "ORD009", "WIR009", "WIR017"}),
    *((fault, "anthropic.messages") for fault in FAULTS if fault.code == "ORD005"),
]


@pytest.mark.parametrize(("fault", "dialect"), _ALL, ids=lambda each: getattr(each, "name", each))
def test_each_fault_comes_up(fault: Fault, dialect: str) -> None:
    """No fault of the table is there in vain, and each can be asked for by its code."""
    found = find(faulty_runs(dialect, codes=[fault.code]), lambda run: run.fault == fault.name, settings=FIND)
    assert found.code == fault.code
    assert _codes(found, dialect) == {fault.code}
    # Responses say everything several times: a call of a tool alone takes seven events, and shrinking may leave two.
    assert len(found.events) <= (24 if dialect == "openai.responses" else 6)


def test_every_fault_is_asked_for_above() -> None:
    """The list of the test above has all faults in it."""
    assert {fault.name for fault, _ in _ALL} == {fault.name for fault in FAULTS}


def test_the_smallest_fault() -> None:
    """A tool that is never closed takes two events to show."""
    found = find(faulty_runs("locus", codes=["TRM004"]), lambda run: True, settings=FIND)
    assert (found.fault, found.index, found.end) == ("never closed", 1, None)
    assert kinds(found.events) in (["tool_start", "terminate"], ["specialist_start", "terminate"])


def test_a_wrong_label_would_be_found_out() -> None:
    """The property can fail: a change that breaks another rule than its label says is told."""
    rows: list[dict[str, Any]] = [
        {"event_type": "think", "iteration": 1},
        {"event_type": "terminate", "reason": "complete"},
    ]
    from_table = next(fault for fault in FAULTS if fault.name == "two ends")
    book = Book(LOCUS, rows)
    (changed,) = from_table.changes(book)
    assert [violation.code for violation in check(changed.rows)] == ["TRM003"]
    assert [violation.code for violation in check(book.without(1).rows)] != ["TRM003"]


def test_codes_that_no_fault_breaks() -> None:
    """A rule that does not exist, or that no run of events can break alone, is told where the strategy is made."""
    with pytest.raises(UsageError, match="there is no rule 'ORD999'"):
        faulty_runs("locus", codes=["ORD999"])
    with pytest.raises(UsageError, match="no fault breaks WIR001 alone: there are ORD001"):
        faulty_runs("locus", codes=["WIR001"])


def test_a_faulty_run_is_frozen() -> None:
    """Its fields cannot be set."""
    found = find(faulty_runs("turns"), lambda run: True, settings=FEW)
    with pytest.raises(FrozenInstanceError):
        found.code = "ORD001"  # type: ignore[misc]

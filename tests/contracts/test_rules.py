"""Each rule speaks on its own example, and only then; and rules are chosen by code."""

import re

import pytest

from playhead.contracts.check import check
from playhead.contracts.limits import Limits
from playhead.contracts.rule import Example, Rule, Severity
from playhead.contracts.rules import RULES, find_rule, selected
from playhead.errors import UsageError
from tests.contracts.streams import END, HEALTHY, codes, watched


def told(example: Example) -> list[str]:
    """Return the codes that an example breaks."""
    if example.wire:
        return watched(example, (len(example.wire) + 1) // 2)
    found = check(example.events, dialect=example.dialect, end=example.end, limits=example.limits)
    return [violation.code for violation in found]


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_forbids_its_example_and_allows_the_other(rule: Rule) -> None:
    """The one example breaks exactly this rule, the other one none."""
    assert told(rule.breaks) == [rule.code]
    assert told(rule.keeps) == []


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_is_told_in_plain_words(rule: Rule) -> None:
    """A meaning is one line without a full stop, a reason is whole sentences."""
    assert re.fullmatch(r"[a-z].{10,80}[^.]", rule.meaning)
    assert re.fullmatch(r"[A-Z`].{20,}\.", rule.why)


def test_a_rule_that_says_nothing_is_noticed() -> None:
    """What the first test asks fails for an example that the rule does not forbid."""
    assert told(RULES["ORD001"].keeps) != ["ORD001"]


def test_rules_are_chosen_by_code_or_its_beginning() -> None:
    """`select` chooses, `ignore` takes out, whatever the case; all that are not opt-in are asked by default."""
    assert selected() == {code for code, rule in RULES.items() if rule.severity is not Severity.OPT_IN}
    assert selected(["ord"]) == {code for code in RULES if code.startswith("ORD")}
    assert selected(["ORD", "TRM001"], ["ORD00"]) == {"TRM001"}
    assert selected(["TRM006"]) == {"TRM006"}
    assert selected(limits=Limits(silence_s=1)) - selected() == {"TRM006"}
    assert selected(limits=Limits(steps=1)) - selected() == {"TRM007"}
    assert selected(["TRM"], limits=Limits(counters=True)) >= {"TRM001", "TRM008"}


def test_only_the_chosen_rules_speak() -> None:
    """A stream that breaks two rules is told of the one that was asked for."""
    broken = [HEALTHY[0], HEALTHY[3], END, END]
    assert codes(broken) == ["ORD001", "TRM003"]
    assert codes(broken, select=["TRM"]) == ["TRM003"]
    assert codes(broken, ignore=["TRM"]) == ["ORD001"]


@pytest.mark.parametrize("code", ["ORD0001", "ODR001", "", "nothing"])
def test_a_rule_that_there_is_not_is_refused(code: str) -> None:
    """The message offers the nearest one, or says which there are."""
    with pytest.raises(UsageError, match="there is no rule"):
        find_rule(code)
    with pytest.raises(UsageError, match="there is no rule"):
        selected([code])


def test_the_nearest_rule_is_offered() -> None:
    """A slip of the finger is understood."""
    with pytest.raises(UsageError, match="there is no rule 'ODR001'; did you mean 'ORD001'"):
        find_rule("ODR001")
    assert find_rule("ord001").code == "ORD001"

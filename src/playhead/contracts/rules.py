"""Every rule by its code, and which of them are asked.

Knows the table. Does not know how a rule is checked: the monitors do.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from playhead.contracts.limits import Limits
from playhead.contracts.order_rules import RULES_OF_ORDER
from playhead.contracts.rule import Rule, Severity
from playhead.contracts.termination_rules import RULES_OF_TERMINATION
from playhead.contracts.wire_rules import RULES_OF_WIRE
from playhead.errors import UsageError
from playhead.text import did_you_mean

RULES: Final[Mapping[str, Rule]] = {
    rule.code: rule for rule in (*RULES_OF_ORDER, *RULES_OF_TERMINATION, *RULES_OF_WIRE)
}
"""Each rule by its code, in the order of the codes."""


def find_rule(code: str) -> Rule:
    """Return the rule of that code, in any case of letters. Raises `UsageError` for a code that there is not."""
    found = RULES.get(code.upper())
    if found is None:
        listed = f": there are {', '.join(RULES)}"
        raise UsageError(f"there is no rule {code!r}{did_you_mean(code.upper(), RULES) or listed}")
    return found


def selected(select: Iterable[str] = (), ignore: Iterable[str] = (), limits: Limits | None = None) -> frozenset[str]:
    """Return the codes that are asked: those that `select` begins, all but the opt-in ones by default, less `ignore`.

    An opt-in rule is asked when its limit is given, or when it is selected by its whole code. Raises `UsageError` for
    what begins no code.
    """
    return _selected(tuple(select), tuple(ignore), limits)


# Of each stream that is checked the same is asked, nearly always.
@lru_cache(maxsize=64)
def _selected(select: tuple[str, ...], ignore: tuple[str, ...], limits: Limits | None) -> frozenset[str]:
    wanted = tuple(map(_known, select))
    unwanted = tuple(map(_known, ignore))
    asked = limits.asked if limits else frozenset()
    return frozenset(
        code
        for code, rule in RULES.items()
        if (code.startswith(wanted) if wanted else True)
        and not code.startswith(unwanted)
        and (rule.severity is not Severity.OPT_IN or code in asked or code in wanted)
    )


def _known(prefix: str) -> str:
    spelled = prefix.strip().upper()
    if not spelled or not any(code.startswith(spelled) for code in RULES):
        return find_rule(spelled).code
    return spelled

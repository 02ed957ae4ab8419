"""What is said at the end of a session, to people and to programs. Knows words; does not know pytest."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from playhead.plugin.ledger import Ledger
from playhead.text import safe

MAX_LISTED: Final = 20
"""How many cassettes of a kind are listed."""

_QUIET: Final = frozenset({"replayed", "unchanged"})
"""What needs no list: nothing is to be done about it."""


def lines(ledger: Ledger, unused: Sequence[str], *, shown: Callable[[str], str]) -> Iterator[str]:
    """Yield what a person is told: a line of numbers, and the cassettes that somebody should look at."""
    found = {**ledger.by_outcome(), "unused": list(unused)}
    numbers = [f"{len(cassettes)} {outcome}" for outcome, cassettes in found.items() if cassettes]
    if numbers:
        yield "playhead: " + ", ".join(numbers)
    for outcome, cassettes in found.items():
        if outcome in _QUIET:
            continue
        for cassette in cassettes[:MAX_LISTED]:
            yield f"  {outcome:<8}  {safe(shown(cassette), keep='')}"
        if len(cassettes) > MAX_LISTED:
            yield f"  and {len(cassettes) - MAX_LISTED} more {outcome}"


def report(ledger: Ledger, unused: Sequence[str]) -> dict[str, Any]:
    """Return what a program is told: cassettes by outcome, and what each test did."""
    tests = [{"test": each.test, "cassette": each.cassette, "outcome": each.outcome} for each in ledger.tested]
    return {**ledger.by_outcome(), "unused": list(unused), "tests": sorted(tests, key=lambda each: each["test"])}

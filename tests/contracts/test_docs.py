"""docs/rules.md is what the table of rules says. `PLAYHEAD_UPDATE_DOCS=1 pytest tests/contracts` writes it anew."""

import json
import os
from pathlib import Path

from playhead.contracts.rule import Example, Rule
from playhead.contracts.rules import RULES

HEAD = """\
# Rules

What `playhead rule CODE` prints. This page is made from the table of rules; [contracts.md](contracts.md) says how to
use them.

"""


def page() -> str:
    """Return what the page should say."""
    rows = [f"| [{rule.code}](#{rule.code.lower()}) | {rule.severity} | {rule.meaning} |" for rule in RULES.values()]
    table = "\n".join(["| code | severity | meaning |", "|---|---|---|", *rows])
    return HEAD + table + "\n" + "".join(map(section, RULES.values()))


def section(rule: Rule) -> str:
    """Return what the page says of one rule."""
    shown = "".join(f"\n{title}:\n\n```text\n{lines(example)}\n```\n" for title, example in examples(rule).items())
    return f"\n## {rule.code}\n\n{rule.meaning.capitalize()} ({rule.severity}). {rule.why}\n{shown}"


def examples(rule: Rule) -> dict[str, Example]:
    """Return the examples of a rule by what they do."""
    return {"Breaks it": rule.breaks, "Keeps it": rule.keeps}


def lines(example: Example) -> str:
    """Return an example, a line each: events, or what stands on the wire."""
    if example.events:
        return "\n".join(json.dumps(event, ensure_ascii=False) for event in example.events)
    headers = [f"{name}: {value}" for name, value in (example.headers or {}).items()]
    return "\n".join(headers + [repr(line)[2:-1] for line in example.wire.splitlines(keepends=True)])


def test_the_page_of_rules_is_up_to_date(root: Path) -> None:
    """Each rule stands there with its examples."""
    path = root / "docs/rules.md"
    if os.environ.get("PLAYHEAD_UPDATE_DOCS"):
        path.write_text(page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page(), "write it anew: PLAYHEAD_UPDATE_DOCS=1 pytest tests/contracts"


def test_a_stale_page_would_be_noticed() -> None:
    """The page has every rule with both examples."""
    text = page()
    assert all(f"\n## {code}\n" in text for code in RULES)
    assert text.count("```text") == 2 * len(RULES)

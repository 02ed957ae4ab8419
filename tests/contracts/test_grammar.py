"""docs/dialects.md draws the table of each dialect. `PLAYHEAD_UPDATE_DOCS=1 pytest tests/contracts` writes it anew."""

import os
import re
from pathlib import Path

import pytest

from playhead.contracts.grammar import diagram, rows
from playhead.events.dialects import DIALECTS
from playhead.events.spans import Dialect, Span, opens

HEAD = """\
# Dialects

A dialect is a table: what each event type of one framework does to spans. Rules, comparison, the timeline and
statistics are written on spans, once for all. This page is made from the tables.

Boxes with double sides are kinds of span. A thin arrow opens one, a dotted arrow feeds it, a thick arrow closes it; a
question mark says that only some events of that type do so. Boxes without arrows mark a moment.
"""


def page() -> str:
    """Return what the page should say."""
    return HEAD + "".join(map(section, DIALECTS.values()))


def section(dialect: Dialect) -> str:
    """Return what the page says of one dialect."""
    table = "\n".join(f"| `{kind}` | {said.replace('|', chr(92) + '|')} |" for kind, said in rows(dialect))
    facts = {
        "The type of an event is in": f"`{dialect.tag}`",
        "A run begins with": _listed(dialect.first),
        "A run waits after": _listed(dialect.pauses),
        "May follow the terminal event": _listed(dialect.after),
        "Cut a run short": _listed(dialect.cuts),
    }
    told = "\n".join(f"- {what}: {said}" for what, said in facts.items() if said)
    return (
        f"\n## {dialect.name}\n\n{told}\n\n```mermaid\n{diagram(dialect)}\n```\n\n"
        f"| event | what it does |\n|---|---|\n{table}\n"
    )


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def test_the_page_of_dialects_is_up_to_date(root: Path) -> None:
    """Each dialect stands there with its picture and its table."""
    path = root / "docs/dialects.md"
    if os.environ.get("PLAYHEAD_UPDATE_DOCS"):
        path.write_text(page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page(), "write it anew: PLAYHEAD_UPDATE_DOCS=1 pytest tests/contracts"


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=list(DIALECTS))
def test_a_picture_has_everything_that_the_table_has(dialect: Dialect) -> None:
    """Every type once, every arrow between nodes that there are, and only the arrows of the table."""
    drawn = diagram(dialect).splitlines()
    nodes = {found[1]: found[2] for line in drawn if (found := re.fullmatch(r'    (\w+)\W+"(.*)"\W+', line))}
    events = [name for node, text in nodes.items() if re.fullmatch(r"e\d+", node) for name in text.split("<br>")]
    assert sorted(events) == sorted(dialect.ops)
    assert set(nodes.values()) >= {str(op.span) for ops in dialect.ops.values() for op in ops}
    arrows = [re.fullmatch(r"    (\w+) (?:-->|-\.->|==>)\|(\w+)\??\| (\w+)", line) for line in drawn[1:] if "|" in line]
    assert all(found and found[1] in nodes and found[3] in nodes for found in arrows)
    told = {(str(op.verb), str(op.span)) for ops in dialect.ops.values() for op in ops}
    assert {(found[2], found[3]) for found in arrows if found} == told


def test_names_cannot_break_the_picture() -> None:
    """What would end a name is spelled otherwise."""
    odd = Dialect("odd", "type", lambda raw: raw, ops={'a"<b>&': (opens(Span.RUN),)})
    assert '(["a&quot;&lt;b>&amp;"])' in diagram(odd)

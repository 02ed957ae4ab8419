"""A dialect's grammar as a picture: which events open, feed and close which spans.

Knows a dialect's table and Mermaid's flowcharts. Draws nothing that the table does not say.
"""

from collections import defaultdict

from playhead.events.spans import Dialect, Op, Span, Verb

_ARROWS = {Verb.OPEN: "-->", Verb.FEED: "-.->", Verb.CLOSE: "==>"}


def diagram(dialect: Dialect) -> str:
    """Return a dialect's table as a flowchart in Mermaid's language.

    Each kind of span is a box, and each event type that does something to it an arrow's tail. Types that do the same
    are one node; those that touch no span stand by themselves. What only some events of a type do has a question mark.
    """
    nodes: dict[tuple[tuple[Verb, Span, bool], ...], list[str]] = defaultdict(list)
    for kind, ops in dialect.ops.items():
        nodes[tuple(dict.fromkeys((op.verb, op.span, _depends(op)) for op in ops))].append(kind)
    spans = sorted({span for doing in nodes for _, span, _ in doing}, key=list(Span).index)
    lines = ["flowchart LR", *(f'    {span}[["{span}"]]' for span in spans)]
    for number, (doing, kinds) in enumerate(nodes.items(), 1):
        shape = f'(["{_names(kinds)}"])' if doing else f'["{_names(kinds)}"]'
        lines.append(f"    e{number}{shape}")
        lines += [f"    e{number} {_arrow(verb, depends)} {span}" for verb, span, depends in doing]
    return "\n".join(lines)


def _depends(op: Op) -> bool:
    return bool(op.when or op.each)


def _arrow(verb: Verb, depends: bool) -> str:
    return f"{_ARROWS[verb]}|{verb}{'?' if depends else ''}|"


def _names(kinds: list[str]) -> str:
    # A quotation mark would end the name, and an angle bracket begin a tag.
    return "<br>".join(kind.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;") for kind in kinds)


def rows(dialect: Dialect) -> list[tuple[str, str]]:
    """Return each event type and what it does, in words: `("think", "opens step[iteration]")`."""
    return [(kind, "; ".join(map(_said, ops)) or "marks a moment") for kind, ops in dialect.ops.items()]


def _said(op: Op) -> str:
    key = f"[{'.'.join((*op.each, *op.key))}]" if op.key or op.each else ""
    status = f", status {'.'.join(op.status)}" if op.status else ""
    when = f", if {'.'.join(op.when)}" if op.when else ""
    among = f" is one of {', '.join(map(str, op.among))}" if op.when and op.among else ""
    return f"{op.verb} {op.span}{key}{status}{when}{among}"

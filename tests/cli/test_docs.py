"""docs/commands.md is what `--help` says. `PLAYHEAD_UPDATE_DOCS=1 pytest tests/cli/test_docs.py` writes it anew."""

import os
from pathlib import Path

from tests.cli.running import playhead
from tests.cli.test_main import COMMANDS

HEAD = """\
# Commands

What `playhead --help` and `playhead COMMAND --help` print. This page is made from them.

A cassette is named by its file (`trip.jsonl`) or by its store and name (`runs.db::trip`). A folder or a store with just
one cassette stands for it. Whatever was recorded is made safe before it is printed: no cassette can steer a terminal.

Every command takes `--json`: then standard output holds JSON, one document a line, and nothing else; warnings, errors
and progress go to standard error.

| exit code | meaning |
|---|---|
| 0 | fine |
| 1 | what was compared differs, or what was checked breaks a rule |
| 2 | something cannot be read, is not there, or was asked for in a wrong way |
| 130 | interrupted from the keyboard |
| 141 | the reader of the output went away |
"""


def page() -> str:
    """Return what the page should say."""
    parts = [HEAD, _block("playhead", [])]
    parts += [_block(f"playhead {name}", [name]) for name in COMMANDS]
    return "\n".join(parts)


def _block(title: str, args: list[str]) -> str:
    shown = playhead(*args, "--help", columns=100).out
    lines = [line.rstrip() for line in shown.strip().splitlines()]
    return f"## {title}\n\n```text\n" + "\n".join(lines) + "\n```\n"


def test_the_page_of_commands_is_up_to_date(root: Path) -> None:
    """Each command stands there as its help describes it."""
    path = root / "docs/commands.md"
    if os.environ.get("PLAYHEAD_UPDATE_DOCS"):
        path.write_text(page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page(), (
        "write it anew: PLAYHEAD_UPDATE_DOCS=1 pytest tests/cli/test_docs.py"
    )


def test_a_stale_page_would_be_noticed() -> None:
    """The page has every command and every option, so a change to any of them changes it."""
    text = page()
    assert all(f"## playhead {name}\n" in text for name in COMMANDS)
    assert text.count("--json") >= len(COMMANDS)

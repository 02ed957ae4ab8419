"""What a campaign found, and how it is handed over: as a cassette and as a test that shows it.

Knows how findings are told and kept. Does not know how they are found.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from playhead.events.dialects import get_dialect
from playhead.recording.recorder import record
from playhead.testing.report import Promise
from playhead.testing.samples import events_of

_WIDTH: Final = 110
_MAX_ALIKE: Final = 3


@dataclass(frozen=True, slots=True)
class Target:
    """Name what is driven, as `MODULE:FACTORY`. `kind` is `agent` or `handler`."""

    kind: str
    module: str
    attribute: str
    dialect: str = "locus"

    @property
    def root(self) -> str:
        """Return the name that a test imports."""
        return self.attribute.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one broken promise, and the smallest thing that breaks it.

    `steps` are the source lines of a list of events or turns, `call` is the assertion about them. `rows` are the events
    for a cassette. `also` names the promises that the very same steps break.
    """

    promise: Promise
    why: str
    steps: tuple[str, ...]
    call: str
    rows: tuple[Any, ...]
    imports: tuple[str, ...]
    also: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """Return the name of its files."""
        return self.promise.name.replace("-", "_")

    def source(self, target: Target, seed: int) -> str:
        """Return the test that shows it: it fails now, and passes when the promise is kept."""
        name = "events" if target.kind == "handler" else "turns"
        lines = [
            f'"""Found by `playhead fuzz {target.kind} {target} --seed {seed}`."""',
            "",
            *sorted({f"from {target.module} import {target.root}", *self.imports}),
            "",
            "",
            f"def test_{self.slug}() -> None:",
            f'    """A promise: {self.promise.says}."""',
            f"    {name} = [{'' if self.steps else ']'}",
            *(f"        {step}," for step in self.steps),
            *(["    ]"] * bool(self.steps)),
            f"    {self.call.format(factory=target.attribute, items=name)}",
        ]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path, target: Target, seed: int) -> tuple[Path, Path]:
        """Write the cassette and the test, and return where they are."""
        folder.mkdir(parents=True, exist_ok=True)
        cassette, test = folder / f"{self.slug}.jsonl", folder / f"test_{self.slug}.py"
        with record(cassette, dialect=get_dialect(target.dialect), redact=(), name=self.promise.name) as tape:
            for _ in tape.events(events_of(self.rows, target.dialect)):
                pass
        test.write_text(self.source(target, seed), encoding="utf-8", errors="backslashreplace")
        return cassette, test


def spelled_rows(rows: Sequence[Any]) -> tuple[str, ...]:
    """Return JSON values as source: one step a line, equal neighbours and long texts as products."""
    steps: list[str] = []
    for row, group in groupby(rows):
        count = len(list(group))
        steps += [f"*[{spelled(row)}] * {count}"] if count > _MAX_ALIKE else [spelled(row)] * count
    return tuple(steps)


def spelled(value: Any) -> str:
    """Return a JSON value as source."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{spelled(key)}: {spelled(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(spelled, value))}]"
    if isinstance(value, str) and len(value) > _WIDTH // 2 and len(set(value)) == 1:
        return f"{_quoted(value[0])} * {len(value)}"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    shown = "".join(
        each if each.isprintable() and each != '"' else _escaped(each) for each in text.replace("\\", "\\\\")
    )
    return f'"{shown}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character == "'" else repr(character)[1:-1]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the log of what is driven out of the way: it fails on purpose, many times."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)

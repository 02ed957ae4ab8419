r"""What a row of the table of secrets is made of.

Knows the columns, and how to build the two common shapes: a key that begins with a telling head, and a secret that
only what stands before it gives away. Does not know any particular secret: `patterns` does.

A row's expressions are run by two engines, Python's (which finds) and Rust's (which only tells whether there is
anything to find, and much faster), so they keep to what both understand: no look-around, no `\s`, no `\b`. What can
fail after a long match has bounded repetitions, so that hostile text costs no quadratic time.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playhead.cassettes.redact.judges import anything

WORD = "[A-Za-z0-9_-]"
"""What most keys are made of."""

ALNUM = "[A-Za-z0-9]"
"""What the others are made of."""

VALUE = "[^ \\t\\r\\n\\f\\v\"'`<>&,;\\\\(){}\\[\\]|]"
"""What a value written beside a name is made of, as in `api_key=...`: no blanks, quotes, brackets, commas."""


@dataclass(frozen=True, slots=True)
class Row:
    """Describe one kind of secret.

    `kind` names the placeholder (`<openai-key-1>`), `group` the rule that a caller switches. One of `anchors` is in
    every text that has such a secret; without anchors every text is looked at.

    `before` must stand in front of the secret and stays; `secret` is replaced; `ends` is a look-ahead behind it.
    `starts` asks that the match begins a word, `unless` is a look-behind, `is_secret` has the last word. A secret goes
    on as long as there are characters of `run`. `head` is a beginning of the whole that has a fixed width: it is
    searched for first.

    `opening` matches every beginning of `secret`, whole ones included: it tells a stream what to hold. `rest` is
    searched for in what follows a secret too long to be held, and ends with it. `gate` is for the Rust engine: it
    matches whatever has such a secret, also as JSON spells it.
    """

    kind: str
    group: str
    anchors: tuple[str, ...]
    secret: str
    opening: str
    gate: str
    rest: str
    run: str = ""
    before: str = ""
    ends: str = ""
    unless: str = ""
    starts: bool = True
    head: str = ""
    is_secret: Callable[[str], bool] = anything


_MAX_NESTED = 32


def beginnings(head: str, rest: str) -> str:
    """Return a pattern for every beginning of `head` (characters and character classes), and all of it with `rest`."""
    return _beginnings(re.findall(r"\[[^\]]*\]|\\.|.", head, re.DOTALL), rest)


def _beginnings(atoms: Sequence[str], rest: str) -> str:
    if len(atoms) > _MAX_NESTED:
        # Engines bound how deep groups nest, and a home folder may be long: its first half, if it is there, is whole.
        half = len(atoms) // 2
        begun = "".join(atoms[:half])
        return f"(?:{begun}(?:{_beginnings(atoms[half:], rest)})?|{_beginnings(atoms[: half - 1], '')})"
    first, *others = atoms
    nested = rest
    for atom in reversed(others):
        nested = f"{atom}(?:{nested})?"
    return f"{first}(?:{nested})?"


def cases(*words: str) -> tuple[str, ...]:
    """Return words as they are, and in capitals."""
    return (*words, *(word.upper() for word in words))


def prefixed(
    kind: str,
    head: str,
    *,
    anchors: tuple[str, ...] = (),
    run: str = ALNUM,
    at_least: int = 20,
    ends: str = "",
    is_secret: Callable[[str], bool] = anything,
) -> Row:
    """Return the row of a key that begins with `head` and goes on with at least so many characters of `run`."""
    return Row(
        kind,
        "keys",
        anchors or (head,),
        secret=f"{head}{run}{{{at_least},}}",
        opening=beginnings(head, f"{run}*"),
        gate=f"{head}{run}{{{at_least}}}",
        rest=f"(?!{run})",
        run=run,
        ends=ends,
        head=head,
        is_secret=is_secret,
    )


def beside(
    kind: str,
    group: str,
    before: str,
    *,
    anchors: tuple[str, ...],
    gate: str,
    run: str = VALUE,
    at_least: int = 8,
    unless: str = "",
    starts: bool = False,
    is_secret: Callable[[str], bool] = anything,
) -> Row:
    """Return the row of a secret that only what stands before it gives away."""
    return Row(
        kind,
        group,
        anchors,
        secret=f"{run}{{{at_least},512}}",
        opening=f"{run}+",
        gate=gate,
        rest=f"(?!{run})",
        run=run,
        before=before,
        unless=unless,
        starts=starts,
        is_secret=is_secret,
    )

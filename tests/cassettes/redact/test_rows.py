"""The two common shapes of a row."""

import re

import pytest

from playhead.cassettes.redact.judges import is_given
from playhead.cassettes.redact.rows import beginnings, beside, cases, prefixed
from playhead.cassettes.redact.scanner import tell


@pytest.mark.parametrize(("head", "beginning"), [("a[bc]d", r"a(?:[bc](?:d(?:X)?)?)?"), (r"\.a", r"\.(?:a(?:X)?)?")])
def test_beginnings_nest(head: str, beginning: str) -> None:
    """Each character of a head may be the last one."""
    assert beginnings(head, "X") == beginning
    assert re.fullmatch(beginnings("sk-", "[a-z]*"), "sk-abc")


def test_cases_are_plain_and_capital() -> None:
    """Literals are given as people write them."""
    assert cases("a-b", "c") == ("a-b", "c", "A-B", "C")


def test_a_key_with_a_head_brings_its_own_anchor() -> None:
    """The head of a key is its literal, and what follows may go on."""
    row = prefixed("x-key", "xk-", at_least=3)
    assert row.anchors == ("xk-",)
    assert re.fullmatch(row.secret, "xk-abcd")
    assert not re.fullmatch(row.secret, "xk-ab")
    assert re.fullmatch(row.opening, "xk")


def test_a_secret_beside_something_begins_anywhere() -> None:
    """What only its surroundings give away needs no word's beginning."""
    row = beside("x", "keys", "x=", anchors=("x=",), gate="x=", at_least=2, is_secret=is_given)
    assert not row.starts
    assert re.fullmatch(row.before + row.secret, "x=ab")


@pytest.mark.parametrize("length", [1, 32, 33, 64, 65, 200, 3000])
def test_long_heads_do_not_nest_deep(length: int) -> None:
    """A home folder of any length can be looked for: each of its beginnings is found, and nothing else."""
    head = "".join(chr(ord("a") + number % 26) for number in range(length))
    begun = tell(rf"(?:{beginnings(head, 'X?')})\z")
    places = {1, length // 2, length - 1, length} - {0}
    assert all(begun(head[:place]) for place in places)
    assert begun(head + "X")
    assert not begun(head + "Y")
    assert not begun(f"{head[: length // 2]}!")

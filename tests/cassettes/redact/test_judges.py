"""What tells drawn characters from words."""

import random

import pytest

from playhead.cassettes.redact.judges import anything, is_card, is_coded, is_given, is_mixed, is_random, is_user
from tests.cassettes.redact.fakes import ON_REQUEST


@pytest.mark.parametrize(
    "template", ["$TOKEN", "${TOKEN}", "{token}", "{{ token }}", "%s", "***", "xxxx", "...", "•••"]
)
def test_a_template_is_no_secret(template: str) -> None:
    """What only says where a secret belongs may be written."""
    assert not is_given(template)
    assert not is_coded(template)
    assert not is_random(template)


@pytest.mark.parametrize("secret", ["p", "hunter2", "xylophone"])
def test_everything_else_is_given(secret: str) -> None:
    """One letter is a password as well, where only passwords stand."""
    assert is_given(secret)
    assert anything(secret)


@pytest.mark.parametrize(
    ("text", "coded"), [("required", False), ("hunter2", True), ("dXNlcjpw", True), ("Basic", False)]
)
def test_a_password_has_more_than_letters(text: str, coded: bool) -> None:
    """Words beside the name of a password are words."""
    assert is_coded(text) is coded


@pytest.mark.parametrize("slug", ["sk-learn-and-other-words", "sk-2024-annual-report-final", "SK-ALL-CAPITALS-2024"])
def test_words_joined_by_dashes_are_no_key(slug: str) -> None:
    """A key has digits and both cases, or is one hexadecimal number."""
    assert not is_mixed(slug)
    assert is_mixed(slug + "-aB3")
    assert is_mixed(slug + "-" + "0123456789ab" * 2)
    assert not is_mixed(slug + "-aB3" * 100)


@pytest.mark.parametrize(
    "value", ["short1", "aaaaaaaaaaaaaaaaaaaa1", "only-words-and-dashes-here", "1234567890123456789"]
)
def test_written_values_are_not_random(value: str) -> None:
    """Short, repetitive and pure values are left alone."""
    assert not is_random(value)


def test_drawn_values_are_random() -> None:
    """Of a thousand drawn hexadecimal numbers, each is recognised that has letters and digits."""
    chance = random.Random(7)
    drawn = ["".join(chance.choices("0123456789abcdef", k=32)) for _ in range(1000)]
    assert all(map(is_random, drawn))


def test_nobody_and_pages_are_no_users() -> None:
    """Folders that belong to nobody and pages of a web site keep their names."""
    assert is_user("alice")
    assert not is_user("Shared")
    assert not is_user("index.html")


def test_a_card_number_has_its_last_digit() -> None:
    """Of the ten numbers that differ in the last digit, one is a card's."""
    card = ON_REQUEST["card"][0](random.Random(1))
    assert is_card(card)
    assert sum(is_card(card[:-1] + digit) for digit in "0123456789") == 1
    assert not is_card("0" * 16)

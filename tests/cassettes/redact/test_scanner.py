"""Finding secrets, and saying quickly that there are none."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.cassettes.redact.patterns import DEFAULT_RULES, ROWS
from playhead.cassettes.redact.rows import Row
from playhead.cassettes.redact.scanner import MAX_LITERALS, Scanner, is_unicode, readable, scanner, tell
from playhead.errors import UsageError
from tests.cassettes.redact.fakes import BESIDE, PROVIDER_KEYS

ALL = scanner(DEFAULT_RULES, (), ())


def fragments() -> list[str]:
    """Make pieces of which suspicious texts consist: secrets, halves of secrets, names, gaps and ordinary words."""
    chance = random.Random(3)
    whole = [make(chance) for makers in PROVIDER_KEYS.values() for make in makers]
    beside = [part for makers in BESIDE.values() for make in makers for part in make(chance)]
    words = ["token", "API_KEY", "apiKey", "password", "Authorization", "cookie", "Bearer", "page_token", "secret", "é"]
    gaps = [
        " ",
        ": ",
        "=",
        '": "',
        "\\",
        "\n",
        "\t",
        "'",
        "/",
        "://",
        "@",
        "?key=",
        "\\n",
        "%3D",
        "\x1b[0m",
        "\ud800",
        "<",
        ">",
    ]
    return [*whole, *(one[: len(one) // 2] for one in whole), *beside, *words, *gaps, *gaps]


SUSPICIOUS = st.lists(st.sampled_from(fragments()), max_size=7).map("".join)


@given(text=SUSPICIOUS)
def test_what_is_found_is_suspected(text: str) -> None:
    """The quick way never calls clean what the slow way finds something in: not as text, not as JSON of any depth."""
    if not ALL.spans(text):
        return
    plain = readable(text)
    nested = json.dumps(json.dumps(text))
    for spelled in (plain, json.dumps(text), json.dumps(plain, ensure_ascii=False), nested, nested.replace("/", "\\/")):
        assert ALL.has_anchor(spelled)
        assert ALL.is_suspect(spelled)
        assert ALL.is_suspect(spelled.encode())


@given(text=SUSPICIOUS, start=st.integers(0, 60))
def test_spans_lie_in_order_and_apart(text: str, start: int) -> None:
    """Spans do not overlap, are not empty, and begin where they may."""
    position = start
    for span in ALL.spans(text, start):
        assert position <= span.start < span.end <= len(text)
        position = span.end


def test_the_more_telling_row_gives_the_name() -> None:
    """Two rows that find the same secret make one span, and what either found is in it."""
    key = PROVIDER_KEYS["openai-key"][0](random.Random(1))
    text = f"Authorization: Bearer {key}/more+"
    (span,) = ALL.spans(text)
    assert span.kind == "openai-key"
    assert text[span.start : span.end] == f"{key}/more+"


def test_a_rejected_match_hides_nothing() -> None:
    """A name that is followed by another name does not swallow that one's value."""
    value = "Tr0ub4dor"
    (span,) = ALL.spans(f"token: password: {value}")
    assert (span.kind, span.start) == ("password", 17)
    dashes = "secret=" + "-" * 200 + "token="
    (span,) = ALL.spans(dashes + BESIDE["secret"][0](random.Random(1))[1])
    assert (span.kind, span.start) == ("secret", len(dashes))


def test_a_value_is_found_to_its_end() -> None:
    """However long a value beside a name is, nothing of it is left over."""
    value = PROVIDER_KEYS["jwt"][0](random.Random(1)).replace(".", "") * 9
    (span,) = ALL.spans(f"API_KEY={value} x")
    assert (span.start, span.end) == (8, 8 + len(value))


@pytest.mark.parametrize(
    "text",
    [
        "input_tokens: 123456789012345678901",
        "next_page_token=CAUQAAab12cd34ef56gh78",
        "pageToken: CAUQAAab12cd34ef56gh78",
        "the secret ingredient is 1234 grams of flour",
        "bearer of the responsibilities-and-duties2",
        "https://example.com/home/alice and host:8080/x@y",
        "risk-aB3" + "x" * 30,
        "sk-learn-is-a-library-with-a-long-name",
        "call_AbCdEfGhIjKlMnOpQrStUv12",
        "550e8400-e29b-41d4-a716-446655440000",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "password: required",
        "api_key=${OPENAI_API_KEY_FOR_TESTS_2}",
        "/Users/Shared/x",
    ],
)
def test_ordinary_text_has_no_secrets(text: str) -> None:
    """Ids, digests, cursors, counters, slugs, templates and prose are left alone."""
    assert ALL.spans(text) == []


@pytest.mark.parametrize("seed", range(5))
def test_binary_data_in_base64_has_no_secrets(seed: int) -> None:
    """A megabyte of drawn base64, as images come, is left alone in both alphabets."""
    chance = random.Random(seed)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    text = "data:image/png;base64," + "".join(chance.choices(letters + ("+/" if seed % 2 else "-_"), k=1_000_000))
    assert ALL.spans(text) == []


@pytest.mark.parametrize(
    "hostile",
    [
        "sk-" * 100_000,
        "eyJ-" * 50_000,
        "token=" * 50_000,
        "://" * 100_000,
        "-----BEGIN PRIVATE KEY-----" * 5_000,
        "-----BEGIN PRIVATE KEY-----" + "-x" * 100_000,
        "a@" * 100_000,
        "1 " * 100_000,
        "/home/" * 50_000,
        '"' * 100_000 + ":",
        "api_key" + "\\" * 200_000,
        "AKIA" + "A" * 300_000 + "a",
        "Cookie: a=" * 20_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_takes_no_quadratic_time(hostile: str) -> None:
    """Texts made of beginnings are read to their end; a hang would fail the run."""
    every = Scanner(ROWS, headers=True)
    assert len(every.spans(hostile)) <= len(hostile)
    assert every.opening(hostile[:2_000]) <= 2_000


def test_an_unknown_rule_is_named() -> None:
    """A rule that there is not raises, with the nearest one and the list of all."""
    with pytest.raises(
        UsageError, match=r"no redaction rule is called 'header': there are keys.*; did you mean 'headers'\?"
    ):
        scanner(("header",), (), ())


def test_a_row_without_anchors_is_always_asked() -> None:
    """Digits have no literal in common, so with card numbers on nothing is called clean by its literals."""
    assert not ALL.has_anchor("nothing here")
    assert scanner(("cards",), (), ()).has_anchor("nothing here")


def test_the_literals_are_few_enough_to_be_found_fast() -> None:
    """The usual rules, with a home and a name, stay below the number at which the search becomes slow; cards do not."""
    usual = scanner(DEFAULT_RULES, ("/srv/people/ann", "/root"), ("ann",))
    assert 0 < len(usual.literals) <= MAX_LITERALS
    assert min(map(len, usual.literals)) >= 3
    assert not scanner(("cards",), (), ()).literals


def test_rules_choose_the_rows() -> None:
    """What is switched off is not found."""
    key = PROVIDER_KEYS["google-key"][0](random.Random(1))
    assert scanner(("keys",), (), ()).spans(key)
    assert not scanner(("home",), (), ()).spans(key)


def test_lone_surrogates_are_read() -> None:
    """Rust has no lone surrogates, so they are replaced one for one before it is asked."""
    assert readable("é\ud800x") == "é?x"
    assert is_unicode("é")
    assert not is_unicode("\ud800")
    assert not tell("x")("\ud800x")
    assert tell("x")(readable("\ud800x"))


def test_a_planted_gap_is_noticed() -> None:
    """A row whose gate is too narrow makes the quick way blind: what the property above must catch."""
    row = Row("x", "keys", ("x",), secret="x+", opening="x+", gate="xxxx", rest="(?!x)")
    blind = Scanner([row], headers=False)
    assert blind.has_anchor("an x")
    assert not blind.is_suspect("an x")

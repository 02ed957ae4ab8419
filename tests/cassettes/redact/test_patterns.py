"""The table of secrets: every row has an example, and what is said about a row holds for its examples."""

import json
import random
from collections.abc import Iterator

import pytest

from playhead.cassettes.redact.patterns import (
    DEFAULT_RULES,
    ROWS,
    RULES,
    SECRET_HEADERS,
    directory,
    person,
)
from playhead.cassettes.redact.rows import Row
from playhead.cassettes.redact.scanner import Scanner
from tests.cassettes.redact.fakes import BESIDE, ON_REQUEST, PROVIDER_KEYS

SEEDS = range(12)


def examples(seed: int) -> Iterator[tuple[str, str, str, str]]:
    """Make an example of every maker: the kind, what stands before it, the secret, what follows."""
    chance = random.Random(seed)
    for kind, makers in (*PROVIDER_KEYS.items(), *ON_REQUEST.items()):
        yield from ((kind, "see ", make(chance), " there") for make in makers)
    for kind, surrounded in BESIDE.items():
        yield from ((kind, *make(chance)) for make in surrounded)


def test_every_row_has_an_example() -> None:
    """A kind of secret without a maker of fakes would be untested."""
    assert {row.kind for row in ROWS} == set(PROVIDER_KEYS) | set(BESIDE) | set(ON_REQUEST)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.kind)
def test_every_row_finds_an_example_of_its_own(row: Row) -> None:
    """No row is there for nothing: each one alone finds a fake of its kind, whole."""
    scanner = Scanner([row], headers=False)
    found = [
        (kind, before, secret)
        for kind, before, secret, after in (one for seed in SEEDS for one in examples(seed))
        if kind == row.kind
        and [(span.start, span.end) for span in scanner.spans(before + secret + after)]
        == [(len(before), len(before) + len(secret))]
    ]
    assert found


@pytest.mark.parametrize("seed", SEEDS)
def test_every_example_is_found(seed: int) -> None:
    """The whole table finds every fake, whole, under its kind, and the quick ways say so as well."""
    default = Scanner([row for row in ROWS if row.group in DEFAULT_RULES], headers=True)
    every = Scanner(ROWS, headers=True)
    for kind, before, secret, after in examples(seed):
        scanner = every if kind in ON_REQUEST else default
        text = before + secret + after
        found = [(span.kind, text[span.start : span.end]) for span in scanner.spans(text, len(before))]
        assert found == [(kind, secret)]
        assert scanner.has_anchor(text)
        assert scanner.is_suspect(text)


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_every_beginning_of_a_secret_is_an_opening(seed: int) -> None:
    """However early a secret is cut, the stream sees that it may have begun, and where."""
    scanner = Scanner(ROWS, headers=True)
    for _, before, secret, _ in examples(seed):
        for length in range(1, min(len(secret), 300)):
            text = before + secret[:length]
            assert scanner.may_open(text), text
            assert scanner.opening(text) <= len(before), text


def test_whole_words_open_nothing() -> None:
    """The planted counterpart: the ends of ordinary sentences are not held."""
    scanner = Scanner([row for row in ROWS if row.group in DEFAULT_RULES], headers=True)
    ends = ["The weather in Paris", " is nice.", " a", " the task", " token", "tokens", " 12:30", "{}", "😀", "\n"]
    assert [end for end in ends if scanner.may_open(end)] == []
    assert scanner.may_open(" s")


def test_rules_and_headers_are_well_formed() -> None:
    """E-mail addresses and cards are off by default; the names of headers are in lower case."""
    assert set(RULES) - set(DEFAULT_RULES) == {"email", "cards"}
    assert all(header == header.lower() for header in SECRET_HEADERS)


def test_no_placeholder_can_be_taken_for_a_secret() -> None:
    """A row cannot match a placeholder, not even beside a telling name."""
    scanner = Scanner(ROWS, headers=True)
    for kind, before, _, after in examples(0):
        assert scanner.spans(f"{before}<{kind}-1>{after}", len(before)) == []


@pytest.mark.parametrize("path", ["/opt/ci-user", "C:\\agents\\ci", "/srv/é/x", "/srv/a+b"])
def test_a_directory_of_the_caller_is_found(path: str) -> None:
    """Directories are taken literally, with or without a slash at the end, and only whole."""
    scanner = Scanner([directory(path + "/")], headers=False)
    text = f"in {path}/work and {path}nother"
    assert [text[span.start : span.end] for span in scanner.spans(text)] == [path]


def test_a_name_of_the_caller_is_found_in_paths_only() -> None:
    """A user's name is never taken out of a sentence."""
    scanner = Scanner([person("mark")], headers=False)
    text = "mark: see /srv/mark/x, D:\\mark\\y and /srv/marks"
    assert [(span.start, span.end) for span in scanner.spans(text)] == [(15, 19), (26, 30)]


@pytest.mark.parametrize("between", [",", "\t", "\n", " ", ":", "': '", '","'])
def test_what_follows_the_id_of_an_aws_key_is_its_secret(between: str) -> None:
    """It has no look of its own, so it is found behind the id alone; forty characters elsewhere are no secret."""
    scanner = Scanner([row for row in ROWS if row.group == "keys"], headers=False)
    key, secret = "AK" + "IA" + "J7" * 8, "wJalr" + "Xu7/" * 8 + "kEY"
    text = f"{key}{between}{secret} and {secret}"
    assert scanner.is_suspect(text)
    assert scanner.is_suspect(json.dumps(text))
    assert [(span.kind, text[span.start : span.end]) for span in scanner.spans(text)] == [
        ("aws-key-id", key),
        ("aws-secret-key", secret),
    ]

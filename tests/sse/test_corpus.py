"""Tests of the parser against the conformance corpus beside the checkout."""

import base64
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser
from tests.sse.reference import Outcome, every_split, parse, reference

CORPUS = Path(__file__).parents[2] / "../shared/data/sse/corpus.jsonl"
CASES = [json.loads(line) for line in CORPUS.read_bytes().splitlines()] if CORPUS.is_file() else []

pytestmark = pytest.mark.skipif(not CASES, reason="no ../shared/data/sse/corpus.jsonl beside the checkout")

Case = dict[str, object]


def stream_of(case: Case) -> bytes:
    """Return the bytes of a case."""
    return base64.b64decode(str(case["input_b64"]))


def facts(outcome: Outcome) -> dict[str, object]:
    """Return an outcome in the corpus' own words."""
    return {
        "expected": [
            {"event": m.event, "data": m.data, "id": m.id, "retry": m.retry, "block_id": m.block_id}
            for m in outcome.messages
        ],
        "last_event_id": outcome.last_event_id,
        "reconnection_time": outcome.reconnection_time_ms,
    }


def expected(case: Case) -> dict[str, object]:
    """Return what the corpus expects of a case."""
    return {name: case[name] for name in ("expected", "last_event_id", "reconnection_time")}


def test_the_corpus_is_whole() -> None:
    """No case is lost on the way: the corpus has its 300."""
    assert len(CASES) == 300


@pytest.mark.parametrize("case", CASES, ids=[str(case["name"]) for case in CASES])
def test_case_in_every_split(case: Case) -> None:
    """Each case reads as expected, whole, byte by byte, and cut in two at every byte."""
    stream = stream_of(case)
    whole = parse([stream])
    assert facts(whole) == expected(case)
    assert whole == reference(stream)
    for pieces in every_split(stream) if len(stream) < 10_000 else every_tenth_split(stream):
        assert parse(pieces) == whole


def every_tenth_split(stream: bytes) -> list[list[bytes]]:
    """Return every split of a long stream's first and last hundred bytes, and some between."""
    places = [*range(100), *range(100, len(stream) - 100, len(stream) // 500), *range(len(stream) - 100, len(stream))]
    return [[stream[at : at + 1] for at in range(len(stream))], *([stream[:at], stream[at:]] for at in places)]


@given(data=st.data())
def test_cases_one_after_the_other_in_random_pieces(data: st.DataObject) -> None:
    """Several cases on one connection, in random pieces, read as the reference reads them."""
    some = data.draw(st.lists(st.sampled_from(CASES), min_size=1, max_size=5))
    stream = b"".join(stream_of(case)[:5000] for case in some)
    places = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=40)) | {0, len(stream)})
    pieces = [stream[begin:end] for begin, end in itertools.pairwise(places)]
    assert parse(pieces) == reference(stream)


@pytest.mark.parametrize("case", CASES, ids=[str(case["name"]) for case in CASES])
def test_case_sent_again(case: Case) -> None:
    """What was read from a case reads the same after it was formatted, for a reader with the same id in force."""
    for message in SSEParser().feed(stream_of(case)):
        assert SSEParser(last_event_id=message.id or "").feed(message.encode()) == [message]


def test_a_wrong_expectation_is_found() -> None:
    """The comparison sees each of the facts."""
    case: Case = next(case for case in CASES if case["name"] == "wpt/format-field-id")
    got = facts(parse([stream_of(case)]))
    [message] = SSEParser().feed(stream_of(case))
    for name in ("event", "data", "id", "retry", "block_id"):
        assert isinstance(got["expected"], list)
        assert [{**got["expected"][0], name: "wrong"}] != expected(case)["expected"]
    assert message == SSEMessage("message", "hello", "…", 200)

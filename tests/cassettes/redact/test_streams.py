"""A key split over chunks is still a key."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.cassettes.redact import Redactor, StreamRedactor
from tests.cassettes.redact.fakes import BESIDE, PROVIDER_KEYS
from tests.cassettes.redact.test_scanner import SUSPICIOUS

KEY = PROVIDER_KEYS["openai-key"][0](random.Random(21))
WORDS = (
    "The weather in Paris is ",
    "a task-list",
    " s",
    "it's ",
    "\n---\n",
    "http://localhost:8080/x ",
    "tokens ",
    "é漢",
)


def secrets() -> list[tuple[str, str, str]]:
    """Make one secret of every maker, with what stands before and after it."""
    chance = random.Random(22)
    alone = [(" ", make(chance), " ") for makers in PROVIDER_KEYS.values() for make in makers]
    return alone + [make(chance) for makers in BESIDE.values() for make in makers]


def pieces(text: str, sizes: list[int]) -> Iterator[str]:
    """Cut a text into pieces of these sizes, over and over."""
    position = turn = 0
    while position < len(text):
        size = sizes[turn % len(sizes)]
        yield text[position : position + size]
        position, turn = position + size, turn + 1


def run(chunks: list[str], redactor: Redactor | None = None) -> list[tuple[int, str]]:
    """Feed chunks to one stream and return what came out, in order."""
    machine: StreamRedactor[int] = StreamRedactor(redactor or Redactor())
    released = []
    for token, chunk in enumerate(chunks):
        released += machine.feed("text", chunk, token=token)
        assert machine.held <= 64
    released += machine.close()
    assert machine.held == 0
    return released


def test_the_first_entry_gets_the_placeholder() -> None:
    """A key over three chunks is one placeholder where it begins, and nothing in the others."""
    assert run(["my key is sk", KEY[2:20], KEY[20:] + " ok"]) == [(0, "my key is <openai-key-1>"), (1, ""), (2, " ok")]


@given(
    secret=st.sampled_from(secrets()),
    before=st.lists(st.sampled_from(WORDS), max_size=3).map("".join),
    after=st.lists(st.sampled_from(WORDS), max_size=3).map("".join),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5),
)
def test_any_split_gives_what_the_whole_gives(
    secret: tuple[str, str, str], before: str, after: str, sizes: list[int]
) -> None:
    """However a text is cut, its chunks join to the redacted text, and each comes out once and in order."""
    text = f"{before} {''.join(secret)} {after}"
    chunks = list(pieces(text, sizes))
    released = run(chunks)
    assert [token for token, _ in released] == list(range(len(chunks)))
    assert "".join(chunk for _, chunk in released) == Redactor().text(text)


@pytest.mark.parametrize("secret", secrets(), ids=lambda secret: secret[0][:20] + secret[1][:4])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_every_secret_is_caught_in_pieces(secret: tuple[str, str, str], size: int) -> None:
    """Every kind of secret is caught character by character, in small pieces and whole, with nothing left over."""
    text = f"here: {''.join(secret)} there"
    released = run(list(pieces(text, [size])))
    assert "".join(chunk for _, chunk in released) == Redactor().text(text)
    assert secret[1] not in "".join(chunk for _, chunk in released)


@given(text=SUSPICIOUS, sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5))
@example(text="\ud800" + KEY, sizes=[9])
def test_nothing_is_lost_or_left(text: str, sizes: list[int]) -> None:
    """Whatever comes, each chunk is released once and in order."""
    chunks = list(pieces(text, sizes))
    released = run(chunks)
    assert [token for token, _ in released] == list(range(len(chunks)))


@given(
    text=st.text() | st.lists(st.sampled_from(WORDS)).map("".join),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5),
)
def test_clean_text_is_released_as_it_is(text: str, sizes: list[int]) -> None:
    """Chunks without a secret come out as the same objects, held in between or not."""
    chunks = list(pieces(text, sizes))
    assert all(new is old for (_, new), old in zip(run(chunks), chunks, strict=True))


def test_data_that_looks_like_a_key_when_cut_is_redacted_as_one() -> None:
    """What only its length tells from a key is taken for one if it comes too slowly to be seen whole."""
    data = " " + KEY * 8
    assert run([data]) == [(0, data)]
    assert "".join(chunk for _, chunk in run(list(data))) == " <openai-key-1>"


def test_harmless_text_is_not_held() -> None:
    """Most chunks of ordinary prose are released at once."""
    chunks = [f" {word}" for word in ("The sky over Paris is blue today, and the token price is 3 EUR. " * 9).split()]
    machine: StreamRedactor[None] = StreamRedactor(Redactor())
    at_once = sum(bool(machine.feed("text", chunk, token=None)) and not machine.held for chunk in chunks)
    assert at_once == len(chunks)


def test_later_entries_wait_behind_a_held_one() -> None:
    """The order of entries is kept over all streams and over entries without text."""
    machine: StreamRedactor[str] = StreamRedactor(Redactor())
    assert machine.feed("a", "key: s", token="1") == []
    assert machine.skip("2") == []
    assert machine.feed("b", "hello", token="3") == []
    assert machine.held == 3
    assert machine.feed("a", "ky", token="4") == [("1", "key: s"), ("2", ""), ("3", "hello"), ("4", "ky")]
    assert machine.skip("5") == [("5", "")]


def test_streams_are_apart() -> None:
    """Halves of a key in two streams are no key."""
    machine: StreamRedactor[int] = StreamRedactor(Redactor())
    released = machine.feed("a", KEY[:10], token=0) + machine.feed("b", KEY[10:], token=1) + machine.close()
    assert released == [(0, KEY[:10]), (1, KEY[10:])]


def test_the_end_of_a_stream_lets_go() -> None:
    """Flushing one stream decides on what it held, and forgets it."""
    machine: StreamRedactor[int] = StreamRedactor(Redactor())
    assert machine.feed("a", KEY, token=0) == []
    assert machine.flush("a") == [(0, "<openai-key-1>")]
    assert machine.flush("a") == []
    assert machine.feed("a", "x" * 5, token=1) == [(1, "x" * 5)]


def test_no_more_than_64_entries_wait() -> None:
    """The 65th entry lets the first one go, and an unfinished key goes with it: this is the limit."""
    machine: StreamRedactor[int] = StreamRedactor(Redactor())
    machine.feed("a", KEY[:6], token=0)
    released = [one for token in range(1, 65) for one in machine.skip(token)]
    assert released == [(0, KEY[:6]), *((token, "") for token in range(1, 65))]
    assert machine.held == 0


def test_a_long_secret_is_cut_at_once_and_dropped_to_its_end() -> None:
    """A private key longer than what may wait is replaced early, and what still comes of it is dropped."""
    key = PROVIDER_KEYS["private-key"][0](random.Random(5))
    assert len(key) > 600
    machine: StreamRedactor[int] = StreamRedactor(Redactor())
    chunks = [*pieces(key, [50]), " and more"]
    released = []
    for token, chunk in enumerate(chunks):
        released += machine.feed("a", chunk, token=token)
        assert machine.held <= 12
    assert released + machine.close() == [
        (0, "<private-key-1>"),
        *((token, "") for token in range(1, len(chunks) - 1)),
        (len(chunks) - 1, " and more"),
    ]


def test_a_private_key_without_end_does_not_swallow_everything() -> None:
    """What follows a key that never ends is dropped for 64 KB and no further."""
    head = "-----BEGIN" + " PRIVATE KEY-----\n"
    released = run([head, *["MIIEvQIBADANBgkq" * 64] * 80])
    assert released[0] == (0, "<private-key-1>")
    assert [bool(chunk) for _, chunk in released[-3:]] == [True, True, True]


def test_a_long_chunk_with_a_doubtful_end_waits() -> None:
    """What counts is the doubtful end, not the length of the chunk that has it."""
    assert run(["x" * 5_000 + " " + KEY[:20], KEY[20:]]) == [(0, "x" * 5_000 + " <openai-key-1>"), (1, "")]


def test_bytes_pass_as_latin_1() -> None:
    """A wire's chunks may end inside a character and still give a key away."""
    wire = f"é {KEY} é".encode()
    chunks = [wire[start : start + 3].decode("latin-1") for start in range(0, len(wire), 3)]
    assert "".join(chunk for _, chunk in run(chunks)).encode("latin-1") == "é <openai-key-1> é".encode()


def test_without_rules_nothing_waits() -> None:
    """A redactor that is off holds nothing back."""
    assert run([KEY[:9], KEY[9:]], Redactor(())) == [(0, KEY[:9]), (1, KEY[9:])]


def test_secrets_of_one_cassette_are_numbered_together() -> None:
    """A key in a stream and the same key elsewhere have one number."""
    redactor = Redactor()
    assert run(["is ", KEY[:30], KEY[30:], " it"], redactor)[1] == (1, "<openai-key-1>")
    assert redactor.text(KEY) == "<openai-key-1>"
    assert redactor.hits == {"openai-key": 2}


def test_who_waits_is_told_and_can_be_forced() -> None:
    """A stream waits while something is held or dropped; forcing lets the oldest go, and those behind it."""
    streams = StreamRedactor[int](Redactor())
    assert not streams.waits("a")
    assert streams.force() == []
    assert streams.feed("a", "see sk-", token=1) == []
    assert streams.feed("b", "fine", token=2) == []
    assert streams.waits("a")
    assert not streams.waits("b")
    assert streams.force() == [(1, "see sk-"), (2, "fine")]
    assert not streams.waits("a")
    assert streams.feed("a", f" {KEY}", token=3) == []
    assert streams.force() == [(3, " <openai-key-1>")]
    assert streams.waits("a"), "what follows belongs to the key"
    assert not streams.passes("a", "more of it")
    assert streams.feed("a", "more of it", token=4) == [(4, " of it")]


def test_text_passes_where_nothing_waits() -> None:
    """Clean text of a known stream passes and counts as what stands before the next; all else changes nothing."""
    streams = StreamRedactor[int](Redactor())
    assert not streams.passes("a", "new")
    streams.feed("a", "it ", token=1)
    assert streams.passes("a", "is the pass")
    assert streams.passes("a", "word: ")
    assert not streams.passes("a", "hunter2X")
    assert streams.feed("a", "hunter2X!", token=2) == []
    assert not streams.passes("a", "fine")
    assert not streams.passes("b", "fine")
    assert streams.close() == [(2, "<password-1>")]


def test_the_end_of_a_private_key_is_dropped_with_it() -> None:
    """Of a key that is let go before its END came whole, nothing of that END stays."""
    streams = StreamRedactor[int](Redactor())
    key = PROVIDER_KEYS["private-key"][0](random.Random(3))
    head, tail = key[:-12], key[-12:]
    told = [*streams.feed("a", head * 1, token=1), *streams.feed("a", f"{tail} ok", token=2), *streams.close()]
    assert "".join(text for _, text in told) == "<private-key-1> ok"


def test_a_secret_that_goes_on_stops_where_it_must() -> None:
    """What is dropped of a secret without an end that came is dropped up to `stop`, and no further."""
    streams = StreamRedactor[int](Redactor(), stop="(?=!)")
    key = PROVIDER_KEYS["private-key"][0](random.Random(4))
    streams.feed("a", key[:60], token=1)
    assert streams.force() == [(1, "<private-key-1>")]
    assert streams.drops("a")
    assert streams.feed("a", key[60:80], token=2) == [(2, "")]
    assert streams.feed("a", "rest! and more", token=3) == [(3, "! and more")]
    assert not streams.drops("a")

"""A key that is cut over the messages of recorded bytes is taken out; all other bytes stay, and replay parses."""

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.cassettes.places import locate
from playhead.events.dialects import DIALECTS
from playhead.recording.recorder import record
from playhead.recording.scrubbing import find_secrets, scrub
from tests.secrets.corpus import cuts_in_three, cuts_in_two, escaped, feeding, feeds, joined, keys, leaks
from tests.secrets.taping import TRACKS, as_bytes, cut_anywhere, messages_in, sse, wire_tape

KEYS = keys()
SHORT = "sk-" + "proj-" + "Ab3dE5gH7jK9mN1pQ3sT5"
FEEDING = [(dialect, kind, op) for dialect in DIALECTS for kind, op in feeds(dialect)]


def assert_taken_out(chunks: list[bytes], told: list[Any], key: str = SHORT) -> None:
    """Fail unless the key is out, the words around it are there, and the chunks are as many as they were."""
    text = joined(messages_in(told))
    assert not leaks(key, text)
    assert "It is <" in text
    assert "-1> there." in text
    assert len(told) == len(chunks)


@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.parametrize(("dialect", "kind", "op"), FEEDING, ids=[f"{each[0]}-{each[1]}" for each in FEEDING])
def test_a_key_over_two_messages_is_a_key(track: str, dialect: str, kind: str, op: Any) -> None:
    """In every dialect, wherever its table has a text and wherever it is cut, on both tracks that have bytes."""
    for pieces in cuts_in_two(SHORT):
        chunks = sse(*(feeding(op, kind, DIALECTS[dialect].tag, text) for text in ("It is ", *pieces, " there.")))
        assert_taken_out(chunks, TRACKS[track](chunks))


@pytest.mark.parametrize("dialect", dict.fromkeys(each[0] for each in FEEDING))
def test_any_key_over_three_messages_in_any_chunks(dialect: str) -> None:
    """Keys of every maker over three messages, whose bytes are cut anywhere: in a key, a name, or an end of line."""
    chance = random.Random(dialect)
    every = itertools.cycle(feeds(dialect))
    for number, (_, key) in enumerate(KEYS):
        kind, op = next(every)
        for pieces in cuts_in_three(key, number, 2):
            events = [feeding(op, kind, DIALECTS[dialect].tag, text) for text in ("It is ", *pieces, " there.")]
            chunks = cut_anywhere(b"".join(sse(*events, end="\r\n\r\n")), chance)
            assert_taken_out(chunks, TRACKS["model"](chunks), key)


def openai_call(index: int, arguments: str) -> dict[str, Any]:
    """Return a chunk of a chat in which a call of a tool goes on."""
    calls = [{"index": index, "function": {"arguments": arguments}}]
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"tool_calls": calls}}]}


def anthropic_call(index: int, arguments: str) -> dict[str, Any]:
    """Return an event of a message in which a call of a tool goes on."""
    return {
        "type": "content_block_delta",
        "index": index,
        "delta": {"type": "input_json_delta", "partial_json": arguments},
    }


def responses_call(index: int, arguments: str) -> dict[str, Any]:
    """Return an event of a response in which a call of a tool goes on."""
    return {"type": "response.function_call_arguments.delta", "output_index": index, "delta": arguments}


def agui_call(index: int, arguments: str) -> dict[str, Any]:
    """Return an event of AG-UI in which a call of a tool goes on."""
    return {"type": "TOOL_CALL_ARGS", "toolCallId": f"call-{index}", "delta": arguments}


@pytest.mark.parametrize("call", [openai_call, anthropic_call, responses_call, agui_call])
def test_arguments_of_tools_that_are_told_by_turns(call: Callable[[int, str], dict[str, Any]]) -> None:
    """A key in the arguments of a tool is found though another tool's arguments come in between."""
    whole = json.dumps({"key": SHORT, "q": "It is there."})
    pieces = [whole[at : at + 7] for at in range(0, len(whole), 7)]
    chunks = sse(*itertools.chain.from_iterable((call(1, piece), call(2, "[1, 2]")) for piece in pieces))
    values = messages_in(wire_tape(chunks))
    text = json.dumps([value for value in values if value != call(2, "[1, 2]")])
    assert not leaks(SHORT, text)
    assert not any(piece in text for piece in pieces[2:5])
    assert len(values) == 2 * len(pieces)
    assert values[1::2] == [call(2, "[1, 2]")] * len(pieces)


def test_what_only_the_words_before_it_give_away() -> None:
    """A password is one though its name stands in another message, and in another one than its colon."""
    chunks = sse(*({"token": text} for text in ("The pass", "word", ": hun", "ter2", "Xy!9", " is it.")))
    (text,) = joined(messages_in(wire_tape(chunks))).splitlines()[1:]
    assert text == "The password: <password-1> is it."


def test_a_message_like_the_last_one_is_looked_at_by_name() -> None:
    """A header in a message goes out though it looks like nothing, whether its message was read or only matched."""
    event = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "it is"}}
    chunks = sse(*(event | {"x-api-key": value} for value in ("$KEY", "abc", "abd", "abe")))
    values = messages_in(wire_tape([*chunks[:2], b"".join(chunks[2:])]))
    assert [value["x-api-key"] for value in values] == ["$KEY", *(f"<x-api-key-{number}>" for number in (1, 2, 3))]


STREAMS: dict[str, Callable[[str], bytes]] = {
    "plain words": lambda text: f"data: {text}\n\n".encode(),
    "a string of JSON": lambda text: f"data: {json.dumps(text)}\n\n".encode(),
    "JSON a line": lambda text: f"{json.dumps({'response': text, 'done': False})}\n".encode(),
    "no table": lambda text: f"event: token\ndata: {json.dumps({'v': [{'t': text}]})}\n\n".encode(),
    "no space": lambda text: f"data:{json.dumps({'t': text})}\r\r".encode(),
    "a place no table names": lambda text: b"".join(
        sse(
            {
                "object": "chat.completion.chunk",
                "choices": [{"index": 0, "delta": {"content": "x"}, "notes": [{"note": text}]}],
            }
        )
    ),
    "spelled in escapes": lambda text: f'data: {{"t":"{escaped(text)}"}}\n\n'.encode(),
}


@pytest.mark.parametrize("name", STREAMS)
def test_streams_of_no_dialect(name: str) -> None:
    """Words without JSON, JSON without SSE, places that no table names: cut at each place, in one chunk and in two."""
    for pieces in cuts_in_two(SHORT):
        parts = [STREAMS[name](text) for text in ("It is ", *pieces, " there.")]
        for chunks in (parts, [b"".join(parts)], [b"".join(parts)[:-30], b"".join(parts)[-30:]]):
            told = as_bytes(wire_tape(chunks)).decode()
            assert not leaks(SHORT, told), pieces
            assert not leaks(escaped(SHORT), told), pieces
            assert "<openai-key-1>" in told or escaped("<openai-key-1>") in told or "\\u003copenai" in told


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_key_in_very_small_pieces(size: int) -> None:
    """A key of any kind that comes character by character is a key, as far as 64 entries go."""
    for kind, key in KEYS:
        if len(key) <= 60 * size:
            pieces = [key[at : at + size] for at in range(0, len(key), size)]
            chunks = sse(*({"token": text} for text in ("It is ", *pieces, " there.")))
            told = wire_tape(chunks)
            assert_taken_out(chunks, told, key)
            assert f"<{kind}-1>" in as_bytes(told).decode()


@given(data=st.data())
def test_bytes_without_a_secret_stay_as_they_are(data: st.DataObject) -> None:
    """Whatever waited for a while, and whatever the bytes are: no chunk changes, in its bytes or its bounds."""
    word = st.text(max_size=6) | st.sampled_from(["sk-", "s", "eyJ", "data:", "\n", '"', "\\", "-----BEGIN", "gh"])
    pieces = data.draw(st.lists(word.map(str.encode) | st.binary(max_size=4), max_size=30))
    values = sse(*data.draw(st.lists(st.fixed_dictionaries({"type": word, "delta": word}), max_size=4)))
    chunks = data.draw(st.permutations([*pieces, *values]))
    told = wire_tape(chunks)
    assert [chunk.encode() if isinstance(chunk, str) else chunk for chunk in told] == chunks


def test_only_the_messages_that_lose_something_change() -> None:
    """What stands before a secret and behind it keeps its spelling, byte for byte, and its chunk."""
    chunks = [
        b'id: 1\ndata: {"type" :"x","t":"caf\\u00e9 ", "n":1.50}\n\n',
        b'data: {"t":"mine: ' + SHORT[:12].encode() + b'" }\n\ndata: {"t"',
        b':"' + SHORT[12:].encode() + b', ok"}\n\n: ping\n\n',
    ]
    assert wire_tape(chunks) == [
        chunks[0].decode(),
        'data: {"t":"mine: <openai-key-1>" }\n\ndata: {"t"',
        ':", ok"}\n\n: ping\n\n',
    ]


def test_no_entry_waits_longer_than_it_must() -> None:
    """A message goes on at once, the beginning of one waits for its end, and that of a key for what follows."""
    place, held = ":memory:::held", list[int]()
    chunks = [*sse({"t": "Hello"}), b'data: {"t":', b'"you"}\n\n', *sse({"t": "sk-"}, {"t": "ip"}, {"t": "s"})]
    with record(place) as tape:
        held += [tape.held for _ in tape.chunks(iter(chunks))]
        assert tape.held == 0
    assert held == [0, 1, 0, 1, 0, 0]


def test_what_waits_is_bounded() -> None:
    """No more than 64 entries wait, and none for a long line: a body without an end goes to the tape at once."""
    with record(":memory:::many") as tape:
        run = tape.response()
        run.take(sse({"t": "sk-"})[0])
        for number in range(200):
            run.take(f": {number}\n\n".encode())
            assert tape.held <= 64
        assert tape.held < 64
        run.take(b'{"body":"' + b"x" * 600)
        run.take(b"y")
        assert tape.held == 0
        run.finish()


def test_a_secret_that_is_let_go_loses_its_rest() -> None:
    """A private key of many messages is longer than what waits: its beginning is replaced, the rest is dropped."""
    key = next(key for kind, key in KEYS if kind == "private-key")
    lines = [*key.splitlines(keepends=True)[:-1]] * 4 + [key.splitlines()[-1]]
    body = "".join([lines[0], *(line for line in lines[1:] if "BEGIN" not in line)])
    for size in (5, 40, 300):
        texts = ["It is ", *(body[at : at + size] for at in range(0, len(body), size)), " there."]
        whole = b"".join(sse(*({"token": text} for text in texts)))
        for step in (len(whole), 700, 50):
            chunks = [whole[at : at + step] for at in range(0, len(whole), step)]
            text = "".join(value["token"] for value in messages_in(wire_tape(chunks)))
            assert text == "It is <private-key-1> there.", (size, step)


def test_each_message_is_json_still() -> None:
    """Two keys in one long line that is let go in its middle leave JSON behind."""
    line = sse({"a": f"{SHORT} {'x' * 500}", "b": f"{SHORT[::-1]} {SHORT}", "c": "y" * 300})[0]
    for cut in range(8, len(line), 37):
        (value,) = messages_in(wire_tape([line[:cut], line[cut:]]))
        assert set(value) == {"a", "b", "c"}
        assert not leaks(SHORT, json.dumps(value))


@pytest.mark.parametrize("step", [1, 3, 10])
def test_each_message_is_json_still_in_very_small_chunks(step: int) -> None:
    """Where more than 64 entries wait all the time, what is let go too early loses the rest, and stays JSON."""
    key = next(key for kind, key in KEYS if kind == "private-key")
    for cuts in (1, 2, 4):
        size = len(key) // cuts + 1
        texts = ["It is ", *(key[at : at + size] for at in range(0, len(key), size)), " there."]
        whole = b"".join(sse(*({"pad": "x" * 600, "t": text, "z": "y"} for text in texts)))
        values = messages_in(wire_tape([whole[at : at + step] for at in range(0, len(whole), step)]))
        assert [value["z"] for value in values] == ["y"] * (cuts + 2)
        assert values[-1]["t"] == " there."


def test_the_end_of_a_response_lets_all_go() -> None:
    """A response that stops in a message, or in what may be a key, leaves nothing waiting and nothing changed."""
    for end in (b'data: {"t":"sk-', b'data: {"t":"sk-"}\n\n', b'data: {"t":"' + SHORT.encode()):
        place = ":memory:::stops"
        with record(place) as tape:
            assert list(tape.chunks([b"data: x\n\n", end])) == [b"data: x\n\n", end]
            assert tape.held == 0
            list(tape.chunks([SHORT[3:].encode()]))
        with locate(place).read() as cassette:
            told = "".join(entry.value() for entry in cassette.entries())
        assert "sk-Ab" not in told
        assert ("<openai-key-1>" in told) == (SHORT.encode() in end)


def test_responses_at_the_same_time_are_apart() -> None:
    """Two responses that are taped by turns: the halves of a key in each are joined, and order is kept."""
    place = ":memory:::turns"
    with record(place) as tape:
        runs = [tape.response(), tape.response()]
        for text in ("It is ", SHORT[:9], SHORT[9:], " there."):
            for number, run in enumerate(runs):
                run.take(sse({"t": text, "n": number})[0])
        for run in runs:
            run.finish()
    with locate(place).read() as cassette:
        entries = list(cassette.entries())
    assert [entry.owner for entry in entries] == ["r1", "r2"] * 4
    for owner in ("r1", "r2"):
        values = messages_in([entry.value() for entry in entries if entry.owner == owner])
        assert "".join(value["t"] for value in values) == "It is <openai-key-1> there."


def test_old_cassettes_are_scanned_and_scrubbed_alike(tmp_path: Path) -> None:
    """In a file that has the key already it is found in the line where it begins, and taken out."""
    old, new = locate(str(tmp_path / "old.jsonl")), locate(str(tmp_path / "new.jsonl"))
    with record(tmp_path / "old.jsonl", redact=()) as tape:
        list(tape.chunks(sse({"t": "It is "}, {"t": SHORT[:9]}, {"t": SHORT[9:]}, {"t": " there."})))
        call = tape.call({"messages": []})
        for chunk in sse(anthropic_call(0, SHORT[:9]), anthropic_call(0, SHORT[9:])):
            call.take(chunk)
        call.finish()
    with old.read() as cassette:
        assert [(each.line, each.placeholder) for each in find_secrets(cassette)] == [
            (3, "<openai-key-1>"),
            (7, "<openai-key-1>"),
        ]
    assert scrub(old, new).redacted == {"openai-key": 2}
    with new.read() as cassette:
        assert list(find_secrets(cassette)) == []
        values = [entry.value() for entry in cassette.entries()]
    assert "".join(value["t"] for value in messages_in(values[:4])) == "It is <openai-key-1> there."
    assert SHORT[9:] not in json.dumps(values)

"""What a stranger would try: a key in each place of a recording that takes text, live and in an old file."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playhead.cassettes.format import Header
from playhead.cassettes.places import locate
from playhead.cassettes.redact import Redactor
from playhead.recording.recorder import Recorder, record
from playhead.recording.scrubbing import find_secrets, scrub
from playhead.recording.secrets import clean_header
from tests.secrets.corpus import escaped, leaks, nested

KEY = "sk-" + "proj-" + "Ab3dE5gH7jK9mN1pQ3sT5"
HEADERS = [
    ["x-api-key", KEY],
    ["Authorization", f"Bearer {KEY}"],
    ["location", f"https://api.example/?key={KEY}"],
    ["set-cookie", f"session={KEY}; Path=/"],
]


def failing() -> Iterator[dict[str, Any]]:
    """Yield an event, and fail with a message that has the key."""
    yield {"event_type": "think", "iteration": 1, "reasoning": f"use {KEY}"}
    raise ValueError(f"401: Incorrect API key provided: {KEY}. {nested(KEY, 2)}")


def an_error_response(tape: Recorder) -> None:
    """Tape a 401 to a client, whose body says the key, plain and in escapes, in one chunk and in two."""
    for body in (f'{{"error":{{"message":"bad key {KEY}"}}}}', f'{{"error":"{escaped(KEY)}"}}'):
        for chunks in ([body], [body[:40], body[40:]]):
            run = tape.response()
            tape.head(run, {"status": 401, "headers": HEADERS})
            for chunk in chunks:
                run.take(chunk.encode())
            run.finish()


def a_refused_call(tape: Recorder) -> None:
    """Tape a question that is refused: the key in its path and messages, and in the answer, whole and streamed."""
    request = {"method": "POST", "path": f"/v1/x?key={KEY}", "body": {"messages": [{"role": "user", "content": KEY}]}}
    call = tape.call(request)
    call.reply({"status": 400, "headers": HEADERS, "body": json.dumps({"error": KEY})})
    call.close()
    call = tape.call(request)
    call.take(f'{{"error":{{"message":"{KEY}"}}}}'.encode())
    call.finish(RuntimeError(f"no {KEY}", KEY))


def a_tool(tape: Recorder) -> None:
    """Tape a tool that gets the key and gives it back."""
    call = tape.call({"name": "env", "arguments": {"key": KEY}}, kind="tool_call")
    call.reply({KEY: [KEY]}, "tool_result")
    call.close()


def a_failing_run(tape: Recorder) -> None:
    """Tape a run that fails, with a checkpoint and what a person answered."""
    for _ in tape.events(failing()):
        tape.checkpoint({"memory": [{"env": {"OPENAI_API_KEY": KEY}}]}, checkpoint_id=f"after {KEY}")
        tape.input(tape.response(), {"answer": f"my key is {KEY}"})


def everything(path: Path, **options: Any) -> None:
    """Tape a key in every place there is. Raises what the run raises."""
    with record(path, **options) as tape:
        for place in (an_error_response, a_refused_call, a_tool, a_failing_run):
            place(tape)


def taped(path: Path, **options: Any) -> str:
    """Tape all places, and return the file as text in which escapes say what they mean."""
    with pytest.raises(ValueError, match="Incorrect"):
        everything(path, **options)
    return plain(path)


def plain(path: Path) -> str:
    """Return a file as text in which escapes say what they mean, however deep."""
    text = path.read_text(encoding="utf-8")
    for _ in range(4):
        text = text.replace("\\\\", "\\")
    return text + text.replace(escaped(KEY), KEY)


def test_nothing_taped_has_the_key(tmp_path: Path) -> None:
    """Heads, bodies, questions, answers, tools, checkpoints, answers of people, exceptions and the seal are clean."""
    text = taped(tmp_path / "clean.jsonl")
    assert not leaks(KEY, text)
    assert text.count("<openai-key-1>") > 30
    assert "<openai-key-2>" not in text


def test_an_old_file_is_cleaned_of_it(tmp_path: Path) -> None:
    """Scan finds and scrub takes out the same, in every place, the name of the cassette and the seal included."""
    path = tmp_path / "old.jsonl"
    assert leaks(KEY, taped(path, redact=(), name=f"tests/test_x.py::test_it[{KEY}]", made={"by": f"me, {KEY}"}))
    with locate(str(path)).read() as cassette:
        found = list(find_secrets(cassette))
        lines = cassette.entry_count + 2
    assert {each.line for each in found} >= {1, 2, lines}
    copy = tmp_path / "copy.jsonl"
    scrub(locate(str(path)), locate(str(copy)))
    assert not leaks(KEY, plain(copy))
    with locate(str(copy)).read() as cassette:
        assert list(find_secrets(cassette)) == []
        assert cassette.header.name == "tests/test_x.py::test_it[<openai-key-1>]"


def test_a_header_that_is_clean_is_left_alone() -> None:
    """The header itself comes back, and one with a key keeps all else."""
    header = Header(
        name="trip.jsonl", dialects={"event": "locus"}, made={"python": "3.11"}, redact=["private-keys", "bearer"]
    )
    assert clean_header(header, Redactor()) is header
    assert clean_header(header.model_copy(update={"name": KEY}), Redactor()).made == header.made


@pytest.mark.parametrize("pack", [gzip.compress, base64.b64encode])
def test_what_is_packed_is_not_seen_through(tmp_path: Path, pack: Any) -> None:
    """A body that came compressed, or bytes in base64: the docs say so, and must change with this."""
    path = tmp_path / "packed.jsonl"
    packed = pack(f'{{"key":"{KEY}"}}'.encode())
    with record(path) as tape:
        list(tape.chunks([packed]))
    with locate(str(path)).read() as cassette:
        (entry,) = cassette.entries()
    assert entry.value() in (packed, packed.decode("latin-1"))

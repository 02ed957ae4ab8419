"""Tests of what is found in taped responses: the head counts, and what is no event stream is left alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.contracts.check import check
from playhead.recording.recorder import record
from playhead.replaying.tape import open_tape

STREAM = (
    b'event: terminate\nid: 1\ndata: {"event_type":"terminate","reason":"complete"}\n\n'
    b'event: done\nid: 2\ndata: {"status":"complete","total_events":1}\n\n'
)
GOOD = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


def found(place: Path, head: dict[str, str] | None, *chunks: bytes) -> Iterator[tuple[int | None, str]]:
    """Tape a response, and yield line and code of what is found in it."""
    with record(place) as tape:
        run = tape.response()
        if head is not None:
            tape.head(run, {"status": 200, "headers": list(head.items())})
        for chunk in chunks:
            run.take(chunk)
        run.finish()
    with open_tape(place) as taped:
        yield from ((violation.line, violation.code) for violation in check(taped))


@pytest.mark.parametrize(
    ("head", "chunks", "expected"),
    [
        (GOOD, [STREAM], []),
        (None, [STREAM], []),
        ({"content-type": "text/event-stream"}, [STREAM], [(2, "WIR016")]),
        ({"content-type": "Text/Event-Stream", "cache-control": "no-store"}, [STREAM[:90], STREAM[90:]], []),
        ({**GOOD, "content-type": "text/plain"}, [STREAM], [(3, "WIR015")]),
        (GOOD, [STREAM[:-1]], [(4, "WIR002")]),
        ({"content-type": "text/html"}, [b"<!doctype html>\n<title>A page</title>\n\n"], []),
        ({"content-type": "image/png"}, [b"\x89PNG\r\n\x1a\n", STREAM], []),
        ({"content-type": "application/json"}, [b'{\n"ok": true\n}\n'], []),
        ({}, [], []),
        (GOOD, [], []),
    ],
    ids=["good", "no head", "kept", "spelled", "hidden", "torn", "page", "image", "json", "empty", "no messages"],
)
def test_a_response(
    head: dict[str, str] | None, chunks: list[bytes], expected: list[tuple[int, str]], tmp_path: Path
) -> None:
    """Findings of a head lie at its line, or where a hidden stream begins."""
    assert list(found(tmp_path / "a.jsonl", head, *chunks)) == expected

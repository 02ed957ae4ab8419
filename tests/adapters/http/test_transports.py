"""Tests of the HTTP transports: what clients of both libraries see through them, recorded, replayed and without."""

import json
import socket
import threading
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from playhead.errors import ReplayMismatch, UsageError
from playhead.recording.recorder import record
from playhead.recording.taps import RecordingTap
from playhead.replaying.rechunking import rechunked
from playhead.replaying.taps import rerun
from tests.adapters.http.raw_server import ODD_CHUNKS, OK, Asked, Peer, RawServer, Respond, streaming, whole
from tests.adapters.http.readers import READERS, Outcome, Reader

OFFLINE = "http://offline.invalid"

pytestmark = pytest.mark.parametrize("reader", READERS)


def taped(cassette: Path) -> list[dict[str, Any]]:
    """Return the entries of a cassette: kind and data."""
    lines = [json.loads(line) for line in cassette.read_text().splitlines()]
    return [line for line in lines if "kind" in line]


def end_of(cassette: Path) -> Any:
    """Return the last entry's data."""
    return taped(cassette)[-1]["data"]


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """Return where a test records."""
    return tmp_path / "tape.jsonl"


def recorded(reader: Reader, cassette: Path, respond: Respond, **options: Any) -> Outcome:
    """Read one answer of a server, on tape."""
    with RawServer(respond) as server, record(cassette) as recorder:
        return reader.read(recorder, server.url, **options)


def replayed(reader: Reader, cassette: Path, **options: Any) -> Outcome:
    """Read the recorded answer."""
    with rerun(cassette) as tap:
        return reader.read(tap, OFFLINE, **options)


def test_odd_chunks(reader: Reader, cassette: Path) -> None:
    """Eight odd chunks, each one read, are recorded as eight and come back as eight."""
    with RawServer(streaming(ODD_CHUNKS, permitted=True)) as server, record(cassette) as recorder:
        server.permit()
        live = reader.read(recorder, server.url, after_each=server.permit)
    assert live.chunks == list(ODD_CHUNKS)
    assert [entry["kind"] for entry in taped(cassette)] == ["request", "reply", *["chunk"] * 8, "end"]
    again = replayed(reader, cassette)
    assert again.chunks == list(ODD_CHUNKS)
    assert (again.status, again.headers, again.error) == (200, {"content-type": "text/event-stream"}, None)


@pytest.mark.parametrize("how", ["bytes", "points", "lines", "whole", "random"])
def test_rechunked(reader: Reader, cassette: Path, how: Any) -> None:
    """On request the same bytes come in other chunks."""
    recorded(reader, cassette, streaming(ODD_CHUNKS))
    again = replayed(reader, cassette, rechunk=how, seed=7)
    assert again.chunks == rechunked(ODD_CHUNKS, how, seed=7)


def test_what_is_asked(reader: Reader, cassette: Path) -> None:
    """The server gets the client's request, but is asked for a body that is not compressed."""
    with RawServer(whole(b"{}")) as server:
        reader.read(None, server.url)
        with record(cassette) as recorder:
            reader.read(RecordingTap(recorder), server.url)
    bare, through = server.asked
    assert bare.headers.pop("accept-encoding") != "identity"
    assert through.headers.pop("accept-encoding") == "identity"
    assert bare == through


def test_cut_after_five_chunks(reader: Reader, cassette: Path) -> None:
    """A stream that is cut is recorded as five chunks and the exception, and replayed so."""
    respond = streaming([b"data: %d\n\n" % number for number in range(5)], last=b"")
    with RawServer(respond) as server:
        bare = reader.read(None, server.url)
    live = recorded(reader, cassette, respond)
    again = replayed(reader, cassette)
    assert bare.fault == live.fault == again.fault
    assert again.fault is not None
    assert again.fault[0] is reader.library.RemoteProtocolError
    assert b"".join(again.chunks) == b"".join(bare.chunks)
    assert again.chunks == live.chunks


def test_nobody_listens(reader: Reader, cassette: Path) -> None:
    """A connection that fails is recorded, and fails again with the same words."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with record(cassette) as recorder:
        live = reader.read(recorder, url)
    again = replayed(reader, cassette)
    assert isinstance(live.error, reader.library.ConnectError)
    assert again.fault == live.fault


def test_silent_server(reader: Reader, cassette: Path) -> None:
    """A read timeout is recorded, and fires again."""

    def respond(asked: Asked, peer: Peer) -> None:
        peer.wait()

    live = recorded(reader, cassette, respond, timeout_s=0.05)
    again = replayed(reader, cassette)
    assert isinstance(live.error, reader.library.ReadTimeout)
    assert again.fault == live.fault


def test_leaving_costs_no_more(reader: Reader, cassette: Path) -> None:
    """Whoever leaves after 3 of 40 events costs the server as much with a tape as without, and a replay agrees."""
    sent: list[int] = []

    def respond(asked: Asked, peer: Peer) -> None:
        peer.send(OK + b"transfer-encoding: chunked\r\n\r\n")
        sent.append(0)
        for number in range(40):
            peer.wait()
            if peer.has_gone():
                return
            peer.send_chunk(b"data: %d\n\n" % number)
            sent[-1] += 1

    def leave(source: Any) -> Outcome:
        with RawServer(respond) as server:
            server.permit()
            seen = reader.read(source, server.url, leave_after=3, after_each=server.permit)
            server.permit(40)
        return seen

    bare = leave(None)
    with record(cassette) as recorder:
        through = leave(recorder)
    assert through.chunks == bare.chunks
    assert len(through.chunks) == 3
    assert sent[0] == sent[1] <= 4
    assert end_of(cassette) == {"how": "closed"}
    assert replayed(reader, cassette, leave_after=3).chunks == bare.chunks


def test_leaving_is_taped_when_it_happens(reader: Reader, cassette: Path) -> None:
    """That a reader left is on the tape before the next question is."""
    with RawServer(streaming([b"a", b"b"])) as server, record(cassette) as recorder:
        reader.read(recorder, server.url, leave_after=1)
        reader.read(recorder, server.url, leave_after=1)
    assert [entry["kind"] for entry in taped(cassette)] == ["request", "reply", "chunk", "end"] * 2


def test_reading_on_is_a_mismatch(reader: Reader, cassette: Path) -> None:
    """Where the recorded reader left, one that reads on is told so, and again on leaving."""
    recorded(reader, cassette, streaming([b"a", b"b"]), leave_after=1)
    tap = rerun(cassette)
    seen = reader.read(tap, OFFLINE)
    assert seen.chunks == [b"a"]
    assert isinstance(seen.error, ReplayMismatch)
    with pytest.raises(ReplayMismatch, match=r"c1 was left after 1 chunks .*\(closed\), and now it is read further"):
        tap.assert_complete()


def test_changed_question(reader: Reader, cassette: Path) -> None:
    """Another question is a mismatch that says what changed, and it is raised again on leaving if it was caught."""
    recorded(reader, cassette, whole(b"{}"))
    question = {"messages": [{"role": "user", "content": "Where is Rome?"}]}
    tap = rerun(cassette)
    seen = reader.read(tap, OFFLINE, question=question)
    assert isinstance(seen.error, ReplayMismatch)
    with pytest.raises(ReplayMismatch, match=r"Where is Paris\?.* -> .*Where is Rome\?"):
        tap.assert_complete()


def test_rate_limit(reader: Reader, cassette: Path) -> None:
    """A refusal comes back with its status, its headers and its body."""
    head = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\nx-request-id: r-1\r\nx-name: caf\xc3\xa9\r\n"
    live = recorded(reader, cassette, whole(b'{"error": "slow down"}', head=head))
    again = replayed(reader, cassette)
    assert again.status == live.status == 429
    assert again.headers == {"retry-after": "7", "x-request-id": "r-1", "x-name": "café"}
    assert live.headers == again.headers | {"content-length": "22"}
    assert b"".join(again.chunks) == b'{"error": "slow down"}'


def test_no_secret_on_tape(reader: Reader, cassette: Path) -> None:
    """A key in a header, in the question, and over three chunks of the answer leaves nothing on the tape."""
    keys = [f"sk-ant-api03-{letter * 40}" for letter in "ABC"]
    cut = [keys[0][:9].encode(), keys[0][9:30].encode(), keys[0][30:].encode() + b" is the key\n"]
    head = OK + b"transfer-encoding: chunked\r\nx-api-key: %b\r\n\r\n" % keys[1].encode()

    def respond(asked: Asked, peer: Peer) -> None:
        peer.send(head)
        for data in [b"here: ", *cut]:
            peer.wait()
            peer.send_chunk(data)
        peer.send(b"0\r\n\r\n")

    with RawServer(respond) as server, record(cassette) as recorder:
        server.permit()
        live = reader.read(recorder, server.url, question={"key": keys[2]}, after_each=server.permit)
    assert live.chunks == [b"here: ", *cut]
    assert live.headers["x-api-key"] == keys[1]
    tape = cassette.read_text()
    assert "A" * 10 not in tape
    assert "B" * 10 not in tape
    assert "C" * 10 not in tape
    assert [entry["kind"] for entry in taped(cassette)].count("chunk") == 4
    again = replayed(reader, cassette, question={"key": keys[2]})
    assert b"".join(again.chunks) == b"here: <anthropic-key-3> is the key\n"


def test_concurrent_calls_keep_their_answers(reader: Reader, cassette: Path) -> None:
    """Of calls that run at once each gets its own answer, and equal ones get one each."""
    numbers = count()

    def respond(asked: Asked, peer: Peer) -> None:
        streaming([b"%b " % asked.json["ask"].encode(), b"%d" % next(numbers)])(asked, peer)

    def at_once(source: Any, url: str) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []

        def ask(question: str) -> None:
            found.append((question, b"".join(reader.read(source, url, question={"ask": question}).chunks)))

        threads = [threading.Thread(target=ask, args=(question,)) for question in ("a", "same", "same", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(found)

    with RawServer(respond) as server, record(cassette) as recorder:
        live = at_once(recorder, server.url)
    assert [answer.split()[0].decode() for _, answer in live] == ["a", "b", "same", "same"]
    with rerun(cassette) as tap:
        assert at_once(tap, OFFLINE) == live


def test_recutting_a_recording(reader: Reader, cassette: Path) -> None:
    """What is recorded cannot be cut otherwise, and there are no other ways than those that there are."""
    with record(cassette) as recorder, pytest.raises(UsageError, match="for a replay"):
        reader.adapter.transport(recorder, rechunk="bytes")
    recorded(reader, cassette, whole(b"{}"))
    with rerun(cassette, partly=True) as tap, pytest.raises(UsageError, match="by 'lies'"):
        reader.adapter.async_transport(tap, rechunk="lies")

"""The loopback proxy: between real clients and a provider of the test's own, and between them and its tape."""

import asyncio
import gzip
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from starlette.types import Message, Receive, Scope, Send

from playhead.adapters.httpx2 import transport
from playhead.cassettes.format import entry_prefix
from playhead.errors import ReplayMismatch
from playhead.events.tagged import dumps
from playhead.provider.proxy import recording_app, replaying_app
from playhead.provider.serving import serve
from playhead.recording.recorder import Recorder, record
from playhead.replaying.rechunking import rechunked_in_time
from playhead.replaying.tape import open_tape
from playhead.replaying.taps import ReplayingTap, rerun
from tests.cli.running import write_rows

ODD = [
    b"\xef\xbb\xbfdata: {",
    b'"text": "gr\xc3',
    b'\xbcn"}\r',
    b"\n\r\n",
    b": a comment\n\n",
    b"data: e",
    "\u0301\n\n".encode(),
    b"data: [DONE]\n\n",
]
"""Chunks as networks cut them: a byte order mark, a split code point, a split CRLF, an accent apart from its letter."""

STREAM = [(b"content-type", b"text/event-stream"), (b"x-request-id", b"req_1")]
CUT = "peer closed connection without sending complete message body (incomplete chunked read)"
NO_HEAD = "Server disconnected without sending a response."
WAIT_S = 20.0


class Upstream:
    """A provider: it notes what it is asked, and answers as the path says."""

    def __init__(self) -> None:
        self.asked: list[tuple[Scope, bytes]] = []
        self.sent = 0
        self.left = threading.Event()
        self.permits = asyncio.Semaphore(1)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._both = asyncio.Barrier(2)
        self._answers: Mapping[str, Callable[[Receive, Send, bytes], Awaitable[None]]] = {
            "/cut": self._cut,
            "/echo": self._echo,
            "/gzip": self._gzip,
            "/hang": self._hang,
            "/moved": self._moved,
            "/no-head": self._no_head,
            "/odd": self._odd,
            "/permits": self._permitted,
            "/together": self._together,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self._loop = asyncio.get_running_loop()
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.asked.append((scope, body))
        await self._answers.get(scope["path"], self._echo)(receive, send, body)

    def permit(self) -> None:
        """Let one more event go out."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.permits.release)

    async def _odd(self, receive: Receive, send: Send, body: bytes) -> None:
        await send(_head(STREAM))
        for chunk in ODD:
            await send(_part(chunk))
        await send(_part(b"", more=False))

    async def _cut(self, receive: Receive, send: Send, body: bytes) -> None:
        await send(_head(STREAM))
        for chunk in ODD[:5]:
            await send(_part(chunk))

    async def _no_head(self, receive: Any, send: Send, body: bytes) -> None:
        receive.__self__.transport.close()
        await receive()

    async def _hang(self, receive: Receive, send: Send, body: bytes) -> None:
        await receive()
        self.left.set()

    async def _permitted(self, receive: Receive, send: Send, body: bytes) -> None:
        await send(_head(STREAM))
        gone = asyncio.ensure_future(receive())
        for number in range(40):
            permit = asyncio.ensure_future(self.permits.acquire())
            await asyncio.wait({gone, permit}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                permit.cancel()
                self.left.set()
                return
            # Counted first: who reads it in another thread may look at once.
            self.sent += 1
            await send(_part(b"data: %d\n\n" % number))

    async def _echo(self, receive: Receive, send: Send, body: bytes) -> None:
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body)), (b"set-cookie", b"a=b")]
        await send(_head(headers))
        await send(_part(body, more=False))

    async def _gzip(self, receive: Receive, send: Send, body: bytes) -> None:
        await send(_head([(b"content-type", b"text/plain"), (b"content-encoding", b"gzip")]))
        await send(_part(gzip.compress(b"packed", mtime=0), more=False))

    async def _moved(self, receive: Receive, send: Send, body: bytes) -> None:
        await send(_head([(b"location", b"/echo")], 307))
        await send(_part(b"", more=False))

    async def _together(self, receive: Receive, send: Send, body: bytes) -> None:
        await send(_head(STREAM))
        for _ in range(3):
            await self._both.wait()
            await send(_part(b"data: " + body + b"\n\n"))
        await send(_part(b"", more=False))


def _head(headers: list[tuple[bytes, bytes]], status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


def _part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


@pytest.fixture
def upstream() -> Upstream:
    """Return a provider that nobody has asked yet."""
    return Upstream()


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Return where the tape goes."""
    return tmp_path / "tape.jsonl"


@contextmanager
def recording(upstream: Upstream, tape: Path) -> Iterator[tuple[str, Recorder]]:
    """Serve an upstream and the proxy before it, and yield the URL of the mount `up`."""
    with serve(upstream) as provider, record(tape) as recorder:
        # The dead upstream is a port at which nobody listens.
        app = recording_app(recorder, {"up": provider.url, "dead": "http://127.0.0.1:1"})
        with serve(app) as proxy:
            yield f"{proxy.url}/up", recorder


@contextmanager
def replaying(
    tape: Path, *, tap: Mapping[str, Any] | None = None, **options: Any
) -> Iterator[tuple[str, ReplayingTap]]:
    """Serve what is on the tape, with nobody else there."""
    answering = rerun(tape, partly=True, **(tap or {}))
    with serve(replaying_app(answering, **options)) as proxy:
        yield f"{proxy.url}/up", answering


def client() -> httpx2.Client:
    """Return a client that goes nowhere but where it is told to, and waits for nothing for long."""
    return httpx2.Client(trust_env=False, timeout=WAIT_S)


def read(url: str, body: Any = "hi", **options: Any) -> tuple[Any, ...]:
    """Return status, headers, chunks, and what reading failed with."""
    with client() as asking:
        chunks: list[bytes] = []
        try:
            with asking.stream("POST", url, json=body, **options) as answer:
                chunks.extend(answer.iter_raw())
        except httpx2.HTTPError as error:
            return chunks, type(error).__name__, str(error)
        return answer.status_code, dict(answer.headers), chunks


def read_some(url: str, count: int, on_chunk: Callable[[], None] = lambda: None) -> list[bytes]:
    """Read so many chunks and leave."""
    chunks: list[bytes] = []
    with client() as asking, asking.stream("POST", url, json="hi") as answer:
        for chunk in answer.iter_raw():
            chunks.append(chunk)
            if len(chunks) == count:
                break
            on_chunk()
    return chunks


def calls(tape: Path) -> list[tuple[str, str]]:
    """Return calls and kinds of entries of a tape."""
    with open_tape(tape) as opened:
        return [(call, kind) for _, call, kind, _ in opened.calls()]


def ends(tape: Path) -> list[bytes]:
    """Return how the calls of a tape ended."""
    with open_tape(tape) as opened:
        return [data for _, _, kind, data in opened.calls() if kind == "end"]


def test_a_question_is_passed_on_as_it_was_asked(upstream: Upstream, tape: Path) -> None:
    """Method, path, query, headers and body arrive as they were sent, but for what concerns only the connection."""
    sent = {"authorization": "Bearer abc", "x-own": "1", "connection": "x-hop", "x-hop": "2", "te": "trailers"}
    with recording(upstream, tape) as (url, _), client() as asking:
        answer = asking.put(f"{url}/v1/a%2Fb:go?alt=sse&q=%20", content=b"body", headers=sent)
    ((scope, body),) = upstream.asked
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    assert (scope["method"], scope["raw_path"], scope["query_string"]) == ("PUT", b"/v1/a%2Fb:go", b"alt=sse&q=%20")
    assert (body, answer.content) == (b"body", b"body")
    assert (headers["authorization"], headers["x-own"], headers["accept-encoding"]) == ("Bearer abc", "1", "identity")
    assert not {"connection", "te", "x-hop"} & set(headers)
    assert headers["user-agent"] == asking.headers["user-agent"]


def test_a_client_that_says_little_is_not_spoken_for(upstream: Upstream, tape: Path) -> None:
    """The proxy adds no header of its own, and keeps no cookie for the next request."""
    with recording(upstream, tape) as (url, _), client() as asking:
        asking.headers.clear()
        asking.get(f"{url}/echo")
        asking.cookies.clear()
        asking.get(f"{url}/echo")
    for scope, _ in upstream.asked:
        assert {name for name, _ in scope["headers"]} == {b"host", b"accept-encoding"}


def test_an_answer_keeps_its_head(upstream: Upstream, tape: Path) -> None:
    """Status and headers come through: lengths, cookies, and redirects, which are the client's to follow."""
    with recording(upstream, tape) as (url, _):
        status, headers, chunks = read(f"{url}/echo")
        moved = read(f"{url}/moved")
    assert (status, headers["content-length"], headers["set-cookie"], chunks) == (200, "4", "a=b", [b'"hi"'])
    assert (moved[0], moved[1]["location"]) == (307, "/echo")


def test_packed_answers_stay_packed(upstream: Upstream, tape: Path) -> None:
    """What an upstream packs against our will reaches the client as it is, now and from the tape."""
    with recording(upstream, tape) as (url, _), client() as asking:
        live = asking.post(f"{url}/gzip")
    with replaying(tape) as (url, _), client() as asking:
        again = asking.post(f"{url}/gzip")
    assert (live.text, again.text) == ("packed", "packed")
    assert again.headers["content-encoding"] == "gzip"


def test_chunks_come_back_as_they_were_cut(upstream: Upstream, tape: Path) -> None:
    """Eight odd chunks are eight equal chunks: to the client, on the tape, and from the tape."""
    with recording(upstream, tape) as (url, _):
        live = read(f"{url}/odd")
    with replaying(tape) as (url, tap):
        again = read(f"{url}/odd")
        tap.assert_complete()
    assert live[2] == ODD
    assert again == live
    assert [kind for _, kind in calls(tape)] == ["request", "reply", *["chunk"] * 8, "end"]


def test_proxy_and_transport_read_each_others_tapes(upstream: Upstream, tape: Path, tmp_path: Path) -> None:
    """What a program taped by itself answers through the proxy, and the other way round."""
    other = tmp_path / "other.jsonl"
    with recording(upstream, tape) as (url, _):
        live = read(f"{url}/odd?alt=sse")
    with (
        rerun(tape) as tap,
        httpx2.Client(transport=transport(tap)) as asking,
        asking.stream("POST", "http://api/odd?alt=sse", json="hi") as answer,
    ):
        assert list(answer.iter_raw()) == ODD
    with (
        serve(upstream) as provider,
        record(other) as recorder,
        httpx2.Client(transport=transport(recorder)) as asking,
    ):
        asking.post(f"{provider.url}/odd?alt=sse", json="hi")
    with replaying(other) as (url, _):
        assert read(f"{url}/odd?alt=sse") == live


def test_each_chunk_is_passed_on_at_once(upstream: Upstream, tape: Path) -> None:
    """The client has a chunk before the upstream sends the next."""
    with recording(upstream, tape) as (url, _), client() as asking, asking.stream("POST", f"{url}/permits") as answer:
        chunks = answer.iter_raw()
        for number in range(40):
            assert next(chunks) == b"data: %d\n\n" % number
            assert upstream.sent == number + 1
            upstream.permit()


def test_leaving_early_stops_the_upstream(upstream: Upstream, tape: Path) -> None:
    """A client that leaves after 3 of 40 events costs the upstream no more than 4, and the tape says that it left."""
    with recording(upstream, tape) as (url, _):
        assert len(read_some(f"{url}/permits", 3, upstream.permit)) == 3
        assert upstream.left.wait(WAIT_S)
    assert upstream.sent in (3, 4)
    assert ends(tape) == [b'{"how":"closed"}']


def test_leaving_before_the_answer_stops_the_upstream(upstream: Upstream, tape: Path) -> None:
    """A client that does not wait for the head takes its question back."""
    with recording(upstream, tape) as (url, _), client() as asking:
        with pytest.raises(httpx2.ReadTimeout):
            asking.post(f"{url}/hang", timeout=0.3)
        asking.close()
        assert upstream.left.wait(WAIT_S)
    assert calls(tape) == [("c1", "request"), ("c1", "end")]
    assert ends(tape) == [b'{"how":"closed"}']


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/cut", (ODD[:5], "RemoteProtocolError", CUT)),
        ("/no-head", ([], "RemoteProtocolError", NO_HEAD)),
    ],
)
def test_a_broken_connection_is_broken_again(
    upstream: Upstream, tape: Path, path: str, expected: tuple[Any, ...]
) -> None:
    """A stream cut after chunk 5, or before its head, is cut there for the client too, and from the tape."""
    with serve(upstream) as provider:
        untaped = read(provider.url + path)
    with recording(upstream, tape) as (url, _):
        live = read(url + path)
    with replaying(tape) as (url, tap):
        again = read(url + path)
        tap.assert_complete()
    assert untaped == live == again == expected
    assert calls(tape)[-1] == ("c1", "fault")


def test_an_upstream_that_is_not_there_is_a_502(upstream: Upstream, tape: Path) -> None:
    """An upstream that cannot be reached is an error that names it, and the same one from the tape."""
    with recording(upstream, tape) as (url, _):
        live = httpx2.post(url.replace("/up", "/dead/v1/messages"), json={}, trust_env=False)
    with replaying(tape) as (url, _):
        again = httpx2.post(url.replace("/up", "/dead/v1/messages"), json={}, trust_env=False)
    assert live.status_code == again.status_code == 502
    assert live.json() == again.json()
    assert live.json()["error"]["type"] == "unreachable_upstream"
    assert "upstream 'dead' cannot be reached" in live.json()["error"]["message"]
    assert calls(tape) == [("c1", "request"), ("c1", "fault")]


def test_an_unknown_mount_says_which_there_are(upstream: Upstream, tape: Path) -> None:
    """A path that names no upstream is answered, and is not on the tape."""
    with recording(upstream, tape) as (url, _):
        answer = httpx2.post(url.replace("/up", "/upp/x"), json={}, trust_env=False)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "there is no upstream 'upp': there are up, dead; did you mean 'up'?"
    assert calls(tape) == []


def test_another_question_is_an_error_that_openai_reads(upstream: Upstream, tape: Path) -> None:
    """A question that is not on the tape is refused once, says what differs, and is told and latched."""
    told: list[ReplayMismatch] = []
    with recording(upstream, tape) as (url, _):
        read(f"{url}/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "Paris"}]})
    with replaying(tape, on_mismatch=told.append) as (url, tap):
        with client() as asking, pytest.raises(openai.BadRequestError) as raised:
            openai.OpenAI(base_url=url, api_key="k", http_client=asking).chat.completions.create(
                model="m", messages=[{"role": "user", "content": "Rome"}]
            )
        with pytest.raises(ReplayMismatch) as latched:
            tap.assert_complete()
    assert '$.body.messages[0].content: "Paris" -> "Rome"' in raised.value.message
    assert raised.value.type == "replay_mismatch"
    assert told == [latched.value]


def test_another_question_is_an_error_that_anthropic_reads(upstream: Upstream, tape: Path) -> None:
    """The same in the words of the other client."""
    with recording(upstream, tape) as (url, _):
        read(f"{url}/v1/messages", {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Paris"}]})
    with replaying(tape) as (url, tap):
        with client() as asking, pytest.raises(anthropic.BadRequestError) as raised:
            anthropic.Anthropic(base_url=url, api_key="k", http_client=asking).messages.create(
                model="m", max_tokens=1, messages=[{"role": "user", "content": "Rome"}]
            )
        assert len(tap.mismatches) == 1
    assert "replay_mismatch" in str(raised.value)
    assert '$.body.messages[0].content: "Paris" -> "Rome"' in str(raised.value)


def test_calls_at_once_never_swap_answers(upstream: Upstream, tape: Path) -> None:
    """Two calls whose chunks alternate each get their own, live and from the tape, in whichever order they ask."""
    with recording(upstream, tape) as (url, _), ThreadPoolExecutor() as pool:
        live = list(pool.map(partial(read, f"{url}/together"), ["one", "two"]))
    with replaying(tape) as (url, tap), ThreadPoolExecutor() as pool:
        again = list(pool.map(partial(read, f"{url}/together"), ["two", "one"]))
        tap.assert_complete()
    assert [answer[2] for answer in live] == [[b'data: "one"\n\n'] * 3, [b'data: "two"\n\n'] * 3]
    assert again == live[::-1]


def test_equal_calls_each_get_an_answer(upstream: Upstream, tape: Path) -> None:
    """The same question twice has two answers, and a third time none."""
    with recording(upstream, tape) as (url, _), ThreadPoolExecutor() as pool:
        list(pool.map(partial(read, f"{url}/together"), ["one", "one"]))
    with replaying(tape) as (url, _):
        assert [read(f"{url}/together", "one")[0] for _ in range(3)] == [200, 200, 400]


def test_leaving_where_one_left_is_no_mismatch(upstream: Upstream, tape: Path) -> None:
    """A client that leaves an answer where it left it in the recording did what it did then."""
    told: list[ReplayMismatch] = []
    with recording(upstream, tape) as (url, _):
        live = read_some(f"{url}/permits", 3, upstream.permit)
        assert upstream.left.wait(WAIT_S)
    with replaying(tape, on_mismatch=told.append) as (url, tap):
        assert read_some(f"{url}/permits", 3) == live
        tap.assert_complete()
    assert not told


def test_reading_on_where_one_left_is_a_mismatch(upstream: Upstream, tape: Path) -> None:
    """A client that wants more than it had then gets a broken connection, and whoever runs it is told why."""
    told: list[ReplayMismatch] = []
    with recording(upstream, tape) as (url, _):
        read_some(f"{url}/permits", 3, upstream.permit)
        assert upstream.left.wait(WAIT_S)
    with replaying(tape, on_mismatch=told.append, patience_s=0.1) as (url, _):
        assert read(f"{url}/permits")[1:] == ("RemoteProtocolError", CUT)
    assert "c1 was left after" in str(told[0])
    assert "(closed), and now it is read further" in str(told[0])


def test_no_credentials_are_on_the_tape(upstream: Upstream, tape: Path) -> None:
    """Wherever clients put a key, upstream sees it and the tape does not."""
    secret = "plainsecret"
    with recording(upstream, tape) as (url, _):
        headers = {"authorization": f"Bearer {secret}", "x-api-key": secret, "x-goog-api-key": secret}
        read(f"{url}/echo?alt=sse&key={secret}", headers=headers, cookies={"session": secret})
    scope, _ = upstream.asked[0]
    assert scope["query_string"] == f"alt=sse&key={secret}".encode()
    assert sum(secret.encode() in value for _, value in scope["headers"]) == 4
    assert secret not in tape.read_text()
    with replaying(tape) as (url, _):
        assert read(f"{url}/echo?alt=sse&key=dummy")[0] == 200


def paused(path: Path) -> Path:
    """Write a tape of one call with a pause of 0.3 seconds in it."""
    rows: list[tuple[int, str, Any]] = [
        (0, "request", {"method": "POST", "path": "/x", "body": "hi"}),
        (0, "reply", {"status": 200, "headers": []}),
        (300_000, "chunk", b"a\r\nb"),
        (0, "end", {"how": "complete"}),
    ]
    written = [(dt_us, entry_prefix("model", "c1", kind), dumps(data)) for dt_us, kind, data in rows]
    return write_rows(path, written)


def test_answers_come_at_the_recorded_pace(tape: Path) -> None:
    """A recorded pause is one again if that is asked for."""
    with replaying(paused(tape), tap={"pace": "recorded"}) as (url, _):
        start_s = monotonic()
        assert read(f"{url}/x")[2] == [b"a\r\nb"]
        assert monotonic() - start_s > 0.29


def test_answers_are_cut_anew(tape: Path) -> None:
    """The same bytes come in other chunks."""
    with replaying(paused(tape), rechunk=partial(rechunked_in_time, how="bytes")) as (url, _):
        assert read(f"{url}/x")[2] == [b"a", b"\r", b"\n", b"b"]


def test_a_server_that_goes_leaves_nothing_open(upstream: Upstream, tape: Path) -> None:
    """An upstream that never answers does not keep the proxy: its call is closed when the server goes."""
    with ThreadPoolExecutor() as pool:
        with recording(upstream, tape) as (url, _):
            hanging = pool.submit(read, f"{url}/hang")
            while not upstream.asked:
                upstream.left.wait(0.01)
        assert hanging.result(WAIT_S)[1] in ("ReadError", "RemoteProtocolError")
    assert ends(tape) == [b'{"how":"closed"}']

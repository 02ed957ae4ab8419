"""Tests that the parser tells what a real browser tells: Chromium's EventSource reads the same bytes over loopback."""

import importlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn

import pytest

from playhead.sse.headers import create_sse_response_headers
from playhead.sse.message import SSEMessage, comment
from playhead.sse.parser import SSEParser
from tests.sse.test_corpus import CASES, stream_of
from tests.sse.test_parser import EXAMPLES

# One of these tests starts a browser: parallel workers must not start one each.
pytestmark = pytest.mark.xdist_group("chromium")

REQUIRED = "PLAYHEAD_REQUIRE_BROWSER"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGE = b"<!doctype html><title>EventSource</title>"

# An event named "error" or "open" comes to the same listeners as the connection's own, but with data.
READ = """
async (streams) => {
  const read = ([url, names]) => new Promise((resolve) => {
    const source = new EventSource(url);
    const seen = [];
    for (const name of names) {
      source.addEventListener(name, (event) => {
        if (event instanceof MessageEvent) seen.push([event.type, event.data, event.lastEventId]);
      });
    }
    source.addEventListener("error", (event) => {
      if (event instanceof MessageEvent) return;
      source.close();
      resolve(seen);
    });
  });
  return await Promise.all(streams.map(read));
}
"""

Seen = list[list[str]]

NAMED_LIKE_THE_CONNECTION = SSEMessage("error", "a").encode() + SSEMessage("open", "b").encode()
OWN = [
    *(stream for stream, _ in EXAMPLES),
    NAMED_LIKE_THE_CONNECTION,
    (comment("ping") + SSEMessage("think", "a\r\nb\rc", "é", 7).format() + comment("")).encode(),
    b"data: " + b"x" * 1_000_000 + b"\n\n",
    b"".join(b"id: %d\ndata: %d\n\n" % (number, number) for number in range(500)),
]


def missing(what: str) -> NoReturn:
    """Skip for lack of a browser, or fail where one is required."""
    if os.environ.get(REQUIRED):
        pytest.fail(f"{what}, and {REQUIRED} is set")
    pytest.skip(f"{what}: nothing to compare the parser with")


def chromium_path() -> str:
    """Return the path of the system's Chromium."""
    return shutil.which("chromium") or missing("no chromium on the PATH")


def playwright_api() -> Any:
    """Return playwright's blocking interface."""
    try:
        return importlib.import_module("playwright.sync_api")
    except ImportError:
        missing("no playwright installed")


@contextmanager
def serving(streams: list[bytes]) -> Iterator[str]:
    """Serve each stream at its number on loopback, once and to its end, and an empty page at the root."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = self.path.removeprefix("/")
            is_stream = number.isdigit()
            self.send_response(200 if is_stream or not number else 404)
            for name, value in (create_sse_response_headers() if is_stream else {"Content-Type": "text/html"}).items():
                self.send_header(name, "close" if name == "Connection" else value)
            self.end_headers()
            self.wfile.write(streams[int(number)] if is_stream else PAGE)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def told(stream: bytes) -> Seen:
    """Return what the parser tells of a stream, as far as a browser shows it."""
    return [[str(m.event), m.data, str(m.id)] for m in SSEParser().feed(stream)]


def browsed(streams: list[bytes]) -> list[Seen]:
    """Return what Chromium tells of each stream."""
    path, api = chromium_path(), playwright_api()
    with serving(streams) as base, api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            page = browser.new_page()
            page.goto(base)
            names = [sorted({"message", *(event for event, _, _ in told(stream))}) for stream in streams]
            seen: list[Seen] = page.evaluate(READ, [[f"{base}/{n}", names[n]] for n in range(len(streams))])
            return seen
        finally:
            browser.close()


def test_chromium_tells_the_same() -> None:
    """EventSource gives the same types, data and last event ids, in the same order, for every stream."""
    streams = [*OWN, *map(stream_of, CASES)]
    seen = browsed(streams)
    assert seen[OWN.index(NAMED_LIKE_THE_CONNECTION)] == [["error", "a", ""], ["open", "b", ""]]
    different = [
        json.dumps({"stream": repr(stream[:200]), "chromium": theirs[:5], "parser": told(stream)[:5]}, indent=1)
        for stream, theirs in zip(streams, seen, strict=True)
        if theirs != told(stream)
    ]
    assert not different, "\n".join(different)


def test_a_missing_browser_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a browser the comparison skips with its reason, and fails where a browser is required."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no chromium on the PATH: nothing to compare"):
        chromium_path()
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match=r"no chromium on the PATH, and PLAYHEAD_REQUIRE_BROWSER is set"):
        chromium_path()

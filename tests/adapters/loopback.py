"""A provider on loopback that gives out prepared answers, for the real clients of real SDKs."""

import json
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Prepared:
    """An answer: a body, or the events of a stream."""

    body: Any = None
    events: Iterable[Any] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Provider(ThreadingHTTPServer):
    """Answer each request with the next prepared answer, and keep what was asked."""

    daemon_threads = True

    def __init__(self, answers: Iterable[Prepared]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = iter(answers)
        self.asked: list[Any] = []

    @property
    def url(self) -> str:
        """Return where the provider is."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        """Answer."""
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        prepared = next(self.server.answers)
        events = [f"data: {json.dumps(event)}\n\n".encode() for event in prepared.events]
        self.send_response(prepared.status)
        for name, value in prepared.headers.items():
            self.send_header(name, value)
        self.send_header("content-type", "text/event-stream" if events else "application/json")
        self.end_headers()
        for data in events or [json.dumps(prepared.body).encode()]:
            self.wfile.write(data)
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(*answers: Prepared) -> Generator[Provider]:
    """Serve answers, one a request."""
    provider = Provider(answers)
    thread = Thread(target=provider.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.shutdown()
        thread.join()
        provider.server_close()

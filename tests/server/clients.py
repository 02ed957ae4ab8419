"""How the tests read a server: its messages, whole or as they come."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2

from playhead.provider.serving import Served, serve
from playhead.server.agent_server import AgentServer
from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser

# To load those of the system takes longer than most tests here.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextmanager
def serving(agent: Any, **options: Any) -> Iterator[Served]:
    """Serve an agent to everybody on loopback."""
    with serve(AgentServer(agent, **{"allow_unauthenticated": True, **options}).app) as served:
        yield served


def get(served: Served, path: str, **headers: str) -> httpx2.Response:
    """Get a path. Underscores of header names stand for hyphens."""
    return ask(served, "GET", path, headers=_named(headers))


def post(served: Served, path: str, body: Any = None, **headers: str) -> httpx2.Response:
    """Post a value as JSON."""
    return ask(served, "POST", path, json=body, headers=_named(headers))


def ask(served: Served, method: str, path: str, **more: Any) -> httpx2.Response:
    """Send any request."""
    with httpx2.Client(timeout=20, verify=_NO_CERTIFICATES) as client:
        return client.request(method, served.url + path, **more)


def messages(response: httpx2.Response) -> list[SSEMessage]:
    """Return the messages of a response, heartbeats left out."""
    assert response.status_code == 200, response.text
    parser = SSEParser()
    found = [*parser.feed(response.content), *parser.close()]
    return [message for message in found if message.event != "heartbeat"]


def told(response: httpx2.Response) -> list[tuple[str | None, str]]:
    """Return name and place of each message: `("model_chunk", "1")`."""
    return [(message.event, place(message)) for message in messages(response)]


def place(message: SSEMessage) -> str:
    """Return the part of a message's id behind the run."""
    return (message.id or "").rpartition(":")[2]


def run_of(response: httpx2.Response) -> str:
    """Return the run that a response's messages name."""
    return (messages(response)[-1].id or "").partition(":")[0]


@contextmanager
def streaming(served: Served, path: str, **headers: str) -> Iterator[Iterator[SSEMessage]]:
    """Read a stream as it comes. Leaving the block leaves the stream."""
    with (
        httpx2.Client(timeout=20, verify=_NO_CERTIFICATES) as client,
        client.stream("GET", served.url + path, headers=_named(headers)) as response,
    ):
        assert response.status_code == 200
        yield _each(response)


def _each(response: httpx2.Response) -> Iterator[SSEMessage]:
    parser = SSEParser()
    for chunk in response.iter_raw():
        yield from parser.feed(chunk)


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}

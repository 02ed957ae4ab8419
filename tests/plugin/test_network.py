"""A network that ends at this machine."""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from playhead.errors import UsageError
from playhead.plugin.network import blocked, is_local

ELSEWHERE = "192.0.2.1"
"""An address that is kept free for documents."""


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST.", "api.localhost", "0.0.0.0", "::", "", None, b"::1"],
)
def test_this_machine(host: object) -> None:
    """Its addresses and names, spelled in any way."""
    assert is_local(host)


@pytest.mark.parametrize(
    "host", [ELSEWHERE, "10.0.0.1", "2001:db8::1", "example.org", "localhost.example.org", "::ffff:192.0.2.1", 7]
)
def test_elsewhere(host: object) -> None:
    """A private address is not this machine, nor is a name that begins or is mapped like one of its."""
    assert not is_local(host)
    assert is_local("::ffff:127.0.0.1")


def sent(method: str, *arguments: object, family: int = socket.AF_INET) -> None:
    """Send from a socket that is not connected, or connect it."""
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        getattr(sender, method)(*arguments)


ATTEMPTS: dict[str, Callable[[], object]] = {
    "create_connection": lambda: socket.create_connection((ELSEWHERE, 443), timeout=0.01),
    "by name": lambda: socket.create_connection(("example.org", 443), timeout=0.01),
    "lookup": lambda: socket.getaddrinfo("example.org", 443),
    "old lookup": lambda: socket.gethostbyname("example.org"),
    "connect_ex": lambda: sent("connect_ex", (ELSEWHERE, 9)),
    "sendto": lambda: sent("sendto", b"x", (ELSEWHERE, 9)),
    "sendto with flags": lambda: sent("sendto", b"x", 0, (ELSEWHERE, 9)),
    "sendmsg": lambda: sent("sendmsg", [b"x"], [], 0, (ELSEWHERE, 9)),
    "IPv6": lambda: sent("connect", ("2001:db8::1", 9), family=socket.AF_INET6),
    "asyncio": lambda: asyncio.run(asyncio.wait_for(asyncio.open_connection(ELSEWHERE, 443), 1)),
    "trio": lambda: anyio.run(lambda: anyio.connect_tcp(ELSEWHERE, 443), backend="trio"),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_nobody_gets_out(attempt: Callable[[], object]) -> None:
    """However it is tried; the error names the address, the test and who blocks, and is no error of a connection."""
    with blocked("test_x.py::test_a", "--playhead-block-network"), pytest.raises(Exception, match=r"\w") as failure:
        attempt()
    error: BaseException = failure.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert type(error) is UsageError
    assert "test_x.py::test_a may not reach" in str(error)
    assert ELSEWHERE in str(error) or "example.org" in str(error) or "2001:db8::1" in str(error)
    assert str(error).endswith("the network is blocked by --playhead-block-network; only loopback is not")


def test_threads_are_held_to_it() -> None:
    """A thread that was begun before is, too; and afterwards nobody is."""
    found: list[str] = []
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        go.wait()
        try:
            sent("connect", (ELSEWHERE, 9))
        except UsageError as error:
            found.append(str(error))
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    with blocked("test_a", "x"):
        go.set()
        done.wait()
    thread.join()
    assert len(found) == 1


def test_loopback_and_unix_sockets_are_free(tmp_path: Path) -> None:
    """Servers of a test can be asked, by name and by path."""
    with blocked("test_a", "x"), socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
        sent("sendto", b"x", server.getsockname())
        with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as client:
            listening.bind(str(tmp_path / "s"))
            listening.listen()
            client.connect(str(tmp_path / "s"))
        left, right = socket.socketpair()
        left.sendmsg([b"x"])
        left.close()
        right.close()
        assert socket.getaddrinfo(ELSEWHERE, 443)


def test_everything_is_as_before_afterwards() -> None:
    """The socket module has its own functions again, also after an error."""

    def seen() -> list[object]:
        names = ("connect", "connect_ex", "sendto", "sendmsg")
        return [socket.getaddrinfo, socket.gethostbyname, *(socket.socket.__dict__.get(name) for name in names)]

    before = seen()
    with suppress(ValueError), blocked("test_a", "x"):
        assert seen() != before
        raise ValueError("x")
    assert seen() == before

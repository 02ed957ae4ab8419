"""Two hundred clients at once, and one of them reads nothing: it costs the others nothing, and the server little."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteReceiveStream

from playhead.clock import SystemClock
from tests.server.program import running

CLIENTS = 199
EVENTS = 20
SLOW_EVENTS = 1000
SLOW_BYTES = 20_000
MAX_GROWN_BYTES = 12 * 1024 * 1024
"""How much the server may grow for a client that takes none of its 20 MB."""

_ID = re.compile(rb"^id: [0-9a-f]{32}:([1-9][0-9]*|end)$", re.MULTILINE)


@dataclass(slots=True)
class Client:
    """Hold what a client has seen: the place of each message, and when the last one came."""

    places: list[str] = field(default_factory=list)
    ended_s: float = 0.0


def expected(events: int) -> list[str]:
    """Return the places of all messages of a run of so many chunks."""
    return [*map(str, range(1, events + 2)), "end"]


async def read_all(stream: ByteReceiveStream, client: Client) -> None:
    """Read to the last message."""
    rest = b""
    while not client.places or client.places[-1] != "end":
        rest += await stream.receive(1 << 20)
        whole, mark, rest = rest.rpartition(b"\n\n")
        client.places += [found.decode() for found in _ID.findall(whole + mark)]
    client.ended_s = time.monotonic()


async def talk(port: int, prompt: str, client: Client, start: anyio.Event) -> None:
    """Ask for a run, and read it from the moment when `start` is set."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(f"GET /stream?prompt={prompt} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await start.wait()
        await read_all(stream, client)


async def crowd(port: int) -> tuple[list[Client], float]:
    """Let everybody but the slow one talk at once. Return what they saw, and how long it took."""
    clients, now = [Client() for _ in range(CLIENTS)], anyio.Event()
    now.set()
    begun_s = time.monotonic()
    async with anyio.create_task_group() as tasks:
        for client in clients:
            tasks.start_soon(talk, port, str(EVENTS), client, now)
    return clients, max(client.ended_s for client in clients) - begun_s


def most_bytes(pid: int) -> int:
    """Return the most memory that a process has had."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_two_hundred_clients_and_a_slow_one(tmp_path: Path) -> None:
    """All see every message once and in order, the slow one at last; nobody waits for it, and memory stays bounded."""

    async def main(pid: int, port: int) -> None:
        without, alone_s = await crowd(port)
        before = most_bytes(pid)
        slow, wake = Client(), anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(talk, port, f"{SLOW_EVENTS}+{SLOW_BYTES}", slow, wake)
            clients, beside_s = await crowd(port)
            assert not slow.places
            await sealed(tmp_path, 2 * CLIENTS + 1)
            grown = most_bytes(pid) - before
            wake.set()
        assert {tuple(client.places) for client in [*without, *clients]} == {tuple(expected(EVENTS))}
        assert slow.places == expected(SLOW_EVENTS)
        assert grown < MAX_GROWN_BYTES
        assert beside_s < 5 * alone_s + 10

    with running(str(tmp_path), max_buffer=16) as (process, port):
        anyio.run(main, process.pid, port)


async def sealed(folder: Path, count: int) -> None:
    """Wait until so many runs have ended."""
    clock = SystemClock()
    with anyio.fail_after(60):
        while len(list(folder.glob("*.jsonl"))) < count:
            await clock.sleep(0.05)

"""Measure what recording adds to the first byte of a streamed answer: `python benchmarks/tap.py`.

A server of its own process streams over loopback. Requests go in pairs, with a tape and without, in turn; the figure is
the median of the differences. A promise that is not kept makes the exit code 1.
"""

import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import httpx2

from playhead.adapters.httpx2 import async_transport, transport
from playhead.recording.recorder import Recorder, record

PAIRS = 200
WARMING_UP = 20
PROMISED_MS = 1.0
SIZES = {1: PROMISED_MS, 10: PROMISED_MS, 50: None}
"""How many messages of a kilobyte a question has, and what is promised for it."""

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"Paris"}}]}\n\n'

ANSWER = HEAD + b"".join(b"%x\r\n%b\r\n" % (len(EVENT), EVENT) for _ in range(3)) + b"0\r\n\r\n"


async def serve(connection: Connection) -> None:
    """Answer each request with three events, and tell the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await reader.readexactly(int(length.split(b":")[1]))
                writer.write(ANSWER)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    connection.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def run_server(connection: Connection) -> None:
    asyncio.run(serve(connection))


@contextmanager
def served() -> Iterator[str]:
    """Serve from a process, and give the address."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=run_server, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}/v1/chat/completions"
    finally:
        process.terminate()
        process.join()


def question(messages: int, number: int) -> dict[str, Any]:
    """Return a question of so many kilobytes, like no other."""
    texts = ["lorem ipsum dolor sit amet " * 37 for _ in range(messages - 1)] + [f"{number} " + "ipsum " * 160]
    return {"model": "m", "stream": True, "messages": [{"role": "user", "content": text} for text in texts]}


def first_byte_s(client: httpx2.Client, url: str, body: dict[str, Any]) -> float:
    start = time.perf_counter()
    with client.stream("POST", url, json=body) as response:
        chunks = response.iter_raw()
        next(chunks)
        taken_s = time.perf_counter() - start
        for _ in chunks:
            pass
    return taken_s


async def async_first_byte_s(client: httpx2.AsyncClient, url: str, body: dict[str, Any]) -> float:
    start = time.perf_counter()
    async with client.stream("POST", url, json=body) as response:
        chunks = response.aiter_raw()
        await anext(chunks)
        taken_s = time.perf_counter() - start
        async for _ in chunks:
            pass
    return taken_s


def in_pairs(measure: Callable[[int, int], float]) -> list[tuple[float, float]]:
    """Measure client 0 and client 1, request by request, each first every other time."""
    pairs = []
    for number in range(PAIRS + WARMING_UP):
        order = (0, 1) if number % 2 else (1, 0)
        found = {which: measure(which, number) for which in order}
        pairs.append((found[0], found[1]))
    return pairs[WARMING_UP:]


def plain(recorder: Recorder, url: str, messages: int) -> list[tuple[float, float]]:
    with httpx2.Client() as bare, httpx2.Client(transport=transport(recorder)) as taped:
        return in_pairs(lambda which, number: first_byte_s((bare, taped)[which], url, question(messages, number)))


def asynchronous(recorder: Recorder, url: str, messages: int) -> list[tuple[float, float]]:
    @asynccontextmanager
    async def clients() -> AsyncIterator[tuple[httpx2.AsyncClient, httpx2.AsyncClient]]:
        async with httpx2.AsyncClient() as bare, httpx2.AsyncClient(transport=async_transport(recorder)) as taped:
            yield bare, taped

    with asyncio.Runner() as runner:
        stack = clients()
        both = runner.run(stack.__aenter__())
        pairs = in_pairs(
            lambda which, number: runner.run(async_first_byte_s(both[which], url, question(messages, number)))
        )
        runner.run(stack.__aexit__(None, None, None))
    return pairs


def main() -> int:
    """Print the figures, and return the exit code."""
    kept = True
    with served() as url, tempfile.TemporaryDirectory() as folder:
        for name, measure in {"plain": plain, "asyncio": asynchronous}.items():
            for messages, promised_ms in SIZES.items():
                with record(Path(folder) / f"{name}-{messages}.jsonl") as recorder:
                    pairs = measure(recorder, url, messages)
                more_ms = 1000 * median(taped - bare for bare, taped in pairs)
                bare_ms, taped_ms = (1000 * median(each) for each in zip(*pairs, strict=True))
                promise = f"promised: {promised_ms:g}" if promised_ms else "nothing promised"
                kept &= promised_ms is None or more_ms <= promised_ms
                print(
                    f"{name}, question of {messages} KB: first byte after {bare_ms:.2f} ms without a tape, "
                    f"{taped_ms:.2f} ms with one; {more_ms:.2f} ms more ({promise})"
                )
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())

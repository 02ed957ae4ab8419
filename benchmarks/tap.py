"""What the tap at the model costs: scripted streams in process, and the first byte through a recording transport."""

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx2
from measure import Case

from playhead.adapters.httpx2 import async_transport, transport
from playhead.models.scripted import ScriptedModel
from playhead.recording.recorder import record
from playhead.scripts import ModelRequest, say

REQUESTS = 50
CHUNKS = 20_000
MESSAGE = "lorem ipsum dolor sit amet " * 37
"""About a kilobyte of text."""

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"Paris"}}]}\n\n'
ANSWER = HEAD + b"".join(b"%x\r\n%b\r\n" % (len(EVENT), EVENT) for _ in range(3)) + b"0\r\n\r\n"


def scripts(folder: Path) -> Iterator[Case]:
    """Playing a script, per chunk."""
    pieces = [f"piece {number} " for number in range(CHUNKS)]

    async def bare() -> AsyncIterator[str]:
        for piece in pieces:
            yield piece

    def played() -> ScriptedModel:
        return ScriptedModel([say("".join(pieces), chunks=pieces)])

    yield Case(
        "scripted stream",
        CHUNKS,
        "async generator",
        {
            "async generator": lambda: asyncio.run(drain(bare())),
            "steps": lambda: asyncio.run(drain(played().steps(ModelRequest()))),
            "native chunks": lambda: asyncio.run(drain(played().stream([{"role": "user", "content": "Go."}]))),
        },
        goals=(("steps", "each", 10.0), ("native chunks", "each", 10.0)),
    )


async def drain(stream: AsyncIterator[Any]) -> None:
    """Read a stream to its end."""
    async for _ in stream:
        pass


def first_byte(folder: Path) -> Iterator[Case]:
    """Waiting for the first chunk of an answer over loopback, per request."""
    with served() as url:
        for messages in (1, 10):
            question = {"model": "m", "messages": [{"role": "user", "content": MESSAGE}] * messages}
            place = folder / f"{messages}.jsonl"
            for name, bare, taped in (("", ask, taped_ask), (", asyncio", run_async, run_taped_async)):
                yield Case(
                    f"first byte, {messages} KB asked{name}",
                    REQUESTS,
                    "bare",
                    {"bare": partial(bare, url, question), "taped": partial(taped, url, question, place)},
                    goals=(("taped", "+", 1000.0),),
                )


def ask(url: str, question: dict[str, Any], through: httpx2.BaseTransport | None = None) -> float:
    """Ask, and return the seconds until each first chunk, added up."""
    waited_s = 0.0
    with httpx2.Client(transport=through) as client:
        for _ in range(REQUESTS):
            start = time.perf_counter()
            with client.stream("POST", url, json=question) as response:
                chunks = response.iter_raw()
                next(chunks)
                waited_s += time.perf_counter() - start
                for _ in chunks:
                    pass
    return waited_s


async def ask_async(url: str, question: dict[str, Any], through: httpx2.AsyncBaseTransport | None = None) -> float:
    """Do the same in an event loop."""
    waited_s = 0.0
    async with httpx2.AsyncClient(transport=through) as client:
        for _ in range(REQUESTS):
            start = time.perf_counter()
            async with client.stream("POST", url, json=question) as response:
                chunks = response.aiter_raw()
                await anext(chunks)
                waited_s += time.perf_counter() - start
                async for _ in chunks:
                    pass
    return waited_s


def run_async(url: str, question: dict[str, Any]) -> float:
    """Ask in a new event loop."""
    return asyncio.run(ask_async(url, question))


def taped_ask(url: str, question: dict[str, Any], place: Path) -> float:
    """Ask with a tape running."""
    place.unlink(missing_ok=True)
    with record(place) as recorder:
        return ask(url, question, transport(recorder))


def run_taped_async(url: str, question: dict[str, Any], place: Path) -> float:
    """Ask with a tape running, in a new event loop."""
    place.unlink(missing_ok=True)
    with record(place) as recorder:
        return asyncio.run(ask_async(url, question, async_transport(recorder)))


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


def run_server(connection: Connection) -> None:
    """Serve until the process is ended."""
    asyncio.run(serve(connection))


async def serve(connection: Connection) -> None:
    """Answer each request with three events, and tell the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await reader.readexactly(int(length.split(b":")[1]))
                writer.write(ANSWER)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    connection.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()

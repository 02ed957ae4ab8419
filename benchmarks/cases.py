"""What is compared with what.

Floors are written by hand and do only the work that nobody can leave out. Neighbours are used as their documents say.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx
import httpx_sse
import locus.core.events as locus_events
import locus.streaming as locus_streaming
import yaml
from agent import runs
from checkpoints import saves
from httpx_sse._decoders import SSEDecoder, SSELineDecoder
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver
from measure import Case, Work
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json
from tap import first_byte, scripts
from vcr.serializers import jsonserializer

import playhead
from playhead.cassettes.digest import Digest
from playhead.events import ModelChunkEvent, ToolCompleteEvent, ToolStartEvent, decode_event, event_json

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SIZES = {"200 B": 24, "1 KB": 830}
"""How much result text makes an event of that size."""


def events(count: int, text_bytes: int) -> list[Any]:
    """Return typed events that were made in Python, each with `text_bytes` of text."""
    words = ("lorem ipsum dolor sit amet " * (1 + text_bytes // 27))[:text_bytes]
    return [
        ToolCompleteEvent(
            timestamp=NOW, tool_name="search", tool_call_id=f"call_{n}", result=words, duration_ms=12.5, error=None
        )
        for n in range(count)
    ]


def record(folder: Path) -> Iterator[Case]:
    """Recording typed events, per event."""
    count = 10_000
    for size, text_bytes in SIZES.items():
        made = events(count, text_bytes)
        yield Case(
            f"record, {size}",
            count,
            "to_json + os.write",
            {
                "to_json + os.write": lambda made=made: floor_record(folder / "floor.jsonl", made),
                "the same, sealed": lambda made=made: sealed_by_hand(folder / "sealed.jsonl", made),
                "playhead, redact=()": lambda made=made: tape(folder / "plain.jsonl", made, redact=()),
                "playhead": lambda made=made: tape(folder / "redacted.jsonl", made),
                "playhead, SQLite": lambda made=made: tape(f"{folder / 'runs.db'}::bench", made[:1000], times=10),
                "langgraph SqliteSaver": lambda made=made: langgraph(folder / "graph.db", made[:200], times=50),
                "vcrpy, YAML": lambda made=made: vcr_yaml(folder / "vcr.yaml", made[:200], times=50),
                "vcrpy, JSON": lambda made=made: vcr_json(folder / "vcr.json", made),
            },
            goals=(("playhead, redact=()", "<=", 1.7), ("playhead", "<=", 3.0)),
        )


def floor_record(path: Path, made: list[Any]) -> None:
    """Write each event's JSON with one `os.write`, and nothing else."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for event in made:
        os.write(handle, to_json(event))
    os.close(handle)


def sealed_by_hand(path: Path, made: list[Any]) -> None:
    """Write each event as a cassette's line, with the checksums and the sync that the format asks for, in one loop."""
    handle, digest = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), Digest()
    prefix, last_ns = b',"track":"event","run":"r1","kind":"event","data":', time.monotonic_ns()
    for event in made:
        now_ns = time.monotonic_ns()
        body = b'{"dt":%d%b%b' % ((now_ns - last_ns) // 1000, prefix, to_json(event))
        line = b'%b,"crc":"%08x"}\n' % (body, crc32(body))
        os.write(handle, line)
        digest.update(line)
        last_ns = now_ns
    assert digest.hexdigest()
    os.fsync(handle)
    os.close(handle)


def tape(place: Path | str, made: list[Any], *, times: int = 1, **options: Any) -> None:
    """Record the events through the tee, seal included, in a place where nothing was recorded before."""
    for _ in range(times):
        if isinstance(place, Path):
            place.unlink(missing_ok=True)
        with playhead.record(place, **options) as recorder:
            for _ in recorder.events(made):
                pass


def langgraph(path: Path, made: list[Any], *, times: int) -> None:
    """Save a checkpoint for each event."""
    for _ in range(times):
        path.unlink(missing_ok=True)
        with SqliteSaver.from_conn_string(str(path)) as saver:
            config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
            for event in made:
                checkpoint = {**empty_checkpoint(), "channel_values": {"event": event.model_dump(mode="json")}}
                config = saver.put(config, checkpoint, {}, {})


def vcr_cassette(made: list[Any]) -> dict[str, Any]:
    """Return what vcrpy writes for a body of server-sent events: one blob."""
    body = "".join(f"data: {event_json(event).decode()}\n\n" for event in made)
    request = {"method": "POST", "uri": "http://localhost/v1", "body": "{}", "headers": {}}
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": body}}
    return {"version": 1, "interactions": [{"request": request, "response": response}]}


def vcr_yaml(path: Path, made: list[Any], *, times: int) -> None:
    """Write the body as vcrpy's YAML, with its C dumper."""
    for _ in range(times):
        path.write_text(yaml.dump(vcr_cassette(made), Dumper=getattr(yaml, "CDumper", yaml.Dumper)))


def vcr_json(path: Path, made: list[Any]) -> None:
    """Write the body as vcrpy's JSON."""
    path.write_text(jsonserializer.serialize(vcr_cassette(made)))


def load(folder: Path) -> Iterator[Case]:
    """Loading typed events as a stream, per event."""
    count = 10_000
    adapter: TypeAdapter[Any] = TypeAdapter(locus_events.ToolCompleteEvent | locus_events.ToolStartEvent)
    for size, text_bytes in SIZES.items():
        made = events(count, text_bytes)
        lines = [event_json(event) for event in made]
        place = folder / f"load{text_bytes}.jsonl"
        tape(place, made, redact=())
        yield Case(
            f"load, {size}",
            count,
            "validate_json",
            {
                "validate_json": lambda lines=lines: floor_load(adapter.validate_json, lines),
                "playhead, for": lambda place=place: consume(place),
                "playhead, async for": lambda place=place: asyncio.run(consume_async(place)),
            },
            goals=(("playhead, for", "<=", 1.6), ("playhead, async for", "<=", 1.6)),
        )


def floor_load(validate: Callable[[bytes], Any], lines: list[bytes]) -> None:
    """Validate each line, already read, as one of two of locus' own classes."""
    for line in lines:
        validate(line)


def consume(place: Path) -> None:
    """Open a cassette, checks included, and read its events."""
    with playhead.open(place) as tape:
        for _ in tape.events():
            pass


async def consume_async(place: Path) -> None:
    """Open a cassette, checks included, and read its events as an asynchronous stream."""
    with playhead.open(place) as tape:
        async for _ in tape.events():
            pass


def handlers(folder: Path) -> Iterator[Case]:
    """Handlers fed with a run's events, without and with the text of the stream being made, per event."""
    count = 10_000
    ours = [event for pair in zip(starts(count // 2), events(count // 2, 200), strict=True) for event in pair]
    stored = [decode_event(event_json(event)) for event in ours]
    union: TypeAdapter[Any] = TypeAdapter(locus_events.ToolCompleteEvent | locus_events.ToolStartEvent)
    theirs = [union.validate_json(event_json(event)) for event in ours]
    name = "Composite[Buffering, SSE, Filtering]"
    for what, text in ((name, False), (f"{name}, and the text", True)):
        yield Case(
            what,
            count,
            "locus",
            {
                "locus": lambda text=text: asyncio.run(feed(composite(locus_streaming), theirs, text=text)),
                "playhead": lambda text=text: asyncio.run(feed(composite(playhead), ours, text=text)),
                "playhead, stored bytes": lambda text=text: asyncio.run(feed(composite(playhead), stored, text=text)),
            },
            goals=() if text else (("playhead", ">=", 4.0), ("playhead, stored bytes", ">=", 10.0)),
        )
    yield Case(
        "AsyncSSEHandler with a consumer",
        count,
        "locus",
        {
            "locus": lambda: asyncio.run(serve(locus_streaming.AsyncSSEHandler(), theirs)),
            "playhead": lambda: asyncio.run(serve(playhead.AsyncSSEHandler(max_buffer=count), ours)),
            "playhead, stored bytes": lambda: asyncio.run(serve(playhead.AsyncSSEHandler(max_buffer=count), stored)),
        },
        goals=(("playhead", ">=", 5.0), ("playhead, stored bytes", ">=", 5.0)),
    )


def starts(count: int) -> list[Any]:
    """Return events that begin a tool."""
    arguments = {"city": "Paris", "days": 3}
    return [
        ToolStartEvent(timestamp=NOW, tool_name="search", tool_call_id=f"call_{n}", arguments=arguments)
        for n in range(count)
    ]


def composite(package: Any) -> tuple[Any, Any]:
    """Return the composite of a package's handlers, and the one of them that has the text."""
    sse = package.SSEHandler()
    only = package.FilteringHandler(package.BufferingHandler(), event_types={"tool_complete"})
    return package.CompositeHandler([package.BufferingHandler(), sse, only]), sse


async def feed(handler: tuple[Any, Any], made: list[Any], *, text: bool) -> None:
    """Feed a handler, and make the text that goes on the wire if it is wanted."""
    whole, sse = handler
    for event in made:
        await whole.on_event(event)
    await whole.on_complete()
    if text:
        assert sse.format_all()


async def serve(handler: Any, made: list[Any]) -> None:
    """Feed a handler while a consumer reads its stream."""

    async def read() -> int:
        return sum([len(text) async for text in handler.stream()])

    reader = asyncio.create_task(read())
    await asyncio.sleep(0)
    for event in made:
        await handler.on_event(event)
    await handler.on_complete()
    assert await reader


def rules(folder: Path) -> Iterator[Case]:
    """Checking a run of typed events for two families of rules, per event."""
    count = 10_000
    calls = zip(starts(count // 4), chunks(count // 4), chunks(count // 4), events(count // 4, 200), strict=True)
    run = [event for call in calls for event in call]

    def work(*select: str) -> None:
        assert not list(playhead.check(run, select=select, ignore=["TRM001"]))

    yield Case(
        "check",
        count,
        "iterating",
        {
            "iterating": lambda: [None for _ in run] and None,
            "ORD": lambda: work("ORD"),
            "TRM": lambda: work("TRM"),
            "ORD and TRM": lambda: work("ORD", "TRM"),
        },
        goals=(("ORD and TRM", "+", 4.0),),
    )


def providers(folder: Path) -> Iterator[Case]:
    """Checking the events of a provider's stream, pieces of text, for all three families, per event."""
    count = 10_000
    choice = {"index": 0, "logprobs": None, "finish_reason": None}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "usage": None}
    part = {"item_id": "i", "output_index": 0, "content_index": 0, "logprobs": []}
    streams = {
        "openai.chat": ({**chunk, "choices": [{**choice, "delta": {"content": f"piece {n}"}}]} for n in range(count)),
        "openai.responses": (
            {"type": "response.output_text.delta", "sequence_number": n, "delta": f"piece {n}", **part}
            for n in range(count)
        ),
        "anthropic.messages": (
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f"piece {n}"}}
            for n in range(count)
        ),
    }
    for dialect, stream in streams.items():
        yield Case(f"check, {dialect}", count, "iterating", checkers(dialect, list(stream)), goals=(("all", "+", 6.0),))


def checkers(dialect: str, stream: list[Any]) -> dict[str, Work]:
    """Return what iterates over a stream, and what checks it. It has neither beginning nor end, which is told once."""
    return {
        "iterating": lambda: [None for _ in stream] and None,
        "all": lambda: [None for _ in playhead.check(stream, dialect=dialect)] and None,
    }


def wire(folder: Path) -> Iterator[Case]:
    """Checking the bytes that a handler sends for the rules of the wire, per message, over parsing them."""
    count = 4_000
    lines = [event_json(event).decode() for event in chunks(count)]
    body = "".join(f"event: model_chunk\nid: {n}\ndata: {text}\n\n" for n, text in enumerate(lines, 1)).encode()
    pieces = [body[at : at + 4096] for at in range(0, len(body), 4096)]

    def parsed() -> None:
        reader = playhead.SSEParser()
        for piece in pieces:
            for message in reader.feed(piece):
                from_json(message.data)

    yield Case(
        "check bytes",
        count,
        "parsing",
        {"parsing": parsed, "WIR": lambda: [None for _ in playhead.check(pieces, select=["WIR"])] and None},
        goals=(("WIR", "+", 2.0),),
    )


def chunks(count: int) -> list[Any]:
    """Return pieces of text."""
    return [ModelChunkEvent(timestamp=NOW, content=f"piece {n} ") for n in range(count)]


def parse(folder: Path) -> Iterator[Case]:
    """Parsing an event stream, per message."""
    shapes = {
        "data only, 200 B": ("", 200),
        "event and data, 200 B": ("event: think\n", 200),
        "event and data, 1 KB": ("event: think\n", 1000),
    }
    for shape, (head, size) in shapes.items():
        count = 4_000
        body = "".join(f"{head}data: {json.dumps({'n': n, 'text': 'x' * size})}\n\n" for n in range(count)).encode()
        pieces = [body[at : at + 4096] for at in range(0, len(body), 4096)]
        yield Case(f"parse, {shape}", count, "httpx-sse", parsers(pieces), goals=(("playhead", ">=", 2.0),))
    for megabytes in (4, 16):
        body = b"data: " + b"x" * (megabytes << 20) + b"\n\n"
        pieces = [body[at : at + 4096] for at in range(0, len(body), 4096)]
        yield Case(f"parse, one line, per MB of {megabytes}", megabytes, "playhead", {"playhead": parser(pieces)})


def parser(pieces: list[bytes]) -> Work:
    """Return what parses the pieces with Playhead."""

    def work() -> None:
        reader = playhead.SSEParser()
        count = sum(len(reader.feed(piece)) for piece in pieces) + len(reader.close())
        assert count

    return work


def parsers(pieces: list[bytes]) -> dict[str, Work]:
    """Return what parses the pieces, by package: httpx-sse as it is used, and its two decoders alone."""

    class Stream(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return iter(pieces)

    def theirs() -> None:
        response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Stream())
        assert sum(1 for _ in httpx_sse.EventSource(response).iter_sse())

    def decoders() -> None:
        lines, messages, count = SSELineDecoder(), SSEDecoder(), 0
        for piece in pieces:
            for line in lines.decode(piece.decode()):
                count += messages.decode(line) is not None
        assert count

    return {"httpx-sse": theirs, "httpx-sse, decoders alone": decoders, "playhead": parser(pieces)}


def encode(folder: Path) -> Iterator[Case]:
    """Writing messages as text, per message."""
    count = 5_000
    data = ["x" * 200 + str(n) for n in range(count)]
    ours = [playhead.SSEMessage("think", text, str(n)) for n, text in enumerate(data)]
    theirs = [locus_streaming.SSEMessage(event="think", data=text, id=str(n)) for n, text in enumerate(data)]
    yield Case(
        "encode",
        count,
        "locus",
        {
            "locus": lambda: [message.format() for message in theirs] and None,
            "playhead": lambda: [message.format() for message in ours] and None,
        },
    )


CASES: dict[str, Callable[[Path], Iterator[Case]]] = {
    "record": record,
    "load": load,
    "handlers": handlers,
    "check": rules,
    "wire": wire,
    "providers": providers,
    "parse": parse,
    "encode": encode,
    "scripts": scripts,
    "first-byte": first_byte,
    "agent": runs,
    "checkpoints": saves,
}
"""Every group of cases, by the name that the command line takes."""

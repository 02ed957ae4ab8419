"""Tests of the HTTP transports under the real SDKs of OpenAI, Anthropic and Google: recorded, and replayed offline."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import anyio
import httpx
import httpx2
import openai
import pytest
from google import genai

from playhead.adapters import httpx as for_httpx
from playhead.adapters.httpx2 import async_transport, transport
from playhead.errors import ReplayMismatch
from playhead.recording.recorder import record
from playhead.replaying.taps import rerun
from tests.adapters.http.raw_server import OK, Asked, Peer, RawServer, Respond, sse, streaming, whole

# The SDK leaves generators of its own to the garbage collector, with a tape and without.
LEFT_HALF_READ = pytest.mark.filterwarnings("ignore:Async generator '(openai|http):ResourceWarning")

OFFLINE = "http://offline.invalid"
JSON_HEAD = OK + b"content-type: application/json\r\nx-request-id: r-1\r\n"
USER = [{"role": "user", "content": "Where is Paris?"}]

CHAT: dict[str, Any] = {"id": "chatcmpl-1", "created": 1, "model": "m"}
CHAT_WHOLE = CHAT | {
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "In France 🌍", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
}
CHAT_EVENTS = [
    CHAT | {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    for delta, reason in [
        ({"role": "assistant", "content": "In "}, None),
        ({"content": "France 🌍"}, None),
        ({}, "stop"),
    ]
]
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "stop_sequence": None,
}
MESSAGE_WHOLE = MESSAGE | {
    "content": [{"type": "text", "text": "In France 🌍"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 4},
}
MESSAGE_EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": MESSAGE | {"content": [], "stop_reason": None, "usage": {"input_tokens": 3, "output_tokens": 0}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "In "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "France 🌍"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 4},
    },
    {"type": "message_stop"},
]

GEMINI_EVENTS = [
    {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}], "modelVersion": "m"}
    for text in ("In ", "France 🌍")
]


def provide(asked: Asked, peer: Peer) -> None:
    """Answer as OpenAI, Anthropic or Google does, each on its path, streaming where that is asked for."""
    is_chat = "/chat/completions" in asked.line
    if ":streamGenerateContent" in asked.line:
        streaming(sse(*GEMINI_EVENTS))(asked, peer)
    elif ":generateContent" in asked.line:
        whole(json.dumps(GEMINI_EVENTS[-1]).encode(), head=JSON_HEAD)(asked, peer)
    elif not asked.json.get("stream"):
        whole(json.dumps(CHAT_WHOLE if is_chat else MESSAGE_WHOLE).encode(), head=JSON_HEAD)(asked, peer)
    elif is_chat:
        streaming([*sse(*CHAT_EVENTS), b"data: [DONE]\n\n"])(asked, peer)
    else:
        streaming(sse(*MESSAGE_EVENTS, name=lambda event: str(event["type"])))(asked, peer)


def options(url: str, client: Any) -> dict[str, Any]:
    """Return how an SDK's client is made."""
    key = "sk-ant-api03-" + "A" * 40
    return {"base_url": url, "api_key": key, "http_client": client, "_strict_response_validation": True}


def chat(source: Any, url: str, **more: Any) -> list[Any]:
    """Ask OpenAI's client both ways, and return what came."""
    with httpx2.Client(transport=transport(source)) as client:
        sdk = openai.OpenAI(**options(url, client))
        create: Any = sdk.chat.completions.create
        answer = create(model="m", messages=USER, **more)
        with create(model="m", messages=USER, stream=True, **more) as stream:
            return [answer.model_dump(), *(event.model_dump() for event in stream)]


async def achat(source: Any, url: str) -> list[Any]:
    """Do as `chat` does, asynchronously."""
    async with httpx2.AsyncClient(transport=async_transport(source)) as client:
        sdk = openai.AsyncOpenAI(**options(url, client))
        create: Any = sdk.chat.completions.create
        answer = await create(model="m", messages=USER)
        async with await create(model="m", messages=USER, stream=True) as stream:
            return [answer.model_dump(), *[event.model_dump() async for event in stream]]


def messages(source: Any, url: str) -> list[Any]:
    """Ask Anthropic's client both ways, and return what came."""
    with httpx2.Client(transport=transport(source)) as client:
        sdk = anthropic.Anthropic(**options(url, client))
        create: Any = sdk.messages.create
        answer = create(model="m", messages=USER, max_tokens=9)
        with create(model="m", messages=USER, max_tokens=9, stream=True) as stream:
            return [answer.model_dump(), *(event.model_dump() for event in stream)]


async def amessages(source: Any, url: str) -> list[Any]:
    """Do as `messages` does, asynchronously."""
    async with httpx2.AsyncClient(transport=async_transport(source)) as client:
        sdk = anthropic.AsyncAnthropic(**options(url, client))
        create: Any = sdk.messages.create
        answer = await create(model="m", messages=USER, max_tokens=9)
        async with await create(model="m", messages=USER, max_tokens=9, stream=True) as stream:
            return [answer.model_dump(), *[event.model_dump() async for event in stream]]


def gemini(source: Any, url: str) -> list[Any]:
    """Ask Google's client both ways, with httpx, and return what came."""
    with httpx.Client(transport=for_httpx.transport(source)) as client:
        http = genai.types.HttpOptions(base_url=url, httpx_client=client)
        sdk = genai.Client(api_key="AIza" + "A" * 35, http_options=http)
        answer = sdk.models.generate_content(model="m", contents="Where is Paris?")
        stream = sdk.models.generate_content_stream(model="m", contents="Where is Paris?")
        return [each.model_dump(exclude={"sdk_http_response"}) for each in (answer, *stream)]


def on(backend: str, ask: Callable[..., Any]) -> Callable[[Any, str], list[Any]]:
    """Return a coroutine function as a plain one."""

    def now(source: Any, url: str) -> list[Any]:
        found: list[Any] = anyio.run(ask, source, url, backend=backend)
        return found

    return now


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """Return where a test records."""
    return tmp_path / "tape.jsonl"


def recorded(cassette: Path, respond: Respond, ask: Callable[[Any, str], Any]) -> Any:
    """Let an SDK ask a server, on tape."""
    with RawServer(respond) as server, record(cassette) as recorder:
        return ask(recorder, server.url)


@pytest.mark.parametrize(
    ("ask", "count"),
    [
        pytest.param(chat, 1 + len(CHAT_EVENTS), id="openai"),
        pytest.param(on("asyncio", achat), 1 + len(CHAT_EVENTS), id="openai-asyncio"),
        pytest.param(on("trio", achat), 1 + len(CHAT_EVENTS), id="openai-trio", marks=LEFT_HALF_READ),
        pytest.param(messages, len(MESSAGE_EVENTS), id="anthropic"),
        pytest.param(on("asyncio", amessages), len(MESSAGE_EVENTS), id="anthropic-asyncio"),
        pytest.param(on("trio", amessages), len(MESSAGE_EVENTS), id="anthropic-trio"),
        pytest.param(gemini, 1 + len(GEMINI_EVENTS), id="google"),
    ],
)
def test_sdks(cassette: Path, ask: Callable[[Any, str], list[Any]], count: int) -> None:
    """An SDK gets offline what it got live, streaming and not, with strict validation, and its key is nowhere."""
    live = recorded(cassette, provide, ask)
    assert len(live) == count
    assert "France 🌍" in str(live)
    with rerun(cassette) as tap:
        assert ask(tap, OFFLINE) == live
    assert "AAAA" not in cassette.read_text()


def test_retry(cassette: Path) -> None:
    """A refusal that the SDK retries is replayed as it was: the refusal first, and then the answer."""
    count = 0

    def respond(asked: Asked, peer: Peer) -> None:
        nonlocal count
        count += 1
        busy = b"HTTP/1.1 429 Too Many Requests\r\nretry-after-ms: 1\r\n"
        (provide if count > 1 else whole(b'{"error": {"message": "busy"}}', head=busy))(asked, peer)

    live = recorded(cassette, respond, chat)
    assert count == 3
    with rerun(cassette) as tap:
        assert chat(tap, OFFLINE) == live


def test_refusal(cassette: Path) -> None:
    """An error of the SDK comes back with its body and its headers."""

    def refused(source: Any, url: str) -> tuple[Any, ...]:
        with httpx2.Client(transport=transport(source)) as client:
            sdk = openai.OpenAI(max_retries=0, **options(url, client))
            create: Any = sdk.chat.completions.create
            with pytest.raises(openai.RateLimitError) as caught:
                create(model="m", messages=USER)
            return caught.value.message, caught.value.body, caught.value.response.headers["retry-after"]

    head = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-type: application/json\r\n"
    live = recorded(cassette, whole(b'{"error": {"message": "busy", "code": "slow"}}', head=head), refused)
    assert live[1:] == ({"message": "busy", "code": "slow"}, "7")
    with rerun(cassette) as tap:
        assert refused(tap, OFFLINE) == live


def test_cut_stream(cassette: Path) -> None:
    """Where a stream was cut an SDK raises again what it raised, after the same events."""

    def read(source: Any, url: str) -> tuple[list[Any], type[Exception] | None, str]:
        seen: list[Any] = []
        error: Exception | None = None
        with httpx2.Client(transport=transport(source)) as client:
            create: Any = anthropic.Anthropic(**options(url, client)).messages.create
            try:
                with create(model="m", messages=USER, max_tokens=9, stream=True) as stream:
                    seen.extend(map(repr, stream))
            except httpx2.HTTPError as raised:
                error = raised
        return seen, None if error is None else type(error), str(error)

    cut = streaming(sse(*MESSAGE_EVENTS[:5], name=lambda event: str(event["type"])), last=b"")
    live = recorded(cassette, cut, read)
    assert (len(live[0]), live[1]) == (4, httpx2.RemoteProtocolError)
    with rerun(cassette) as tap:
        assert read(tap, OFFLINE) == live


def test_changed_prompt(cassette: Path) -> None:
    """A changed prompt fails, and says what changed; no SDK retries it, and whoever swallows it is told again."""
    recorded(cassette, provide, chat)
    tap = rerun(cassette)
    with httpx2.Client(transport=transport(tap)) as client:
        create: Any = openai.OpenAI(**options(OFFLINE, client)).chat.completions.create
        with pytest.raises(ReplayMismatch, match=r"Where is Paris\?.* -> .*Where is Rome\?"):
            create(model="m", messages=[{"role": "user", "content": "Where is Rome?"}])
    assert len(tap.mismatches) == 1
    with pytest.raises(ReplayMismatch, match=r"Where is Rome\?"):
        tap.assert_complete()

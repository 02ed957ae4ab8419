"""The tape of a test as a provider on loopback: SDKs ask it over HTTP, and it records or replays.

Knows where SDKs find a provider. Does not know how anything is taped or matched. Importing this module without its
libraries raises `UsageError`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from playhead.cli.upstreams import base_urls, dummy_keys, made_of, mounts_of, origins_of, recorded_mounts, upstreams_of
from playhead.errors import ReplayMismatch, UsageError
from playhead.recording.recorder import Recorder
from playhead.replaying.tape import Tape
from playhead.replaying.taps import ReplayingTap
from playhead.text import did_you_mean

try:
    from playhead.provider.proxy import recording_app, replaying_app
    from playhead.provider.serving import serve
except ModuleNotFoundError as _error:
    raise UsageError(f"this needs {_error.name}, which is not installed: pip install 'playhead[server]'") from _error


Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
"""What an ASGI app is given and gives."""


@dataclass(frozen=True, slots=True)
class TapeServer:
    """Where the tape is served. `mounts` has, by the name of a provider, the path of its base URL."""

    url: str
    mounts: Mapping[str, str]

    @property
    def openai_url(self) -> str:
        """Return the `base_url` of OpenAI's SDK."""
        return self.base_url("openai")

    @property
    def anthropic_url(self) -> str:
        """Return the `base_url` of Anthropic's SDK."""
        return self.base_url("anthropic")

    @property
    def gemini_url(self) -> str:
        """Return the `base_url` of Google's SDK, in its `HttpOptions`."""
        return self.base_url("gemini")

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that lead SDKs here, and keys for those that have none."""
        return {**dummy_keys({}), **base_urls(self.url, self.mounts)}

    def base_url(self, provider: str) -> str:
        """Return the base URL of a provider's SDK. Raises `UsageError` for a provider that there is not."""
        if provider not in self.mounts:
            hint = did_you_mean(provider, self.mounts)
            raise UsageError(f"there is no provider {provider!r}: there are {', '.join(self.mounts)}{hint}")
        return f"{self.url}/{provider}{self.mounts[provider]}"


def upstreams(given: Mapping[str, str] | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the base URL of each provider that a recording asks: those given, or as the environment says."""
    return upstreams_of([f"{name}={url}" for name, url in (given or {}).items()], environment)


def unusual(found: Mapping[str, str]) -> dict[str, str]:
    """Return what a cassette has to say of where its providers were."""
    return made_of(mounts_of(found))


@contextmanager
def recorded(recorder: Recorder, found: Mapping[str, str]) -> Iterator[TapeServer]:
    """Serve what asks the upstreams and tapes it, while the block runs."""
    with serve(recording_app(recorder, origins_of(found))) as served:
        yield TapeServer(served.url, mounts_of(found))


@contextmanager
def replayed(tape: Tape, tap: ReplayingTap, problems: list[Any]) -> Iterator[TapeServer]:
    """Serve what answers from a tape, while the block runs. What does not match it goes to `problems`."""
    with serve(replaying_app(tap, on_mismatch=problems.append)) as served:
        yield TapeServer(served.url, recorded_mounts(tape.header.made))


@contextmanager
def episodes(recorder: Recorder, tap: ReplayingTap, found: Mapping[str, str]) -> Iterator[TapeServer]:
    """Serve what answers from a tape what is on it, and else asks the upstreams and tapes it, while the block runs."""
    with serve(_Episodes(recorder, tap, found)) as served:
        yield TapeServer(served.url, mounts_of(found))


class _Episodes:
    """Pass each request to the app that replays, and what that cannot answer to the one that records."""

    def __init__(self, recorder: Recorder, tap: ReplayingTap, found: Mapping[str, str]) -> None:
        self._missed: ContextVar[list[ReplayMismatch]] = ContextVar("missed")
        self._replaying = replaying_app(tap, on_mismatch=lambda mismatch: self._missed.get().append(mismatch))
        self._recording = recording_app(recorder, origins_of(found))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._recording(scope, receive, send)
            return
        missed: list[ReplayMismatch] = []
        self._missed.set(missed)
        begun = False
        body = [message async for message in _body(receive)]

        async def send_unless_missed(message: Message) -> None:
            nonlocal begun
            begun = begun or not missed
            if begun:
                await send(message)

        await self._replaying(scope, _again(body, receive), send_unless_missed)
        if missed and not begun:
            await self._recording(scope, _again(body, receive), send)


async def _body(receive: Receive) -> AsyncIterator[Message]:
    """Yield the messages that a request consists of."""
    more = True
    while more:
        message = await receive()
        yield message
        more = bool(message.get("more_body"))


def _again(messages: Sequence[Message], receive: Receive) -> Receive:
    """Return what gives messages that were received, and goes on with what comes then."""
    left = iter(messages)

    async def again() -> Message:
        for message in left:
            return message
        return await receive()

    return again

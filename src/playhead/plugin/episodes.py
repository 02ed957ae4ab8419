"""The tap of the mode `new_episodes`: an exchange that is on the tape is replayed whole, and any other one is live.

Knows two taps, and which of them a question is for. Does not know what an answer is.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from threading import Lock
from typing import Literal, TypeVar

from playhead.events.tagged import dumps, loads
from playhead.matching.exchange import exchanges
from playhead.matching.matcher import Matcher
from playhead.matching.normalise import Normaliser
from playhead.models.tap import PLAIN, Codec, Request, Tap
from playhead.recording.secrets import local_redactor
from playhead.replaying.tape import Tape

T = TypeVar("T")


class EpisodeTap(Tap):
    """Answer from a tape what is on it, and else ask live and record. Made of the two taps that do either."""

    def __init__(
        self,
        replaying: Tap,
        recording: Tap,
        tape: Tape,
        *,
        ignore: Sequence[str | Normaliser] = (),
        tools: Literal["recorded", "live"] = "recorded",
    ) -> None:
        self._replaying = replaying
        self._recording = recording
        self._tools = tools
        self._lock = Lock()
        redactor = local_redactor(tape.header.redact)
        # Questions are counted off here as the tap that replays counts them, so both know the same ones.
        self._known = Matcher(
            exchanges(tape.calls()), ignore=ignore, redact=lambda request: loads(redactor.json(dumps(request)))
        )

    async def ask(
        self, request: Request, live: Callable[[], Awaitable[T]], codec: Codec[T] = PLAIN, *, kind: str = "request"
    ) -> T:
        """Return the answer as a whole."""
        return await self._for(request, kind).ask(request, live, codec, kind=kind)

    def ask_now(self, request: Request, live: Callable[[], T], codec: Codec[T] = PLAIN, *, kind: str = "request") -> T:
        """Return the answer as a whole, without an event loop."""
        return self._for(request, kind).ask_now(request, live, codec, kind=kind)

    def stream(
        self, request: Request, live: Callable[[], AsyncIterable[T]], codec: Codec[T] = PLAIN
    ) -> AsyncIterator[T]:
        """Return an iterator over the chunks of the answer."""
        return self._for(request, "request").stream(request, live, codec)

    def stream_now(self, request: Request, live: Callable[[], Iterable[T]], codec: Codec[T] = PLAIN) -> Iterator[T]:
        """Return an iterator over the chunks of the answer, without an event loop."""
        return self._for(request, "request").stream_now(request, live, codec)

    def _for(self, request: Request, kind: str) -> Tap:
        if kind == "tool_call" and self._tools == "live":
            return self._replaying
        with self._lock:
            return self._recording if self._known.find(request, kind) is None else self._replaying

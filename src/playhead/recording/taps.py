"""The tap that records: it asks live, and tapes what was asked and what came.

Knows which of a call's methods belongs to what. Does not know how anything is written.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol, TypeVar

from playhead.events.canonical import Path
from playhead.models.tap import PLAIN, Codec, Request, Tap
from playhead.recording.calls import ModelCall
from playhead.recording.tee import AsyncTee, Tee

T = TypeVar("T")

REPLIES: Final = {"request": "reply", "tool_call": "tool_result"}
"""The kind of entry that answers each kind of question as a whole."""


class Calls(Protocol):
    """Whoever tapes calls: a recorder."""

    def call(
        self,
        request: Request,
        *,
        kind: str = "request",
        dump: Callable[[Any], Any] | None = None,
        text_at: Sequence[Path] = (),
    ) -> ModelCall:
        """Put a question on the tape, and return what takes the answer."""
        ...


class RecordingTap(Tap):
    """Ask live and tape it, with a recorder. The asker sees what it would have seen without; the very objects."""

    def __init__(self, recorder: Calls) -> None:
        self.recorder = recorder

    async def ask(
        self, request: Request, live: Callable[[], Awaitable[T]], codec: Codec[T] = PLAIN, *, kind: str = "request"
    ) -> T:
        """Return the live answer."""
        call = self.recorder.call(request, kind=kind, dump=codec.dump)
        try:
            answer = await live()
        except BaseException as error:
            call.close(error)
            raise
        call.reply(answer, REPLIES[kind])
        call.close()
        return answer

    def ask_now(self, request: Request, live: Callable[[], T], codec: Codec[T] = PLAIN, *, kind: str = "request") -> T:
        """Return the live answer, without an event loop."""
        call = self.recorder.call(request, kind=kind, dump=codec.dump)
        try:
            answer = live()
        except BaseException as error:
            call.close(error)
            raise
        call.reply(answer, REPLIES[kind])
        call.close()
        return answer

    def stream(
        self, request: Request, live: Callable[[], AsyncIterable[T]], codec: Codec[T] = PLAIN
    ) -> AsyncIterator[T]:
        """Return an iterator over the live answer."""
        call = self.recorder.call(request, dump=codec.dump, text_at=codec.text_at)
        return AsyncTee(_begun(live, call), call)

    def stream_now(self, request: Request, live: Callable[[], Iterable[T]], codec: Codec[T] = PLAIN) -> Iterator[T]:
        """Return an iterator over the live answer, without an event loop."""
        call = self.recorder.call(request, dump=codec.dump, text_at=codec.text_at)
        return Tee(_begun(live, call), call)


def _begun(live: Callable[[], T], call: ModelCall) -> T:
    """Begin a live stream. What that raises ends the call."""
    try:
        return live()
    except BaseException as error:
        call.close(error)
        raise

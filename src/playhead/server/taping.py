"""Taping what a server sends: the third tap, around any ASGI application.

    http     each response of a chosen path is a run: its head, its chunks as they were sent, and how it ended
    other    WebSockets and the lifespan pass through, untaped

Knows ASGI messages. Does not know frameworks, agents, or what the bytes mean.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

from playhead.cassettes.format import check_limits
from playhead.errors import PlayheadError, UsageError, WireError
from playhead.events.tagged import dumps
from playhead.models.http import head_of
from playhead.recording.recorder import Recorder

Scope = MutableMapping[str, Any]
"""What ASGI says of a connection."""

Message = MutableMapping[str, Any]
"""What an ASGI application and its server say to each other."""

Receive = Callable[[], Awaitable[Message]]
"""Waits for the next message from the client's side."""

Send = Callable[[Message], Awaitable[None]]
"""Hands a message to the server."""

App = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI application."""

Paths = str | Collection[str] | Callable[[str], bool]
"""One path, several, or a function that says whether a path is meant."""

MAX_ANSWER_BYTES: Final = 1024 * 1024
"""A person's answer of more bytes is not kept: nobody types so much, and anybody may send it."""

UNSEEN: Final = frozenset({"http.response.pathsend", "http.response.zerocopysend"})
"""Extensions by which a server sends a file by itself. Without them the application sends the same bytes."""


class TapeMiddleware:
    """Pass on what an ASGI application sends, and tape it: every HTTP response is a run of its own.

    `tape` is a recorder, which whoever made it closes, or a function that gets the scope and returns a recorder of its
    own for this response, which is sealed when the response is over, or None: this one is not taped. `only` chooses
    paths, all by default. The bodies of requests to `answers` are what a person answers to an interrupt: they are
    taped as `input`, in the run of their response; these paths are taped, too.

    A run is `complete` when its last chunk was sent, `closed` when the client left before, `error` when the
    application raised or returned before its response had ended, and `cancelled`. A chunk is taped when it is handed to
    the server; an empty one is none.

    Nothing is changed, delayed or swallowed: what the application raises is raised, and a recording that fails stops
    and leaves the response alone. Its error is raised when the recorder is closed.

    Raises `UsageError` for a `tape` that is neither, and for a path that does not begin with `/`.
    """

    def __init__(
        self,
        app: App,
        tape: Recorder | Callable[[Scope], Recorder | None],
        *,
        only: Paths | None = None,
        answers: Paths = (),
    ) -> None:
        if not isinstance(tape, Recorder) and not callable(tape):
            raise UsageError(f"tape={tape!r}: give a recorder, as playhead.record(...) makes one, or a function")
        self._app = app
        self._tape = tape
        self._is_answer = _chooser(answers)
        self._is_chosen = _chooser(only) if only is not None else lambda path: True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI says."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_answer = self._is_answer(scope["path"])
        tape = self._open(scope) if is_answer or self._is_chosen(scope["path"]) else None
        if tape is None:
            await self._app(scope, receive, send)
            return
        with tape as recorder:
            exchange = _Exchange(recorder, is_answer=is_answer, has_body=scope["method"] != "HEAD")
            await exchange.serve(self._app, scope, receive, send)

    def _open(self, scope: Scope) -> AbstractContextManager[Recorder] | None:
        if isinstance(self._tape, Recorder):
            return nullcontext(self._tape)
        recorder = self._tape(scope)
        return _sealing(recorder) if recorder is not None else None


class _Exchange:
    """One request and its response, on their way past a recorder."""

    def __init__(self, recorder: Recorder, *, is_answer: bool, has_body: bool) -> None:
        self._recorder = recorder
        self._run = recorder.response()
        self._answer: _Answer | None = _Answer() if is_answer else None
        self._has_body = has_body
        self._is_whole = False

    async def serve(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, and listen to both sides."""

        async def hear() -> Message:
            message = await receive()
            self._heard(message)
            return message

        async def tell(message: Message) -> None:
            self._tape(message)
            try:
                await send(message)
            except OSError:
                # So a server says that the client is gone.
                self._run.finish(GeneratorExit())
                raise
            if self._is_whole:
                self._run.finish()

        try:
            await app(_without_short_cuts(scope), hear, tell)
        except BaseException as error:
            self._run.finish(error)
            raise
        self._run.finish(WireError("the application returned before its response had ended"))

    def _heard(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            # Servers say this to whoever asks after the last chunk, too.
            if not self._is_whole:
                self._run.finish(GeneratorExit())
        elif self._answer is not None and self._answer.add(message):
            self._recorder.input(self._run, self._answer.value())
            self._answer = None

    def _tape(self, message: Message) -> None:
        """Tape a message that goes to the client. What comes after the end goes nowhere."""
        if self._run.end is not None:
            return
        match message["type"]:
            case "http.response.start":
                self._recorder.head(self._run, _head(message))
            case "http.response.body":
                body = message.get("body", b"")
                if body and self._has_body:
                    self._run.take(bytes(body))
                self._is_whole = not message.get("more_body", False)


class _Answer:
    """The body of a request, as it comes in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, message: Message) -> bool:
        """Take a piece, and say whether a body is whole that is not empty."""
        piece = message.get("body", b"")
        self._size += len(piece)
        if self._size <= MAX_ANSWER_BYTES:
            self._pieces.append(piece)
        return self._size > 0 and not message.get("more_body", False)

    def value(self) -> Any:
        """Return JSON as its value, anything else as text or bytes; of what is too long, only how long it was."""
        if self._size > MAX_ANSWER_BYTES:
            return {"left_out_bytes": self._size}
        body = b"".join(self._pieces)
        try:
            value = json.loads(body)
            check_limits(dumps(value))
        except (ValueError, RecursionError, UsageError):
            # Nothing that a client sends may stop the recording.
            return body
        return value


@contextmanager
def _sealing(recorder: Recorder) -> Iterator[Recorder]:
    """Seal a response's own cassette, however it ended. What the application raised comes first."""
    try:
        yield recorder
    except BaseException as error:
        try:
            recorder.close()
        except PlayheadError as failed:
            error.add_note(f"The recording had failed as well: {failed}")
        raise
    recorder.close()


def _chooser(paths: Paths) -> Callable[[str], bool]:
    if callable(paths):
        return paths
    chosen = frozenset({paths} if isinstance(paths, str) else paths)
    for path in chosen:
        if not path.startswith("/"):
            raise UsageError(f"{path!r} is no path that a client can ask for: write {f'/{path}'!r}")
    return chosen.__contains__


def _head(message: Message) -> dict[str, Any]:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]
    return head_of(message["status"], headers)


def _without_short_cuts(scope: Scope) -> Scope:
    extensions: Mapping[str, Any] = scope.get("extensions") or {}
    if UNSEEN.isdisjoint(extensions):
        return scope
    return {**scope, "extensions": {name: value for name, value in extensions.items() if name not in UNSEEN}}

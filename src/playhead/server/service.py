"""What the server does, whatever it is asked over: begin a run, and follow one.

Knows agents, permits and limits. Does not know HTTP's bodies or WebSockets' messages.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol

from anyio import create_task_group, move_on_after, to_thread
from starlette.exceptions import HTTPException
from starlette.types import Receive

from playhead.cassettes.reading import Cassette
from playhead.clock import Clock
from playhead.errors import CassetteError, MissingCassette, UsageError
from playhead.events.spans import Dialect
from playhead.ids import Ids
from playhead.server.asked import Answer, Prompt
from playhead.server.following import Follower
from playhead.server.frames import END, EventNames, Frame, Framer
from playhead.server.gate import Permit
from playhead.server.running import Run, Runs, correlation_id
from playhead.server.shelf import TICKET, Shelf

_logger = logging.getLogger("playhead.server")
_PASSED_ON: Final = {"thread_id", "checkpoint_id", "metadata"}


class Served(Protocol):
    """What the server needs of an agent. `resume` and `checkpointer` only where they are asked for."""

    def run(self, prompt: str, /, **more: Any) -> Any:
        """Return an asynchronous iterator of the events of a run. `more` is only what the client gave."""
        ...


@dataclass(frozen=True, slots=True)
class Streaming:
    """Say how messages are sent: named, held, and how a connection is kept open and given up."""

    event_names: EventNames
    heartbeat_s: float
    max_buffer: int
    retry_ms: int
    stall_s: float


class Service:
    """Begin runs of one agent, and let clients follow them."""

    def __init__(
        self, agent: Any, runs: Runs, streaming: Streaming, *, dialect: Dialect, clock: Clock, ids: Ids
    ) -> None:
        self.agent: Any = agent
        self.runs: Runs = runs
        self.streaming: Streaming = streaming
        self.clock: Clock = clock
        self._dialect = dialect
        self._ids = ids

    @property
    def shelf(self) -> Shelf:
        """Return where runs are kept."""
        return self.runs.shelf

    async def begin(self, asked: Prompt | Answer, permit: Permit) -> tuple[Run, Any]:
        """Return a new run and its events. Whoever gets them lets it go on (`Runs.hosted`).

        Raises `HTTPException`: 401 for a ticket that is used up, 409 for an answer to no question, 501 where the agent
        cannot be resumed, 503 where too many runs go on. Raises `CassetteError` where it cannot be taped.
        """
        if permit.is_used:
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "this ticket has begun a run: it is good for that one only")
        if self.runs.is_full:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "too many runs go on", {"retry-after": "1"})
        framer = self._framer(self._ids.new())
        events = self._events(asked)
        with self.runs.reserved(framer.run):
            recorder = await to_thread.run_sync(lambda: self.shelf.record(framer.run, ticket=permit.ticket))
        return Run(framer, recorder, max_buffer=self.streaming.max_buffer, ticket=permit.ticket), events

    def follower(self, run: Run) -> Follower:
        """Return what follows a run from its beginning."""
        return Follower(run.framer, self.shelf, run)

    async def follow(self, run_id: str, number: int, permit: Permit) -> Follower | None:
        """Return what follows a run behind a message; None where that was its last one.

        Raises `HTTPException` 404 for a run that is not there, and 401 where a ticket has begun another one. Raises
        `CassetteError` for one that cannot be read.
        """
        if number == END:
            return None
        run, cassette = self.runs.get(run_id), None
        if run is None:
            cassette = await self._open(run_id)
        ticket = cassette.header.made.get(TICKET) if cassette else run.ticket if run else None
        if permit.is_used and ticket != permit.ticket:
            if cassette:
                cassette.close()
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "this ticket has begun another run")
        return Follower(self._framer(run_id), self.shelf, run, after=number, cassette=cassette)

    async def something_waited(self, run: Run) -> bool:
        """Wait for what comes of an answer, and say whether there was a question. A slow agent is believed."""
        with move_on_after(self.streaming.heartbeat_s):
            return await run.has_begun()
        return True

    async def next_or_beat(self, follower: Follower) -> Sequence[Frame]:
        """Return the next messages of a run, or a heartbeat when none has come for so long.

        A cassette that cannot be read is the end of the stream; the log says why.
        """
        try:
            with move_on_after(self.streaming.heartbeat_s):
                return await follower.next()
        except CassetteError as error:
            run = follower.framer.run
            _logger.error("run %s cannot be read, correlation id %s: %s", run, correlation_id(run), error)
            return follower.give_up()
        return [follower.framer.beat(self.clock.now())]

    def new_id(self) -> str:
        """Return an id under which the log tells of a failure."""
        return self._ids.new()

    async def _open(self, run_id: str) -> Cassette:
        try:
            return await to_thread.run_sync(self.shelf.read, run_id)
        except MissingCassette:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such run") from None

    def _framer(self, run_id: str) -> Framer:
        return Framer(run_id, self._dialect, self.streaming.event_names)

    def _events(self, asked: Prompt | Answer) -> Any:
        more: Mapping[str, Any] = asked.model_dump(include=_PASSED_ON, exclude_none=True)
        if isinstance(asked, Prompt):
            return self.agent.run(asked.prompt, **more)
        if not hasattr(self.agent, "resume"):
            raise HTTPException(HTTPStatus.NOT_IMPLEMENTED, "this agent cannot be resumed")
        try:
            return self.agent.resume(*([asked.answer] if "answer" in asked.model_fields_set else []), **more)
        except UsageError:
            raise nothing_waits() from None


def nothing_waits() -> HTTPException:
    """Return the refusal of an answer to no question."""
    return HTTPException(HTTPStatus.CONFLICT, "nothing waits for an answer in this thread")


async def disconnected(receive: Receive) -> None:
    """Return when the client of a request is gone. The request's body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def unless_gone(gone: Callable[[], Awaitable[object]], serve: Callable[[], Awaitable[object]]) -> None:
    """Serve a client, or stop in the middle when it is gone."""
    async with create_task_group() as tasks:

        async def watch() -> None:
            await gone()
            tasks.cancel_scope.cancel()

        tasks.start_soon(watch)
        await serve()
        tasks.cancel_scope.cancel()

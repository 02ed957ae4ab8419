"""A run as one JSON answer, for who does not want a stream.

Knows what is told of a run's end. Does not know which run it is, nor who may have it.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from playhead.events.paths import at
from playhead.events.spans import Dialect
from playhead.events.tagged import loads
from playhead.server.frames import Frame
from playhead.server.running import Run
from playhead.server.service import Service, disconnected, unless_gone


class RunResult:
    """Answer a request with what came of a run that begins with it.

    200 with `run`, `message`, `stop_reason`, `metrics`, `usage`, `error`, `interrupt` (the event that paused the run,
    where it is paused) and `total_events`; 500 with `run`, `error` and `correlation_id` where the run failed. What
    events of the dialect do not say is null.
    """

    def __init__(self, service: Service, run: Run, events: Any) -> None:
        self._service = service
        self._run = run
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the end of the run, or until the client is gone."""

        async def answer() -> None:
            status, value = await self._result()
            await JSONResponse(value, status)(scope, receive, send)

        async with self._service.runs.hosted(self._run, self._events):
            await unless_gone(lambda: disconnected(receive), answer)

    async def _result(self) -> tuple[HTTPStatus, dict[str, Any]]:
        dialect = self._run.framer.dialect
        telling: list[Mapping[str, Any]] = []
        last: Frame | None = None
        with self._service.follower(self._run) as follower:
            while not follower.ended:
                for last in await follower.next():
                    kind = dialect.type_of(value) if isinstance(value := loads(last.data), dict) else ""
                    if kind in dialect.terminals or kind in dialect.pauses:
                        telling.append(value)
        assert last is not None
        ending = {"run": self._run.id, **loads(last.data)}
        if last.name == "error":
            return HTTPStatus.INTERNAL_SERVER_ERROR, ending
        return HTTPStatus.OK, _told(telling, ending, dialect)


def _told(telling: Sequence[Mapping[str, Any]], ending: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    ends = (event for event in reversed(telling) if dialect.type_of(event) in dialect.terminals)
    end: Mapping[str, Any] = next(ends, {})
    kind = dialect.type_of(end)
    errors = (at(end, where) for where in dialect.errors.get(kind, ()))
    interrupt = telling[-1] if telling and dialect.end_of(telling[-1]) == "paused" else None
    return {
        "run": ending["run"],
        "message": at(end, dialect.answers.get(kind, ())),
        "stop_reason": end.get("reason", "interrupt" if interrupt else None),
        "metrics": {"iterations": end.get("iterations_used"), "tool_calls": end.get("total_tool_calls")},
        "usage": end.get("usage"),
        "error": next((text for text in errors if text is not None), None),
        "interrupt": interrupt,
        "total_events": ending["total_events"],
    }

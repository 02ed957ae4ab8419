"""`playhead serve`: recorded runs as live event streams.

Knows options, and what is said of a server that runs. Does not know HTTP, or how a tape is played.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event

from playhead.cli.finding import find_all
from playhead.cli.pacing import chosen_pace
from playhead.cli.screen import line, number, print_json, said, screen
from playhead.errors import UsageError

try:
    from playhead.provider.serving import serve
    from playhead.server.agent_server import AgentServer
    from playhead.server.tape_agent import CASSETTE, Playable, TapeAgent
except ModuleNotFoundError as _error:
    raise UsageError(f"this needs {_error.name}, which is not installed: pip install 'playhead[server]'") from _error


@dataclass(frozen=True, slots=True)
class Serving:
    """Say where to listen, how fast events come, how they are named, and who may ask."""

    host: str
    port: int
    pace: str | None
    speed: float | None
    event_names: str
    heartbeat_s: float
    origins: Sequence[str]
    hosts: Sequence[str]


def serve_tapes(specs: Sequence[str], serving: Serving, *, as_json: bool) -> None:
    """Serve the runs of cassettes until Ctrl-C. Raises `UsageError` for options and cassettes that cannot be served."""
    agent = TapeAgent(find_all(specs), pace=chosen_pace(serving.pace, serving.speed, default="recorded"))
    server = AgentServer(
        agent,
        title="playhead serve",
        allow_unauthenticated=True,
        event_names=serving.event_names,  # type: ignore[arg-type]
        heartbeat_s=serving.heartbeat_s,
        dialect=agent.dialect,
        hosts=(*serving.hosts, serving.host),
        origins=serving.origins,
        metadata_parameters=(CASSETTE,),
    )
    with serve(server.app, host=serving.host, port=serving.port) as served:
        _tell(agent.playable, served.url, as_json=as_json)
        with suppress(KeyboardInterrupt):
            Event().wait()


def _tell(playable: Sequence[Playable], url: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"url": f"{url}/stream", "cassettes": [each.name for each in playable]})
    else:
        for each in playable:
            runs = f", {len(each.runs)} runs" if len(each.runs) > 1 else ""
            screen().print(line(said(each.name), f": {number(each.count, 'event')}{runs}"))
        screen().print(line(f"{url}/stream?prompt=hi"))
        screen(errors=True).print(line("serving until Ctrl-C"))
    sys.stdout.flush()

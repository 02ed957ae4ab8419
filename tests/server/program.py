"""A server as a process of its own, to be killed: `python -m tests.server.program STORE OPTIONS`.

The options are a JSON object. The server prints its port when it is ready. Its agent is a `TalkingAgent`, which pauses
`pause_s` before each chunk.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playhead.provider.serving import serve
from playhead.server.agent_server import AgentServer
from tests.server.agents import TalkingAgent

ROOT = Path(__file__).parents[2]


def main(store: str, text: str) -> None:
    """Serve until killed."""
    options = json.loads(text)
    agent = TalkingAgent(options.pop("pause_s"))
    with serve(AgentServer(agent, store=store, allow_unauthenticated=True, **options).app) as served:
        print(served.url.rpartition(":")[2], flush=True)  # noqa: T201
        threading.Event().wait()


def environment() -> dict[str, str]:
    """Return an environment in which a program finds the tests."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


@contextmanager
def running(store: str, **options: object) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run the program; give the process, and its port. It is killed at the end of the block, if not before."""
    command = [sys.executable, "-m", "tests.server.program", store, json.dumps({"pause_s": 0.0, **options})]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])

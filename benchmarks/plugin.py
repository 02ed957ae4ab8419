"""What the pytest plugin costs: `python benchmarks/plugin.py`. Prints medians of interleaved rounds, and their ratios.

1. The import of the entry module, in a Python that has imported pytest.
2. Tests that replay a cassette of 200 events, against tests whose fixture reads the same file with pydantic.
3. The same tests against pytest-recording, which plays the same events as the body of an SSE response. Its tests read
   the body and decode nothing.

A promise that is not kept makes the exit code 1.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import yaml

from playhead.events import ModelChunkEvent, TerminateEvent, event_json
from playhead.recording.recorder import record

EVENTS = 200
IMPORT = "import pytest, time; a = time.perf_counter(); import playhead_pytest; print(time.perf_counter() - a)"
CONFTEST = """
import time, pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session):
    start = time.perf_counter()
    result = yield
    print("\\nLOOP", time.perf_counter() - start)
    return result
"""
PLAYED = """
import pytest

@pytest.mark.parametrize("number", range({count}))
@pytest.mark.playhead(name="run")
def test_run(tape, number):
    assert len(list(tape.events())) == 200
"""
READ = """
import pytest
from pathlib import Path
from pydantic import BaseModel
from playhead.events.locus import AnyEvent

class Line(BaseModel):
    dt: int
    track: str
    run: str
    kind: str
    data: AnyEvent
    crc: str

@pytest.fixture
def events():
    lines = Path("cassettes/run.jsonl").read_bytes().splitlines()
    return [Line.model_validate_json(line).data for line in lines[1:-1]]

@pytest.mark.parametrize("number", range({count}))
def test_run(events, number):
    assert len(events) == 200
"""
EMPTY = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_run(number):
    pass
"""
RECORDED = """
import pytest
import httpx

@pytest.mark.parametrize("number", range({count}))
@pytest.mark.default_cassette("run.yaml")
@pytest.mark.vcr
def test_run(number):
    with httpx.stream("GET", "http://127.0.0.1:9/stream") as response:
        body = b"".join(response.iter_bytes())
    assert body.count(b"data: ") == 200
"""
OTHERS = ("asyncio", "trio", "langsmith_plugin", "anyio", "syrupy", "xdist", "hypothesispytest")
"""Plugins that neither side needs."""


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count")
    parser.add_argument("--tests", type=int, default=1000, help="how many tests a round has")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Compiled modules are kept, as anywhere, but not in the checkout.
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
        imports = [float(_python("-c", IMPORT)) for _ in range(2 * options.rounds + 2)][1:]
        kept = [_told("import of the entry module", median(imports) * 1000, 5.0, "ms")]
        _prepare(folder, options.tests)
        times: dict[str, list[float]] = {"played": [], "read": [], "recorded": [], "empty": []}
        for number in range(options.rounds + 1):
            for subject, seconds in times.items():
                seconds.append(_run(folder / subject, "recording" if subject != "recorded" else "playhead"))
                if not number:
                    # It warmed up, and compiled.
                    seconds.clear()
    for subject, seconds in times.items():
        print(f"{subject:<10} {median(seconds) / options.tests * 1e6:9.0f} µs a test")
    pairs = list(zip(times["played"], times["read"], times["recorded"], strict=True))
    kept.append(_told("replaying / reading with pydantic", median(a / b for a, b, _ in pairs), 1.5, "x"))
    kept.append(_told("pytest-recording / replaying", median(c / a for a, _, c in pairs), 4.0, "x", more=True))
    return int(not all(kept))


def _told(what: str, figure: float, goal: float, unit: str, *, more: bool = False) -> bool:
    kept = figure >= goal if more else figure <= goal
    print(f"{what}: {figure:.2f} {unit} ({'at least' if more else 'at most'} {goal:g}: {'kept' if kept else 'BROKEN'})")
    return kept


def _prepare(folder: Path, count: int) -> None:
    """Write the four projects."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    events = [ModelChunkEvent(content=f"piece {number} ", timestamp=now) for number in range(EVENTS - 1)]
    last = TerminateEvent(reason="complete", iterations_used=1, final_confidence=1.0, total_tool_calls=0, timestamp=now)
    for subject, text in (("played", PLAYED), ("read", READ), ("recorded", RECORDED), ("empty", EMPTY)):
        project = folder / subject
        (project / "cassettes/test_run").mkdir(parents=True)
        (project / "pytest.ini").write_text("[pytest]\n")
        (project / "conftest.py").write_text(CONFTEST)
        (project / "test_run.py").write_text(text.format(count=count))
        with record(project / "cassettes/run.jsonl") as tape:
            for _ in tape.events([*events, last]):
                pass
    body = b"".join(b"data: " + event_json(event) + b"\n\n" for event in [*events, last])
    interaction = {
        "request": {"method": "GET", "uri": "http://127.0.0.1:9/stream", "body": "", "headers": {}},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"content-type": ["text/event-stream"]},
            "body": {"string": body.decode()},
        },
    }
    (folder / "recorded/cassettes/test_run/run.yaml").write_text(
        yaml.safe_dump({"interactions": [interaction], "version": 1})
    )


def _run(project: Path, without: str) -> float:
    """Run a project's tests, and return how long they took, the start of pytest not counted."""
    off = [argument for name in (*OTHERS, without) for argument in ("-p", f"no:{name}")]
    told = _python("-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", *off, cwd=project)
    if " passed" not in told:
        raise SystemExit(told)
    return float(told.split("LOOP ")[1].split()[0])


def _python(*arguments: str, cwd: Path | None = None) -> str:
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("CI", "PYTEST_ADDOPTS", "PYTHONDONTWRITEBYTECODE")
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    return done.stdout if done.returncode == 0 else done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())

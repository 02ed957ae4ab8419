"""Where the runs of real agents are taped: into each of the three stores."""

from pathlib import Path

import pytest


@pytest.fixture(params=["jsonl", "sqlite", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a place for a cassette, in one store after the other."""
    places = {
        "jsonl": str(tmp_path / "run.jsonl"),
        "sqlite": f"{tmp_path / 'runs.db'}::run",
        "memory": f":memory:::{tmp_path}",
    }
    return places[request.param]

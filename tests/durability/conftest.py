"""The fault log of the session, which becomes the table of docs/durability.md where that is asked for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.durability.faults import FaultLog


@pytest.fixture(scope="session")
def faults(root: Path) -> Iterator[FaultLog]:
    """Return the log that all tests share. With `PLAYHEAD_UPDATE_DOCS=1` its table is written into the page."""
    log = FaultLog()
    yield log
    if os.environ.get("PLAYHEAD_UPDATE_DOCS") == "1" and log.fired:
        log.write(root / "docs/durability.md")


def skip_or_fail(reason: str) -> None:
    """Skip a test that this machine cannot run; fail where `PLAYHEAD_REQUIRE_FAULTS=1` says that it must."""
    if os.environ.get("PLAYHEAD_REQUIRE_FAULTS") == "1":
        pytest.fail(f"PLAYHEAD_REQUIRE_FAULTS is set, but {reason}")
    pytest.skip(reason)

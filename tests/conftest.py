"""What every test of the suite shares: the event loops, the data beside the checkout, and Hypothesis' pace."""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell makes what it starts in the background deaf to Ctrl-C, and so every process that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Deadlines measure the machine, not the code: they make a busy machine fail.
settings.register_profile(
    "suite",
    deadline=None,
    max_examples=50,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("suite"), max_examples=2_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run every test that is marked `anyio` on asyncio and on trio."""
    return str(request.param)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real recordings beside the checkout, or skip where there is none."""
    folder = ROOT / "../shared/data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the checkout: the recordings of real runs are not part of the repository")
    return folder.resolve()


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return pytest's own, whose modules are compiled anew for each run."""
    # One that is written twice within a second, at the same length, is taken for what was compiled before.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return pytester

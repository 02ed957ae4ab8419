"""A command that runs offline has loopback, and nothing else."""

import os
import socket
import subprocess
import sys

import offline
import pytest

from tests.house import project

LOOPBACK = """
import socket
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    with socket.create_server((address, 0), family=family) as server:
        socket.create_connection(server.getsockname()[:2]).close()
"""

OUTSIDE = """
import errno, socket
try:
    socket.create_connection(("192.0.2.1", 9), timeout=2)
except OSError as error:
    assert error.errno == errno.ENETUNREACH, error
else:
    raise AssertionError("reached")
"""


def run_offline(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command offline, or skip where the machine does not allow it."""
    done = subprocess.run(
        [sys.executable, "scripts/offline.py", *command],
        cwd=project.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    if done.returncode == offline.NOT_ALLOWED and not os.environ.get("CI"):
        pytest.skip(done.stderr.strip())
    return done


@pytest.mark.parametrize("program", [LOOPBACK, OUTSIDE], ids=["loopback", "outside"])
def test_loopback_is_all_there_is(program: str) -> None:
    """Loopback answers over both families, and there is no route to anywhere else."""
    done = run_offline(sys.executable, "-c", program)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_exit_code_comes_through() -> None:
    """A test run that fails offline is not taken for one that passed."""
    assert run_offline("sh", "-c", "exit 3").returncode == 3


def test_a_network_that_is_still_there_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that answers is taken for a network, and something that refuses is not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(offline, "OUTSIDE", server.getsockname())
        assert offline.reaches_outside()
    assert not offline.reaches_outside()

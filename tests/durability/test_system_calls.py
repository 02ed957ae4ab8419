"""Faults of the system, injected into a recorder that runs: killed, a full disk, a broken disk, at every call."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.durability.conftest import skip_or_fail
from tests.durability.faults import FaultLog
from tests.durability.outcomes import check_outcome, make_old

WRITES: Final = {"jsonl": ("write", "fsync"), "sqlite": ("pwrite64", "fdatasync")}
FAULTS: Final = {
    "`kill -9`": ("signal=KILL", (0, 1)),
    "EIO": ("error=EIO", (0, 1)),
    "ENOSPC": ("error=ENOSPC", (0,)),
}
"""Each fault: how strace is told, and into which of the calls of `WRITES` it goes."""

CASES = [
    pytest.param(
        kind, WRITES[kind][which], fault, id=f"{kind}-{WRITES[kind][which]}-{fault.strip('`').replace(' ', '')}"
    )
    for kind in WRITES
    for fault, (_, calls) in FAULTS.items()
    for which in calls
]


def count_calls(kind: str, folder: Path, call: str) -> int:
    """Return how often a recorder that meets no fault makes a system call."""
    make_old(kind, folder / "1")
    log = folder / "calls"
    run_traced(kind, folder, call, 1, log, f"trace={call}")
    check_outcome(kind, folder / "1")
    return len(re.findall(rf"\b{call}\(", log.read_text()))


def run_traced(kind: str, folder: Path, call: str, count: int, log: Path, *expressions: str) -> None:
    """Run `count` recorders under strace."""
    traced = [part for each in expressions for part in ("-e", each)]
    # The filter makes it faster, but a signal cannot be injected where it stops a process.
    fast = [] if "signal=" in expressions[-1] else ["--seccomp-bpf"]
    command = ["strace", "-f", "-q", *fast, "-o", str(log), *traced, sys.executable, "-B"]
    writer = ["-m", "tests.durability.writer", kind, str(folder), call, str(count)]
    done = subprocess.run([*command, *writer], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def require_strace() -> None:
    """Skip where there is no strace, or none that may trace."""
    if shutil.which("strace") is None:
        skip_or_fail("strace is not installed: apt install strace")
    # With all that is asked of it below: a container may allow some of it only.
    asked = ["-f", "-q", "--seccomp-bpf", "-e", "trace=write", "-e", "inject=write:error=EIO:when=9999"]
    tried = subprocess.run(["strace", *asked, "-o", os.devnull, "true"], capture_output=True, check=False)
    if tried.returncode:
        skip_or_fail("strace may not trace here, or not inject faults")


SAVES: Final = """
import sys, anyio
from playhead.recording.checkpoints import Checkpointer

async def main(place):
    async with Checkpointer(place) as saver:
        for number in range(3):
            await saver.save({"n": number}, "t")
            print("saved", flush=True)

anyio.run(main, *sys.argv[1:])
"""
"""The program that saves checkpoints."""


@pytest.mark.parametrize("place", ["new/deep/threads.db", "new/deep/threads/"])
def test_checkpoints_that_are_sealed_are_forced_to_the_disk(tmp_path: Path, place: str) -> None:
    """A save to a database is on the disk when it returns, a file once it is sealed; names of new folders are, too."""
    require_strace()
    log = tmp_path / "log"
    traced = ["strace", "-f", "-q", "-y", "--seccomp-bpf", "-o", str(log), "-e", "trace=write,rename,fsync,fdatasync"]
    command = [*traced, sys.executable, "-B", "-c", SAVES, str(tmp_path / place)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    calls = log.read_text()
    for folder in (tmp_path, tmp_path / "new", tmp_path / "new/deep"):
        assert f"<{folder}>" in calls, f"{folder} was not forced to the disk"
    if place.endswith(".db"):
        *saves, _ = calls.split("saved")
        assert all(re.search(r"\bfdatasync\(\d+<.*threads\.db-wal>\)", save) for save in saves)
    else:
        assert re.findall(r"\b(fsync|rename)\(", calls.rpartition("saved")[2]) == ["fsync", "rename", "fsync"]


@pytest.mark.parametrize(("kind", "call", "fault"), CASES)
def test_a_fault_at_every_call(tmp_path: Path, faults: FaultLog, kind: str, call: str, fault: str) -> None:
    """Whichever call it hits: a right prefix with all that was acknowledged, a dead writer, the old cassette intact."""
    require_strace()
    calls = count_calls(kind, tmp_path / "counted", call)
    assert calls > 0
    hit = tmp_path / "hit"
    make_old(kind, hit / "1")
    for number in range(2, calls + 1):
        shutil.copytree(hit / "1", hit / str(number))
    log = tmp_path / "log"
    # Counted anew for each child, and the fault comes once: what the recorder does after it would succeed.
    run_traced(kind, hit, call, calls, log, f"trace={call}", f"inject={call}:{FAULTS[fault][0]}:when={calls}")
    fired = len(re.findall(r"\(INJECTED\)|killed by SIGKILL", log.read_text()))
    assert fired == calls, f"{fired} faults fired, not {calls}"
    for number in range(1, calls + 1):
        check_outcome(kind, hit / str(number), killed=fault == "`kill -9`")
    faults.add(f"{fault} at the n-th `{call}`, {kind}", "test_a_fault_at_every_call", fired=fired)

"""The plugin beside others, each in a process of its own where warnings are errors and markers are strict."""

import json

import pytest

from tests.plugin.projects import INI, TRIP, Project

ASYNC = """
from contextlib import aclosing
import pytest
from agent import trip

{marker}
async def test_paris(tape):
    events = [event async for event in trip(tape)]
    assert events[-1].reason == "complete"

{marker}
async def test_caught(tape):
    with pytest.raises(KeyError):
        async with aclosing(tape.events(thinking())) as events:
            async for event in events:
                raise KeyError

async def thinking():
    yield {{"event_type": "think", "iteration": 0}}
    yield {{"event_type": "think", "iteration": 1}}

class TestTrip:
    {marker}
    async def test_rome(self, tape):
        assert len([event async for event in trip(tape, "Rome?")]) == 8
"""

ASYNCIO_TEST = ASYNC.format(marker="@pytest.mark.asyncio")
STRICT = "asyncio_mode = strict\nasyncio_default_fixture_loop_scope = function"
ON_ASYNCIO = TRIP[TRIP.index("@pytest.fixture") :]
PLUGINS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "anyio": ((), "anyio_mode = auto", ASYNC.format(marker="@pytest.mark.anyio") + ON_ASYNCIO),
    "asyncio auto": (("asyncio",), STRICT.replace("strict", "auto"), ASYNC.format(marker="")),
    "trio": (("trio",), "trio_mode = true", ASYNC.format(marker="")),
    "all at once": (("asyncio", "trio", "recording", "syrupy", "xdist"), STRICT, ASYNCIO_TEST),
}
"""What is loaded beside ours, what the ini file says of it, and the tests."""


@pytest.mark.parametrize("name", PLUGINS)
def test_beside_other_plugins(project: Project, name: str) -> None:
    """Tests are recorded and replayed whoever runs their event loop; one that leaves a stream open, too."""
    plugins, ini, text = PLUGINS[name]
    project.write({"pytest.ini": f"{INI}{ini}\n", "test_trip.py": text})
    for arguments, told in ((["--playhead-mode=once"], "playhead: 3 recorded"), ([], "playhead: 3 replayed")):
        done = project.run_apart("-q", *arguments, plugins=plugins)
        assert (done.returncode, told in done.stdout) == (0, True), done.stdout + done.stderr


def test_beside_pytest_recording_and_syrupy(project: Project) -> None:
    """A test has a tape, a cassette of vcrpy and a snapshot; their folders and options do not meet."""
    project.write(
        {
            "test_it.py": """
            import pytest
            from agent import tell

            @pytest.mark.vcr
            def test_it(tape, snapshot, sse_snapshot, events_snapshot):
                events = tell(tape)
                assert [event["event_type"] for event in events] == snapshot
                assert events == events_snapshot
                assert b"data: {}\\n\\n" == sse_snapshot
            """
        }
    )
    plugins = ("recording", "syrupy")
    done = project.run_apart("--playhead-mode=once", "--snapshot-update", "--record-mode=none", plugins=plugins)
    assert done.returncode == 0, done.stdout + done.stderr
    done = project.run_apart("--playhead-block-network", "--block-network", plugins=plugins)
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.cassettes() == ["cassettes/test_it/test_it.jsonl"]


def test_the_workers_of_xdist_are_one_session(project: Project) -> None:
    """What two workers did is told together, and unused cassettes are found though neither ran all tests."""
    test = """
    import pytest
    from agent import tell

    @pytest.mark.parametrize("number", range(6))
    def test_it(tape, number):
        tell(tape)
    """
    project.write({"tests/test_it.py": test})
    done = project.run_apart("-n2", "--playhead-mode=once", plugins=("xdist",))
    assert "playhead: 6 recorded" in done.stdout, done.stdout + done.stderr
    project.write({"tests/test_it.py": test.replace("range(6)", "range(5)")})
    done = project.run_apart("-n2", "--playhead-unused=error", "--playhead-report=r.json", plugins=("xdist",))
    assert "playhead: 5 replayed, 1 unused" in done.stdout, done.stdout + done.stderr
    assert "unused    tests/cassettes/test_it/test_it[5].jsonl" in done.stdout
    assert done.returncode == 1
    told = json.loads((project.path / "r.json").read_text())
    assert (len(told["replayed"]), len(told["unused"]), len(told["tests"])) == (5, 1, 5)


REACHING = """import socket
import pytest

def reach():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("192.0.2.1", 9))

def tried():
    try:
        reach()
    except OSError:
        pass

tried()

def test_blocked():
    reach()

@pytest.fixture
def remote():
    reach()

def test_fixture(remote):
    pass

@pytest.mark.playhead(block_network=False)
def test_excepted():
    tried()

@pytest.mark.playhead(mode="once")
def test_recording():
    tried()
"""
"""Tests that reach for the network: one by itself, one by a fixture, and two that may."""


def test_the_network_is_blocked_while_a_test_runs(project: Project) -> None:
    """Also for a fixture and a thread of it; not before, not for a test that is excepted or may record."""
    project.write({"test_it.py": REACHING})
    result = project.run("--tb=short", "-o", "playhead_block_network=true")
    result.assert_outcomes(passed=2, failed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "E *UsageError: test_it.py::test_blocked may not reach ('192.0.2.1', 9): the network is blocked by "
            "playhead_block_network of the ini file; only loopback is not"
        ]
    )
    project.run("--playhead-block-network").assert_outcomes(passed=0, failed=3, errors=1)
    # Without the block it is for the machine to say whether anybody is reached.
    free = project.run("-o", "playhead_block_network=true", "--no-playhead-block-network")
    assert "blocked by" not in free.stdout.str()
    free.stdout.no_fnmatch_line("*UsageError*")

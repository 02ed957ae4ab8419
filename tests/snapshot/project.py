"""A project of somebody else's: a folder with a conftest and a test module, and pytest runs in it."""

from dataclasses import dataclass

import pytest

CONFTEST = """
import pytest
from playhead.snapshot.fixtures import make_events_snapshot, make_sse_snapshot

@pytest.fixture
def sse_snapshot(snapshot):
    return make_sse_snapshot(snapshot)

@pytest.fixture
def events_snapshot(snapshot):
    return make_events_snapshot(snapshot)
"""


@dataclass(frozen=True, slots=True)
class Project:
    """Write a test module, run it, and look at what it left."""

    pytester: pytest.Pytester

    def write(self, source: str, *, name: str = "test_trip") -> None:
        """Write the module anew."""
        self.pytester.makepyfile(**{name: source})

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in a process of its own: syrupy keeps its session in a global."""
        plugins = ("-p", "syrupy", "-p", "xdist", "-p", "no:cacheprovider", "--strict-markers", "-W", "error")
        return self.pytester.runpytest_subprocess(*plugins, *arguments)

    def passes(self, *arguments: str) -> pytest.RunResult:
        """Run pytest, and see every test pass."""
        result = self.run(*arguments)
        assert result.ret == 0, str(result.stdout)
        return result

    def fails(self, *arguments: str) -> str:
        """Run pytest, see tests fail, and return what is shown of it, without the marks at the margin."""
        result = self.run(*arguments)
        assert result.ret == 1, str(result.stdout)
        return "\n".join(line.removeprefix("E").strip() for line in result.outlines)

    def stored(self) -> dict[str, bytes]:
        """Return the golden files by their names."""
        folder = self.pytester.path / "__snapshots__"
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


def make_project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Make the folder. Runs in it see no plugin but those named, and nothing of the suite around them."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "FORCE_COLOR", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    # Of a failure, every line is shown under CI only.
    monkeypatch.setenv("CI", "1")
    pytester.makeconftest(CONFTEST)
    return Project(pytester)

"""The entry module: what it costs, and that it is harmless to those who do not use it."""

import re
import subprocess
import sys

import pytest

from tests.plugin.projects import Project

LOADED = """
import sys
import pytest
before = set(sys.modules)
import playhead_pytest
print(*sorted(name for name in set(sys.modules) - before if name.partition(".")[0] not in sys.stdlib_module_names))
"""

HEAVY = {"pydantic", "anyio", "sqlite_utils", "typer", "rich", "wcwidth"}


def test_the_entry_module_imports_pytest_and_nothing_else() -> None:
    """Not even Playhead: that comes when it is needed."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == ["playhead_pytest"]


def test_a_session_that_uses_nothing_loads_nothing_heavy(project: Project) -> None:
    """No library of Playhead's is loaded, and of Playhead only what knows the options."""
    project.write(
        {
            "test_it.py": f"""
            import sys

            def test_it():
                loaded = {{name.partition(".")[0] for name in sys.modules}}
                assert not loaded & {HEAVY!r}
                assert {{name for name in sys.modules if name.startswith("playhead.")}} == {{
                    "playhead.errors", "playhead.plugin", "playhead.plugin.settings"
                }}
            """
        }
    )
    done = project.run_apart("-q", "-p", "no:anyio", "-p", "no:hypothesispytest")
    assert done.returncode == 0, done.stdout


def test_failures_of_others_look_as_they_did(project: Project) -> None:
    """Errors of fixtures, of tests and of classes print the same, with our plugin and without it."""
    project.write(
        {
            "conftest.py": "import pytest\n@pytest.fixture\ndef broken(): raise ValueError('x')\n",
            "test_it.py": """
            import unittest

            def test_a(broken): pass
            def test_b(): assert {"a": 1} == {"a": 2}
            def test_c(missing): pass
            class TestD(unittest.TestCase):
                def test_d(self): self.fail("y")
            """,
        }
    )
    for style in ("long", "short"):
        found = [project.run(f"--tb={style}", *arguments).outlines for arguments in ([], ["-p", "no:playhead"])]
        varies = re.compile(r"plugins: |=.* in |> .*available fixtures: ")
        with_us, without = ([line for line in lines if not varies.match(line)] for lines in found)
        assert with_us == without
        assert any("ValueError: x" in line for line in without)


def test_it_can_be_switched_off(project: Project) -> None:
    """As any plugin can: then there is no fixture and no option."""
    project.write({"test_it.py": "def test_it(tape): pass\n"})
    project.run("-p", "no:playhead").stdout.fnmatch_lines(["*fixture 'tape' not found"])
    assert project.run("-p", "no:playhead", "--playhead-mode=once").ret == pytest.ExitCode.USAGE_ERROR


def test_the_snapshot_fixtures_say_what_they_need(project: Project) -> None:
    """Without syrupy they fail with the command that installs it."""
    project.write({"test_it.py": "def test_a(sse_snapshot): pass\ndef test_b(events_snapshot): pass\n"})
    result = project.run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["UsageError: the fixture 'sse_snapshot' needs syrupy*pip install 'playhead[[]snapshot]'"]
    )

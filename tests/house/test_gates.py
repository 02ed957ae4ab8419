"""The linter and the type checker, as they are configured, catch what they are there for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import suite

from tests.house import project


def ruff(source: str, path: str) -> str:
    """Lint a source as if it were a file of the project, and return what ruff says."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--output-format=concise", "--stdin-filename", path, "-"],
        cwd=project.ROOT,
        input=source,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("import os\n", "F401"),
        ("def f() -> None:\n    import os\n\n    os.getcwd()\n", "PLC0415"),
        ("from . import x\n\nx()\n", "TID252"),
        ("import time\n\ntime.sleep(1)\n", "TID251"),
        ("from unittest.mock import Mock\n\nMock()\n", "TID251"),
        ("x = 1  # noqa\n", "PGH004"),
        ("x: int = ''  # type: ignore\n", "PGH003"),
        ("from datetime import datetime\n\nnow = datetime.now()\n", "DTZ005"),
        ("x = 'a'  " + "#" * 120 + "\n", "E501"),
        ("def f(x: list[int] = []) -> None: ...\n", "B006"),
        ("def f() -> None:\n    '''Returns it.'''\n", "D401"),
        ("def f() -> None: ...\n", "D103"),
        ("'''M.'''\n\nprint(1)\n", "T201"),
    ],
)
def test_the_linter_catches_a_planted_fault(source: str, code: str) -> None:
    """Each rule that somebody could switch off by mistake is on for the package."""
    assert f" {code} " in ruff(source, "src/playhead/planted.py")


def test_the_linter_lets_a_clean_module_pass() -> None:
    """The planted faults are not found in everything."""
    assert "All checks passed" in ruff('"""Hold one number."""\n\nX = 1\n', "src/playhead/planted.py")


def test_the_type_checker_catches_planted_faults(tmp_path: Path) -> None:
    """The type checker is strict: each line of a module breaks one rule, and that rule tells it."""
    faults = {
        "import vcr": "",
        "def f(x): ...": "no-untyped-def",
        "a: int = ''": "assignment",
        "b: list = []": "type-arg",
        "c: int = 1  # type: ignore[assignment]": "unused-ignore",
    }
    planted = tmp_path / "planted.py"
    planted.write_text("\n".join(faults), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(planted)],
        cwd=project.ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    found = re.findall(r"planted\.py:(\d+): error: .*\[(\S+)\]", done.stdout)
    assert found == [(str(line), code) for line, code in enumerate(faults.values(), 1) if code]


@pytest.mark.parametrize(
    ("source", "faults", "whole"),
    [("def missing(x): ...\ndef half(x: list) -> None: ...\n", 2, 0), ("def shown(x: int) -> None: ...\n", 0, 1)],
)
def test_the_check_of_public_types_catches_planted_faults(source: str, faults: int, whole: int, tmp_path: Path) -> None:
    """A public name whose type is missing or half known is found, and a whole one is not."""
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted/py.typed").touch()
    (tmp_path / "planted/__init__.py").write_text(source, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--verifytypes", "planted", "--ignoreexternal"],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert f"With known type: {whole}\n" in done.stdout, done.stdout + done.stderr
    assert f"With unknown type: {faults}\n" in done.stdout
    assert done.returncode == bool(faults)


def test_a_warning_fails_a_test(pytester: pytest.Pytester) -> None:
    """The suite's own configuration turns warnings, unknown marks and passes that were not expected into failures."""
    pytester.makepyprojecttoml((project.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pytester.makepyfile(
        **{
            "tests/test_planted": """
                import warnings
                import pytest

                def test_warns(): warnings.warn("x")

                @pytest.mark.xfail(reason="planted")
                def test_passes_unexpectedly(): pass
            """,
            "tests/test_marked": """
                import pytest

                @pytest.mark.unheard_of
                def test_marked(): pass
            """,
        }
    )
    options = ("-q", "-p", "no:cacheprovider", "--continue-on-collection-errors")
    done = pytester.runpytest_subprocess(*options)
    done.assert_outcomes(failed=2, errors=1)
    done.stdout.fnmatch_lines(["*'unheard_of' not found in `markers`*"])


def test_a_test_that_hangs_fails(pytester: pytest.Pytester) -> None:
    """A test that waits for ever is ended and fails, and the others run, in parallel as the suite runs them."""
    pytester.makepyprojecttoml((project.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pytester.makepyfile(
        """
        import threading

        def test_hangs(): threading.Event().wait()

        def test_is_fine(): pass
        """
    )
    options = ("-p", "no:cacheprovider", "-o", "faulthandler_timeout=1", *suite.PARALLEL, "-n", "1")
    done = pytester.runpytest_subprocess(*options, "test_a_test_that_hangs_fails.py", timeout=60)
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines(["*crashed while running*test_hangs*"])

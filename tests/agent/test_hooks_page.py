"""What docs/hooks.md says of hooks is so: its programs run and print what it shows, and its tables are the code's."""

import importlib.util
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from playhead.agent.hooks import MOMENTS
from tests.house.checks.readme import agrees
from tests.house.checks.readme import files as programs

PAGE = (Path(__file__).parents[2] / "docs/hooks.md").read_text(encoding="utf-8")

PROGRAMS = programs(PAGE)

NEEDS_SDK = {"traced.py"}


def shown(name: str) -> str:
    """Return what the page says a program prints."""
    found = re.search(r"```text\n(.*?)^```", PAGE[PAGE.index(f"# {name}\n") :], re.DOTALL | re.MULTILINE)
    assert found is not None, name
    return found[1]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_what_the_page_shows(name: str, tmp_path: Path) -> None:
    """As it stands there, with warnings as errors, and with nothing on standard error."""
    if name in NEEDS_SDK and importlib.util.find_spec("opentelemetry.sdk") is None:
        pytest.skip("opentelemetry-sdk is not installed")
    place = tmp_path / name
    place.write_text(PROGRAMS[name], encoding="utf-8")
    command = [sys.executable, "-X", "utf8", "-W", "error", str(place)]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert agrees(shown(name), ran.stdout), ran.stdout


def test_there_are_programs() -> None:
    """A page without any would pass."""
    assert set(PROGRAMS) == {"guard.py", "patience.py", "logged.py", "traced.py"}


def test_the_table_of_moments_is_that_of_the_code() -> None:
    """Each moment, the fields of its event, and what may be steered."""
    rows = re.findall(r"^\|[^|]*\| `(on_\w+)` \|([^|]*)\|([^|]*)\|$", PAGE, re.MULTILINE)
    told = {method: (set(re.findall(r"`(\w+)`", held)), set(re.findall(r"`(\w+)`", may))) for method, held, may in rows}
    common = {"run", "steering"}
    assert told == {
        method: ({field.name for field in fields(moment)} - common, set(moment.may))
        for moment, method in MOMENTS.items()
    }

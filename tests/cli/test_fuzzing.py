"""`playhead fuzz`, as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import playhead

APP = '''
import math

from playhead.agent.agent import Agent
from playhead.handlers.sse import SSEHandler


class Handler(SSEHandler):
    """Say that all went well."""

    async def on_error(self, error):
        await self.on_complete()


def agent(model):
    return Agent(model, model_timeout_s=math.inf, answer_timeout_s=math.inf)
'''


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a module with a handler and an agent, and return its name."""
    name = f"app_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return name


def test_a_finding_is_told_with_its_test(app: str, tmp_path: Path) -> None:
    """What is broken, why, what is written, the test, and a summary; the exit code is 1."""
    done = playhead("fuzz", "handler", f"{app}:Handler", "--runs", "40", "--seed", "5", "--out", "found")
    assert done.code == 1
    assert done.out.splitlines()[:8] == [
        "broken  tells-errors  the run failed, and what came out is the same as if it were complete",
        "        and so breaks-no-rule",
        "        found/tells_errors.jsonl",
        "        found/test_tells_errors.py",
        "",
        f'    """Found by `playhead fuzz handler {app}:Handler --seed 5`."""',
        "",
        f"    from {app} import Handler",
    ]
    assert done.out.splitlines()[-1] == f"{app}:Handler: 40 trials, 1 finding (seed 5)"
    assert done.err == ""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "found"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 1
    assert b"tells-errors: the run failed" in ran.stdout


def test_nothing_found_is_zero(app: str) -> None:
    """Promises that are not asked for are not broken."""
    assert playhead("fuzz", "agent", f"{app}:agent", "--runs", "60", "--ignore", "gives-up-on-silence") == (
        0,
        f"{app}:agent: 60 trials, 0 findings (seed 0)\n",
        "",
    )


def test_json_is_one_document_a_line(app: str) -> None:
    """Each finding, then the summary."""
    done = playhead("fuzz", "agent", f"{app}.py:agent", "--runs", "60", "--json")
    finding, summary = map(json.loads, done.out.splitlines())
    assert finding["promise"] == "gives-up-on-silence"
    assert "turn(hang())" in finding["test"]
    assert summary == {"target": f"{app}:agent", "seed": 0, "trials": 60, "found": 1}
    assert done.code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["handler", "app"], "name what makes your handler as MODULE:FACTORY, as in my_app:make_handler"),
        (["handler", "no.py:x"], "there is no file 'no.py'"),
        (["agent", "no_such_module:x"], "cannot import 'no_such_module': ModuleNotFoundError"),
        (["handler", "builtins:wrong"], "there is no 'wrong' in 'builtins'"),
        (["handler", "tests.fuzzing.seeded:BUGS"], "is no function or class that makes handlers: it is tuple"),
        (["agent", "builtins:str"], "returned str, which is no agent"),
        (["agent", "builtins:int"], "int raised TypeError: int() argument must be"),
        (["handler", "builtins:dict", "--dialect", "lokus"], "did you mean 'locus'"),
        (["handler", "builtins:dict"], "returned dict, which is no handler"),
        (["handler", "builtins:dict", "--ignore", "ends"], "there is no promise 'ends'"),
    ],
)
def test_what_cannot_run_is_two(arguments: list[str], message: str, app: str) -> None:
    """The message says what is wrong."""
    done = playhead("fuzz", *arguments)
    assert done.code == 2
    assert message in done.err.replace("\n", " ")

"""`playhead record`, `replay` and `serve-model`, on real programs with real clients."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx2
import pytest

from playhead.models.base import Model
from playhead.models.scripted import FunctionModel, ScriptedModel
from playhead.provider.serving import Served, serve_model
from playhead.replaying.tape import open_tape
from playhead.scripts import cut, hang, say, turn
from playhead.scripts.request import ModelRequest
from tests.cli.running import playhead, write_tape

KEY = "plain-but-secret"
LIMIT_S = 120.0
SUFFIXES = ("_PROXY", "_API_KEY", "_BASE_URL")

OPENAI = """
import sys, openai
try:
    for prompt in sys.argv[1:]:
        for chunk in openai.OpenAI(max_retries=0).chat.completions.create(
            model="m", stream=True, messages=[{"role": "user", "content": prompt}]
        ):
            if text := chunk.choices[0].delta.content:
                print(text)
except openai.APIConnectionError as error:
    print(type(error).__name__)
    sys.exit(3)
"""
"""Print the pieces of each answer as they come; exit with 3 where one is cut."""

ANTHROPIC = """
import asyncio, sys, anthropic

async def main():
    async with anthropic.AsyncAnthropic() as client:
        async def ask(text):
            answer = await client.messages.create(
                model="m", max_tokens=9, messages=[{"role": "user", "content": text}]
            )
            return answer.content[0].text
        print(await asyncio.gather(*map(ask, sys.argv[1:])))

asyncio.run(main())
"""
"""Ask several questions at once, and print the answers."""

FETCH = """
const ask = async (content, read) => {
  const answer = await fetch(process.env.OPENAI_BASE_URL + "/chat/completions", {
    method: "POST",
    headers: {"content-type": "application/json", authorization: "Bearer " + process.env.OPENAI_API_KEY},
    body: JSON.stringify({model: "m", stream: true, messages: [{role: "user", content}]}),
    signal: AbortSignal.timeout(1000),
  });
  return read(answer.body.getReader());
};
const some = async (reader) => {
  const {value} = await reader.read();
  await reader.cancel();
  return Buffer.from(value).toString().slice(0, 5);
};
const all = async (reader) => {
  while (!(await reader.read()).done);
};
(async () => {
  console.log(await ask("first", some));
  await ask("second", all).catch((error) => console.log(error.name));
})();
"""
"""Leave one answer after its first piece, and give up on another that never ends."""

ASK = """
import json, os, sys, urllib.request
def asked(text):
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode(),
        {"content-type": "application/json", "authorization": "Bearer " + os.environ["OPENAI_API_KEY"]},
    )
    return urllib.request.urlopen(request)
def ask(text):
    with asked(text) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]
"""
"""Ask without a client library, which takes long to import."""

ASK_ONCE = ASK + "print(ask(sys.argv[1]))"


Run = Callable[..., tuple[int, str, str]]


def environment(**more: str) -> dict[str, str]:
    """Return an environment without proxies, keys, and base URLs."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith(SUFFIXES)}
    return kept | {"COLUMNS": "200", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", **more}


def run(*args: str | Path, stdin: str = "", **more: str) -> tuple[int, str, str]:
    """Run `playhead` as a process of its own, and return its exit code and what it printed."""
    command = [sys.executable, "-m", "playhead", *map(str, args)]
    options = {"input": stdin, "capture_output": True, "text": True, "timeout": LIMIT_S, "check": False}
    done = subprocess.run(command, env=environment(**more), **options)  # type: ignore[call-overload]
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def here(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs `playhead` as `run` does, but in this process: a start takes longer than what is looked at."""

    def run_here(*args: str | Path, **more: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patched:
            for name in os.environ:
                if name.upper().endswith(SUFFIXES):
                    patched.delenv(name)
            for name, value in more.items():
                patched.setenv(name, value)
            done = playhead(*args, columns=200)
        # What the command prints goes past this process.
        out, err = capfd.readouterr()
        return done.code, out + done.out, err + done.err

    return run_here


@contextmanager
def begun(*args: str | Path, **more: str) -> Iterator[tuple["subprocess.Popen[str]", IO[str]]]:
    """Run `playhead` away from any terminal, while the block runs; yields the process and its standard output."""
    command = [sys.executable, "-m", "playhead", *map(str, args)]
    process = subprocess.Popen(
        command,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout
    finally:
        process.kill()
        process.communicate(timeout=LIMIT_S)


def python(program: str, *args: str) -> list[str]:
    """Return the command that runs a program in Python."""
    return ["--", sys.executable, "-c", program, *args]


def echo() -> FunctionModel:
    """Return a model that says what it is told, in two pieces."""

    def reply(request: ModelRequest) -> str | list[object]:
        return [say(f"You said {request.messages[-1]['content']}.", chunks=2)]

    return FunctionModel(reply)  # type: ignore[arg-type]


def upstream(served: Served) -> list[str]:
    """Return the options that lead a recording to a server of the test's own."""
    return ["--upstream", f"openai={served.openai_url}", "--upstream", f"anthropic={served.anthropic_url}"]


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Return where the tape goes."""
    return tmp_path / "tape.jsonl"


@pytest.fixture(scope="module")
def taped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tape of a program that asked one question. Nobody writes to it."""
    tape = tmp_path_factory.mktemp("taped") / "tape.jsonl"
    with serve_model(echo()) as served:
        code, _, _ = run("record", tape, *upstream(served), *python(ASK_ONCE, "Paris"), OPENAI_API_KEY=KEY)
    assert code == 0
    return tape


def ends(tape: Path) -> list[str]:
    """Return how the calls on a tape ended."""
    with open_tape(tape) as opened:
        return [json.loads(data)["how"] for _, _, kind, data in opened.calls() if kind == "end"]


def test_a_program_runs_again_without_its_provider(tape: Path) -> None:
    """With OpenAI's client, and no key on the tape: pieces are the same, and a cut connection is cut there again."""
    answers = [turn(say("In Paris.", chunks=2)), turn(say("One two ", chunks=["One ", "two "]), cut())]
    with serve_model(ScriptedModel(answers)) as served:
        live = run("record", tape, *upstream(served), *python(OPENAI, "Where?", "Count!"), OPENAI_API_KEY=KEY)
    again = run("replay", tape, *python(OPENAI, "Where?", "Count!"))
    told = "In P\naris.\nOne \ntwo \nAPIConnectionError\n"
    assert live == (3, told, f"playhead: 2 calls taped in {tape}\n")
    assert again == (3, told, "")
    assert KEY not in tape.read_text()


def test_calls_at_once_keep_their_answers(tape: Path) -> None:
    """With Anthropic's client: three questions at once, in another order the second time."""
    with serve_model(echo()) as served:
        live = run("record", tape, *upstream(served), *python(ANTHROPIC, "a", "b", "c"), ANTHROPIC_API_KEY=KEY)
    again = run("replay", tape, *python(ANTHROPIC, "c", "b", "a"))
    assert live[:2] == (0, "['You said a.', 'You said b.', 'You said c.']\n")
    assert again[:2] == (0, "['You said c.', 'You said b.', 'You said a.']\n")


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not there")
def test_a_program_in_another_language_leaves_early(tape: Path) -> None:
    """In JavaScript: one answer is left after its first piece, another never ends and is given up."""
    answers: list[Model] = [ScriptedModel([turn(say("a b", chunks=2), hang()), turn(say("c"), hang())])]
    with serve_model(answers[0]) as served:
        live = run("record", tape, *upstream(served), "--", "node", "-e", FETCH, OPENAI_API_KEY=KEY)
    again = run("replay", tape, "--", "node", "-e", FETCH)
    assert live[:2] == (0, "data:\nTimeoutError\n")
    assert again == (0, live[1], "")
    assert ends(tape) == ["closed", "closed"]


def test_another_question_fails_and_says_why(taped: Path, here: Run) -> None:
    """A changed prompt is 1, with the nearest recorded question, what differs, and what to do."""
    code, out, err = here("replay", taped, *python(ASK_ONCE, "Rome"))
    told = err[err.index("error: ") :]
    assert (code, out) == (1, "")
    assert f"error: {taped}: the model was asked what the recording does not have. The nearest is c1" in told
    assert '  $.body.messages[0].content: "Paris" -> "Rome"\n' in told
    assert f"If the change is right, record again: playhead record --force {taped} -- " in told


def test_a_mismatch_that_the_program_hides_fails(taped: Path, here: Run) -> None:
    """A program that catches the error and exits with 0 did not do what it did."""
    program = ASK + "\ntry: ask('Rome')\nexcept Exception: pass\nprint(ask('Paris'))"
    code, out, err = here("replay", taped, *python(program))
    assert (code, out) == (1, "You said Paris.\n")
    assert '"Paris" -> "Rome"' in err


def test_a_difference_can_be_allowed(taped: Path, here: Run) -> None:
    """What `--ignore` names may differ."""
    assert here("replay", taped, "--ignore", "$.body.messages", *python(ASK_ONCE, "Rome"))[:2] == (
        0,
        "You said Paris.\n",
    )


def test_calls_that_are_not_made_fail_unless_they_may(taped: Path, here: Run) -> None:
    """A program that asks less than it did is 1; `--partly` allows it, and then its exit code is ours."""
    command = python("raise SystemExit(7)")
    code, _, err = here("replay", taped, *command)
    assert (code, err.splitlines()[0]) == (
        1,
        f'error: {taped}: 1 of 1 calls were not made: c1 (/v1/chat/completions "Paris")',
    )
    assert here("replay", taped, "--partly", *command) == (7, "", "")


def test_a_replay_needs_no_key_and_takes_the_one_there_is(taped: Path, here: Run) -> None:
    """A dummy stands for a key that is not there; and requests go past any other proxy."""
    program = "import os; print(os.environ['OPENAI_API_KEY'], os.environ['NO_PROXY'])"
    command = python(program)
    without = here("replay", taped, "--partly", *command, NO_PROXY="intern")
    having = here("replay", taped, "--partly", *command, OPENAI_API_KEY="own")
    assert without[1] == "playhead-replays-this intern,127.0.0.1,localhost\n"
    assert having[1] == "own 127.0.0.1,localhost\n"


def test_answers_come_in_other_chunks(taped: Path, here: Run) -> None:
    """`--rechunk` cuts answers where networks do."""
    program = ASK + "with asked('Paris') as answer: print({len(piece) for piece in iter(answer.read1, b'')})"
    assert here("replay", taped, "--rechunk", "bytes", *python(program)) == (0, "{1}\n", "")


def test_input_and_output_are_the_commands(tape: Path) -> None:
    """The command has standard input and output to itself; that it asked nothing is said in the end."""
    program = "import sys; print(sys.stdin.read()[::-1]); print('told', file=sys.stderr); sys.exit(2)"
    code, out, err = run("record", tape, *python(program), stdin="abc")
    assert (code, out) == (2, "cba\n")
    assert err.splitlines()[:2] == ["told", f"playhead: 0 calls taped in {tape}"]
    assert err.splitlines()[2].startswith("warning: the command asked no model through OPENAI_BASE_URL")


def test_the_outcome_is_told_as_json(tape: Path, here: Run) -> None:
    """`--json` goes to standard error, for standard output is the command's."""
    with serve_model(echo()) as served:
        _, out, err = here("record", tape, "--json", *upstream(served), *python(ASK_ONCE, "Paris"), OPENAI_API_KEY=KEY)
    assert out == "You said Paris.\n"
    assert json.loads(err) == {"place": str(tape), "calls": 1, "exit_code": 0, "redacted": {}}
    _, out, err = here("replay", tape, "--json", *python(ASK_ONCE, "Paris"))
    assert json.loads(err) == {"place": str(tape), "exit_code": 0, "mismatches": []}
    code, _, err = here("replay", tape, "--json", *python("pass"))
    assert code == 1
    assert "1 of 1 calls were not made" in json.loads(err)["mismatches"][0]


def test_a_store_keeps_many_programs(tmp_path: Path, here: Run) -> None:
    """A cassette may be one of a store, and secrets that were said are counted."""
    place = f"{tmp_path}/runs.db::secret"
    secret = "sk-ant-api03-" + "Ab1" * 20
    with serve_model(echo()) as served:
        live = here("record", place, *upstream(served), *python(ASK_ONCE, secret), OPENAI_API_KEY=KEY)
    assert live[:2] == (0, f"You said {secret}.\n")
    assert live[2] == f"playhead: 1 call taped in {place}, redacted: 2 × anthropic-key\n"
    again = here("replay", place, *python(ASK_ONCE, secret))
    assert again == (0, "You said <anthropic-key-1>.\n", "")


def test_what_is_not_installed_is_told(tmp_path: Path) -> None:
    """Without the libraries that serve, the commands say what to install, and run nothing."""
    program = (
        "import sys\nsys.modules['uvicorn'] = None\nfrom playhead.cli.main import run\n"
        "sys.argv = ['playhead', 'record', 'new.jsonl', '--', 'true']\nrun()"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: this needs uvicorn, which is not installed: pip install 'playhead[server]'\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_the_commands(tape: Path, number: signal.Signals) -> None:
    """A signal is passed on, the command ends as it likes, and what was taped until then is sealed."""
    handled = "\nimport signal\nsignal.signal(int(sys.argv[1]), lambda *_: sys.exit(5))\n"
    program = ASK + handled + "print(ask('Paris'))\nwhile True: signal.pause()"
    with serve_model(echo()) as served:
        command = ["record", str(tape), *upstream(served), *python(program, str(int(number)))]
        with begun(*command, OPENAI_API_KEY=KEY) as (process, out):
            assert out.readline() == "You said Paris.\n"
            process.send_signal(number)
            assert process.wait(LIMIT_S) == 5
    assert ends(tape) == ["complete"]


def test_an_interrupt_that_is_typed_comes_once(tape: Path) -> None:
    """A terminal interrupts the command by itself, so it is not told a second time."""
    program = (
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\nprint('ready')\n"
        "signal.sigwait([signal.SIGINT])\nprint('second:', signal.sigtimedwait([signal.SIGINT], 1.0))"
    )
    command = [sys.executable, "-m", "playhead", "record", str(tape), *python(program)]
    ours, theirs = os.openpty()
    process = subprocess.Popen(command, env=environment(), preexec_fn=lambda: os.login_tty(theirs))
    os.close(theirs)
    with open(ours, "r+b", buffering=0) as terminal:
        seen = b""
        while b"ready" not in seen:
            seen += terminal.read(99)
        terminal.write(b"\x03")
        while b"taped in" not in seen:
            seen += terminal.read(99)
        # A terminal that closes hangs up.
        assert process.wait(LIMIT_S) == 0
    assert b"second: None" in seen


def test_a_command_that_is_killed_leaves_a_tape(tape: Path) -> None:
    """A command that dies in the middle of a call hangs nothing: its call is closed and its signal is told."""
    program = ASK + "\nimport signal, threading\nthreading.Timer(0.5, os.kill, (os.getpid(), 9)).start()\nask('x')"
    with serve_model(ScriptedModel([hang()])) as served:
        code, _, err = run("record", tape, *upstream(served), *python(program), OPENAI_API_KEY=KEY)
    assert (code, err) == (137, f"playhead: 1 call taped in {tape}\n")
    assert ends(tape) == ["closed"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["record", "new.jsonl", "--", "pythn-3"], "there is no command 'pythn-3'"),
        (["record", "paris.jsonl", "--", "true"], "paris.jsonl exists already"),
        (["record", "new.jsonl", "--upstream", "api.openai.com", "--", "true"], "--upstream 'api.openai.com': give a"),
        (["record", "new.jsonl", "--redact", "keys", "--no-redact", "--", "true"], "contradict each other"),
        (["record", "new.jsonl"], "Missing argument 'COMMAND"),
        (["replay", "pari.jsonl", "--", "true"], "did you mean 'paris.jsonl'?"),
        (["replay", "paris.jsonl", "--pace", "recorded", "--speed", "2", "--", "true"], "--pace and --speed"),
        (["replay", "paris.jsonl", "--pace", "quick", "--", "true"], "there is no pace 'quick'"),
        (["replay", "paris.jsonl", "--rechunk", "byte", "--", "true"], "did you mean 'bytes'?"),
        (["replay", "paris.jsonl", "--ignore", "uuid", "--", "true"], "there is no normaliser 'uuid'"),
        (["replay", "paris.jsonl", "--max-age-days", "3", "--", "true"], "does not say when it was recorded"),
        (["serve-model", "paris.jsonl", "--rechunk", "bytes"], "paris.jsonl is no recording of calls over HTTP"),
        (["serve-model", "empty.py", "--pace", "recorded"], "empty.py has no `turns`"),
        (["serve-model", "pari.py"], "there is no script 'pari.py'"),
        (["serve-model", "empty.py"], "empty.py has no `turns` and no `model`"),
        (["serve-model", "broken.py"], "broken.py failed: ZeroDivisionError: division by zero"),
    ],
)
def test_what_cannot_be_done_is_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: Sequence[str], message: str
) -> None:
    """What is wrong is said before anything runs, and nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    write_tape("paris.jsonl")
    Path("empty.py").write_text("")
    Path("broken.py").write_text("1 / 0")
    before = sorted(os.listdir())
    outcome = playhead(*args)
    assert outcome.code == 2
    assert message in outcome.err
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(
    "script",
    [
        "from playhead.scripts import say\nturns = [say('Sunny.')]",
        "from playhead.models.scripted import ScriptedModel\nmodel = ScriptedModel(['Sunny.'])",
    ],
)
def test_a_script_is_served(tmp_path: Path, script: str) -> None:
    """The turns, or the model, of a Python file answer at the URLs that are printed, until Ctrl-C."""
    path = tmp_path / "weather.py"
    path.write_text(script)
    with begun("serve-model", path, "--json") as (process, out):
        urls = json.loads(out.readline())["variables"]
        body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Oslo?"}]}
        answer = httpx2.post(f"{urls['ANTHROPIC_BASE_URL']}/v1/messages", json=body, trust_env=False)
        assert answer.json()["content"][0]["text"] == "Sunny."
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 0


def test_a_command_is_served(tmp_path: Path, here: Run) -> None:
    """A command finds a script where it looks for its provider, needs no key, and its exit code is ours."""
    path = tmp_path / "weather.py"
    path.write_text("turns = ['Sunny.']")
    code, out, err = here("serve-model", path, *python(ASK + "print(ask('Oslo')); sys.exit(7)"))
    assert (code, out.strip(), err) == (7, "Sunny.", "")


def test_a_run_of_an_agent_is_served(tmp_path: Path) -> None:
    """What a model said in a run of any framework is said again, turn by turn, to whoever asks."""
    path = write_tape(tmp_path / "paris.jsonl")
    with begun("serve-model", path, "--json") as (process, out):
        url = json.loads(out.readline())["variables"]["OPENAI_BASE_URL"]
        body = {"model": "m", "messages": [{"role": "user", "content": "Paris?"}]}
        first, *_, last = (httpx2.post(f"{url}/chat/completions", json=body, trust_env=False).json() for _ in range(2))
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 0
    assert first["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "search"
    assert last["choices"][0]["message"]["content"]


def test_a_cassette_is_served(taped: Path) -> None:
    """The calls on a cassette answer whoever asks; a question that is not there is told, and makes the exit code 1."""
    with begun("serve-model", taped) as (process, out):
        name, _, url = out.readline().strip().partition("=")
        assert name == "OPENAI_BASE_URL"
        for city, status in (("Paris", 200), ("Rome", 400)):
            body = {"model": "m", "messages": [{"role": "user", "content": city}]}
            assert httpx2.post(f"{url}/chat/completions", json=body, trust_env=False).status_code == status
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 1
        assert process.stderr is not None
        assert '"Paris" -> "Rome"' in process.stderr.read()

"""The command line as a whole: help, errors, exit codes, pipes and interrupts."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from playhead.cli.main import app
from tests.cli.running import playhead, process, say, write_tape

COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eabc\r\x08\x00[bold]\u2028"


def test_no_arguments_print_help() -> None:
    """Without arguments the help is printed, with every command in it."""
    shown = playhead()
    assert shown.code == 2
    assert all(f"  {name} " in (shown.out or shown.err) for name in COMMANDS)


def test_help_names_every_command_in_its_group() -> None:
    """Help lists the commands under headings."""
    shown = playhead("--help", columns=80)
    assert shown.code == 0
    assert all(len(line) <= 80 for line in shown.out.splitlines())
    assert "\nCompare and check:\n  diff " in shown.out
    assert all(f"  {name} " in shown.out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_prints_json(name: str) -> None:
    """Each command has `--json`, and says what it does."""
    shown = playhead(name, "--help")
    assert "--json" in shown.out
    assert len(shown.out.splitlines()[2].strip()) > 20


def test_the_version_is_printed() -> None:
    """`--version` says which Playhead this is."""
    assert playhead("--version").out.startswith("playhead 0.")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["shw"], "Did you mean 'show'?"),
        (["show"], "Missing argument 'CASSETTE'"),
        (["show", "x", "--jsn"], "No such option: --jsn"),
        (["show", "pari.jsonl"], "error: there is no 'pari.jsonl'; did you mean 'paris.jsonl'?"),
        (["show", "paris"], "error: there is no 'paris'; did you mean 'paris.jsonl'?"),
        (["show", "nowhere.db::paris"], "error: nowhere.db: there is no such store"),
        (["ls", "pariss.jsonl"], "did you mean 'paris.jsonl'?"),
        (["show", "."], "error: '.' is a folder of 2 cassettes: name one of oslo.jsonl and paris.jsonl"),
        (["show", "paris.jsonl", "--run", "r2"], "error: no run 'r2' in paris.jsonl: it has r1"),
        (["show", "paris.jsonl", "--after", "c"], "error: no checkpoint 'c' in paris.jsonl"),
        (["show", "paris.jsonl", "--raw", "--after", "c"], "error: no checkpoint 'c' in paris.jsonl"),
        (["play", "paris.jsonl", "--speed", "0"], "error: a tape cannot be played at speed 0.0"),
        (["diff", "paris.jsonl", "osla.jsonl"], "did you mean 'oslo.jsonl'?"),
        (["convert", "paris.jsonl", "oslo.jsonl"], "error: oslo.jsonl exists already"),
        (["convert", "paris.jsonl", "oslo.txt"], "error: 'oslo.txt' does not say what it is"),
        (["import", "paris.log", "-d", "locus"], "error: there is no log 'paris.log'; did you mean 'paris.jsonl'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_errors_are_one_message_and_exit_code_2(
    args: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error says what and what to do, on standard error, with nothing on standard output and no traceback."""
    monkeypatch.chdir(tmp_path)
    write_tape("paris.jsonl")
    write_tape("oslo.jsonl")
    failed = playhead(*args)
    assert (failed.code, failed.out) == (2, "")
    assert message in failed.err
    assert "Traceback" not in failed.err


@pytest.mark.parametrize(
    "args",
    [
        ["ls", "."],
        ["show", "evil.jsonl"],
        ["show", "evil.jsonl", "--all"],
        ["show", "evil.jsonl", "--raw"],
        ["show", "evil.jsonl", "--json"],
        ["show", "evil.jsonl", "--events"],
        ["play", "evil.jsonl", "--instant", "--details"],
        ["stats", "."],
        ["check", "."],
        ["verify", "."],
        ["diff", "evil.jsonl", "tame.jsonl"],
        ["diff", "evil.jsonl", "tame.jsonl", "--json"],
        ["convert", "evil.jsonl", "copy.jsonl"],
        ["scrub", "evil.jsonl"],
        ["import", "evil.log", "-d", "locus", "-o", "copy.jsonl"],
    ],
    ids=" ".join,
)
def test_recorded_text_steers_no_terminal(args: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No escape sequence or control character of a hostile cassette is printed, whatever the command."""
    monkeypatch.chdir(tmp_path)
    write_tape("evil.jsonl", say(HOSTILE), end="error")
    write_tape("tame.jsonl")
    Path("evil.log").write_text(playhead("show", "--events", "evil.jsonl").out, encoding="utf-8", newline="")
    shown = playhead(*args)
    # C1 and bidi characters are legal in JSON, and stay in it where no terminal reads it.
    forbidden = "\x1b\x07\x08\x00\r" + ("" if {"--json", "--raw", "--events"} & set(args) else "\x9b\u202e\u2028")
    assert not [character for character in forbidden if character in shown.out + shown.err]
    assert shown.out + shown.err


def test_colours_are_for_terminals(tmp_path: Path) -> None:
    """A pipe gets no escape sequences, and a terminal does, unless `NO_COLOR` is set."""
    path = write_tape(tmp_path / "trip.jsonl")
    assert b"\x1b[" not in process("show", path).stdout
    command = shlex.join([sys.executable, "-m", "playhead", "show", str(path)])
    on_terminal = f"script -qec {shlex.quote(command)} /dev/null"
    assert b"\x1b[" in process(shell=on_terminal).stdout
    assert b"\x1b[" not in process(shell=f"NO_COLOR=1 {on_terminal}").stdout


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    """A reader that goes away, as `head` does, ends the command without a word."""
    path = write_tape(tmp_path / "long.jsonl", [(0, {"event_type": "custom", "name": "x" * 500})] * 2000)
    for form in ("--all", "--events"):
        done = process("show", path, form, shell='"$@" | head -n 1')
        assert done.stdout.count(b"\n") == 1
        assert done.stderr == b""


def test_ctrl_c_is_quiet(tmp_path: Path) -> None:
    """An interrupt ends a command with exit code 130 and no traceback."""
    path = write_tape(
        tmp_path / "slow.jsonl",
        [(dt_us, {"event_type": "custom", "name": "x"}) for dt_us in (0, 3_600_000_000)],
    )
    command = [sys.executable, "-m", "playhead", "play", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.readline()
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=30) == 130
        assert running.stderr.read() == b""


def test_an_encoding_without_the_characters_gets_escapes(tmp_path: Path) -> None:
    """Where standard output is ASCII, text is escaped and nothing fails."""
    path = write_tape(tmp_path / "trip.jsonl")
    done = process("show", path, shell='PYTHONIOENCODING=ascii "$@"')
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u256d think" in done.stdout


def test_nothing_that_help_needs_not_is_imported() -> None:
    """The commands import what they need when they run: help starts without rich and without the other layers."""
    code = (
        "import sys, types; root = types.ModuleType('playhead'); import importlib.util as u;"
        "root.__path__ = u.find_spec('playhead').submodule_search_locations; sys.modules['playhead'] = root;"
        "import playhead.cli.main;"
        "print([name for name in ('rich', 'sqlite_utils', 'playhead.events', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

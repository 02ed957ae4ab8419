"""Every command, on a cassette whose every text is hostile: nothing steers the terminal, and JSON stays JSON."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from playhead.cassettes.format import Failure, Header, entry_prefix
from playhead.cassettes.places import locate
from playhead.cassettes.writing import CassetteWriter
from playhead.cli.main import HEADINGS
from playhead.events.tagged import dumps
from tests.cli.running import Outcome, playhead, say

LOUD = "a\x1b]0;owned\x07\x1b]8;;http://evil\x07\x1b[2J\x9b31m\u202e\r\n::error::forged\0\u2028\ud800/home/walter/x"
STEERING = frozenset(map(chr, (*range(9), *range(11, 32), *range(127, 160)))) | set("\u202e\u2028\ud800")
LONG = LOUD + "x" * 1_000_000 + LOUD
OTHER = "another " + LOUD

FORMS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "ls": (("TAPE",), ("DAMAGED",), (".",)),
    "show": (("TAPE",), ("TAPE", "--all"), ("TAPE", "--run", LOUD), ("DAMAGED",)),
    "play": (("TAPE", "--instant"), ("TAPE", "--instant", "--details")),
    "stats": (("TAPE",), ("DAMAGED",)),
    "check": (("TAPE",), ("TAPE", "--format", "github"), ("TAPE", "--format", "junit"), ("STREAM",), ("DAMAGED",)),
    "diff": (("TAPE", "OTHER"), ("TAPE", "DAMAGED")),
    "verify": (("TAPE",), ("DAMAGED",)),
    "scan": (("TAPE",), ("TAPE", "--format", "github"), ("LOG",), ("DAMAGED",)),
    "convert": (("TAPE", "OUT"), ("TAPE", "OUT.gz"), ("DAMAGED", "OUT")),
    "repair": (("DAMAGED", "--out", "OUT"), ("TAPE",)),
    "reseal": (("DAMAGED", "--yes"), ("TAPE",)),
    "upgrade": (("TAPE",), ("DAMAGED",)),
    "scrub": (("TAPE", "--out", "OUT"), ("DAMAGED",)),
    "import": (("LOG", "-d", "locus", "--out", "OUT"), ("LOG", "-d", LOUD)),
    "rule": (("TRM001",), (LOUD,)),
}
"""What is typed behind the name of each command that prints what is on a cassette.

`TAPE` is the cassette, `OTHER` another one, `DAMAGED` a third whose middle is not as it was sealed, `LOG` its events,
`STREAM` such bytes as an endpoint sends, and `OUT` a new place.
"""

SILENT = {
    "demo": "shows a script of its own",
    "record": "shows what the program prints, and where the cassette is",
    "replay": "shows what the program prints, and where the cassette is",
    "serve": "shows addresses",
    "serve-model": "shows addresses, and names of providers",
}
"""Commands that print nothing of a cassette."""


def write(path: Path, text: str, *, long: str = "") -> Path:
    """Write a cassette with a text wherever there can be one, and with long ones besides."""
    # A header, a seal and the chunks of a stream hold text that is UTF-8.
    plain = text.replace("\ud800", "")
    header = Header(name=plain, dialects={"event": "locus", "model": plain}, made={plain: plain}, redact=[plain])
    writer = CassetteWriter(locate(path).create(), header)
    events = [event for _, event in say(text)]
    if long:
        events[1:1] = [{"event_type": "think", "reasoning": long}, {"event_type": "tool_start", "tool_name": long}]
    rows: list[tuple[str, str, str, Any]] = [
        *(("event", "r1", "event", event) for event in events),
        *(("event", "r2", "event", event) for event in events[:2]),
        ("model", "c1", "request", {"messages": [text, long]}),
        ("model", "c1", "chunk", plain),
        ("model", "c1", "fault", {"type": text, "message": text}),
        ("model", "c2", "tool_call", {"name": text, "arguments": {text: text}}),
        ("model", "c2", "tool_result", text),
        ("wire", "r1", "bytes", f"event: {plain}\n\n".encode()),
    ]
    for track, owner, kind, data in rows:
        writer.append(writer.at_us + 7, entry_prefix(track, owner, kind), dumps(data))
    failures = {"r2": Failure(type=plain, message=plain)}
    ends = {"r1": "complete", "r2": "error"}
    writer.seal("error", runs=ends, errors=failures, redacted={plain: 3}, extra={plain: plain})
    return path


def filled(made: Path, *, long: str = "") -> Path:
    """Fill a folder with all files of the table."""
    write(made / "TAPE.jsonl", LOUD, long=long)
    write(made / "OTHER.jsonl", OTHER)
    lines = (made / "TAPE.jsonl").read_bytes().splitlines(keepends=True)
    (made / "DAMAGED.jsonl").write_bytes(b"".join([*lines[:-2], lines[-2].replace(b"owned", b"OWNED"), lines[-1]]))
    (made / "LOG.ndjson").write_bytes(b"".join(dumps(event) + b"\n" for _, event in say(LOUD + long)))
    (made / "STREAM.sse").write_bytes(f"event: {LOUD}\ndata: {LOUD}{long}\n\n".encode(errors="replace"))
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of hostile files."""
    return filled(tmp_path_factory.mktemp("loud"))


@pytest.fixture(scope="module")
def long_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of hostile files, with lines of a megabyte."""
    return filled(tmp_path_factory.mktemp("long"), long=LONG)


def named(word: str, folder: Path) -> str:
    """Return the file that a word of the table stands for, or the word."""
    return next((str(folder / path.name) for path in folder.iterdir() if path.stem == word), word)


def run(command: str, form: tuple[str, ...], folder: Path, *more: str, out: Path) -> Outcome:
    """Run one form of a command, with everything that it writes elsewhere."""
    words = [
        str(out / f"{word}.jsonl").replace(".gz.jsonl", ".jsonl.gz") if word.startswith("OUT") else named(word, folder)
        for word in form
    ]
    if command == "reseal":
        # It writes to the file itself.
        words = [str(out / Path(word).name) if Path(word).is_file() else word for word in words]
        for path in folder.glob("*.jsonl"):
            (out / path.name).write_bytes(path.read_bytes())
    return playhead(command, *words, *more)


def test_every_command_is_in_the_table() -> None:
    """A new command says what it prints, or why it prints nothing of a cassette."""
    names = {each.__name__.rstrip("_").replace("_", "-") for each in chain.from_iterable(HEADINGS.values())}
    assert names == FORMS.keys() | SILENT.keys()


ALL = [(command, form) for command, forms in FORMS.items() for form in forms]


@pytest.mark.parametrize(("command", "form"), ALL)
def test_nothing_raw_is_printed(
    folder: Path, tmp_path: Path, command: str, form: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a command finds, and whether it can read the file or not, no text of it steers a terminal or forges."""
    monkeypatch.chdir(folder)
    shown = run(command, form, folder, out=tmp_path)
    assert shown.code in (0, 1, 2)
    assert shown.out + shown.err, "it says something"
    assert not set(shown.out + shown.err) & STEERING
    assert "\n::error::forged" not in shown.out + shown.err
    if "github" in form:
        assert all(each.startswith(("::error ", "::warning ")) for each in shown.out.splitlines())


@pytest.mark.parametrize("command", FORMS)
def test_a_megabyte_is_not_printed_but_cut(
    long_folder: Path, tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a long text a command shows what a person reads; only `play` and its like say all of an answer."""
    monkeypatch.chdir(long_folder)
    shown = run(command, FORMS[command][0], long_folder, out=tmp_path)
    assert not set(shown.out + shown.err) & STEERING
    assert len(shown.out + shown.err) < (8 if command == "play" else 1) * 1_000_000


@pytest.mark.parametrize(("command", "form"), [each for each in ALL if "--format" not in each[1]])
def test_json_is_json(
    folder: Path, tmp_path: Path, command: str, form: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `--json` each line is one; errors go to standard error, and are safe, too.

    It is ASCII, but for recorded lines, which are passed on as they are unless a terminal would show them.
    """
    monkeypatch.chdir(folder)
    shown = run(command, form, folder, "--json", out=tmp_path)
    assert not set(shown.err) & STEERING
    assert shown.out.isascii() or command == "show"
    for line in shown.out.split("\n")[:-1]:
        assert isinstance(json.loads(line, parse_constant=refuse), dict | list)
    assert shown.out or shown.err


def refuse(constant: str) -> Any:
    """Refuse what is no strict JSON."""
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize("option", ["--raw", "--events", "--json"])
def test_recorded_json_is_safe_on_a_terminal(tmp_path: Path, option: str) -> None:
    """What is passed on as it is to another program is spelled out on a terminal, and is the same JSON."""
    path = write(tmp_path / "tape.jsonl", LOUD)
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "playhead", "show", str(path), option]
    with subprocess.Popen(command, stdout=follower, stdin=subprocess.DEVNULL) as process:
        os.close(follower)
        told = b""
        try:
            while block := os.read(leader, 65_536):
                told += block
        except OSError:
            # Linux has no other word for the end.
            pass
    os.close(leader)
    assert process.returncode == 0
    # The terminal makes two characters of the end of a line.
    text = told.decode().replace("\r\n", "\n")
    assert not set(text) & STEERING
    piped = playhead("show", path, option).out
    assert [json.loads(line) for line in text.splitlines()] == [json.loads(line) for line in piped.split("\n")[:-1]]

"""`playhead scan` finds what `playhead scrub` takes out, names the line, and never shows the secret."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from playhead.cassettes.places import locate
from playhead.cassettes.redact.patterns import RULES
from playhead.cli.scanning import CODES
from playhead.recording.recorder import record
from tests.cli.running import playhead, write_tape
from tests.secrets.corpus import keys, leaks
from tests.secrets.taping import sse

KEY = next(key for kind, key in keys() if kind == "github-token")


def said(*texts: str) -> list[tuple[int, dict[str, Any]]]:
    """Return the events of a run in which a model says these pieces."""
    return [(0, {"event_type": "model_chunk", "content": text, "done": False}) for text in texts]


def test_every_rule_has_a_code() -> None:
    """Each rule of redaction has one code, and no code is there twice."""
    assert [each.rule for each in CODES] == list(dict.fromkeys(each.rule for each in CODES))
    assert {each.rule for each in CODES} == set(RULES)


@pytest.mark.parametrize("pieces", [(KEY,), (KEY[:8], KEY[8:]), (KEY[:3], KEY[3:20], KEY[20:])])
def test_scan_says_where_a_secret_begins_and_not_what_it_is(tmp_path: Path, pieces: tuple[str, ...]) -> None:
    """A key is told by line, code and placeholder, also where it is cut over several entries."""
    path = write_tape(tmp_path / "trip.jsonl", said("Hello. ", *pieces))
    shown = playhead("scan", path)
    assert shown.code == 1
    assert shown.out == f"{path}:3: SEC001 a key of a provider (github-token), <github-token-1>\n"
    assert "1 secret in 1 file" in shown.err
    assert not leaks(KEY, shown.out + shown.err)


def test_scrubbed_is_clean_and_scrubbing_again_changes_nothing(tmp_path: Path) -> None:
    """What scrub leaves has no finding, scrub counts what scan counts, and a second scrub finds nothing."""
    path = write_tape(tmp_path / "trip.jsonl", said(KEY[:9], KEY[9:], " /home/walter/x"))
    assert len(playhead("scan", "--json", path).lines()) == 2
    (counted,) = playhead("scrub", "--json", path).lines()
    assert counted["redacted"] == {"github-token": 1, "user": 1}
    copy = tmp_path / "trip.scrubbed.jsonl"
    assert playhead("scan", copy).code == 0
    (again,) = playhead("scrub", "--json", copy, "--out", tmp_path / "again.jsonl").lines()
    assert again["redacted"] == {}
    with locate(copy).read() as one, locate(tmp_path / "again.jsonl").read() as two:
        assert [entry.data for entry in one.entries()] == [entry.data for entry in two.entries()]


def test_forms_and_choices(tmp_path: Path) -> None:
    """Findings are told as text, JSON or for GitHub, and chosen by code."""
    path = write_tape(tmp_path / "trip.jsonl", said(KEY, "/home/walter/x"))
    assert playhead("scan", "--format", "github", path).out.startswith(f"::error file={path},line=2,title=SEC001::")
    assert [each["code"] for each in playhead("scan", "--json", path).lines()] == ["SEC001", "SEC008"]
    assert playhead("scan", "--ignore", "SEC001,SEC008", path).code == 0
    assert len(playhead("scan", "--select", "SEC008", path).out.splitlines()) == 1
    assert playhead("scan", "--select", "TRM", path).code == 2
    assert "did you mean 'github'" in playhead("scan", "--format", "gitub", path).err


@pytest.mark.parametrize("name", ["run.log", "run.jsonl", "run.sse"])
def test_logs_and_bytes_are_scanned_too(tmp_path: Path, name: str) -> None:
    """A file that is no cassette is looked at as text, whatever its encoding."""
    path = tmp_path / name
    path.write_bytes(b"\xff\n" + json.dumps({"text": f"see {KEY}"}).encode() + b"\n")
    shown = playhead("scan", path)
    assert (shown.code, shown.out.partition(" ")[0]) == (1, f"{path}:2:")


@pytest.mark.parametrize("name", ["run.sse", "curl.log"])
def test_messages_in_a_file_are_looked_at_together(tmp_path: Path, name: str) -> None:
    """A key that is cut over two messages of a recorded response is told in the line where it begins."""
    path = tmp_path / name
    path.write_bytes(b"".join(sse({"t": "\u00e9"}, {"t": KEY[:9]}, {"t": KEY[9:]})) + b"\xff\n" + KEY.encode())
    shown = playhead("scan", path)
    assert [line.partition(" ")[0] for line in shown.out.splitlines()] == [f"{path}:3:", f"{path}:8:"]
    assert not leaks(KEY, shown.out + shown.err)


def test_bytes_that_are_no_text_are_looked_at(tmp_path: Path) -> None:
    """A taped chunk that is not UTF-8 stands in the file as base64, and is told and cleaned as any other."""
    with record(tmp_path / "old.jsonl", redact=()) as tape:
        list(tape.chunks([b"\xff" + KEY.encode()]))
    assert playhead("scan", tmp_path / "old.jsonl").out.startswith(f"{tmp_path / 'old.jsonl'}:2: SEC001 ")
    assert playhead("scrub", tmp_path / "old.jsonl").code == 0
    assert playhead("scan", tmp_path / "old.scrubbed.jsonl").code == 0


def test_half_a_character_in_a_chunk_is_no_obstacle(tmp_path: Path) -> None:
    """Half a surrogate pair is kept as it came, and what stands around it is looked at."""
    path = tmp_path / "odd.jsonl"
    with record(path, redact=()) as tape:
        list(tape.chunks([b'data: "\\ud800' + KEY.encode() + b'"\n\n', "\udc80".encode("utf-8", "surrogatepass")]))
    assert playhead("scan", path).code == 1
    assert playhead("scrub", path).code == 0
    assert not leaks(KEY, (tmp_path / "odd.scrubbed.jsonl").read_text())


def test_an_unreadable_file_is_no_clean_one(tmp_path: Path) -> None:
    """A damaged cassette and a missing one exit with 2, and the others are scanned nevertheless."""
    bad = write_tape(tmp_path / "bad.jsonl")
    bad.write_bytes(bad.read_bytes().replace(b"Paris", b"Rome!"))
    good = write_tape(tmp_path / "good.jsonl", said(KEY))
    shown = playhead("scan", bad, good)
    assert (shown.code, len(shown.out.splitlines())) == (2, 1)
    assert playhead("scan", tmp_path / "none.jsonl").code == 2


def test_nothing_secret_in_the_project_itself(root: Path) -> None:
    """No rule takes anything in the project's cassettes and fixtures for a secret."""
    shown = playhead("scan", root / "cassettes", root / "fixtures", "--redact", "email", *_every_default())
    assert (shown.code, shown.out) == (0, "")


def _every_default() -> list[str]:
    return [word for rule in RULES if rule not in ("email", "cards") for word in ("--redact", rule)]


def test_the_hook_of_pre_commit_is_a_command(root: Path) -> None:
    """What the hook runs is a command there is, over the kinds of files that it names."""
    hook = (root / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    entry = next(line.split(": ")[1] for line in hook.splitlines() if line.strip().startswith("entry:"))
    command = [sys.executable, "-m", *entry.split(), str(root / "fixtures")]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def test_a_compressed_file_is_not_called_clean_without_a_word(tmp_path: Path) -> None:
    """Compressed bytes have no text to look at: a cassette that is compressed cannot be named at all."""
    path = tmp_path / "trip.jsonl.gz"
    path.write_bytes(gzip.compress(KEY.encode()))
    shown = playhead("scan", path)
    assert shown.code == 2
    assert "compressed" in shown.err

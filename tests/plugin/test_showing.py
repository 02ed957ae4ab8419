"""Nothing that a recording says steers the terminal of whoever runs tests, be it coloured or not."""

import re
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

import playhead
from playhead.plugin.showing import compared_safely, made_safe
from tests.plugin.projects import Project

LOUD = "a\x1b]0;owned\x07\x1b]8;;http://evil\x07b\x1b[2J\x1b[8m\x9b31m\u202ec\rd\x00e"
SHOWN = r"a\x1b]0;owned\x07\x1b]8;;http://evil\x07b\x1b[2J\x1b[8m\x9b31m\u202ec\rd\x00e"

TESTS = f"""
import warnings
import pytest
from playhead.testing.assertions import assert_contracts, assert_same_run

LOUD = {LOUD!r}
loud = pytest.mark.playhead(name="loud")
asking = pytest.mark.playhead(name="asking")
BROKEN = [{{"event_type": "tool_complete", "tool_name": LOUD, "tool_call_id": LOUD, "result": LOUD}}]

def text(tape):
    return next(iter(tape.events())).result

@loud
def test_other_text(tape):
    assert text(tape) == "x\\ny"

@loud
def test_text_that_looks_alike(tape):
    assert text(tape) == {SHOWN!r}

@loud
def test_text_that_is_in(tape):
    assert "e" not in text(tape)

@loud
def test_other_event(tape):
    first, last = tape.events()
    assert first == last

@loud
def test_message_of_assert(tape):
    assert False, text(tape)

@loud
def test_error(tape):
    raise ValueError(text(tape))

@loud
def test_group(tape):
    raise ExceptionGroup(text(tape), [ValueError(text(tape))])

@loud
def test_cause(tape):
    try:
        raise ValueError(text(tape))
    except ValueError as error:
        raise KeyError(text(tape)) from error

@loud
def test_note(tape):
    error = ValueError("it")
    error.add_note(text(tape))
    raise error

@loud
def test_fail(tape):
    pytest.fail(text(tape))

@loud
def test_fail_without_trace(tape):
    pytest.fail(text(tape), pytrace=False)

@loud
def test_skip(tape):
    pytest.skip(text(tape))

@loud
def test_xfail(tape):
    pytest.xfail(text(tape))

@loud
def test_warning(tape):
    warnings.warn(text(tape))

@loud
def test_drift(tape):
    list(tape.events([{{**BROKEN[0], "result": LOUD * 2}}, {{"event_type": "terminate", "reason": LOUD}}]))

@pytest.mark.playhead(mode="once")
def test_contract(tape):
    list(tape.events(BROKEN))

@asking
def test_another_question(tape):
    tape.model(lambda q: 1)(LOUD)

@asking
def test_another_question_that_was_caught(tape):
    with pytest.raises(Exception):
        tape.model(lambda q: 1)(LOUD)

@asking
def test_recorded_failure(tape):
    tape.tap.ask_now({{"q": LOUD}}, lambda: 1)

@pytest.fixture
def broken(tape):
    raise ValueError(text(tape))

@loud
def test_fixture(broken):
    pass

def test_contracts():
    assert_contracts("cassettes/loud.jsonl")

def test_same_run():
    assert_same_run("cassettes/loud.jsonl", "cassettes/failed.jsonl")

def test_snapshot(events_snapshot):
    assert [{{"event_type": LOUD}}] == events_snapshot

def test_sse_snapshot(sse_snapshot):
    assert ("data: " + LOUD + "\\n\\n").encode() == sse_snapshot

@pytest.mark.parametrize("city", [LOUD])
def test_parameter(tape, city):
    tape.events()
"""
"""Every way in which recorded text gets into what pytest prints; none of them passes but the one that warns."""


class Loud(Exception):
    """Fail with a text of the attacker's choice."""


def failing(*events: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield events, and fail."""
    yield from events
    raise Loud(LOUD)


@pytest.fixture
def hostile(project: Project) -> Project:
    """Return a project whose cassettes have nothing but hostile text."""
    project.write({"pytest.ini": "[pytest]\naddopts = -p no:cacheprovider\n", "test_it.py": TESTS})
    folder = project.path / "cassettes"
    ended = {"event_type": "tool_complete", "tool_name": LOUD, "tool_call_id": LOUD, "result": LOUD}
    with playhead.record(folder / "loud.jsonl") as tape:
        list(tape.events([ended, {"event_type": "terminate", "reason": LOUD}]))
    for name in ("failed", "asking"):
        with playhead.record(folder / f"{name}.jsonl") as tape, pytest.raises(Loud):
            list(tape.events(failing(ended)) if name == "failed" else [tape.tap.ask_now({"q": LOUD}, lambda: fail())])
    return project


def fail() -> None:
    """Fail as a model does."""
    raise Loud(LOUD)


@pytest.mark.parametrize("color", ["no", "yes"])
def test_nothing_raw_reaches_the_terminal(hostile: Project, color: str) -> None:
    """The text is there, spelled out; the only escapes are the colours that pytest itself prints."""
    done = hostile.run_apart("-rA", "-Wdefault", f"--color={color}", plugins=("syrupy",))
    bare = re.sub(r"\x1b\[[\d;]*m", "", done.stdout) if color == "yes" else done.stdout
    assert "21 failed, 1 passed, 1 skipped, 1 xfailed, 1 warning, 1 error in" in bare, bare[-300:] + done.stderr
    raw = [line for line in bare.split("\n") if set(line) & set("\x1b\x07\x9b\u202e\r\0")]
    assert raw == []
    assert "\x1b[8m" not in done.stdout
    assert done.stdout.count(r"http://evil") > 25
    on_a_terminal(done.stdout)


def on_a_terminal(text: str) -> None:
    """Feed what was printed to a terminal: its title stays, nothing is wiped, and the text is there to be read."""
    screen = pyte.HistoryScreen(250, 5_000, history=5_000)
    pyte.Stream(screen).feed(text.replace("\n", "\r\n"))
    assert screen.title == ""
    assert "test session starts" in "\n".join(screen.display)
    assert any(SHOWN.replace(r"\r", "\\r")[:40] in line for line in screen.display)


def test_without_it_the_terminal_is_steered(hostile: Project) -> None:
    """What these tests feed to the terminal does harm: with the plugin off, the same failure sends it as it is."""
    hostile.write({"test_it.py": f"def test_it():\n    raise ValueError({LOUD!r})\n"})
    done = hostile.run_apart("-p", "no:playhead")
    assert LOUD[:6] in done.stdout


@pytest.mark.parametrize(
    ("text", "coloured", "shown"),
    [
        ("\x1b[31mred\x1b[0m", False, r"\x1b[31mred\x1b[0m"),
        ("\x1b[31mred\x1b[39;49;00m", True, "\x1b[31mred\x1b[39;49;00m"),
        ("\x1b[8mgone\x1b[30mblack\x1b[41mred", True, r"\x1b[8mgone\x1b[30mblack\x1b[41mred"),
        ("\x1b[\x1b[31m0m", True, "\\x1b[\x1b[31m0m"),
        ("\x1b]0;x\x07", True, r"\x1b]0;x\x07"),
    ],
)
def test_colours_stay_where_pytest_has_coloured(text: str, coloured: bool, shown: str) -> None:
    """Colours only: what hides text, or paints behind it, is spelled out."""
    assert made_safe([text, (text,), 7, Path("x")], is_coloured=coloured) == [shown, (shown,), 7, Path("x")]


def test_texts_that_look_alike_are_told_apart() -> None:
    """An escape, and the text that spells it, differ; and so they do where they are shown."""
    assert compared_safely("x", "y") is None
    assert compared_safely("\x1b", 1) is None
    assert compared_safely("\x1b", "y") == (r"\x1b", "y")
    assert compared_safely("\x1b", r"\x1b") == (r"'\x1b'", r"'\\x1b'")

"""What the plugin can be told, and who has the last word."""

from typing import Any

import pytest

from playhead.errors import UsageError
from playhead.plugin.modes import MODES
from playhead.plugin.settings import BLOCK_NETWORK, DIR, MODE, REPORT, SETTINGS, UNUSED, Told, is_ci, is_told


def told(
    *, line: dict[str, Any] | None = None, ini: dict[str, Any] | None = None, environment: dict[str, str] | None = None
) -> Told:
    """Return what was told in each place."""
    return Told(line or {}, ini or {}, environment or {})


def test_the_order_of_places() -> None:
    """Command line, marker, ini, environment, default: each has the last word over those behind it."""
    places: list[tuple[dict[str, Any], str | None, str, str]] = [
        ({}, None, "none", "the default"),
        ({"environment": {"PLAYHEAD_MODE": "all"}}, None, "all", "PLAYHEAD_MODE of the environment"),
        ({"ini": {"mode": "once"}}, None, "once", "playhead_mode of the ini file"),
        ({}, "rewrite", "rewrite", "mode of the marker 'playhead'"),
        ({"line": {"mode": "new_episodes"}}, "rewrite", "new_episodes", "--playhead-mode"),
    ]
    known: dict[str, Any] = {}
    for more, marker, value, said_by in places:
        known |= more
        assert told(**known).judged(MODE, marker) == (value, said_by)


@pytest.mark.parametrize("value", ["1", "true", "TRUE", "yes", "github"])
def test_ci_only_replays(value: str) -> None:
    """Whatever a marker, an ini file or the environment says; the command line alone records there."""
    environment = {"CI": value, "PLAYHEAD_MODE": "all"}
    known = told(ini={"mode": "once"}, environment=environment)
    assert known.judged(MODE, "rewrite") == ("none", "CI is set in the environment")
    assert told(line={"mode": "all"}, environment=environment).value(MODE, "rewrite") == "all"
    assert told(ini={"unused": "error"}, environment=environment).value(UNUSED) == "error"


@pytest.mark.parametrize("value", ["", "0", "false", "False", "no", "off"])
def test_what_is_no_ci(value: str) -> None:
    """A variable that is empty, or that says no, is not set."""
    assert not is_ci({"CI": value})
    assert not is_ci({})
    assert told(environment={"CI": value, "PLAYHEAD_MODE": "all"}).value(MODE) == "all"


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        (MODE, "onse", "PLAYHEAD_MODE of the environment is 'onse': it is one of none, .*; did you mean 'once'"),
        (
            UNUSED,
            "warning",
            "PLAYHEAD_UNUSED of the environment is 'warning': .* ignore, warn, error; did you mean 'warn",
        ),
        (BLOCK_NETWORK, "maybe", "PLAYHEAD_BLOCK_NETWORK of the environment is 'maybe': it is one of 1, true, yes, on"),
    ],
)
def test_a_word_that_there_is_not_is_refused(setting: Any, value: str, message: str) -> None:
    """The error says where it was said, and what there is."""
    with pytest.raises(UsageError, match=message):
        told(environment={setting.variable: value}).value(setting)


@pytest.mark.parametrize(("word", "value"), [("1", True), ("Yes", True), ("on", True), ("off", False), ("", False)])
def test_a_switch_has_words(word: str, value: bool) -> None:
    """On and off, as people spell them; on the command line it is on or off already."""
    assert told(environment={"PLAYHEAD_BLOCK_NETWORK": word}).value(BLOCK_NETWORK) is value
    assert told(line={"block_network": value}).value(BLOCK_NETWORK) is value


def test_it_is_known_whether_anything_was_told() -> None:
    """CI is no setting of ours; anything else is."""
    assert not is_told(told(environment={"CI": "1"}))
    assert is_told(told(environment={"PLAYHEAD_REPORT": "x.json"}))
    with pytest.raises(UsageError):
        is_told(told(ini={"mode": "x"}))


def test_names_are_made_of_one_word() -> None:
    """Option, ini key and variable of a setting are told from its name, and all are prefixed."""
    assert [setting.option for setting in SETTINGS] == [
        "--playhead-mode",
        "--playhead-dir",
        "--playhead-unused",
        "--playhead-block-network",
        "--playhead-report",
    ]
    assert (DIR.ini, DIR.variable) == ("playhead_dir", "PLAYHEAD_DIR")
    assert REPORT.default is None


def test_each_mode_is_in_the_table() -> None:
    """The words of the option are the modes, and what each means without a cassette is what `rewrite` does."""
    assert tuple(MODES) == MODE.choices
    for mode in MODES.values():
        assert mode.on(exists=True) is mode
        assert mode.on(exists=False) is (mode if mode.name == "none" else MODES["rewrite"])

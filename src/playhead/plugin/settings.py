"""What the plugin can be told, where it is told, and who has the last word.

    command line, marker, ini, environment, default

Under CI the mode is `none` unless the command line says otherwise. Knows texts and values; does not know pytest.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from playhead.errors import UsageError

_BY_CI: Final = "CI is set in the environment"
BY_DEFAULT: Final = "the default"
"""Who says what nobody said."""
_UNTOLD: Final = {_BY_CI, BY_DEFAULT}

SWITCHES: Final = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
    "": False,
}
"""How a switch is spelled in an ini file or in the environment; case does not count."""

DEFAULT_MODE: Final = "none"
"""The mode of a test of which nobody says anything, and of every test under CI."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Describe one setting. `choices` are its words, none where any text will do; a switch is on or off."""

    name: str
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    is_switch: bool = False
    metavar: str | None = None

    @property
    def option(self) -> str:
        """Return how it is spelled on the command line."""
        return "--playhead-" + self.name.replace("_", "-")

    @property
    def ini(self) -> str:
        """Return how it is spelled in an ini file."""
        return f"playhead_{self.name}"

    @property
    def variable(self) -> str:
        """Return how it is spelled in the environment."""
        return f"PLAYHEAD_{self.name.upper()}"

    def read(self, value: Any, where: str) -> Any:
        """Return a value that was told somewhere. Raises `UsageError` for one that there is not."""
        if self.is_switch:
            known: Sequence[str] = tuple(word for word in SWITCHES if word)
            if not isinstance(value, str) or value.lower() in SWITCHES:
                return SWITCHES[value.lower()] if isinstance(value, str) else bool(value)
        elif not self.choices or value in self.choices:
            return value
        else:
            known = self.choices
        raise UsageError(f"{where} is {value!r}: it is one of {', '.join(known)}{_did_you_mean(value, known)}")


MODE: Final = Setting(
    "mode",
    DEFAULT_MODE,
    "when tests record and when they replay: none only replays, once records what is missing, new_episodes what is not "
    "on a cassette yet, all everything, rewrite everything into a new cassette",
    choices=("none", "once", "new_episodes", "all", "rewrite"),
)
"""When a test records, and when it replays."""
DIR: Final = Setting(
    "dir", "cassettes", "the folder of the cassettes, beside the tests unless it is absolute", metavar="DIR"
)
"""The folder of cassettes: relative to that of the test, or absolute."""
UNUSED: Final = Setting(
    "unused", "warn", "what to do about cassettes that no test used", choices=("ignore", "warn", "error")
)
"""What a cassette is that no test used."""
BLOCK_NETWORK: Final = Setting(
    "block_network", default=False, help="let tests connect to this machine only", is_switch=True
)
"""Whether tests may connect to this machine only."""
REPORT: Final = Setting("report", None, "write to this file, as JSON, what became of the cassettes", metavar="PATH")
"""The file that gets what the summary says, as JSON."""

SETTINGS: Final = (MODE, DIR, UNUSED, BLOCK_NETWORK, REPORT)
"""All of them."""


@dataclass(frozen=True, slots=True)
class Told:
    """Hold what was told, by the names of settings: None or nothing where nobody said anything."""

    command_line: Mapping[str, Any]
    ini: Mapping[str, Any]
    environment: Mapping[str, str]

    def value(self, setting: Setting, marker: Any = None) -> Any:
        """Return what holds for a setting, of a test whose marker says `marker`. Raises `UsageError`."""
        return self.judged(setting, marker)[0]

    def judged(self, setting: Setting, marker: Any = None) -> tuple[Any, str]:
        """Return what holds, and who said so."""
        given = (
            (self.command_line.get(setting.name), setting.option),
            (marker, f"{setting.name} of the marker 'playhead'"),
            (self.ini.get(setting.name), f"{setting.ini} of the ini file"),
            (self.environment.get(setting.variable), f"{setting.variable} of the environment"),
        )
        if setting is MODE and given[0][0] is None and is_ci(self.environment):
            return DEFAULT_MODE, _BY_CI
        for value, where in given:
            if value is not None:
                return setting.read(value, where), where
        return setting.default, BY_DEFAULT


def told_to(config: Any, environment: Mapping[str, str] = os.environ) -> Told:
    """Return what a pytest configuration and the environment say."""
    return Told(
        {setting.name: config.getoption(setting.ini, None) for setting in SETTINGS},
        {setting.name: config.getini(setting.ini) for setting in SETTINGS},
        environment,
    )


def is_told(told: Told) -> bool:
    """Say whether anything was told, and raise `UsageError` if it was something that there is not."""
    return not {told.judged(setting)[1] for setting in SETTINGS} <= _UNTOLD


def is_ci(environment: Mapping[str, str]) -> bool:
    """Say whether this is a CI: the variable `CI` is set, to something that does not mean no."""
    return SWITCHES.get(environment.get("CI", "").lower(), True)


def _did_you_mean(value: Any, known: Sequence[str]) -> str:
    # It brings in wide tables, and only an error needs it.
    from playhead.text import did_you_mean

    return did_you_mean(str(value), known)

"""What one test's tape can be told: by its marker, by the fixture `tape_config`, or by nobody.

Knows names and defaults. What the values mean is for those who take them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import UsageError
from playhead.matching.normalise import Normaliser
from playhead.replaying.pace import Pace
from playhead.text import did_you_mean


@dataclass(frozen=True, slots=True)
class Options:
    """Hold what a tape is told.

    `dialect` is that of the events; None takes the framework's, `locus` else. `redact` is as in `record`. `ignore`,
    `pace`, `tools`, `max_age_days`, `partly` and `clock` are as in `rerun`, but that `ignore` is about events, too.
    `contracts` is False where no rule shall be asked, `ignore_rules` are codes that are not. `script` are the turns of
    `tape_model`, or `model` makes the real model, of `framework`. `upstreams` are base URLs for `server`, by the names
    of providers. `made` adds to what the cassette says of how it was made.
    """

    dialect: str | None = None
    redact: Sequence[str] | None = None
    ignore: Sequence[str | Normaliser] = ()
    pace: Pace = "instant"
    tools: Literal["recorded", "live"] = "recorded"
    max_age_days: float | None = None
    partly: bool = False
    contracts: bool = True
    ignore_rules: Sequence[str] = ()
    script: Sequence[Any] | None = None
    model: Callable[[], Any] | None = None
    framework: str | None = None
    upstreams: Mapping[str, str] | None = None
    made: Mapping[str, str] | None = None
    clock: Clock = SYSTEM_CLOCK


NAMES = tuple(field.name for field in fields(Options))
"""The names of all options."""


def told(options: Options, given: Mapping[str, Any], where: str, *, others: Sequence[str] = ()) -> Options:
    """Return options with those replaced that were given somewhere. `others` are names that it may have besides.

    Raises `UsageError` for a name that there is not.
    """
    known = (*others, *NAMES)
    for name in given:
        if name not in known:
            raise UsageError(f"{where} has no {name!r}: it has {', '.join(known)}{did_you_mean(name, known)}")
    return replace(options, **{name: value for name, value in given.items() if name in NAMES})


def configured(config: object) -> Options:
    """Return what the fixture `tape_config` says: a mapping, or `Options`. Raises `UsageError` for anything else."""
    if isinstance(config, Options):
        return config
    if isinstance(config, Mapping):
        return told(Options(), config, "the fixture 'tape_config'")
    raise UsageError(f"the fixture 'tape_config' returns a mapping, not {type(config).__name__}")

"""What a rule is: a code, a meaning, and two streams of which it forbids one.

Knows no rule and checks nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from playhead.contracts.limits import Limits


class Severity(StrEnum):
    """Say how sure a rule is: broken streams break it, healthy ones may, or somebody must ask for it first."""

    ERROR = "error"
    WARNING = "warning"
    OPT_IN = "opt-in"


Row = Mapping[str, Any]
"""An event of an example, as a JSON object."""


@dataclass(frozen=True, slots=True)
class Example:
    """A short stream: the events of a run, or bytes on the wire, and how it ended.

    `headers` are those of the response that brought the bytes. `limits` are what the rule is asked with.
    """

    events: tuple[Row, ...] = ()
    wire: bytes = b""
    dialect: str = "locus"
    end: str | None = None
    headers: Mapping[str, str] | None = None
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Say what a stream promises. `breaks` breaks this rule and no other, `keeps` breaks none.

    `meaning` is one line, `why` what a person who met it must know.
    """

    code: str
    meaning: str
    why: str
    breaks: Example
    keeps: Example
    severity: Severity = Severity.ERROR

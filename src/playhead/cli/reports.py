"""How findings are told: to people, to programs, to GitHub, to whatever reads JUnit's XML.

Knows forms. Does not know where findings come from. Each form is an entry of one table.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

from playhead.cli.screen import line, print_json, said, screen
from playhead.contracts.rule import Severity
from playhead.contracts.rules import RULES
from playhead.contracts.violation import Violation
from playhead.text import safe


@dataclass(frozen=True, slots=True)
class Checked:
    """What came out of one stream: its findings in the order of their places, or why it could not be read."""

    place: str
    found: Sequence[Violation]
    problem: str = ""


def severity(violation: Violation) -> Severity:
    """Return how sure a finding is. What was asked for is an error where it is broken."""
    found = RULES[violation.code].severity
    return Severity.WARNING if found is Severity.WARNING else Severity.ERROR


def _text(checked: Sequence[Checked]) -> None:
    console = screen()
    for stream in checked:
        for violation in stream.found:
            mild = severity(violation) is Severity.WARNING
            code = (f"{violation.code} ", "bold yellow" if mild else "bold")
            word = "warning: " if mild else ""
            console.print(line(said(f"{violation.where}: "), code, word, said(violation.message)))


def _json(checked: Sequence[Checked]) -> None:
    for stream in checked:
        for violation in stream.found:
            print_json({"place": stream.place, "severity": severity(violation), **_fields(violation)})


def _fields(violation: Violation) -> dict[str, object]:
    names = ("code", "message", "line", "offset", "index", "event", "run")
    return {name: value for name in names if (value := getattr(violation, name)) not in (None, "")}


_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def _github(checked: Sequence[Checked]) -> None:
    for stream in checked:
        for violation in stream.found:
            values = {"file": stream.place, "line": str(violation.line or 1), "title": violation.code}
            told = ",".join(f"{name}={_escaped(value, also=':,')}" for name, value in values.items())
            sys.stdout.write(f"::{_LEVELS[severity(violation)]} {told}::{_escaped(violation.message)}\n")


def _escaped(text: str, *, also: str = "") -> str:
    """Return text as a value of GitHub's workflow commands."""
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return safe(text)


def _junit(checked: Sequence[Checked]) -> None:
    failures = sum(bool(stream.found) for stream in checked)
    problems = sum(bool(stream.problem) for stream in checked)
    counts = {"tests": str(len(checked)), "failures": str(failures), "errors": str(problems)}
    suite = ElementTree.Element("testsuite", {"name": "playhead check", **counts})
    for stream in checked:
        case = ElementTree.SubElement(suite, "testcase", {"classname": "playhead", "name": safe(stream.place)})
        if stream.found:
            told = [safe(str(violation)) for violation in stream.found]
            failure = ElementTree.SubElement(case, "failure", {"type": stream.found[0].code, "message": told[0]})
            failure.text = "\n".join(told)
        if stream.problem:
            ElementTree.SubElement(case, "error", {"message": safe(stream.problem)})
    ElementTree.indent(suite)
    text = ElementTree.tostring(suite, encoding="unicode", xml_declaration=False)
    sys.stdout.write(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')


REPORTS: Final[Mapping[str, Callable[[Sequence[Checked]], None]]] = {
    "text": _text,
    "json": _json,
    "github": _github,
    "junit": _junit,
}
"""Each form by its name. What it prints goes to standard output."""

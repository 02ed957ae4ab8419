"""Rules about every file of the repository, whatever it is: nothing of the machine on which it was written."""

import re

from tests.house.checks.source import Finding

# Written in pieces, so that this file does not contain what it looks for.
PATTERNS = {
    "a path of somebody's machine": re.compile(
        r"(?<![\w~.}*$-])/(?:" + "|".join(("wor" + "k", "roo" + "t")) + r")/(?=[\w.])"
        r"|/tm" + r"p/(?:dev|brief|bash_jobs)\b"
    ),
    "the address of a package registry": re.compile(
        "|".join(
            (
                r"pypi\.or" + "g/simple",
                r"pythonhoste" + r"d\.org",
                r"registry\.npm" + r"js\.org",
                r"--(?:extra-)?index" + "-url",
                r"--find" + "-links",
                r"/opt/py" + "pi",
            )
        )
    ),
    "the mark of an unfinished merge": re.compile(r"^(?:<{7}|>{7}|\|{7}) ", re.MULTILINE),
}


def text_findings(path: str, text: str) -> list[Finding]:
    """Find what belongs to a machine and not to the project."""
    return [
        Finding(path, text.count("\n", 0, match.start()) + 1, f"contains {what}: {match[0]!r}")
        for what, pattern in PATTERNS.items()
        for match in pattern.finditer(text)
    ]


def pin_findings(path: str, text: str) -> list[Finding]:
    """Find lines of a requirements file that do not pin exactly one version."""
    return [
        Finding(path, number, f"not a pin: {line!r}")
        for number, line in enumerate(text.splitlines(), 1)
        if not re.fullmatch(r"[a-z0-9-]+==[\w.!+]+(?: ; .+)?", line)
    ]
